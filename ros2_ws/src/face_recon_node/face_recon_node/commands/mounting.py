"""The command ``imuface mounting``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from face_recon_node.commands.console import Topics, one_line_errors


def measure(
    bag: Annotated[Path, typer.Argument(help="Recorded session: a rosbag2 folder, or a file of one.")],
    person: Annotated[str, typer.Option(help="Namespace in the bag, if it has several.")] = "",
    topic: Topics = None,
) -> None:
    """Measure how the earphones sit: the parameters left_heading and right_heading of the face node.

    Record half a minute: sit upright and look straight ahead for three seconds without moving, nod six times, down and
    back, then turn the head to either side some times.

    \b
    imuface record out/mounting
    imuface mounting out/mounting
    """
    from imuface_core.bag import named_topics
    from imuface_core.session import read_session

    from face_recon_node.stream.mounting import mounting

    parameters = []
    with one_line_errors():
        recording = read_session(bag, person or None, named_topics(topic or ()))
        for ear, track in (("left", recording.left), ("right", recording.right)):
            if track is None:
                typer.echo(f"{ear} ear: not in the recording")
                continue
            try:
                found = mounting(track)
            except ValueError as error:
                raise ValueError(f"{bag}, {ear} ear: {error}") from error
            typer.echo(f"{ear} ear: heading {found.heading:.0f}°; single nods differ by {found.spread:.0f}°")
            parameters.append(f"-p {ear}_heading:={found.heading:.1f}")
    typer.echo(f"for the face node: {' '.join(parameters)}")
