"""What each facial action does to a person's readings, solved in closed form from minutes of data.

In each band the readings are taken as linear in the face: what is read is the sum of the actions' signatures, plus a
rest with a covariance of its own. The signatures are a Bayesian linear regression whose prior is what simulated people
have in common, so without any data the ears are those of nobody in particular. Signatures and rest give the best
linear guess of the face from a band (the evidence), with each subset of the ears.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from face_recon_node.models.fitting import finite_arrays
from face_recon_node.models.signature.bands import AXES, BANDS, CHANNELS, FaceBands, ReadingBands

Array = NDArray[np.float64]

WEIGHTS = 52
EARS_SEEN = ((True, True), (True, False), (False, True))
"""Subsets of the left and the right ear that evidence is prepared for."""
INDEPENDENT = (1, 2, 4)
"""Bands of which each action's evidence is given as if actions came alone, too."""
OUTLASTS = np.array([3.0, 6.0, 15.0, 30.0, 15.0, 60.0, 3.0])
"""Frames for which the rest of each band resembles itself: so many frames say as much as one."""
TRUSTED = 600.0
"""Frames of data that count as much as the population, for how actions go together."""
SPREAD_FLOOR = 0.05
"""Added to the deviations of the actions by which weights are standardised."""
DIRECT_PENALTY = 300.0
"""Frames: the less data, the stronger the penalty of the direct regression."""
EVIDENCE = (len(BANDS) + len(INDEPENDENT) + 1) * WEIGHTS
CERTAINTIES = (len(INDEPENDENT) + 2) * WEIGHTS
TIES: dict[int, int | None] = {1: None, 0: 1, 2: 1, 3: 1, 4: None, 5: 4, 6: None}
"""Bands in the order of solving, each with the one whose signatures are its prior: a turn is a turn, fast or slow."""
TIED = 0.15
"""How far signatures of tied bands differ, in the population's variance."""


@dataclass(frozen=True)
class Population:
    """What simulated people have in common: the prior of a person's signatures."""

    response: Array
    """(bands, 6, 52) mean signatures."""
    response_covariance: Array
    """(bands, 52, 52) of the signatures of one axis about that mean."""
    face_covariance: Array
    """(bands, 52, 52) of what faces contribute."""
    rest: Array
    """(bands, 6, 6) covariance of the rest."""
    mean: Array
    """(52,) of the weights."""
    spread: Array
    """(52,) standard deviation of the weights."""

    @classmethod
    def checked(cls, arrays: Mapping[str, NDArray]) -> Population:
        """From the arrays of a model file.

        Raises:
            ValueError: an array is missing, of another shape, or not finite.
        """
        bands = len(BANDS)
        shapes = {
            "response": (bands, AXES, WEIGHTS),
            "response_covariance": (bands, WEIGHTS, WEIGHTS),
            "face_covariance": (bands, WEIGHTS, WEIGHTS),
            "rest": (bands, AXES, AXES),
            "mean": (WEIGHTS,),
            "spread": (WEIGHTS,),
        }
        found = finite_arrays(arrays, shapes)
        return cls(**{name: array.astype(np.float64) for name, array in zip(shapes, found, strict=True)})


@dataclass(frozen=True)
class Signatures:
    """What the network is told of a person; the evidence is a linear map of a frame's bands."""

    mean: NDArray[np.float32]
    """(52,) mean weights of the person."""
    spread: NDArray[np.float32]
    """(52,) by which weights are standardised."""
    response: NDArray[np.float32]
    """(bands, 6, 52) signatures."""
    channel_scale: NDArray[np.float32]
    """(42,) 1 / standard deviation of the rest of each channel."""
    evidence: NDArray[np.float32]
    """(3, evidence, 42): standardised evidence from the bands, for each of EARS_SEEN."""
    certainty: NDArray[np.float32]
    """(3, certainties): share of each action's variance that the bands explain, for each of EARS_SEEN."""

    def to_dict(self) -> dict[str, NDArray[np.float32]]:
        """Plain arrays, for the model file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_dict(cls, arrays: Mapping[str, NDArray]) -> Signatures:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: an array is missing, of another shape, or not finite.
        """
        bands = len(BANDS)
        shapes = {
            "mean": (WEIGHTS,),
            "spread": (WEIGHTS,),
            "response": (bands, AXES, WEIGHTS),
            "channel_scale": (CHANNELS,),
            "evidence": (len(EARS_SEEN), EVIDENCE, CHANNELS),
            "certainty": (len(EARS_SEEN), CERTAINTIES),
        }
        return cls(**dict(zip(shapes, finite_arrays(arrays, shapes), strict=True)))

    @classmethod
    def fitted(
        cls,
        population: Population,
        readings: Sequence[NDArray[np.floating]] = (),
        weights: Sequence[NDArray[np.floating]] = (),
    ) -> Signatures:
        """Solve a person's signatures.

        Args:
            population: the prior.
            readings: consecutive calibrated readings (n, 12) of each segment; frames with both ears only.
            weights: (n, 52) true ARKit weights of each; without segments, nothing is known of the person.
        """
        frames = sum(map(len, weights))
        if frames:
            known = np.concatenate(list(weights)).astype(np.float64)
            share = frames / (frames + TRUSTED)
            mean = share * known.mean(axis=0) + (1.0 - share) * population.mean
            spread = np.sqrt(share * known.var(axis=0) + (1.0 - share) * population.spread**2)
            seen = np.concatenate([ReadingBands().push(part) for part in readings]).astype(np.float64)
            faces = np.concatenate([FaceBands().push(part) for part in weights])
            seen, faces = seen - seen.mean(axis=0), faces - faces.mean(axis=0)
        else:
            mean, spread, share = population.mean, population.spread, 0.0
            seen, faces = np.zeros((0, len(BANDS), AXES)), np.zeros((0, len(BANDS), WEIGHTS))
        solved: dict[int, _Band] = {}
        for band, like in TIES.items():
            together = (1.0 - share) * population.face_covariance[band]
            if frames:
                together = together + share * faces[:, band].T @ faces[:, band] / frames
            prior = population.response[band], population.response_covariance[band]
            if like is not None:
                prior = solved[like].response, TIED * prior[1]
            solved[band] = _Band.solved(
                seen[:, band], faces[:, band], prior, together, population.rest[band], OUTLASTS[band], share
            )
        bands = [solved[band] for band in range(len(BANDS))]
        channels = seen.reshape(frames, CHANNELS)
        direct = np.zeros((len(EARS_SEEN), WEIGHTS, CHANNELS))
        evidence, certainty = [], []
        for number, ears in enumerate(EARS_SEEN):
            axes = np.repeat(ears, AXES // 2)
            if frames:
                kept = np.tile(axes, len(BANDS))
                direct[number][:, kept] = _direct(channels[:, kept], known, spread, frames)
            parts = [band.evidence(axes, alone=False) for band in bands]
            parts += [bands[band].evidence(axes, alone=True) for band in INDEPENDENT]
            placed = np.zeros((len(parts), WEIGHTS, CHANNELS))
            for place, (band, (linear, _)) in enumerate(zip((*range(len(BANDS)), *INDEPENDENT), parts, strict=True)):
                placed[place, :, band * AXES : (band + 1) * AXES] = linear
            evidence.append(np.concatenate((placed.reshape(-1, CHANNELS), direct[number])))
            certainty.append(np.concatenate([parts[band][1] for band in INDEPENDENT]))
        standardising = spread + SPREAD_FLOOR
        told = np.concatenate((mean / 0.1, np.log(standardising / 0.1)))
        scale = np.concatenate([1.0 / np.sqrt(np.diag(band.rest)) for band in bands])
        return cls(
            *(
                array.astype(np.float32)
                for array in (
                    mean,
                    standardising,
                    np.stack([band.response for band in bands]),
                    scale,
                    np.stack(evidence),
                    np.stack([np.concatenate((one, told)) for one in certainty]),
                )
            )
        )


@dataclass(frozen=True)
class _Band:
    """One band of a person."""

    response: Array
    """(6, 52)"""
    rest: Array
    """(6, 6) covariance of what the signatures leave open, their own uncertainty included."""
    together: Array
    """(52, 52) covariance of what faces contribute."""

    @classmethod
    def solved(
        cls,
        seen: Array,
        faces: Array,
        prior: tuple[Array, Array],
        together: Array,
        rest: Array,
        outlasts: float,
        share: float,
    ) -> _Band:
        """Bayesian regression of seen (n, 6) on faces (n, 52); the prior's size and the rest follow from the data."""
        mean, covariance = prior
        precision = np.linalg.inv(covariance + 1e-6 * np.trace(covariance) * np.eye(WEIGHTS))
        gram, products = faces.T @ faces, faces.T @ (seen - faces @ mean.T)
        size, variance = 1.0, np.diag(rest)
        for _ in range(2 if len(faces) else 1):
            open_ = np.linalg.inv(gram / (variance * outlasts)[:, None, None] + precision / size)
            change = np.einsum("ijk,ki->ij", open_, products / (variance * outlasts))
            if len(faces):
                spent = np.einsum("ij,jk,ik->", change, precision, change) + np.einsum("ijk,jk->", open_, precision)
                size = float(np.clip(spent / change.size, 0.05, 20.0))
                left = seen - faces @ (mean + change).T
                rest = share * left.T @ left / len(left) + (1.0 - share) * rest
                variance = np.diag(rest)
        return cls(mean + change, rest + np.diag(np.einsum("ijk,jk->i", open_, together)), together)

    def evidence(self, axes: NDArray[np.bool_], alone: bool) -> tuple[Array, Array]:
        """Best linear guess (52, 6) in standard deviations of what the face contributes, and its explained variance.

        ``axes`` (6,): which are read; ``alone``: as if actions did not go together.
        """
        together = np.diag(np.diag(self.together)) if alone else self.together
        response = self.response[axes]
        gain = together @ response.T @ np.linalg.inv(response @ together @ response.T + self.rest[np.ix_(axes, axes)])
        deviation = np.sqrt(np.diag(together)) + 1e-9
        linear = np.zeros((WEIGHTS, AXES))
        linear[:, axes] = gain / deviation[:, None]
        return linear, np.einsum("ij,ji->i", gain, response @ together) / deviation**2


def _direct(channels: Array, weights: Array, spread: Array, frames: int) -> Array:
    """(52, channels): ridge regression of the standardised weights on all bands at once."""
    scale = channels.std(axis=0) + 1e-9
    inputs = channels / scale
    gram = inputs.T @ inputs / frames + (0.02 + DIRECT_PENALTY / frames) * np.eye(channels.shape[1])
    centred = (weights - weights.mean(axis=0)) / (spread + SPREAD_FLOOR)
    return np.linalg.solve(gram, inputs.T @ centred / frames).T / scale
