"""Captures of eSense that apps wrote: text with one sample in each line, of which there are many kinds."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from imuface_core.earphone import STANDARD_GRAVITY
from imuface_core.recording import ImuTrack
from numpy.typing import NDArray

from imuface_driver.devices.esense import LSB_PER_DEGREE, LSB_PER_G
from imuface_driver.recordings.track import Import, increasing

_DEGREE = math.radians(1.0)
# rad/s in a unit of the angular velocity.
GYROSCOPES = {"rad/s": 1.0, "deg/s": _DEGREE} | {
    str(250 << step): _DEGREE / lsb for step, lsb in enumerate(LSB_PER_DEGREE)
}

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"[A-Za-df-z]")  # a line with letters is none of samples; e may be an exponent
_TOLERANCE = 0.15  # by which the median of the acceleration may differ from gravity: offsets, movement
# Nanoseconds in a unit of time, and the steps between samples of 10 to 500 Hz in each, which are no other's.
_SECOND, _TIMES = 1e9, (1e9, 1e6, 1e3, 1.0)
_SLOWEST, _FASTEST = 0.1, 0.002  # s
_MENDED = 0.9  # share of the mean step of the acceleration that is left when mending it was right


def read_table(path: str | Path, gyroscope: str | None, rate: float | None = None) -> Import:
    """Lines of acceleration x, y, z and angular velocity x, y, z, with a time before them or without.

    Separators do not matter. Lines of another form are passed over before the samples, and told between them. The unit
    of the acceleration, or its range where it is in LSB, is known by gravity, that of the time by its steps;
    ``gyroscope`` is the unit of the angular velocity, or its range in °/s where it is in LSB, one of
    :data:`GYROSCOPES`. ``rate`` is in Hz, for lines without a time. Raises ``OSError`` when the file cannot be read,
    ``ValueError`` when it cannot be understood.
    """
    table, strange = _lines(path)
    notes = [f"{strange} lines between the samples are of another form and were left out"] if strange else []
    if gyroscope not in GYROSCOPES:
        raise ValueError(f"{path} does not say in what its angular velocity is: give --gyro {'|'.join(GYROSCOPES)}")
    values = table[:, -6:]
    if (values == np.rint(values)).all():
        values, mended = _mend(values)
        if mended:
            notes.append("low bytes were read as signed, as eSense's Android library does: mended")
    stamps, order = _stamps(path, table, rate)
    if not order.all():
        notes.append(f"{np.count_nonzero(~order)} samples whose time does not follow the one before were left out")
    acceleration = values[:, :3] * _acceleration_unit(path, values[:, :3])
    angular_velocity = values[:, 3:] * GYROSCOPES[gyroscope]
    return Import("left", ImuTrack(stamps[order], acceleration[order], angular_velocity[order]), tuple(notes))


def _lines(path: str | Path) -> tuple[NDArray[np.float64], int]:
    """The samples (N, 6 or 7), and how many lines between them are of another form."""
    rows: list[list[float]] = []
    strange = pending = 0
    for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
        numbers = [] if _WORD.search(line) else [float(text) for text in _NUMBER.findall(line)]
        if len(numbers) == (len(rows[0]) if rows else len(numbers)) and len(numbers) in (6, 7):
            rows.append(numbers)
            strange, pending = strange + pending, 0
        elif rows and line.strip():
            pending += 1
    if not rows:
        raise ValueError(f"{path} has no line of six numbers, or seven with a time: acceleration, angular velocity")
    table = np.array(rows)
    if not np.isfinite(table).all():
        raise ValueError(f"{path} has values that are not finite")
    return table, strange + pending


def _mend(raw: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Undo what eSense's Android library does to low bytes above 127, where it was at work.

    It adds them to the high byte as signed numbers, so these values are 256 too low, and a smooth signal jumps. The
    low byte itself is left as it was, so it tells where; mended, the acceleration moves in smaller steps.
    """
    whole = raw.astype(np.int64)
    mended = np.where(whole & 0x80, whole + 256, whole)
    before, after = (np.abs(np.diff(each[:, :3], axis=0)).mean() if len(each) > 1 else 0.0 for each in (whole, mended))
    wrong = bool(after < _MENDED * before)
    return (mended if wrong else whole).astype(np.float64), wrong


def _acceleration_unit(path: str | Path, acceleration: NDArray[np.float64]) -> float:
    """m/s² in a unit of the acceleration, which is gravity for most of the time."""
    median = float(np.median(np.linalg.norm(acceleration, axis=1)))
    for gravity in (STANDARD_GRAVITY, 1.0, *LSB_PER_G):
        if abs(median / gravity - 1.0) < _TOLERANCE:
            return STANDARD_GRAVITY / gravity
    raise ValueError(f"the acceleration in {path} is {median:.4g} on the median, which is gravity in no unit or range")


def _stamps(
    path: str | Path, table: NDArray[np.float64], rate: float | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Stamps in ns, and which of the samples can be used."""
    if table.shape[1] == 6:
        if rate is None or not 0.0 < rate < math.inf:
            raise ValueError(f"{path} has no times: give --rate, in samples per second")
        return np.rint(np.arange(len(table)) * (_SECOND / rate)).astype(np.int64), np.ones(len(table), dtype=np.bool_)
    times = table[:, 0]
    step = (times[-1] - times[0]) / max(len(times) - 1, 1)
    unit = next((unit for unit in _TIMES if _FASTEST <= step * unit / _SECOND <= _SLOWEST), None)
    if unit is None:
        raise ValueError(f"the times in {path} are {step:.4g} apart, which are samples at 10 to 500 Hz in no unit")
    # Times of arrival come in bursts of one time: these samples were taken one after the other since the time before.
    first = np.flatnonzero(np.diff(times, prepend=-np.inf))
    last = np.append(first[1:], len(times)) - 1
    spread = np.interp(np.arange(len(times)), last, times[last])
    whole = math.floor(times[0])  # what is left is small enough for a float of nanoseconds
    stamps = np.rint((spread - whole) * unit).astype(np.int64) + int(whole * unit)
    return stamps, increasing(stamps)
