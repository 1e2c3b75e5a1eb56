"""The command ``imuface reconstruct``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from face_recon_node.commands.console import Topics, one_line_errors, progress_bar


def reconstruct(
    bag: Annotated[Path, typer.Argument(help="Recorded session: a rosbag2 folder, or a file of one.")],
    model: Annotated[Path | None, typer.Option(help="Model file; left out: the shipped one.")] = None,
    head: Annotated[Path | None, typer.Option(help="Head model file; left out: the shipped one.")] = None,
    output: Annotated[Path | None, typer.Option(help="Session to write. [default: BAG_faces, beside it]")] = None,
    person: Annotated[str, typer.Option(help="Namespace in the bag, if it has several.")] = "",
    topic: Topics = None,
    namespace: Annotated[str, typer.Option(help="Namespace of the person in what is written.")] = "imuface",
) -> None:
    """Reconstruct the faces of a recorded session in one go, without nodes.

    They are the faces that the face node gives for these samples. What is written is a session again: the ears, the
    true face where it is known, and face/landmarks, face/blendshapes and face/affect, to view, evaluate or replay.

    \b
    imuface reconstruct sessions/anna_1
    imuface reconstruct sessions/anna_1 --model anna.npz --output out/anna_faces
    imuface view sessions/anna_1_faces
    """
    from imuface_core.bag import beside, named_topics
    from imuface_core.session import read_session

    from face_recon_node import offline
    from face_recon_node.head import HeadModel
    from face_recon_node.models.file import load
    from face_recon_node.reconstructor import Reconstructor
    from face_recon_node.stream.units import readings_fault

    output = output or beside(bag, "faces")
    with one_line_errors(), progress_bar() as progress:
        if output.exists():
            raise FileExistsError(f"{output} exists already; recordings are not overwritten: name another --output")
        recording = read_session(bag, person or None, named_topics(topic or ()))
        reconstructor = Reconstructor(load(model), HeadModel.load(head))
        count = offline.write(output, recording, offline.faces(recording, reconstructor, progress), namespace)
    for ear, track in (("left", recording.left), ("right", recording.right)):
        if track and (fault := readings_fault(track.stamps, track.acceleration, track.angular_velocity)):
            typer.echo(f"note: {ear} ear: {fault}")
    typer.echo(f"{reconstructor.calibration.message}\n{output}: {count} faces")
