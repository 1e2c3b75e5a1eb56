"""Where the face is in a scan of any pose: a head model is laid upon it, by its nose first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from face_recon_node.head.scan import ScanError, Surface

_THIN = 0.005  # m between the points among which the nose is sought
_BALL = 0.035  # m about a point within which it may stand out
_APART = 0.012  # m between two candidates for the tip of the nose
_CANDIDATES = 80
_ROLLS = 24  # turns about the nose's direction
_TILT = np.deg2rad(25)  # of that direction, which differs between people and where a scan has holes
_TURNS_KEPT = 8  # of a candidate's
_REFINED, _REFINED_AGAIN = 80, 8  # of all guesses
_STEPS = 15  # of a refinement
_MISS = 0.015  # m: what is farther off does not fit, however far
_SCALES = 1.25 ** np.arange(-5, 4)  # sizes of a scan of unknown unit that are tried


@dataclass(frozen=True)
class Placing:
    """A similarity: points p of the face frame are at ``scale * rotation(p) + translation`` in the scan."""

    rotation: Rotation
    translation: NDArray[np.float64]
    """(3,) metres, in the scan's frame"""
    scale: float = 1.0

    def to_scan(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        return self.scale * self.rotation.apply(points) + self.translation

    def to_face(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.rotation.inv().apply(points - self.translation) / self.scale


def place(face: NDArray[np.floating], nose: NDArray[np.floating], surface: Surface, *, any_scale: bool) -> Placing:
    """Lay a face (V, 3) of the face frame, whose nose has its tip at ``nose`` (3,), upon a scan of unknown pose.

    Whatever stands out may be the nose; each is tried in all turns, and the best guesses are refined by ICP with a
    scale (which also makes a child of an adult; Besl and McKay 1992, of the nearest four fifths).

    Raises:
        ScanError: nothing in the scan stands out.
    """
    points = face.astype(np.float64)[:: max(1, len(face) // 500)]
    few, some = points[::8], points[::4]
    guesses = [
        guess for size in (_SCALES if any_scale else (1.0,)) for guess in _guesses(few, points, nose, surface, size)
    ]
    best = heapq.nsmallest(_REFINED, guesses, key=lambda guess: guess[0])
    refined = [_refined(placing, some, surface, _STEPS) for _, placing in best]
    closest = heapq.nsmallest(_REFINED_AGAIN, refined, key=lambda placing: _score(placing, some, surface))
    closest = [_refined(placing, points, surface, _STEPS) for placing in closest]
    return min(closest, key=lambda placing: _score(placing, points, surface))


def _guesses(
    few: NDArray[np.float64], face: NDArray[np.float64], nose: NDArray[np.floating], surface: Surface, size: float
) -> Iterator[tuple[float, Placing]]:
    """For each candidate, the best of all turns with their scores."""
    own = nose - _ball_mean(face, nose[None], 1.0)[0]
    own /= np.linalg.norm(own)
    across = np.linalg.svd(own[None])[2][1:]
    tilts = [np.zeros(3)] + [_TILT * (np.cos(a) * across[0] + np.sin(a) * across[1]) for a in np.arange(6) * np.pi / 3]
    rolls = Rotation.from_rotvec(np.outer(np.arange(_ROLLS) * 2 * np.pi / _ROLLS, own))
    turns = Rotation.concatenate([Rotation.from_rotvec(tilt) * rolls for tilt in tilts])
    turned = size * np.stack([turn.apply(few - nose) for turn in turns])  # (turns, n, 3)
    miss = size * _MISS
    for tip, direction in zip(*_protrusions(_thinned(surface.points, size * _THIN), size), strict=True):
        facing = Rotation.align_vectors(direction[None], own[None])[0]
        points = turned @ facing.as_matrix().T + tip
        scores = np.minimum(surface.tree.query(points, distance_upper_bound=miss)[0], miss).mean(axis=1) / size
        for i in np.argsort(scores)[:_TURNS_KEPT]:
            rotation = facing * turns[int(i)]
            yield float(scores[i]), Placing(rotation, tip - size * rotation.apply(nose), size)


def _thinned(points: NDArray[np.float64], cell: float) -> NDArray[np.float64]:
    """One point of each cell of a grid."""
    return points[np.unique(np.floor(points / cell).astype(np.int64), axis=0, return_index=True)[1]]


def _ball_mean(points: NDArray[np.float64], centres: NDArray[np.floating], size: float) -> NDArray[np.float64]:
    """Mean (N, 3) of the points in the ball about each centre (N, 3)."""
    near = cKDTree(points).query_ball_point(centres, size * _BALL)
    return np.array(
        [points[index].mean(axis=0) if index else centre for index, centre in zip(near, centres, strict=True)]
    )


def _protrusions(points: NDArray[np.float64], size: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (N, 3) that stand out most of their surroundings, some way apart, and the directions (N, 3) they do."""
    outwards = points - _ball_mean(points, points, size)
    order = np.argsort(-np.linalg.norm(outwards, axis=1))
    tree, free, chosen = cKDTree(points), np.ones(len(points), bool), list[int]()
    for i in map(int, order):
        if free[i] and len(chosen) < _CANDIDATES and outwards[i].any():
            chosen.append(i)
            free[tree.query_ball_point(points[i], size * _APART)] = False
    if not chosen:
        raise ScanError("nothing in the scan stands out as a nose does")
    return points[chosen], outwards[chosen]


def _score(placing: Placing, face: NDArray[np.float64], surface: Surface) -> float:
    """Mean distance of the face from the scan, metres in the face's size, misses cut off."""
    miss = placing.scale * _MISS
    distances, _ = surface.tree.query(placing.to_scan(face), distance_upper_bound=miss)
    return float(np.minimum(distances, miss).mean() / placing.scale)


def _refined(placing: Placing, face: NDArray[np.float64], surface: Surface, steps: int) -> Placing:
    low, high = 0.7 * placing.scale, 1.2 * placing.scale
    for _ in range(steps):
        distances, nearest = map(np.asarray, surface.tree.query(placing.to_scan(face)))
        kept = distances <= np.quantile(distances, 0.8)
        source, target = face[kept], surface.points[nearest[kept]]
        source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
        rotation = Rotation.align_vectors(target - target_mean, source - source_mean)[0]
        turned = rotation.apply(source - source_mean)
        scale = float(np.clip(np.sum(turned * (target - target_mean)) / np.sum(turned**2), low, high))
        placing = Placing(rotation, target_mean - scale * rotation.apply(source_mean), scale)
    return placing
