"""A head model in the likeness of a scan.

How heads differ is a Gaussian process on the model's vertices (Lüthi et al. 2018): the identities that the model knows,
and smooth displacements beside them. The most probable head for a scan is then regularised least squares, in which
surfaces are compared, not points of them, so that nobody has to mark landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpstrf
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from face_recon_node.head.model import HeadModel
from face_recon_node.head.placing import Placing, place
from face_recon_node.head.render import seen, vertex_normals
from face_recon_node.head.scan import ANY_UNIT, Scan, ScanError, Surface

_SMOOTH = ((0.060, 0.0015), (0.025, 0.0010))
_FINE = (0.012, 0.0005)
"""Length over which a displacement changes, and its standard deviation, metres; the fine one only in the face."""
_FACE_RADIUS, _FACE_EDGE = 0.065, 0.02  # m about the middle of the landmarks, and how softly that ends
_LEFT_OUT = 1e-7  # m²: variance of a vertex that the displacements need not explain
_SLIGHTEST = 1e-4  # m: standard deviation of a mode of the identities that counts

_COARSE_POINTS, _POINTS = 20_000, 80_000
_HEAD = 0.22  # m about the sellion: what of a scan is looked at
_FACE = 0.09  # m about the middle of the landmarks
_LOOK = 0.015  # m from the face within which the scan is
_FROM_THE_FRONT = (-50.0, 0.0, 50.0)
_FROM_ALL_AROUND = tuple(45.0 * i for i in range(8))
_HOLE = 2.5  # spacings: what is this far beside the normal lies over a hole
_ASLANT = 0.6  # cosine of the angle between two surfaces that may be the same
_LEAST_COVERED = 0.6  # share of a face; what has less on its surface is none
_FARTHEST = 0.0042  # m that a tenth of a face may be off for the identities alone
_TIP_OF_NOSE = 13
_SELLION = 10
_EYES = (slice(19, 25), slice(25, 31))  # landmarks about the person's right and left eye


class _Round(NamedTuple):
    steps: int
    gate: float  # m: what is farther off is something else, such as hair
    noise: float  # m: standard deviation of a distance that is believed


_RIGID = (_Round(10, 0.030, 0.005), _Round(5, 0.015, 0.005))
_FREE = (_Round(8, 0.015, 0.003), _Round(8, 0.008, 0.0015), _Round(8, 0.005, 0.001))


@dataclass(frozen=True)
class Likeness:
    """What came of a scan."""

    head: HeadModel
    """The person's: as the model, but for the neutral head."""
    placing: Placing
    """How it lies in the scan."""
    before: NDArray[np.float64]
    """Distances of the face's vertices from the scan where it holds them, metres: of the model's own head."""
    after: NDArray[np.float64]
    """The same of the fitted head."""
    covered: float
    """Share of the face's vertices that the scan holds."""


def fit_scan(head: HeadModel, scan: Scan, pupils: float | None = None) -> Likeness:
    """The head of the person in a scan; the face should be at rest.

    Args:
        head: the model; its identities, where it has some, are what heads are expected to differ in.
        scan: of the face at least; pose, hair and shoulders do not matter.
        pupils: between the person's pupils, metres: the size of a head whose scan has no known unit. Left
            out, it is about that of the model.

    Raises:
        ScanError: the scan does not look like a face.
    """
    face = seen(head.neutral, head.triangles, _FROM_THE_FRONT)
    face &= np.linalg.norm(head.neutral - head.landmark_neutral.mean(axis=0), axis=1) < _FACE
    nose = head.landmark_neutral[_TIP_OF_NOSE]
    placing = place(head.neutral[face], nose, scan.sample(_COARSE_POINTS), any_scale=scan.unit == ANY_UNIT)
    near = scan.sample(_POINTS, placing.translation, placing.scale * _HEAD)
    if scan.unit != ANY_UNIT:  # the size is for the identity to explain
        placing = Placing(placing.rotation, placing.translation)
    surface = Surface(placing.to_face(near.points))
    generic = _Fit(head, face, surface, _identities(head)[:0])
    generic.run(_RIGID)
    fit = _Fit(head, face, surface, _identities(head))
    fit.run(_RIGID)
    _check_face(fit)
    fit.release(_displacements(head), seen(head.neutral, head.triangles, _FROM_ALL_AROUND))
    fit.run(_FREE)
    sellion = fit.vertices[head.landmark_indices[_SELLION]]
    neutral, size = fit.vertices - sellion, 1.0
    if pupils is not None:
        size = pupils / pupil_distance(neutral[head.landmark_indices])
    return Likeness(
        head.with_neutral(size * neutral, name="personal head", personal="true"),
        Placing(
            placing.rotation * fit.rotation,
            placing.to_scan(fit.rotation.apply(sellion) + fit.translation),
            placing.scale / size,
        ),
        generic.distances(),
        fit.distances(),
        fit.covered(),
    )


def _check_face(fit: _Fit) -> None:
    """Displacements make anything of a face; what the identities alone come near to is one.

    Raises:
        ScanError: it is none.
    """
    covered = fit.covered()
    if covered < _LEAST_COVERED:
        raise ScanError(f"no face found in the scan: at most {100 * covered:.0f} % of one lies on its surface")
    off = float(np.percentile(fit.distances(), 90))
    if off > _FARTHEST:
        raise ScanError(f"no face found in the scan: what is most like one is {1e3 * off:.1f} mm off at its edges")


class _Fit:
    """Nearest points and least squares in turns, in the face frame into which the scan was brought."""

    def __init__(
        self, head: HeadModel, face: NDArray[np.bool_], surface: Surface, identities: NDArray[np.float64]
    ) -> None:
        self._head, self._face, self._surface = head, face, surface
        self._used = face
        self._neutral = head.neutral.astype(np.float64)
        self._identities, self._displacements = identities, np.zeros((len(face), 0))
        self.rotation, self.translation = Rotation.identity(), np.zeros(3)
        self.vertices = self._neutral
        """(V, 3) of the person at rest, metres; turned as the model's own head."""

    def release(self, displacements: NDArray[np.float64], used: NDArray[np.bool_]) -> None:
        """Let the head be displaced as well, and fit those of its vertices (V,) that are ``used``."""
        self._displacements, self._used = displacements, used

    def run(self, rounds: tuple[_Round, ...]) -> None:
        for steps, gate, noise in rounds:
            for _ in range(steps):
                self._step(gate, noise)

    def distances(self) -> NDArray[np.float64]:
        """How far the face's vertices are from the scan, where it holds them, metres."""
        return self._match(self._face, _LOOK)[1]

    def covered(self) -> float:
        return len(self.distances()) / np.count_nonzero(self._face)

    def _step(self, gate: float, noise: float) -> None:
        """The most probable head, and how it lies in the scan, for the points that are nearest now."""
        index, distance, centre, normal = self._match(self._used, gate)
        here = self._posed()[index]
        own = self.rotation.inv().apply(normal)
        known = np.einsum("kvc,vc->vk", self._identities[:, index], own)
        other = np.einsum("vk,vc->cvk", self._displacements[index], own)
        design = np.concatenate([np.cross(here, normal), normal, known, *other], axis=1)
        start = self.rotation.apply(self._neutral[index]) + self.translation
        missing = np.einsum("vc,vc->v", normal, centre - start)
        weight = ((1.0 - (distance / gate) ** 2) / noise) ** 2  # Tukey's
        prior = np.ones(design.shape[1])
        prior[:6] = 1e-9  # any pose is as good
        precision = design.T @ (design * weight[:, None]) + np.diag(prior)
        solution = np.linalg.solve(precision, design.T @ (weight * missing))
        turn, shift, known, other = np.split(solution, np.cumsum((3, 3, len(self._identities))))
        turned = Rotation.from_rotvec(turn)
        self.rotation, self.translation = turned * self.rotation, turned.apply(self.translation) + shift
        identity = np.tensordot(known, self._identities, axes=1)
        self.vertices = self._neutral + identity + self._displacements @ other.reshape(3, -1).T

    def _posed(self) -> NDArray[np.float64]:
        return self.rotation.apply(self.vertices) + self.translation

    def _match(self, which: NDArray[np.bool_], gate: float) -> tuple[NDArray[Any], ...]:
        """Vertices that the scan holds, their distances, and centres and normals of the planes they should lie on."""
        posed = self._posed()
        distance, nearest = map(np.asarray, self._surface.tree.query(posed, distance_upper_bound=2 * gate))
        index = np.flatnonzero(which & np.isfinite(distance))
        centre, normal = (part[nearest[index]] for part in self._surface.planes)
        offset = posed[index] - centre
        along = np.einsum("vc,vc->v", offset, normal)
        beside = np.linalg.norm(offset - along[:, None] * normal, axis=1)
        facing = np.abs(np.einsum("vc,vc->v", normal, vertex_normals(posed, self._head.triangles)[index]))
        held = (np.abs(along) < gate) & (beside < _HOLE * self._surface.spacing) & (facing > _ASLANT)
        return index[held], np.abs(along[held]), centre[held], normal[held]


def pupil_distance(landmarks: NDArray[np.floating]) -> float:
    """Between the middles of the eyes of landmarks (51, 3), metres."""
    right, left = (landmarks[eye].mean(axis=0) for eye in _EYES)
    return float(np.linalg.norm(left - right))


def _identities(head: HeadModel) -> NDArray[np.float64]:
    """Modes (K, V, 3) in which the model's identities differ from its neutral head, of standard deviation 1."""
    offsets = head.identity_offsets
    _, sizes, modes = np.linalg.svd(offsets.reshape(len(offsets), head.neutral.size), full_matrices=False)
    modes = (modes * sizes[:, None]).reshape(offsets.shape) / np.sqrt(max(1, len(offsets)))
    return modes[np.sqrt(np.mean(np.sum(modes**2, axis=2), axis=1)) > _SLIGHTEST]


def _displacements(head: HeadModel) -> NDArray[np.float64]:
    """Modes (V, K) of the smooth displacements, the same for x, y and z, by a pivoted Cholesky decomposition."""
    squares = cdist(head.neutral, head.neutral, "sqeuclidean")
    middle = head.landmark_neutral.mean(axis=0)
    outside = np.linalg.norm(head.neutral - middle, axis=1) - _FACE_RADIUS
    inside = np.exp(-0.5 * (np.maximum(outside, 0.0) / _FACE_EDGE) ** 2)
    covariance = sum(sigma**2 * np.exp(-0.5 * squares / length**2) for length, sigma in _SMOOTH)
    length, sigma = _FINE
    covariance += sigma**2 * np.outer(inside, inside) * np.exp(-0.5 * squares / length**2)
    factor, pivots, rank, _ = dpstrf(covariance, tol=_LEFT_OUT, lower=1)
    modes = np.empty((len(factor), rank))
    modes[pivots - 1] = np.tril(factor)[:, :rank]
    return modes
