"""What a recorded run of the whole loop amounts to: rates, losses, errors and pictures. Free of ROS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from face_recon_node.evaluation.fidelity import Fidelity, fidelity
from face_recon_node.head import HeadModel
from face_recon_node.head.render import render_face
from imuface_core import topics
from imuface_core.bag import Bag, typestore
from imuface_core.session import read_face_landmarks, read_session
from imuface_core.stamps import to_ns
from numpy.typing import NDArray


@dataclass(frozen=True)
class Window:
    """A span of sampling times, ns, both ends included."""

    start_ns: int
    end_ns: int

    def of(self, stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (stamps >= self.start_ns) & (stamps <= self.end_ns)

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) * 1e-9


@dataclass(frozen=True)
class Losses:
    """Frames that should be there, one for each sample of the left ear, and those that are not."""

    expected: int
    missing: int


@dataclass(frozen=True)
class LandmarkError:
    """Mean distance between reconstructed and true landmarks, mm, beside that of faces that never move."""

    reconstructed: float
    mean_face: float  # the mean of the true face over the same frames
    neutral_face: float
    frames: int


@dataclass(frozen=True)
class Session:
    """The parts of a recording that the figures are made from. Landmarks (N, 51, 3) m, weights (N, 52)."""

    left_stamps: NDArray[np.int64]
    right_stamps: NDArray[np.int64]
    face_stamps: NDArray[np.int64]
    face_landmarks: NDArray[np.float32]
    true_stamps: NDArray[np.int64]
    true_landmarks: NDArray[np.float32]

    def rate(self, stamps: NDArray[np.int64], window: Window) -> float:
        """Messages a second within ``window``."""
        return float(window.of(stamps).sum() / window.seconds)

    def losses(self, window: Window) -> Losses:
        """Frames missing within ``window``."""
        expected = self.left_stamps[window.of(self.left_stamps)]
        return Losses(len(expected), int((~np.isin(expected, self.face_stamps)).sum()))

    def landmark_error(self, window: Window, neutral: NDArray[np.floating]) -> LandmarkError:
        """Error over the frames within ``window`` whose truth is known. Raises ``ValueError`` when there is none."""
        common, ours, truth = np.intersect1d(self.face_stamps, self.true_stamps, return_indices=True)
        inside = window.of(common)
        if not inside.any():
            raise ValueError("no frame of the face has a true face of the same stamp to be compared with")
        true = self.true_landmarks[truth[inside]].astype(np.float64)

        def error(landmarks: NDArray[np.floating]) -> float:
            return float(np.linalg.norm(landmarks - true, axis=-1).mean() * 1e3)

        return LandmarkError(
            reconstructed=error(self.face_landmarks[ours[inside]]),
            mean_face=error(true.mean(axis=0)),
            neutral_face=error(neutral),
            frames=int(inside.sum()),
        )


def load(bag: Path) -> Session:
    """Read a recording. Raises ``OSError`` or ``ValueError`` when it is damaged or lacks a part."""
    recording = read_session(bag)
    face = read_face_landmarks(bag)
    for part, name in (
        (recording.left, "left ear"),
        (recording.right, "right ear"),
        (recording.landmarks, "true face"),
        (face, "reconstructed face"),
    ):
        if part is None:
            raise ValueError(f"{bag} holds no {name}")
    assert recording.left is not None
    assert recording.right is not None
    assert recording.landmarks is not None
    assert face is not None
    return Session(
        recording.left.stamps,
        recording.right.stamps,
        face.stamps,
        face.points,
        recording.landmarks.stamps,
        recording.landmarks.points,
    )


def weights(bag: Path, topic: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Stamps (N,) and weights (N, 52) of a recorded ``Blendshapes`` topic."""
    store = typestore()
    stamps, rows = [], []
    with Bag(bag) as opened:
        for message in opened.messages({topic}):
            blendshapes: Any = store.deserialize_cdr(message.data, topics.FACE_BLENDSHAPES.type)
            stamps.append(to_ns(blendshapes.header.stamp))
            rows.append(blendshapes.weights)
    return np.array(stamps, dtype=np.int64), np.array(rows, dtype=np.float32).reshape(len(rows), -1)


def _both_faces(bag: Path, window: Window) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Stamps (N,) within ``window`` at which both faces are known, reconstructed and true weights (N, 52)."""
    stamps, ours = weights(bag, topics.FACE_BLENDSHAPES)
    true_stamps, truth = weights(bag, topics.REFERENCE_BLENDSHAPES)
    common, mine, its = np.intersect1d(stamps, true_stamps, return_indices=True)
    inside = window.of(common)
    if not inside.any():
        raise ValueError(f"{bag} has no moment at which both the true and the reconstructed face are known")
    return common[inside], ours[mine[inside]], truth[its[inside]]


def face_fidelity(bag: Path, window: Window, head: HeadModel) -> Fidelity:
    """How the reconstructed actions follow the true ones within ``window``.

    Raises ``ValueError`` when no frame has a true face of the same stamp.
    """
    _, predicted, true = _both_faces(bag, window)
    landmarks = [head.landmarks(predicted)], [head.landmarks(true)]
    return fidelity([predicted], [true], *landmarks, head.landmark_neutral)


def expressive_moments(landmarks: NDArray[np.floating], neutral: NDArray[np.floating], count: int) -> list[int]:
    """Indices of up to ``count`` frames, in time order, that differ most from neutral and from each other.

    Farthest-point sampling of the true landmarks (N, 51, 3), beginning at the neutral face (51, 3), metres.
    """
    nearest = np.full(len(landmarks), np.inf)
    last, chosen = neutral, []
    for _ in range(min(count, len(landmarks))):
        nearest = np.minimum(nearest, np.linalg.norm(landmarks - last, axis=-1).mean(axis=-1))
        chosen.append(int(nearest.argmax()))
        last = landmarks[chosen[-1]]
    return sorted(set(chosen))


def draw_faces(bag: Path, session: Session, window: Window, head: HeadModel, output: Path, count: int = 4) -> None:
    """A picture of the true face above the reconstructed one at the most expressive moments of the true one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    stamps, ours, truth = _both_faces(bag, window)
    moments = expressive_moments(head.landmarks(truth), head.landmark_neutral, count)

    figure = Figure(figsize=(2.6 * len(moments) + 0.3, 6.9), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(moments), squeeze=False)
    for row, (name, values) in enumerate((("true", truth), ("reconstructed", ours))):
        for column, moment in enumerate(moments):
            axis = axes[row, column]
            axis.imshow(render_face(head.vertices(values[moment]), head.triangles, (390, 480), colors=head.colors))
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if row == 0:
                axis.set_title(f"{(stamps[moment] - window.start_ns) * 1e-9:.1f} s", fontsize=10)
            if column == 0:
                axis.set_ylabel(name, fontsize=12)
    figure.suptitle("The most expressive moments: true face and face from simulated earphones", fontsize=12)
    figure.savefig(output, dpi=100)
