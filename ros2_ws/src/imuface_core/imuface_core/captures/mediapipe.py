"""Blendshapes of MediaPipe's Face Landmarker, or of anything else that names ARKit's actions: CSV or JSON.

MediaPipe defines no file for them. A table has a column for each action; JSON is a list of frames, or one in each line,
with a time and blendshapes by name, as name and score, or as in the results of the task's own API.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_core.captures.capture import Capture, capture
from imuface_core.captures.table import Row, Table

FEWEST = 20
"""Actions that have to be named for it to be a face."""
_TIMES = ("timestamp_us", "timestamp_ms", "timestampms", "time_ms", "timestamp", "time", "seconds", "t")
_UNITS = {"us": 1e-6, "ms": 1e-3}
# s in a unit, and the steps between frames of 5 to 240 Hz in each, which are no other's.
_GUESSES = (1.0, 1e-3, 1e-6, 1e-9)
_FASTEST, _SLOWEST = 1.0 / 240.0, 0.2
_SHAPES = ("blendshapes", "faceblendshapes", "face_blendshapes")
_BY_LOWER = {name.lower(): name for name in BLENDSHAPES}


def is_blendshape_table(table: Table) -> bool:
    """Whether a table is one."""
    return len(BLENDSHAPES) - len(table.missing(BLENDSHAPES)) >= FEWEST


def read_blendshape_table(table: Table, rate: float | None = None) -> Capture:
    """``rate`` in Hz, where there are no times. Raises ``ValueError``, naming the line, when it is no capture."""
    columns = {name: table.columns[name.lower()] for name in BLENDSHAPES if name.lower() in table.columns}
    time = next((name for name in _TIMES if name in table.columns), None)
    rows, faceless = [], 0
    for row in table:
        if any(row.text(column).lower() not in ("", "nan") for column in columns.values()):
            rows.append(row)
        else:
            faceless += 1
    weights = [[row.number(columns[name], name) if name in columns else 0.0 for name in BLENDSHAPES] for row in rows]
    if rate is not None:
        times = _counted([_frame(row, table) for row in rows], rate)
    elif time is None:
        raise ValueError(f"no column with the time ({', '.join(_TIMES)}): give the rate")
    else:
        times = _in_seconds(np.array([row.number(table.columns[time], time) for row in rows]), time)
    return capture(times, weights, [row.place for row in rows], _notes(set(columns), faceless))


def read_blendshape_json(text: str, rate: float | None = None) -> Capture:
    """As JSON. Raises ``ValueError``, naming the frame, when it is no capture."""
    moments: list[float] = []
    faces: list[dict[str, float]] = []
    places: list[str] = []
    faceless = 0
    names: list[str] = []
    for number, frame in enumerate(_frames(text), 1):
        place = f"frame {number}"
        if not isinstance(frame, dict):
            raise ValueError(f"{place} is no object with a time and blendshapes")
        fields = {str(name).lower(): value for name, value in frame.items()}
        face = _face(fields, place)
        if not face:
            faceless += 1
            continue
        name = next((name for name in _TIMES if name in fields), "")
        if not name and rate is None:
            raise ValueError(f"{place} has no time ({', '.join(_TIMES)}): give the rate")
        moments.append(number - 1.0 if rate is not None else _number(fields[name], place, name))
        names.append(name)
        faces.append(face)
        places.append(place)
    known = {name for face in faces for name in face}
    if places and len(known) < FEWEST:
        raise ValueError(f"{len(known)} of ARKit's {len(BLENDSHAPES)} actions are named, at least {FEWEST} are needed")
    weights = [[face.get(name, 0.0) for name in BLENDSHAPES] for face in faces]
    counted = _counted(moments, rate) if rate is not None else _in_seconds(np.array(moments), names[0] if names else "")
    return capture(counted, weights, places, _notes(known, faceless))


def _notes(known: set[str], faceless: int) -> list[str]:
    missing = [name for name in BLENDSHAPES if name not in known]
    notes = [f"not told, and therefore 0: {', '.join(missing)}"] if missing else []
    return [*notes, f"{faceless} frames without a face were skipped"] if faceless else notes


def _frame(row: Row, table: Table) -> float:
    """The number of a row's frame: what it says, or its line."""
    column = table.columns.get("frame")
    return float(row.line) if column is None else row.number(column, "frame")


def _counted(frames: list[float], rate: float) -> NDArray[np.float64]:
    return np.array(frames) / rate


def _in_seconds(times: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Times in s: the unit is in the name, or told by the steps."""
    unit = next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), None)
    if unit is None and len(times) > 1:
        step = float(np.median(np.diff(times)))
        unit = next((guess for guess in _GUESSES if _FASTEST <= step * guess <= _SLOWEST), None)
        if unit is None:
            raise ValueError(f"the times are {step:g} apart, which are frames at 5 to 240 Hz in no unit: give the rate")
    return times * (unit or 1.0)


def _frames(text: str) -> Iterator[Any]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise ValueError(f"line {error.lineno}: {error.msg}") from None
        document = []
        for number, line in enumerate(text.splitlines(), 1):
            try:
                document += [json.loads(line)] if line.strip() else []
            except (json.JSONDecodeError, RecursionError) as broken:
                raise ValueError(f"line {number}: {broken}") from None
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    if isinstance(document, dict):
        document = document.get("frames", [document])
    if not isinstance(document, list):
        raise ValueError("the JSON holds no list of frames")
    yield from document


def _face(fields: dict[str, Any], place: str) -> dict[str, float]:
    """The weights of a frame by ARKit's names; empty where it shows no face."""
    shapes = next((fields[name] for name in _SHAPES if name in fields), fields)
    while isinstance(shapes, list) and shapes and not _is_category(shapes[0]):  # several faces: the first
        shapes = shapes[0]
    if isinstance(shapes, dict) and "categories" in shapes:
        shapes = shapes["categories"]
    if isinstance(shapes, list):
        shapes = {_category(shape): shape.get("score") for shape in shapes if isinstance(shape, dict)}
    if not isinstance(shapes, dict):
        return {}
    named = {_BY_LOWER.get(str(name).lower()): value for name, value in shapes.items()}
    return {name: _number(value, place, name) for name, value in named.items() if name in INDEX and name is not None}


def _category(shape: dict[str, Any]) -> str:
    return str(next((shape[name] for name in ("categoryName", "category_name", "name") if shape.get(name)), ""))


def _is_category(shape: object) -> bool:
    return isinstance(shape, dict) and bool(_category(shape))


def _number(value: object, place: str, name: str) -> float:
    try:
        if isinstance(value, int | float):
            return float(value)
    except OverflowError:
        pass
    raise ValueError(f"{place}: {name} is {str(value)[:20]!r}, not a number")
