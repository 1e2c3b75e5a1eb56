"""From MediaPipe's mesh in a picture to the 51 landmarks in metres in the face frame, head pose removed.

A picture knows neither size nor distance. Size comes from the distance of the person's pupils; distance and head pose
are what a similarity transform of points on the skull takes away, picture by picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from face_recon_node.camera.face_mesh import POINTS
from face_recon_node.head import HeadModel

PUPIL_DISTANCE = 0.063
"""m, mean of adults (Dodgson 2004, "Variation and extrema of human interpupillary distance", Proc. SPIE 5291)."""
PUPIL_DISTANCE_LIMITS = (0.045, 0.080)
"""m: all adults, after the same source."""

LANDMARKS = np.array(
    [
        *(70, 63, 105, 66, 107),  # right brow
        *(336, 296, 334, 293, 300),  # left brow
        *(168, 197, 5, 4),  # nose bridge, from the sellion to the tip
        *(75, 97, 2, 326, 305),  # nose base
        *(33, 160, 158, 133, 153, 144),  # right eye
        *(362, 385, 387, 263, 373, 380),  # left eye
        *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),  # outer lips
        *(78, 82, 13, 312, 308, 317, 14, 87),  # inner lips
    ]
)
"""Vertices of MediaPipe's canonical face (Apache-2.0) that are the landmarks of ``FacialLandmarks.msg``: found by a
similarity fit to the landmarks of ICT-FaceKit, and mirror symmetric."""

_PUPILS = (468, 473)
# Where skin hardly moves on the bone: nose, eye corners, cheekbones, temples, before the ears, top of the forehead.
_SKULL = np.array(
    [
        *(8, 168, 6, 197, 195, 5, 4, 33, 133, 362, 263),
        *(111, 117, 118, 143, 340, 346, 347, 372, 127, 162, 234, 356, 389, 454, 10),
    ]
)


class MetricFace:
    """One person's head, taken from the first pictures; turns every mesh into landmarks.

    Args:
        meshes: (n, 478, 3) points of :class:`~face_recon_node.camera.face_mesh.Mesh`, n >= 1: a second or more, about
            upright. The expression does not matter much, since size and pose come from the skull.
        pupil_distance: metres.

    Raises:
        ValueError: the pupil distance is no adult's, or the meshes are not of that shape.
    """

    def __init__(self, meshes: ArrayLike, pupil_distance: float = PUPIL_DISTANCE) -> None:
        self.check(pupil_distance)
        heads = np.asarray(meshes, np.float64)
        if heads.ndim != 3 or heads.shape[1:] != (POINTS, 3) or not len(heads):
            raise ValueError(f"expected (n, {POINTS}, 3) points of a face mesh, got {heads.shape}")
        heads = np.stack([_upright(mesh) for mesh in heads])
        canonical = HeadModel.load().landmark_neutral.astype(np.float64)
        # The mean head, and once more after bringing each one to it.
        for _ in range(2):
            mean = np.median(heads, axis=0)
            heads = np.stack([similar(mesh[_SKULL], mean[_SKULL])(mesh) for mesh in heads])
        head = np.median(heads, axis=0)
        # Upright as the head model is, and then of the person's own size, about the middle of the landmarks.
        head = similar(head[LANDMARKS], canonical)(head)
        scale = pupil_distance / float(np.linalg.norm(head[_PUPILS[0]] - head[_PUPILS[1]]))
        self._skull = scale * head[_SKULL]

    @staticmethod
    def check(pupil_distance: float) -> None:
        """Raises ``ValueError`` for a pupil distance (metres) that is no adult's."""
        low, high = PUPIL_DISTANCE_LIMITS
        if not low <= pupil_distance <= high:
            raise ValueError(
                f"a pupil distance of {pupil_distance * 1e3:g} mm is no adult's: expected "
                f"{low * 1e3:g} to {high * 1e3:g} mm"
            )

    def landmarks(self, mesh: NDArray[np.floating]) -> NDArray[np.float64]:
        """Landmarks (51, 3) in metres, face frame, of a mesh (478, 3) of the same person."""
        points = _upright(mesh)
        return similar(points[_SKULL], self._skull)(points[LANDMARKS])


class Similarity:
    """Rotation, scale and shift."""

    def __init__(self, rotation: Rotation, scale: float, shift: NDArray[np.float64]) -> None:
        self.rotation, self.scale, self.shift = rotation, scale, shift

    def __call__(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (n, 3) transformed."""
        return self.scale * self.rotation.apply(points) + self.shift


def similar(source: NDArray[np.floating], target: NDArray[np.floating]) -> Similarity:
    """The similarity transform that brings points (n, 3) nearest to ``target`` in the least-squares sense.

    Umeyama 1991, "Least-squares estimation of transformation parameters between two point patterns", IEEE TPAMI 13(4).
    """
    from_centre, to_centre = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - from_centre, target - to_centre
    rotation, _ = Rotation.align_vectors(wanted, centred)
    scale = float((rotation.apply(centred) * wanted).sum() / (centred**2).sum())
    return Similarity(rotation, scale, to_centre - scale * rotation.apply(from_centre))


def _upright(mesh: NDArray[np.floating]) -> NDArray[np.float64]:
    """Picture axes (right, down, away) to those of the face frame of a person who looks into the camera."""
    return np.asarray(mesh, np.float64)[:, [2, 0, 1]] * (-1.0, 1.0, -1.0)
