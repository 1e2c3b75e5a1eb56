"""A face followed through consecutive pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from imuface_core.recording import BlendshapeTrack, LandmarkTrack
from numpy.typing import NDArray

from face_recon_node.camera.capture import Picture
from face_recon_node.camera.face_mesh import FaceMesh, Mesh
from face_recon_node.camera.metric import MetricFace

HEAD_SECONDS = 3.0
"""The person's head is measured in the pictures of the first seconds: as long as the calibration of the earphones."""


class Face(NamedTuple):
    """What one picture shows."""

    time: float  # s, of the picture
    landmarks: NDArray[np.float64]  # (51, 3) m, face frame
    weights: NDArray[np.float32] | None  # (52,) ARKit weights, where the face model gives them


class Watcher:
    """Turns pictures into faces, from the first :data:`HEAD_SECONDS` of face on; those come all at once then."""

    def __init__(self, mesh: FaceMesh, pupil_distance: float) -> None:
        MetricFace.check(pupil_distance)
        self._mesh = mesh
        self._pupil_distance = pupil_distance
        self._waiting: list[tuple[float, Mesh]] = []
        self._head: MetricFace | None = None
        self.pictures = 0
        self.without_face = 0

    def push(self, picture: Picture) -> list[Face]:
        """The faces that this picture makes known, oldest first."""
        self.pictures += 1
        mesh = self._mesh.find(picture.rgb, picture.time)
        if mesh is None:
            self.without_face += 1
            return []
        self._waiting.append((picture.time, mesh))
        if self._head is None and picture.time - self._waiting[0][0] < HEAD_SECONDS:
            return []
        return self.flush()

    def flush(self) -> list[Face]:
        """The faces that wait for the head to be measured, measured in what there is."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return []
        if self._head is None:
            self._head = MetricFace([mesh.points for _, mesh in waiting], self._pupil_distance)
        return [Face(time, self._head.landmarks(mesh.points), mesh.weights) for time, mesh in waiting]


def watch(pictures: Iterable[Picture], watcher: Watcher) -> tuple[LandmarkTrack, BlendshapeTrack | None]:
    """The face of a whole video; stamps in nanoseconds since its first picture.

    Raises:
        ValueError: there is no face in it.
    """
    faces = [face for picture in pictures for face in watcher.push(picture)] + watcher.flush()
    if not faces:
        raise ValueError(
            f"none of {watcher.pictures} pictures shows a face: it has to look into the camera, evenly lit, "
            "and fill a quarter of the picture's height or more"
        )
    stamps = np.array([round(face.time * 1e9) for face in faces], np.int64)
    landmarks = LandmarkTrack(stamps, np.stack([face.landmarks for face in faces]).astype(np.float32))
    weights = [face.weights for face in faces if face.weights is not None]
    return landmarks, BlendshapeTrack(stamps, np.stack(weights)) if weights else None
