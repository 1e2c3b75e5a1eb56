"""The command ``imuface empathy evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from empathy_agent.cli import one_line_errors

from empathy_training.commands.data import read_all
from empathy_training.commands.options import AllowLicence


def evaluate(
    data: Annotated[list[Path], typer.Argument(help="Files of examples that no system has learned from (.jsonl).")],
    system: Annotated[
        list[str],
        typer.Option(
            help="LABEL=SPEC, once for each system: a model of `imuface models list`, a folder of an adapter or model, "
            "or URL#MODEL of a server."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder for replies, table and pictures.")] = Path(
        "out/empathy/evaluation"
    ),
    reward: Annotated[Path | None, typer.Option(help="Reward model of stage 2, best of other data.")] = None,
    bertscore: Annotated[
        str | None,
        typer.Option(help="Encoder of BERTScore for all languages. [default: all-MiniLM-L6-v2, for English only]"),
    ] = None,
    judge: Annotated[str, typer.Option(help="A model that compares the replies in pairs: a SPEC as above.")] = "",
    limit: Annotated[int | None, typer.Option(help="At most so many posts, drawn by the seed. [default: all]")] = None,
    seed: Annotated[int, typer.Option(help="Of drawing posts, of sampling, and of the intervals.")] = 0,
    allow_licence: AllowLicence = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print results.json.")] = False,
) -> None:
    """Compare systems on posts that none of them has seen.

    Replies are kept in OUTPUT/replies.jsonl: an interrupted run goes on, and further systems or a judge can be added
    later. The judge sees every pair in both orders. With a server, posts and replies go there.

    \b
    imuface empathy evaluate out/empathy/sft/held_out.jsonl --system prompted=qwen2.5-coder-1.5b --system SFT=ours \\
      --reward out/empathy/reward/model
    imuface empathy evaluate posts.jsonl --system SFT=out/empathy/sft/adapter --system GRPO=out/empathy/grpo/adapter \\
      --system "no chain=out/empathy/sft-no-chain/adapter" --judge http://127.0.0.1:8000#qwen2.5-72b
    """
    import tempfile
    from functools import partial

    from rich.console import Console
    from rich.markdown import Markdown
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with one_line_errors():
        import numpy as np
        from empathy_agent.language import language_of

        from empathy_training.evaluation.bertscore import EncoderScore, english_encoder
        from empathy_training.evaluation.judge import JUDGEMENTS_FILE, judge_pairs
        from empathy_training.evaluation.metrics import measure, measure_counsellor
        from empathy_training.evaluation.replies import REPLIES_FILE, answerable, generate
        from empathy_training.evaluation.report import RESULTS_FILE, TABLE_FILE, make_report
        from empathy_training.evaluation.systems import COUNSELLOR, System, parse_systems
        from empathy_training.learning.reward import RewardModel

        systems = parse_systems(system)
        everything = read_all(data, allow_licence)
        examples = answerable(everything)
        if crises := len(everything) - len(examples):
            typer.echo(f"left out {crises} posts of people in acute danger: no model answers them", err=True)
        if limit is not None and limit < len(examples):
            drawn = np.random.default_rng(seed).permutation(len(examples))[:limit]
            examples = [examples[index] for index in sorted(drawn)]
        if not examples:
            raise ValueError("no post is left to answer")
        rewards = RewardModel.load(reward) if reward else None
        output.mkdir(parents=True, exist_ok=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        replies, judgements = {}, []
        with Progress(*columns, console=Console(stderr=True)) as bar:
            for one in systems:
                task = bar.add_task(f"replies of {one.label}", total=len(examples))
                replies[one.label] = generate(
                    examples, one.label, one.spec, one.open, output / REPLIES_FILE, seed, partial(bar.advance, task)
                )
            answers = {label: [reply.answer for reply in own] for label, own in replies.items()}
            if judge and len(systems) > 1:
                pairs = len(systems) * (len(systems) - 1)
                task = bar.add_task(f"judged by {judge}", total=len(examples) * pairs)
                judgements = judge_pairs(
                    examples,
                    answers,
                    System(judge, judge).open,
                    judge,
                    output / JUDGEMENTS_FILE,
                    partial(bar.advance, task),
                )
        languages = sorted({language_of(example.locale) for example in examples})
        with tempfile.TemporaryDirectory() as folder:
            if bertscore:
                scorers = dict.fromkeys(languages, EncoderScore(bertscore))
            else:
                scorers = {"en": EncoderScore(english_encoder(Path(folder)))} if "en" in languages else {}
        values = {label: measure(own, examples, rewards, scorers) for label, own in replies.items()}
        about = {
            "Data": ", ".join(sorted({f"{one.source} ({one.licence})" for one in examples})),
            "Seed": str(seed),
            "BERTScore": bertscore or "all-MiniLM-L6-v2, English posts only",
        }
        if rewards:
            about["Reward model"] = f"`{reward}`, threshold {rewards.threshold:.3f}"
        named = {one.label: one.spec for one in systems} | {COUNSELLOR: ""}
        values |= {COUNSELLOR: measure_counsellor(examples, rewards)}
        answers |= {COUNSELLOR: [example.answer for example in examples]}
        report = make_report(examples, named, values, answers, about, judge, judgements, seed)
        report.write(output)
    if as_json:
        typer.echo((output / RESULTS_FILE).read_text(encoding="utf-8"))
        return
    Console().print(Markdown((output / TABLE_FILE).read_text(encoding="utf-8").partition("![")[0]))
    typer.echo(f"{output / TABLE_FILE}: the table; {output}: replies, figures, pictures")
