"""A person's ears as a linear system: what the Kalman filter needs. See :mod:`face_recon_node.tracking.learning`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from face_recon_node.stream.alignment import RATE
from face_recon_node.tracking.arrays import finite_array

LATENTS = 16
FACE_LAGS = 8
"""Frames of the face that reach the readings: lag and creep of the tissue, and the differences that gyroscopes see."""
READING_LAGS = 8
"""Frames of the readings that predict the next one: a quarter of a second."""
EFFECT_LAGS = FACE_LAGS + READING_LAGS
"""Frames of the face in what the past of the readings does not say."""
LATENT_LAGS = 3
STATES = LATENTS * EFFECT_LAGS
"""Latents of the latest frames."""
OFFSET_LEAK = float(np.exp(-1.0 / (RATE * 180.0)))
"""Offsets drift away within three minutes."""
SCALE = np.tile(np.repeat([0.1, 0.05], 3), 2)
"""Typical facial motion in m/s² and rad/s; makes the readings of an ear comparable."""
STEPS = (0, 2, 8, 32, 128, 512)
"""Frames since the start at which the gain changes, while the filter learns the offsets."""

EARS_SEEN = {"both": range(12), "left": range(6), "right": range(6, 12)}


@dataclass(frozen=True)
class EarSystem:
    """The filter for the ears that are there: ``n`` states, ``m`` readings."""

    past: NDArray[np.float64]
    """(m, READING_LAGS m): prediction of the readings from the latest ones, newest first."""
    constant: NDArray[np.float64]
    """(m,)"""
    noise: NDArray[np.float64]
    """(m, m): covariance of what neither the past nor the face explains."""
    spread: NDArray[np.float64]
    """(len(STEPS), m, m): covariance of the readings that the uncertain state makes."""
    shared: NDArray[np.float64]
    """(len(STEPS), n, m): covariance of the uncertain state with the readings that it makes."""
    observed: NDArray[np.float64]
    """(m, n): what the state does to the readings, beside their past."""
    weights_std: NDArray[np.float64]
    """(52,): root-mean-square error of the tracked weights, on frames that the system was not learned from."""

    @cached_property
    def precision(self) -> NDArray[np.float64]:
        """(len(STEPS), m, m): inverse covariance of what the filter expects wrongly of the next readings; not finite
        where there is none.
        """
        try:
            return np.linalg.inv(self.spread + self.noise).astype(np.float64)
        except np.linalg.LinAlgError:
            return np.full_like(self.spread, np.nan)


@dataclass(frozen=True)
class Mechanics:
    """What was learned about a person's ears, enough to run :class:`~face_recon_node.tracking.tracker.Tracker`."""

    mean: NDArray[np.float64]
    """(52,) mean ARKit weights of the person."""
    weights_std: NDArray[np.float64]
    """(52,) their standard deviation."""
    decode: NDArray[np.float64]
    """(LATENTS, 52): latents to weights."""
    motion: NDArray[np.float64]
    """(LATENTS, LATENT_LAGS LATENTS): the next latents from the latest, newest first."""
    systems: Mapping[str, EarSystem]
    """For both ears and for each alone."""

    def to_dict(self) -> dict[str, NDArray[np.float32]]:
        """Plain arrays, for the model file."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "systems"}
        for name, system in self.systems.items():
            arrays |= {f"{name}.{field.name}": getattr(system, field.name) for field in fields(system)}
        return {name: array.astype(np.float32) for name, array in arrays.items()}

    @classmethod
    def from_dict(cls, arrays: Mapping[str, NDArray]) -> Mechanics:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: an array is missing, of another shape, or not finite, or there is no noise.
        """

        def take(name: str, *shape: int) -> NDArray[np.float64]:
            return finite_array(arrays, name, shape, "the ears' mechanics lack")

        systems = {}
        for name, channels in EARS_SEEN.items():
            m, n = len(channels), STATES + len(channels)
            systems[name] = EarSystem(
                take(f"{name}.past", m, READING_LAGS * m),
                take(f"{name}.constant", m),
                take(f"{name}.noise", m, m),
                take(f"{name}.spread", len(STEPS), m, m),
                take(f"{name}.shared", len(STEPS), n, m),
                take(f"{name}.observed", m, n),
                take(f"{name}.weights_std", 52),
            )
            if not np.isfinite(systems[name].precision).all():
                raise ValueError("the ears' mechanics lack noise")
        return cls(
            take("mean", 52),
            take("weights_std", 52),
            take("decode", LATENTS, 52),
            take("motion", LATENTS, LATENT_LAGS * LATENTS),
            systems,
        )
