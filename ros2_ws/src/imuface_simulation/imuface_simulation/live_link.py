"""Reads the CSV that Epic's Live Link Face app writes: one line per frame with 52 ARKit weights, plain or gzip."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np
from imuface_core.arkit import BLENDSHAPES
from numpy.typing import NDArray

_TIMECODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}):(\d{1,2}(?:\.\d+)?)")
_DAY = 86_400.0
# ARKit sometimes exceeds 1 by a few percent; a value beyond these is no weight.
_LOWEST, _HIGHEST = -0.2, 1.5
MAX_GAP = 60.0  # s between frames; beyond it the clock jumped


def read_live_link_csv(path: str | PathLike[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times (N,) in seconds from the first frame, strictly increasing, and weights (N, 52) clipped to 0..1.

    Raises ``OSError`` when the file cannot be read and ``ValueError``, naming file and line, when it is not a capture.
    """
    path = Path(path)
    try:
        return _parse(_text(path.read_bytes()))
    except ValueError as error:
        raise ValueError(f"{path}: {error}; expected a CSV written by Live Link Face, plain or gzip") from error


def _text(data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"damaged gzip data ({error})") from error
    return data.decode("utf-8-sig")


def _parse(text: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    reader = csv.reader(io.StringIO(text))
    try:
        header = next(reader, [])
        columns = _columns(header)
        frames, lines = _frames(reader, columns, len(header))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error
    if len(lines) < 2:
        raise ValueError(f"{len(lines)} frames, at least 2 are needed")
    table = np.array(frames)
    # The app writes frame numbers at 60 Hz unless it was set to 30 Hz or less.
    rate = 60.0 if table[:, 1].max() >= 30.0 else 30.0
    times = table[:, 0] + table[:, 1] / rate
    steps = np.diff(times)
    steps[steps < -_DAY / 2] += _DAY  # past midnight
    for bad in np.flatnonzero((steps < 0.0) | (steps > MAX_GAP)):
        raise ValueError(f"line {lines[bad + 1]}: the timecode jumps by {steps[bad]:.3f} s")
    kept = np.concatenate([[True], steps > 0.0])  # a timecode seen twice is a repeated frame
    if kept.sum() < 2:
        raise ValueError("every frame has the same timecode")
    times = np.concatenate([[0.0], np.cumsum(steps)])
    return times[kept], np.clip(table[kept, 2:], 0.0, 1.0)


def _columns(header: list[str]) -> list[int]:
    names = {name.strip().lower(): column for column, name in enumerate(header)}
    if "timecode" not in names:
        raise ValueError("no column 'Timecode' in the first line")
    missing = [name for name in BLENDSHAPES if name.lower() not in names]
    if missing:
        raise ValueError(f"{len(missing)} of the 52 weights have no column, the first is '{missing[0]}'")
    return [names["timecode"], *(names[name.lower()] for name in BLENDSHAPES)]


def _frames(reader: Iterator[list[str]], columns: list[int], width: int) -> tuple[list[tuple[float, ...]], list[int]]:
    """Rows of (seconds of the timecode, its frame number, 52 weights) and the line number of each."""
    frames: list[tuple[float, ...]] = []
    lines: list[int] = []
    for line, row in enumerate(reader, start=2):
        if not row:
            continue
        if len(row) < width:
            raise ValueError(f"line {line}: {len(row)} columns instead of {width}, the file is cut off")
        timecode = _TIMECODE.fullmatch(row[columns[0]].strip())
        if timecode is None:
            raise ValueError(f"line {line}: '{row[columns[0]][:20]}' is no timecode (hours:minutes:seconds:frames)")
        hours, minutes, seconds, frame = timecode.groups()
        weights = []
        for name, column in zip(BLENDSHAPES, columns[1:], strict=True):
            try:
                weight = float(row[column])
            except ValueError:
                weight = float("nan")
            if not _LOWEST <= weight <= _HIGHEST:
                raise ValueError(f"line {line}: {name} is '{row[column][:20]}', not a weight of 0..1")
            weights.append(weight)
        frames.append((int(hours) * 3600.0 + int(minutes) * 60.0 + int(seconds), float(frame), *weights))
        lines.append(line)
    return frames, lines
