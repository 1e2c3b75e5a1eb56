"""Recording a session with a camera on the person's face (docs/camera.md)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from face_recon_node.camera.capture import Live
from face_recon_node.camera.face_mesh import FaceMesh
from face_recon_node.camera.metric import PUPIL_DISTANCE, MetricFace
from face_recon_node.camera.reference import align_live

from imuface_bringup import environment
from imuface_bringup.launch_file import Plan, plan

_MILLIMETRES = 1e3


def plan_nodes(
    folder: Path,
    namespace: str,
    camera: str,
    face_model: Path | None,
    pupil_distance: float | None,
    flags: Mapping[str, bool],
) -> Plan:
    """The recorder and the camera node, after a look whether the camera and the face model work.

    Args:
        camera: number of a camera, or a video file.
        pupil_distance: mm; None: an average adult's.
        flags: what else to record, the recorder's parameters.

    Raises:
        OSError, ValueError: the camera, the video or the face model cannot be used.
        ImportError: the camera extra is not installed.
    """
    millimetres = PUPIL_DISTANCE * _MILLIMETRES if pupil_distance is None else pupil_distance
    MetricFace.check(millimetres / _MILLIMETRES)
    with Live(camera), FaceMesh(face_model):
        pass
    arguments = {
        "namespace": namespace,
        "path": str(folder),
        "camera": camera,
        "camera_model": str(face_model or ""),
        "pupil_distance": str(float(millimetres)),
        **{name: str(value).lower() for name, value in flags.items()},
    }
    return plan(environment.share() / "launch" / "record.launch.yaml", arguments)


def align(folder: Path, namespace: str) -> str:
    """Find the camera's delay in a finished recording and correct it there; what it was.

    Raises:
        OSError, ValueError: it cannot be told; the recording then keeps the camera's own times.
    """
    try:
        return str(align_live(folder, namespace))
    except ValueError as error:
        raise ValueError(f"{folder} is recorded, but its reference keeps the camera's own times: {error}") from None
