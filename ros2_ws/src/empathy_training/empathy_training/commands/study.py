"""The commands ``imuface empathy study``: make, score."""

from __future__ import annotations

import json
import math
import secrets
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from empathy_agent.cli import one_line_errors

from empathy_training.commands.data import read_all
from empathy_training.commands.options import AllowLicence

if TYPE_CHECKING:
    from empathy_training.corpus.examples import Example
    from empathy_training.evaluation.bootstrap import Interval
    from empathy_training.evaluation.study import StudyScore

study_app = typer.Typer(
    help="The blind study: people rank anonymous replies (docs/human-study.md).",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@study_app.command()
def make(
    run: Annotated[Path, typer.Argument(help="Folder of an evaluation, with replies.jsonl.")],
    data: Annotated[list[Path], typer.Argument(help="Files of the examples that were answered (.jsonl).")],
    output: Annotated[Path, typer.Option(help="Page to write; its key goes beside it.")] = Path("out/study.html"),
    number: Annotated[int, typer.Option(help="How many posts.")] = 20,
    language: Annotated[str, typer.Option(help="en or zh, of posts and page. [default: that of most posts]")] = "",
    with_counsellor: Annotated[
        bool, typer.Option("--with-counsellor/--no-counsellor", help="The examples' own answers take part, too.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(help="Decides about posts, letters and order; keep it from raters. [default: a secret one]"),
    ] = None,
    allow_licence: AllowLicence = None,
) -> None:
    """Write a page on which people rank the replies of an evaluation, without knowing whose they are.

    Only posts that every system answered take part, and none of people in acute danger. Give raters the page; keep
    the key to yourself.

    \b
    imuface empathy study make out/empathy/evaluation test.jsonl --output out/study.html
    imuface empathy study make out/empathy/evaluation test.jsonl --number 50 --language zh --with-counsellor
    """
    with one_line_errors():
        from empathy_agent.language import language_of

        from empathy_training.evaluation.replies import REPLIES_FILE, answerable, read_replies
        from empathy_training.evaluation.study import make_study
        from empathy_training.evaluation.systems import COUNSELLOR

        replies: dict[str, dict[str, str]] = {}
        for reply in read_replies(run / REPLIES_FILE):
            replies.setdefault(reply.system, {})[reply.id] = reply.answer
        examples = _by_id(answerable(read_all(data, allow_licence)))
        answered = {id for answers in replies.values() for id in answers}
        languages = Counter(language_of(example.locale) for id, example in examples.items() if id in answered)
        if not languages:
            raise ValueError(
                f"{run} holds no reply to a post of {', '.join(map(str, data))}; name the data that it used"
            )
        language = language or languages.most_common(1)[0][0]
        if with_counsellor:
            replies[COUNSELLOR] = {id: example.answer for id, example in examples.items()}
        posts = {id: one.post for id, one in examples.items() if language_of(one.locale) == language}
        # One that raters could guess would tell them whose the replies are.
        seed = secrets.randbelow(2**63) if seed is None else seed
        key = make_study(posts, replies, number, language, seed, output)
    typer.echo(f"{output}: page for the raters, {len(replies)} systems")
    typer.echo(f"{key}: tells which reply is whose, not for the raters")


@study_app.command()
def score(
    key: Annotated[Path, typer.Argument(help="Key that was written with the page.")],
    results: Annotated[list[Path], typer.Argument(help="Files that the raters saved, one of each.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
) -> None:
    """Mean rank and Win@K of every system, with 95 % intervals over posts, and how far the raters agree.

    \b
    imuface empathy study score out/study.key.json results/*.json
    """
    from dataclasses import asdict

    with one_line_errors():
        from empathy_training.evaluation.records import without_nan
        from empathy_training.evaluation.study import score_study

        found = score_study(key, results)
    if as_json:
        typer.echo(json.dumps(without_nan(asdict(found)), ensure_ascii=False))
    else:
        _show(found)


def _by_id(examples: list[Example]) -> dict[str, Example]:
    """Raises ``ValueError`` where an id stands for two posts."""
    found: dict[str, Example] = {}
    for example in examples:
        if found.setdefault(example.id, example).post != example.post:
            raise ValueError(f"the id {example.id} stands for two posts in the data; leave out one of the files")
    return found


def _show(found: StudyScore) -> None:
    from rich.console import Console
    from rich.table import Table

    systems = sorted(found.standings, key=lambda system: found.standings[system].mean_rank.value)
    overall = Table("system", "mean rank", *(f"Win@{k}" for k in range(1, len(systems) + 1)))
    for system in systems:
        standing = found.standings[system]
        overall.add_row(system, _text(standing.mean_rank), *(_text(share, percent=True) for share in standing.win_at))
    apart = Table("mean rank", *found.dimensions)
    for system in systems:
        apart.add_row(system, *(_text(one[system].mean_rank) for one in found.dimensions.values()))
    apart.add_section()
    apart.add_row("agreement (W)", *(_w(value) for value in found.dimension_agreement.values()))
    console = Console()
    console.print(overall)
    console.print(apart)
    console.print(
        f"{found.raters} raters, {found.posts} posts, {found.unfinished} left unfinished and not used; "
        f"agreement over all dimensions (Kendall's W): {_w(found.agreement)}",
        highlight=False,
    )


def _text(figure: Interval, percent: bool = False) -> str:
    value, low, high = (100 * number if percent else number for number in (figure.value, figure.low, figure.high))
    return f"{value:.0f} % ({low:.0f}–{high:.0f})" if percent else f"{value:.2f} ({low:.2f}–{high:.2f})"


def _w(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
