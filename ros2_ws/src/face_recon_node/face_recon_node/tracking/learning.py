"""How one person's face moves their earphones, in the direction of cause, and the filter that follows.

From readings to faces, a regression has to be learned for every combination of expressions and postures. From faces to
readings it is nearly linear: each latent of the face adds its own motion of the ears, and the head adds the rest. So
that direction is learned,

    y[k] = Σ_j F_j z[k-j] + h[k],    h[k] = Σ_i A_i h[k-i] + c + e[k],

with the readings ``y``, the latents ``z`` of the face (principal components of the landmarks), the response ``F`` of
the ears (:mod:`~face_recon_node.tracking.response`), the head's motion ``h`` (:mod:`~face_recon_node.tracking.sway`)
and white noise ``e``. The head's sway is a hundred times stronger than a squint and would drown it, if its past did
not say most of it. The latents move by an autoregression of their own. What the calibration cannot know, where the
head was while it averaged, is a slowly drifting offset ``o`` of the readings with the spread that the averages of a
few seconds of the person's own sway have. Together these make a state-space model, and the Kalman filter (Kalman
1960, J. Basic Eng. 82:35) is the best linear estimator of the face for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from face_recon_node.stream.alignment import RATE
from face_recon_node.tracking.lags import lagged
from face_recon_node.tracking.mechanics import (
    EARS_SEEN,
    EFFECT_LAGS,
    FACE_LAGS,
    LATENT_LAGS,
    LATENTS,
    OFFSET_LEAK,
    READING_LAGS,
    SCALE,
    STEPS,
    EarSystem,
    Mechanics,
)
from face_recon_node.tracking.response import EarResponse, filtered, learn_response
from face_recon_node.tracking.spans import spans
from face_recon_node.tracking.sway import Sway
from face_recon_node.tracking.tracker import Tracker

RIDGE = 1e-3
NOISE = 1.5
"""Factor on the noise's variance, for what a linear system leaves out."""
MISFIT = 0.02
"""Share of the readings' facial variance that counts as noise: earbuds never sit twice the same."""
OFFSET = 4.0
"""Factor on the offsets' variance: two calibrations, and earbuds that settle."""
CALIBRATION_FRAMES = 90
MAX_POLE = 0.998
"""Per frame, of the latents' own motion: it fades within a quarter of a minute."""
MIN_FRAMES = 300
"""10 s: fewer say too little about a face."""
FOLDS = 3
"""Parts of the data, each tracked by what was learned from the others, to see how good the tracker is."""

Piece = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Readings (n, 12) of both ears and true weights (n, 52) of consecutive frames."""


class FaceData(Protocol):
    """What is needed of ``training.stretch.Stretch``."""

    @property
    def readings(self) -> NDArray[np.float32]: ...
    @property
    def present(self) -> NDArray[np.bool_]: ...
    @property
    def weights(self) -> NDArray[np.float32]: ...


def learn(
    stretches: Sequence[FaceData], landmark_deltas: NDArray[np.floating], assessed: Mechanics | None = None
) -> Mechanics:
    """Learn the mechanics of one person's ears, and how far to trust them.

    Args:
        stretches: calibrated readings with the true weights; frames without both ears are left out.
        landmark_deltas: (52, 51, 3) metres, decides which combinations of weights count.
        assessed: mechanics of the same person, whose errors are taken over instead of being found anew.

    Raises:
        ValueError: there are less than :data:`MIN_FRAMES` frames with both ears.
    """
    pieces = [piece for stretch in stretches for piece in _both_ears(stretch)]
    mechanics = _learn(pieces, landmark_deltas)
    if assessed:
        errors = {name: system.weights_std for name, system in assessed.systems.items()}
    else:
        errors = _errors(pieces, landmark_deltas)
    systems = {
        name: replace(system, weights_std=errors.get(name, mechanics.weights_std))
        for name, system in mechanics.systems.items()
    }
    return replace(mechanics, systems=systems)


def facial_response(stretches: Sequence[FaceData], landmark_deltas: NDArray[np.floating]) -> EarResponse:
    """Learn how one person's face moves their ears; arguments and errors as of :func:`learn`."""
    pieces = [piece for stretch in stretches for piece in _both_ears(stretch)]
    return _Learned.of(pieces, landmark_deltas).response


@dataclass(frozen=True)
class _Learned:
    """What both the mechanics and the response alone are made of."""

    weights: NDArray[np.float64]  # (n, 52) of all pieces
    latents: list[NDArray[np.float64]]  # (n, LATENTS) of each piece: principal components of the landmarks' motion
    readings: list[NDArray[np.float64]]  # (n, 12) of each piece, in units of SCALE
    response: EarResponse

    @classmethod
    def of(cls, pieces: Sequence[Piece], landmark_deltas: NDArray[np.floating]) -> _Learned:
        if sum(len(readings) for readings, _ in pieces) < MIN_FRAMES:
            raise ValueError(f"less than {MIN_FRAMES / RATE:.0f} s with both ears and the true face: record for longer")
        weights = np.concatenate([weights for _, weights in pieces]).astype(np.float64)
        mean = weights.mean(axis=0)
        actions = landmark_deltas.reshape(len(landmark_deltas), -1).astype(np.float64) * 1000.0
        _, _, components = np.linalg.svd((weights - mean)[::3] @ actions, full_matrices=False)
        encode = actions @ components[:LATENTS].T
        encode /= ((weights - mean) @ encode).std(axis=0) + 1e-6
        latents = [(weights.astype(np.float64) - mean) @ encode for _, weights in pieces]
        readings = [readings.astype(np.float64) / SCALE for readings, _ in pieces]
        return cls(weights, latents, readings, EarResponse(encode, learn_response(latents, readings)))


def _learn(pieces: Sequence[Piece], landmark_deltas: NDArray[np.floating]) -> Mechanics:
    learned = _Learned.of(pieces, landmark_deltas)
    mean, joined = learned.weights.mean(axis=0), np.concatenate(learned.latents)
    gram = joined.T @ joined + 1e-6 * len(joined) * np.eye(LATENTS)
    decode = np.linalg.solve(gram, joined.T @ (learned.weights - mean))
    motion = _LatentMotion.learned(learned.latents)
    systems = {
        name: _system(
            [rows[:, list(channels)] for rows in learned.readings],
            learned.latents,
            learned.response.kernel[list(channels)],
            motion,
        )
        for name, channels in EARS_SEEN.items()
    }
    return Mechanics(mean, learned.weights.std(axis=0), decode, motion.coefficients, systems)


@dataclass(frozen=True)
class _LatentMotion:
    """Autoregression of the latents."""

    coefficients: NDArray[np.float64]  # (k, LATENT_LAGS k), newest first
    noise: NDArray[np.float64]  # (k, k)
    spread: NDArray[np.float64]  # (EFFECT_LAGS k, EFFECT_LAGS k), covariance of the latest latents at rest

    @classmethod
    def learned(cls, latents: Sequence[NDArray[np.float64]]) -> _LatentMotion:
        size = latents[0].shape[1]
        past = np.concatenate([lagged(z, LATENT_LAGS)[LATENT_LAGS - 1 : -1] for z in latents])
        after = np.concatenate([z[LATENT_LAGS:] for z in latents])
        gram = past.T @ past + RIDGE * len(past) * np.eye(past.shape[1])
        coefficients = np.linalg.solve(gram, past.T @ after)
        companion = np.eye(LATENT_LAGS * size, k=-size)
        companion[:size] = coefficients.T
        # Little data may give latents that grow without end: every pole is drawn in by the same factor.
        inwards = min(1.0, MAX_POLE / float(np.abs(np.linalg.eigvals(companion)).max()))
        coefficients *= np.repeat(inwards ** np.arange(1, LATENT_LAGS + 1), size)[:, None]
        spread = np.cov(np.concatenate([lagged(z, EFFECT_LAGS) for z in latents]).T)
        return cls(coefficients.T, np.cov((after - past @ coefficients).T), spread)


def _system(
    readings: Sequence[NDArray[np.float64]],
    latents: Sequence[NDArray[np.float64]],
    response: NDArray[np.float64],
    motion: _LatentMotion,
) -> EarSystem:
    """The filter for some channels of the readings, whose response to the latents is known."""
    size, channels = latents[0].shape[1], len(response)
    rest = [y - lagged(z, FACE_LAGS) @ response.T for y, z in zip(readings, latents, strict=True)]
    sway = Sway.learned(rest)
    effect = filtered(response.reshape(channels, FACE_LAGS, size).transpose(2, 0, 1), sway.past)
    effect = effect.transpose(1, 2, 0).reshape(channels, -1)
    noise = NOISE * sway.noise + MISFIT * effect @ motion.spread @ effect.T
    offset = OFFSET * _offset_covariance(rest)

    # State: the latest latents, newest first, then the offsets.
    states = len(motion.spread)
    covariance = block_diag(motion.spread, offset)
    settled = np.eye(channels) - sway.past.reshape(channels, READING_LAGS, channels).sum(axis=1)
    observed = np.concatenate((effect, settled), axis=1)
    spreads, shares = [], []
    for step in range(STEPS[-1] + 1):
        if step:
            covariance = _moved(covariance, motion, states)
            covariance[states:, states:] += (1.0 - OFFSET_LEAK**2) * offset
        shared = covariance @ observed.T
        spread = observed @ shared
        if step in STEPS:
            spreads.append(spread)
            shares.append(shared)
        covariance = covariance - shared @ np.linalg.solve(spread + noise, shared.T)
        covariance = 0.5 * (covariance + covariance.T)
    return EarSystem(sway.past, sway.constant, noise, np.array(spreads), np.array(shares), observed, np.zeros(52))


def _moved(covariance: NDArray[np.float64], motion: _LatentMotion, states: int) -> NDArray[np.float64]:
    """Covariance of the next state but for the offsets' own noise."""
    size, used = motion.coefficients.shape

    def move(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate((motion.coefficients @ rows[:used], rows[: states - size], OFFSET_LEAK * rows[states:]))

    moved = move(move(covariance).T)
    moved[:size, :size] += motion.noise
    return moved


def _offset_covariance(rest: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Covariance of what a calibration of a few seconds gets wrong: means of the readings without the face's part."""
    means = []
    for piece in rest:
        total = np.cumsum(piece, axis=0)
        means.append((total[CALIBRATION_FRAMES::15] - total[:-CALIBRATION_FRAMES:15]) / CALIBRATION_FRAMES)
    joined = np.concatenate(means)
    return np.cov(joined.T) + 1e-4 * np.eye(joined.shape[1])


def _errors(pieces: Sequence[Piece], landmark_deltas: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
    """Cross-validated root-mean-square errors (52,) of the weights for each set of ears; empty with too little data."""
    total = sum(len(readings) for readings, _ in pieces)
    bounds = np.linspace(0, total, FOLDS + 1).astype(int)
    squares: dict[str, list[NDArray[np.float64]]] = {name: [] for name in EARS_SEEN}
    for begin, end in itertools.pairwise(bounds):
        others = _part(pieces, 0, begin) + _part(pieces, end, total)
        if sum(len(readings) for readings, _ in others) < MIN_FRAMES:
            return {}
        mechanics = _learn(others, landmark_deltas)
        for readings, weights in _part(pieces, begin, end):
            for name in EARS_SEEN:
                present = np.tile([name != "right", name != "left"], (len(readings), 1))
                tracked, _ = Tracker(mechanics).push(readings, present)
                squares[name].append(np.square(np.clip(tracked, 0.0, 1.0) - weights))
    return {name: np.sqrt(np.concatenate(parts).mean(axis=0)) for name, parts in squares.items()}


def _part(pieces: Sequence[Piece], begin: int, end: int) -> list[Piece]:
    """The frames from ``begin`` to ``end`` of pieces that are counted through, where they are long enough."""
    found = spans([readings for readings, _ in pieces], begin, end)
    kept = [(pieces[index], rows) for index, rows in found if rows.stop - rows.start > CALIBRATION_FRAMES + 30]
    return [(readings[rows], weights[rows]) for (readings, weights), rows in kept]


def _both_ears(stretch: FaceData) -> list[Piece]:
    """Readings and weights of the parts of a stretch in which both ears are there, long enough for a mean."""
    whole = stretch.present.all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], whole, [False])).astype(int)))
    spans = [slice(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
    return [
        (stretch.readings[span], stretch.weights[span])
        for span in spans
        if span.stop - span.start > CALIBRATION_FRAMES + 30
    ]
