"""The command ``imuface reference``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from face_recon_node.camera.metric import PUPIL_DISTANCE
from face_recon_node.commands.console import one_line_errors, progress_bar

_CAPTURES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".gz")


def reference(
    face: Annotated[
        Path, typer.Argument(help="Video or captured face (.csv, .json), taken while the session was recorded.")
    ],
    session: Annotated[Path, typer.Argument(help="Recorded session, a rosbag2 folder.")],
    output: Annotated[Path, typer.Argument(help="Folder to write: the session with the true face.")],
    face_model: Annotated[Path | None, typer.Option(help="A face_landmarker.task; gives blendshapes, too.")] = None,
    pupil_distance: Annotated[float, typer.Option(help="Between the person's pupils, mm.")] = PUPIL_DISTANCE * 1e3,
    start: Annotated[
        float | None, typer.Option(help="Where it starts, s after the session; left out: found by the motion.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Captured face: frames per second, if there are no times.")] = None,
    namespace: Annotated[
        str | None, typer.Option(help="Namespace of the person, where the session has several.")
    ] = None,
) -> None:
    """Add the true face in a video, or one that another program captured, to a copy of a session.

    Camera and earphones may have been started at any time: how they belong together is found by the motion of mouth
    and ears. No picture is written or sent anywhere. What captures are read: docs/avatars.md.

    \b
    imuface reference anna_1.mp4 sessions/anna_1 sessions/anna_1_face --pupil-distance 61.5
    imuface reference MySlate_7_iPhone.csv sessions/anna_1 sessions/anna_1_face
    """
    from face_recon_node.camera.reference import add_capture, add_video

    with one_line_errors(), progress_bar() as progress:
        if face.name.lower().endswith(_CAPTURES):
            added = add_capture(face, session, output, rate=rate, start=start, namespace=namespace)
        else:
            added = add_video(
                face,
                session,
                output,
                pupil_distance=pupil_distance * 1e-3,
                face_model=face_model,
                start=start,
                namespace=namespace,
                progress=progress,
            )
    for note in added.notes:
        typer.echo(f"{face}: {note}")
    how = f" ({added.offset.certainty})" if added.offset else ""
    typer.echo(f"{face} starts {added.start:+.3f} s after the session{how}")
    typer.echo(
        f"wrote {output}: {added.faces} faces; {added.without_face} of {added.pictures} pictures showed none, "
        f"{added.pictures - added.without_face - added.faces} are from outside the session"
    )
