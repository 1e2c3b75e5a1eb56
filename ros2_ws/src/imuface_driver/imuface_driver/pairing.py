"""Which of two buds is the left one: by a nod, which both must see, and taps at one of them, which it feels most."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from imuface_core.earphone import EARS, Ear
from imuface_core.recording import ImuTrack

GRID = 1.0 / 30.0  # s
NOD = 0.06  # rad/s; standard deviation of a head's turning from which on it nods; at rest it is 0.02
TOGETHER = 0.6  # correlation of the turning of two buds on one head
TAP = 4.0  # m/s²; from one reading to the next, the hardest in a hundred
CLEARER = 1.8  # times as hard as in the other bud


def nod_fault(tracks: Mapping[Ear, ImuTrack]) -> str:
    """Why two buds do not seem to be on one head that nods; empty when they do."""
    turning = {
        ear: np.linalg.norm(track.angular_velocity - np.median(track.angular_velocity, axis=0), axis=1)
        for ear, track in tracks.items()
    }
    still = [ear for ear in EARS if turning[ear].std() < NOD]
    if len(still) == len(EARS):
        return "neither bud saw a nod: nod harder, as in a clear yes"
    if still:
        return f"the {still[0]} bud does not move with the other one: put both buds in"
    begin = max(float(track.stamps[0]) for track in tracks.values())
    end = min(float(track.stamps[-1]) for track in tracks.values())
    grid = np.arange(begin, end, GRID * 1e9)
    left, right = (np.interp(grid, tracks[ear].stamps, turning[ear]) for ear in EARS)
    if len(grid) < 2 or np.corrcoef(left, right)[0, 1] < TOGETHER:
        return "the buds do not move together: put both in, and nod with the head only"
    return ""


def tapped(tracks: Mapping[Ear, ImuTrack]) -> Ear | None:
    """The bud that was tapped; None when that is not clear."""
    left, right = (_hardness(tracks[ear]) for ear in EARS)
    if max(left, right) < TAP or max(left, right) < CLEARER * min(left, right):
        return None
    return "left" if left > right else "right"


def _hardness(track: ImuTrack) -> float:
    """The change of acceleration from one reading to the next that one in a hundred exceeds, m/s²."""
    changes = np.linalg.norm(np.diff(track.acceleration, axis=0), axis=1)
    return float(np.percentile(changes, 99)) if len(changes) else 0.0
