"""What all captures become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imuface_core.arkit import BLENDSHAPES

LOWEST, HIGHEST = -1.0, 2.0
"""ARKit exceeds 1 by a few percent, and a calibrated capture goes below 0; a value beyond these is no weight."""
GAP = 1.0
"""s between frames, from which on it is told."""
MAX_GAP = 60.0
"""s; beyond it the clock jumped."""
_TOLD = 3  # gaps that are named
_DROPPED = 1.5  # steps between frames beyond so many usual ones are dropped frames


@dataclass(frozen=True)
class Capture:
    """A face over time."""

    times: NDArray[np.float64]
    """(N,) s from the first frame, strictly increasing."""
    weights: NDArray[np.float64]
    """(N, 52) 0..1 in the order of ``imuface_core.arkit``."""
    notes: tuple[str, ...]
    """What was left out or made up, in sentences for people."""


def capture(
    times: ArrayLike, weights: Sequence[Sequence[float]], places: Sequence[str], notes: Sequence[str] = ()
) -> Capture:
    """A capture of rows as they were read.

    Args:
        times: (N,) s, in order; equal times are a repeated frame.
        weights: (N, 52), as in the file.
        places: (N,) where each row stands, such as ``line 7``.
        notes: what is to be told already.

    Raises:
        ValueError: there are too few frames, a weight is none, or the times jump; the message names the place.
    """
    if len(places) < 2:
        raise ValueError(f"{len(places)} frames with a face, at least 2 are needed")
    table, moments = np.asarray(weights, dtype=np.float64), np.asarray(times, dtype=np.float64)
    for row, column in np.argwhere(~((table >= LOWEST) & (table <= HIGHEST))).tolist():
        raise ValueError(f"{places[row]}: {BLENDSHAPES[column]} is {table[row, column]:g}, not a weight of 0..1")
    steps = np.diff(moments)
    for bad in np.flatnonzero(~((steps >= 0.0) & (steps <= MAX_GAP))).tolist():
        raise ValueError(f"{places[bad + 1]}: the time jumps by {steps[bad]:.3f} s")
    kept = np.append(True, steps > 0.0)
    if kept.sum() < 2:
        raise ValueError("every frame has the same time")
    moments = moments[kept] - moments[0]
    told = [*notes, *_gaps(moments, [place for place, keep in zip(places, kept, strict=True) if keep])]
    if not kept.all():
        told.append(f"{np.count_nonzero(~kept)} frames have the time of the one before and were left out")
    return Capture(moments, np.clip(table[kept], 0.0, 1.0), tuple(told))


def _gaps(times: NDArray[np.float64], places: Sequence[str]) -> list[str]:
    steps = np.diff(times)
    usual = float(np.median(steps))
    dropped = steps[(steps > _DROPPED * usual) & (steps < GAP)]
    told = [f"{np.rint(dropped / usual - 1.0).sum():.0f} frames were dropped"] if len(dropped) else []
    gaps = np.flatnonzero(steps >= GAP)
    longest = sorted(gaps[np.argsort(-steps[gaps])][:_TOLD].tolist())
    told += [f"no frame for {steps[gap]:.1f} s before {places[gap + 1]}" for gap in longest]
    if len(gaps) > _TOLD:
        told.append(f"{len(gaps) - _TOLD} more gaps of {GAP:g} s or longer")
    return told
