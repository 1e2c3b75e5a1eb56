"""MediaPipe's face landmarks of a picture.

Two ways to the same mesh of 468 points and two irises: the "face mesh" whose model comes with mediapipe 0.10.21, or a
``face_landmarker.task`` file that the user names, which gives ARKit weights too.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from imuface_core.arkit import BLENDSHAPES, INDEX
from numpy.typing import NDArray

from face_recon_node.camera import extra

POINTS = 478
"""468 of the mesh, then five of the right and five of the left iris, centre first."""

_VERSION = "0.10.21"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mesh:
    """A face in a picture."""

    points: NDArray[np.float64]
    """(478, 3) pixels: x to the right, y down, z away from the camera, from the middle of the head."""
    weights: NDArray[np.float32] | None
    """(52,) ARKit weights, where the model gives them; MediaPipe has no tongueOut, which stays 0."""


class FaceMesh:
    """Finds one face in each of consecutive pictures. A context manager.

    Args:
        model: a ``face_landmarker.task`` file; None: the model in mediapipe 0.10.21.

    Raises:
        ImportError: mediapipe is not installed, or is a newer one, which has no model of its own.
        OSError: there is no such file.
        ValueError: the file is not a face landmarker.
    """

    def __init__(self, model: Path | None = None) -> None:
        if model is not None and not model.is_file():
            raise FileNotFoundError(f"no face model at {model}")
        mediapipe = extra.load("mediapipe")
        if mediapipe.__version__ != _VERSION:
            logger.warning(
                "mediapipe %s is not the %s that Earnest was tried with; 1.2.2 holds the address of a usage log",
                mediapipe.__version__,
                _VERSION,
            )
        self._finder: _Solution | _Task
        with _silence():
            self._finder = _Solution(mediapipe) if model is None else _Task(mediapipe, model)
            self._finder.find(np.zeros((64, 64, 3), np.uint8), 0)

    def __enter__(self) -> FaceMesh:
        return self

    def __exit__(self, *exception: object) -> None:
        self._finder.close()

    @property
    def gives_weights(self) -> bool:
        """Whether the meshes come with ARKit weights."""
        return isinstance(self._finder, _Task)

    def find(self, rgb: NDArray[np.uint8], time: float) -> Mesh | None:
        """The face in a picture (height, width, 3) taken at ``time`` (s, ascending); None where there is none."""
        height, width = rgb.shape[:2]
        found = self._finder.find(np.ascontiguousarray(rgb), round(time * 1e3))
        if found is None:
            return None
        landmarks, weights = found
        # Normalised by the picture's sides; z is in units of its width (weak perspective).
        points = np.array([(point.x, point.y, point.z) for point in landmarks]) * (width, height, width)
        return Mesh(points, weights) if np.isfinite(points).all() else None


class _Solution:
    """The face mesh in the wheel of mediapipe 0.10.21."""

    def __init__(self, mediapipe: Any) -> None:
        if not hasattr(mediapipe, "solutions"):
            raise ImportError(
                f"mediapipe {mediapipe.__version__} has no face model of its own: name one with "
                f"--face-model face_landmarker.task, or install mediapipe {_VERSION} with: {extra.INSTALL}"
            )
        # Refined: lips, eyes and irises by a closer look.
        self._mesh = mediapipe.solutions.face_mesh.FaceMesh(max_num_faces=1, refine_landmarks=True)

    def find(self, rgb: NDArray[np.uint8], milliseconds: int) -> tuple[Any, None] | None:
        faces = self._mesh.process(rgb).multi_face_landmarks
        return (faces[0].landmark, None) if faces else None

    def close(self) -> None:
        self._mesh.close()


class _Task:
    """A face landmarker from a file."""

    def __init__(self, mediapipe: Any, model: Path) -> None:
        tasks = extra.load("mediapipe.tasks.python")
        vision = extra.load("mediapipe.tasks.python.vision")
        options = vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=model.read_bytes()),
            running_mode=vision.RunningMode.VIDEO,
            output_face_blendshapes=True,
        )
        self._image, self._format = mediapipe.Image, mediapipe.ImageFormat.SRGB
        self._last = -1
        try:
            self._landmarker = vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, TypeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ValueError(
                f"{model} is not a face landmarker with blendshapes that mediapipe {mediapipe.__version__} can read "
                f"({reason}); take face_landmarker.task from MediaPipe's model page"
            ) from None

    def find(self, rgb: NDArray[np.uint8], milliseconds: int) -> tuple[Any, NDArray[np.float32]] | None:
        self._last = max(milliseconds, self._last + 1)  # it refuses equal stamps
        result = self._landmarker.detect_for_video(self._image(image_format=self._format, data=rgb), self._last)
        if not result.face_landmarks or not result.face_blendshapes:
            return None
        weights = np.zeros(len(BLENDSHAPES), np.float32)
        for category in result.face_blendshapes[0]:
            if category.category_name in INDEX:  # there is a "_neutral", too
                weights[INDEX[category.category_name]] = np.clip(category.score, 0.0, 1.0)
        return result.face_landmarks[0], weights

    def close(self) -> None:
        self._landmarker.close()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """No native code's notes on stderr: MediaPipe's logging ignores what it is told until the first graph runs."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
