"""The commands ``imuface empathy screen`` and ``train-screen``: what the crisis gate finds, and its data."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from empathy_agent.cli import one_line_errors

if TYPE_CHECKING:
    from empathy_training.screening.training import Line


def screen(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Text files; none: standard input.", show_default=False)
    ] = None,
    locale: Annotated[str, typer.Option(help="BCP 47 tag to assume, such as zh-TW; left out: detected.")] = "",
    echo: Annotated[bool, typer.Option(help="Print the text, too.")] = False,
) -> None:
    """Read lines and print what the crisis gate makes of each, as a line of JSON.

    So that anyone can audit it: line (its number), risk (none, concern, crisis), kind, locale, matched (what decided,
    in normalised characters) and source (rule or classifier). Empty lines are left out, bytes that are no UTF-8 are
    replaced. Nothing is kept. Status 0, or 1 when a file cannot be read.

    \\b
    imuface empathy screen < utterances.txt
    imuface empathy screen a.txt b.txt --locale zh-TW | jq 'select(.risk != "none")'
    echo "I cannot go on" | imuface empathy screen --echo
    """
    from empathy_agent.language import resolve_locale
    from empathy_agent.safety import assess

    with one_line_errors():
        for number, text in enumerate(_lines(files or []), 1):
            if not text.strip():
                continue
            verdict = assess(text)
            found = {
                "line": number,
                "risk": verdict.risk.name.lower(),
                "kind": verdict.kind.value if verdict.kind else None,
                "locale": resolve_locale(locale, text),
                "matched": verdict.matched,
                "source": verdict.source,
            }
            typer.echo(json.dumps(found | ({"text": text} if echo else {}), ensure_ascii=False))


def train_screen(
    output: Annotated[Path, typer.Option(help="File for the weights.")] = Path("out/screen.npz"),
    seed: Annotated[int, typer.Option(help="Of the split and of what is drawn from long posts.")] = 0,
    corpora: Annotated[
        list[str] | None,
        typer.Option("--corpus", metavar="NAME=FILE", help="Its clients' turns are harmless talk.", show_default=False),
    ] = None,
    measure_only: Annotated[bool, typer.Option("--measure", help="Train nothing: measure the shipped one.")] = False,
) -> None:
    """Train the classifier of the crisis gate on the package's utterances, and print its card (docs/screening.md).

    A quarter of the topics is held out for the figures; the weights that are written are then trained on all topics.
    Corpora (smile, cpsycoun, emollm; see imuface empathy data import) are learned from, or with --measure read for
    false alarms. Needs the training extra (requirements-empathy.txt). Takes minutes.

    \\b
    imuface empathy train-screen --corpus smile=smile.jsonl.gz --corpus emollm=emollm.json.gz
    imuface empathy train-screen --measure --corpus cpsycoun=CPsyCounD.jsonl.gz
    """
    with one_line_errors():
        from empathy_agent.safety.classifier import shipped

        from empathy_training.screening.training import (
            counselling_lines,
            seed_lines,
            split,
            train,
            training_lines,
            unseen_lines,
        )

        lines = training_lines()
        for row in _counts(lines):
            typer.echo(row)
        turns = [line for corpus in corpora or [] for line in counselling_lines(*_named(corpus), seed)]
        if not measure_only:
            learned, held_out = split(lines, seed)
            classifier = train([*learned, *turns], seed_lines(), seed)
            for row in _confusion(f"{len(held_out)} lines of topics held out", held_out, classifier):
                typer.echo(row)
            classifier = train([*lines, *turns], seed_lines(), seed)
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_bytes(classifier.to_bytes())
        else:
            classifier = shipped()
        for language in ("zh", "en"):
            own = [line for line in unseen_lines() if line.language == language]
            for row in _confusion(f"{len(own)} unseen lines, {language}", own, classifier):
                typer.echo(row)
        if measure_only and turns:
            for row in _confusion(f"{len(turns)} turns of {', '.join(corpora or [])}", turns, classifier):
                typer.echo(row)
        if not measure_only:
            typer.echo(f"{output}: the weights; they are shipped as empathy_agent/safety/screen.npz")


def _named(corpus: str) -> tuple[str, Path]:
    name, equals, file = corpus.partition("=")
    if not equals:
        raise ValueError(f"--corpus {corpus} must be NAME=FILE, such as smile=smile.jsonl.gz")
    return name, Path(file)


def _lines(files: Iterable[Path]) -> Iterator[str]:
    streams: list[BinaryIO] = [path.open("rb") for path in files]
    for stream in streams or [sys.stdin.buffer]:
        with stream:
            for line in stream:
                yield line.decode("utf-8", "replace").rstrip("\r\n")


def _counts(lines: list[Line]) -> Iterator[str]:
    """A table of what the data is."""
    counts = Counter((line.level, line.kind.value if line.kind else "plain", line.language) for line in lines)
    yield f"{len(lines)} lines to learn from.\n\n| level | kind | zh | en |\n|---|---|---:|---:|"
    for level, kind in sorted({(level, kind) for level, kind, _ in counts}, reverse=True):
        cells = " | ".join(str(counts[level, kind, language]) for language in ("zh", "en"))
        yield f"| {level.name.lower()} | {kind} | {cells} |"


def _confusion(title: str, lines: list[Line], classifier: object) -> Iterator[str]:
    """A table of what the gate finds, with the rules alone in brackets."""
    from empathy_agent.safety import Risk

    from empathy_training.screening.training import measure

    both, rules = measure(lines, classifier), measure(lines, None)  # type: ignore[arg-type]
    yield f"\n| {title} | none | concern | crisis |\n|---|---:|---:|---:|"
    for level in sorted(Risk, reverse=True):
        cells = " | ".join(f"{both.found[level][found]} ({rules.found[level][found]})" for found in Risk)
        yield f"| {level.name.lower()} | {cells} |"
