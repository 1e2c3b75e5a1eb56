"""One ear as it was read from a file, and two of them as a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from imuface_core.earphone import Ear
from imuface_core.recording import ImuTrack, Recording
from scipy.ndimage import median_filter

_NEIGHBOURS = 11  # samples among which one that is far from their median has a damaged time
_FAR_NS = 1_000_000_000


@dataclass(frozen=True)
class Import:
    """A track with what its file says of it."""

    ear: Ear | None  # None: the file does not tell
    track: ImuTrack
    notes: tuple[str, ...] = ()  # what was left out or mended, for people


def increasing(stamps: np.ndarray) -> np.ndarray:
    """Which of the stamps (N,) in ns are later than all before them, but for those far from their neighbours."""
    near = np.abs(stamps - median_filter(stamps, min(_NEIGHBOURS, len(stamps)), mode="reflect")) < _FAR_NS
    none = stamps.min() - 1
    latest = np.maximum.accumulate(np.where(near, stamps, none))
    return near & (stamps > np.concatenate([[none], latest[:-1]]))


def together(imports: Sequence[Import], align: bool = False) -> Recording:
    """One session of one ear, or of both.

    ``align``: both begin at the same moment, whatever their clocks say. Raises ``ValueError`` when an ear is not told
    or told twice, or when two tracks have no time in common.
    """
    tracks: dict[Ear, ImuTrack] = {}
    for each in imports:
        if each.ear is None:
            raise ValueError("the file does not say which ear it is of: give --ear left or --ear right")
        if each.ear in tracks:
            raise ValueError(
                f"two files are of the {each.ear} ear: a session has one of each; give --ear for each file"
            )
        tracks[each.ear] = each.track
    left, right = tracks.get("left"), tracks.get("right")
    if left is not None and right is not None:
        if align:
            right = replace(right, stamps=right.stamps + (left.stamps[0] - right.stamps[0]))
        if left.stamps[0] > right.stamps[-1] or right.stamps[0] > left.stamps[-1]:
            raise ValueError(
                "the two ears have no time in common, so their clocks were not set: give --align if both recordings "
                "were begun at the same moment, or import each by itself"
            )
    return Recording(left, right)
