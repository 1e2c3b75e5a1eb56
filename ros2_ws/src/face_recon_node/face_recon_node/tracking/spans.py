"""Consecutive frames that lie in several pieces, counted through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized

import numpy as np


def spans(pieces: Sequence[Sized], begin: int, end: int) -> Iterator[tuple[int, slice]]:
    """Which frames of which piece are those from ``begin`` to ``end``; pieces without any are left out."""
    start = 0
    for index, piece in enumerate(pieces):
        low, high = np.clip([begin - start, end - start], 0, len(piece))
        if high > low:
            yield index, slice(int(low), int(high))
        start += len(piece)
