"""The command ``imuface empathy train-preference``: which of several sentences is liked best."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from empathy_agent.cli import one_line_errors


def train_preference(
    output: Annotated[Path, typer.Option(help="File for the weights.")] = Path("out/preference.npz"),
    rated: Annotated[
        list[Path] | None, typer.Option(help="Ratings to learn from; left out: those of the package.")
    ] = None,
    exam: Annotated[Path | None, typer.Option(help="Ratings to measure on; left out: those of the package.")] = None,
    measure_only: Annotated[bool, typer.Option("--measure", help="Train nothing: measure the shipped one.")] = False,
) -> None:
    """Learn which sentences readers like best where, and measure it on talks held out (docs/preference.md).

    Needs the training extra (requirements-empathy.txt). Takes a minute.

    \b
    imuface empathy train-preference
    imuface empathy train-preference --rated mine.jsonl --output out/mine.npz
    imuface empathy train-preference --measure
    """
    with one_line_errors():
        from empathy_agent.preference import shipped

        from empathy_training.preference.data import EXAM, RATED
        from empathy_training.preference.training import best, by, lot, measured, read, train

        held_out = read([exam or EXAM])
        preference = shipped() if measure_only else train(read(rated or RATED))
        choosers = (("lot", lot), ("learned", by(preference)), ("the best that was offered", best))
        for language in ("zh", "en"):
            places = [place for place in held_out if place.occasion.language == language]
            for name, chooser in choosers if places else ():
                found = measured(places, chooser)
                typer.echo(f"{language}  {found.places} places  {name:26} {found.rating:.2f}  wrong {found.wrong:.0%}")
        if not measure_only:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_bytes(preference.to_bytes())
            typer.echo(output)
