"""The command ``imuface empathy converse``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from empathy_agent.cli import one_line_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from empathy_training.evaluation.conversation import Transcript
    from empathy_training.evaluation.conversation_scripts import Script


def converse(
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for transcripts and table. [default: out/empathy/conversation, or that of --score]"),
    ] = None,
    model: Annotated[
        str, typer.Option(help="A model of `imuface models list`, or the server's name of one. [default: the agent's]")
    ] = "",
    server_url: Annotated[str, typer.Option(help="OpenAI-compatible server that runs the model.")] = "",
    label: Annotated[str, typer.Option(help="Name of this run in the table. [default: the model]")] = "",
    dialogues: Annotated[
        Path | None, typer.Option(help="Your own dialogues (YAML). [default: those of the package]")
    ] = None,
    only: Annotated[str, typer.Option(help="Only dialogues in zh or en.")] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many dialogues, drawn by the seed. [default: all]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of drawing dialogues and of sampling.")] = 0,
    score: Annotated[
        Path | None, typer.Option(help="Make the table of the transcripts in this folder, without any model.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print conversation.json.")] = False,
) -> None:
    """Hold scripted conversations with the agent and check its answers (docs/conversation.md).

    The agent answers every turn as it would answer a person, each dialogue in a session of its own. Transcripts are
    kept in OUT/transcripts.jsonl: an interrupted run goes on, and runs of other models or, with another --label, of a
    changed agent stand beside each other in the table, next to two baselines that must lose. All 64 dialogues have
    294 turns. With a server, the dialogues go there.

    \b
    imuface empathy converse --limit 4 --out out/try
    imuface empathy converse --model ours --label "ours, after the change" --out out/empathy/conversation
    imuface empathy converse --model qwen2.5-72b --server-url http://127.0.0.1:8000 --only zh
    imuface empathy converse --dialogues mine.yaml --out out/mine
    imuface empathy converse --score out/empathy/conversation
    """
    from rich.console import Console
    from rich.markdown import Markdown

    with one_line_errors():
        if score is not None and (model or server_url or label):
            raise ValueError("--score takes no --model, --server-url or --label: it asks no model")
        folder = out or score or Path("out/empathy/conversation")
        scripts = _chosen(dialogues, only, limit, seed)
        # After the options were found to be good, for these take seconds.
        from empathy_training.evaluation.conversation import (
            BASELINES,
            TRANSCRIPTS_FILE,
            baseline,
            matching,
            read_transcripts,
        )
        from empathy_training.evaluation.conversation_report import RESULTS_FILE, TABLE_FILE, write_report

        source = (score or folder) / TRANSCRIPTS_FILE
        if score is None:
            _run(scripts, model, server_url, label, source, seed)
        everything = read_transcripts(source)
        transcripts: dict[str, Sequence[Transcript]] = {
            name: list(matching([one for one in everything if one.label == name], scripts).values())
            for name in dict.fromkeys(one.label for one in everything)
        }
        transcripts = {name: own for name, own in transcripts.items() if own}
        if not transcripts:
            raise ValueError(f"{source} holds no transcript of the chosen dialogues as they are now")
        held = {one.script for own in transcripts.values() for one in own}
        transcripts |= {name: baseline(name, [one for one in scripts if one.id in held]) for name in BASELINES}
        write_report(folder, transcripts, scripts)
    if as_json:
        typer.echo((folder / RESULTS_FILE).read_text(encoding="utf-8"))
        return
    Console().print(Markdown((folder / TABLE_FILE).read_text(encoding="utf-8")))
    typer.echo(f"{folder / TABLE_FILE}: the table; {folder}: transcripts, figures, dialogues for reading")


def _chosen(dialogues: Path | None, only: str, limit: int | None, seed: int) -> list[Script]:
    import numpy as np

    from empathy_training.evaluation.conversation_scripts import own_scripts, read_scripts

    if only not in ("", "zh", "en"):
        raise ValueError(f"--only {only} is neither zh nor en")
    scripts = [one for one in (read_scripts(dialogues) if dialogues else own_scripts()) if only in ("", one.language)]
    if not scripts:
        raise ValueError(f"{dialogues} holds no dialogue in {only}")
    if limit is not None and limit < len(scripts):
        drawn = np.random.default_rng(seed).permutation(len(scripts))[:limit]
        scripts = [scripts[index] for index in sorted(drawn)]
    return scripts


def _run(scripts: Sequence[Script], model: str, server_url: str, label: str, path: Path, seed: int) -> None:
    """Hold those dialogues that are not in the file."""
    from empathy_agent.engines import Engine
    from empathy_agent.engines.factory import open_engine
    from empathy_agent.models import DEFAULT_MODEL
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from empathy_training.evaluation.conversation import converse as hold

    name = model or DEFAULT_MODEL
    opened = False

    def engine() -> Engine:
        nonlocal opened
        opened = True
        return open_engine(model, server_url=server_url)

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"turns with {label or name}", total=sum(len(one.turns) for one in scripts))
        hold(scripts, label or name, name, engine, path, seed, lambda turns: bar.advance(task, turns))
    if not opened:
        typer.echo(f"{path} held all of it; for a changed agent give another --label or --out", err=True)
