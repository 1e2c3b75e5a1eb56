"""The command ``imuface import``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from imuface_driver.recordings import Import

Gyroscope = Literal["rad/s", "deg/s", "250", "500", "1000", "2000"]
_GRAVITY = (8.0, 11.6)  # m/s²; the median of a person who wears the earphones is well within


def import_recordings(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="OpenEarable's .oe, or an eSense capture; one for each ear.",
        ),
    ],
    output: Annotated[Path | None, typer.Option(help="Session to write. [default: beside the first file]")] = None,
    ear: Annotated[list[str] | None, typer.Option(help="left or right, for each file, where they do not say.")] = None,
    align: Annotated[bool, typer.Option("--align", help="Both recordings were begun at the same moment.")] = False,
    gyro: Annotated[Gyroscope | None, typer.Option(help="eSense: unit, or range in °/s of raw values.")] = None,
    rate: Annotated[float | None, typer.Option(help="eSense: samples per second, if there are no times.")] = None,
    namespace: Annotated[str, typer.Option(help="Namespace of the person in the session.")] = "imuface",
) -> None:
    """Make a session of what earphones recorded by themselves.

    OpenEarable 2 writes an .oe file to the card in each bud. Apps for eSense write text: acceleration and angular
    velocity in each line, with a time before them or without. What is damaged is left out, and told.

    \b
    imuface import left.oe right.oe --output sessions/anna_1
    imuface import old.oe --ear right
    imuface import esense.csv --gyro deg/s
    imuface import capture.txt --gyro 500 --rate 96
    """
    from imuface_core.earphone import EARS
    from imuface_core.session import write_session

    from imuface_driver.recordings import read_openearable, read_table, together

    ears = [side for each in ear or [] for side in EARS if side == each]
    if len(ears) != len(ear or []):
        raise ValueError(f"--ear is {' and '.join(ear or [])}, must be left or right")
    if ears and len(ears) != len(files):
        raise ValueError(f"--ear is given {len(ears)} times for {len(files)} files: give it once for each, in order")
    output = output or files[0].with_suffix("")
    if output.exists():
        raise FileExistsError(f"{output} exists already; recordings are not overwritten: name another --output")
    imports = [
        read_openearable(file) if file.suffix.lower() == ".oe" else read_table(file, gyro, rate) for file in files
    ]
    imports = [replace(each, ear=told) for each, told in zip(imports, ears, strict=True)] if ears else imports
    write_session(output, together(imports, align), namespace)
    for file, each in zip(files, imports, strict=True):
        for sentence in (_summary(each), *each.notes):
            typer.echo(f"{file}: {sentence}")
    typer.echo(f"wrote {output}")


def _summary(each: Import) -> str:
    import numpy as np

    track = each.track
    seconds = float(track.stamps[-1] - track.stamps[0]) * 1e-9
    rate = (len(track.stamps) - 1) / seconds if seconds else 0.0
    gravity = float(np.median(np.linalg.norm(track.acceleration, axis=1)))
    doubt = "" if _GRAVITY[0] <= gravity <= _GRAVITY[1] else ", which gravity is not: is the file damaged?"
    return (
        f"{each.ear} ear, {len(track.stamps)} samples in {seconds:.1f} s ({rate:.1f} Hz), "
        f"{gravity:.2f} m/s² on the median{doubt}"
    )
