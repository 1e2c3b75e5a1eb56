"""The CSV that Epic's Live Link Face app writes: one line for each frame with a time code and 52 ARKit weights.

The app counts frames at 24, 25, 30, 50 or 60 a second (29.97 and 59.94 with or without drop frames) and nowhere says at
which: where the count begins anew with the next second tells.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from imuface_core.arkit import BLENDSHAPES
from imuface_core.captures.capture import Capture, capture
from imuface_core.captures.table import Row, Table

RATES = (24, 25, 30, 48, 50, 60, 120, 1000)
"""Frames that a second may be counted in; some converters count milliseconds."""
# Hours, minutes, seconds; frames and parts of a frame. A semicolon before the frames stands for drop frames.
_TIMECODE = re.compile(r"(\d{1,2})[:;](\d{2})[:;](\d{2})([:;])(\d{1,3}(?:[.,]\d+)?)")
_DAY = 86_400.0
_OPTIONAL = "tongueOut"  # the app of iOS 11 had none


def is_live_link(table: Table) -> bool:
    """Whether a table is one."""
    return "timecode" in table.columns


def read_live_link(table: Table) -> Capture:
    """Raises ``ValueError``, naming the line, when the table is no capture."""
    missing = table.missing(BLENDSHAPES)
    if missing not in ([], [_OPTIONAL]):
        raise ValueError(f"{len(missing)} of the 52 weights have no column, the first is '{missing[0]}'")
    notes = [f"no column {_OPTIONAL}: it is 0"] if missing else []
    columns = [table.columns.get(name.lower()) for name in BLENDSHAPES]
    codes: list[tuple[float, float, bool]] = []
    weights: list[list[float]] = []
    places: list[str] = []
    faceless = 0
    for row in table:
        if _faceless(row, table, columns):
            faceless += 1
            continue
        if len(row.cells) < table.width:
            raise ValueError(f"{row.place}: {len(row.cells)} columns instead of {table.width}, the file is cut off")
        codes.append(_timecode(row, table.columns["timecode"]))
        weights.append(
            [
                0.0 if column is None else row.number(column, name)
                for name, column in zip(BLENDSHAPES, columns, strict=True)
            ]
        )
        places.append(row.place)
    if faceless:
        notes.append(f"{faceless} lines without a face were skipped")
    if len(places) < 2:
        return capture([], [], places)
    times, counted = _seconds(np.array(codes))
    return capture(times, weights, places, [f"the time code counts {counted}", *notes])


def _faceless(row: Row, table: Table, columns: list[int | None]) -> bool:
    """Whether a line says that the app saw no face: a count of 0, or a time code and nothing else."""
    if row.text(table.columns.get("blendshapecount")) in ("0", "0.0", "0,0"):
        return True
    return bool(row.text(table.columns["timecode"])) and not any(row.text(column) for column in columns)


def _timecode(row: Row, column: int) -> tuple[float, float, bool]:
    """Whole seconds since midnight, frames, and whether frames are dropped."""
    text = row.text(column)
    found = _TIMECODE.fullmatch(text)
    if found is None:
        raise ValueError(f"{row.place}: '{text[:20]}' is no timecode (hours:minutes:seconds:frames)")
    hours, minutes, seconds, mark, frames = found.groups()
    return int(hours) * 3600.0 + int(minutes) * 60.0 + int(seconds), float(frames.replace(",", ".")), mark == ";"


def _seconds(codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    """Seconds (N,) of time codes (N, 3), and in words how they count."""
    seconds, frames, drops = codes.T
    rate = _rate(seconds, frames)
    if not drops.any():
        times, counted = seconds + frames / rate, f"{rate} frames a second"
    else:
        # Counted as if there were 30 (60) a second; of most minutes the first two (four) numbers are left out, so that
        # the count keeps up with 29.97 (59.94).
        minutes = seconds // 60.0
        count = seconds * rate + frames - rate // 15 * (minutes - minutes // 10.0)
        times, counted = count * 1001.0 / (1000.0 * rate), f"{rate / 1.001:.2f} frames a second (drop frame)"
    steps = np.diff(times)
    steps[steps < -_DAY / 2] += _DAY  # past midnight
    return np.append(0.0, np.cumsum(steps)), counted


def _rate(seconds: NDArray[np.float64], frames: NDArray[np.float64]) -> int:
    """In how many frames a second is counted.

    The one with which the frames go on across seconds as they do within them.
    """
    possible = [rate for rate in RATES if rate > frames.max()]
    crossing = np.diff(seconds) % _DAY == 1.0
    within = np.diff(frames)[np.diff(seconds) == 0.0]
    if not crossing.any() or not len(within):  # less than a second: the app's own two settings
        return next(rate for rate in (30, 60, *possible) if rate in possible)
    jumps, usual = np.diff(frames)[crossing], np.median(within)
    return min(possible, key=lambda rate: float(np.median(np.abs(jumps + rate - usual))))
