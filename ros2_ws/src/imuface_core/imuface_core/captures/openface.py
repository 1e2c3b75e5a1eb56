"""OpenFace's CSV: action units of FACS in each frame of a video.

Source: "Output Format" in the wiki of TadasBaltrusaitis/OpenFace. OpenFace 2.0 and later write a space before the names
of the columns, 2.2 does not; FaceLandmarkVidMulti writes several faces.
"""

from __future__ import annotations

from collections import Counter

from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_core.captures.capture import Capture, capture
from imuface_core.captures.table import Row, Table

STRONGEST = 5.0
"""The intensity of an action unit that is a whole action."""


def _both(action: str) -> tuple[str, str]:
    return f"{action}Left", f"{action}Right"


ACTIONS: dict[str, tuple[str, ...]] = {
    "AU01": ("browInnerUp",),
    "AU02": _both("browOuterUp"),
    "AU04": _both("browDown"),
    "AU05": _both("eyeWide"),
    "AU06": _both("cheekSquint"),
    "AU07": _both("eyeSquint"),
    "AU09": _both("noseSneer"),
    "AU10": _both("mouthUpperUp"),
    "AU12": _both("mouthSmile"),
    "AU14": _both("mouthDimple"),
    "AU15": _both("mouthFrown"),
    "AU17": ("mouthShrugLower",),
    "AU20": _both("mouthStretch"),
    "AU23": _both("mouthPress"),
    "AU25": _both("mouthLowerDown"),
    "AU26": ("jawOpen",),
    "AU45": _both("eyeBlink"),
}
"""The nearest of ARKit's actions for each action unit; units know no sides."""


def is_openface(table: Table) -> bool:
    """Whether a table is one."""
    return any(f"{unit}_r".lower() in table.columns for unit in ACTIONS)


def read_openface(table: Table, rate: float | None = None) -> Capture:
    """``rate`` in Hz, for pictures without times. Raises ``ValueError``, naming the line, when it is no capture."""
    columns = {unit: table.columns[f"{unit}_r".lower()] for unit in ACTIONS if f"{unit}_r".lower() in table.columns}
    told = {action for unit in columns for action in ACTIONS[unit]}
    notes = [f"action units know no sides and only {len(told)} of ARKit's {len(BLENDSHAPES)} actions: the others are 0"]
    rows = list(table)
    faces = Counter(row.text(table.columns.get("face_id")) for row in rows)
    if len(faces) > 1:
        face, count = faces.most_common(1)[0]
        notes.append(f"{len(faces)} faces; the one of face_id {face} was taken, which is in {count} lines")
        rows = [row for row in rows if row.text(table.columns.get("face_id")) == face]
    seen = [row for row in rows if row.number(table.columns.get("success"), "success") > 0.0] if rows else []
    if len(seen) < len(rows):
        notes.append(f"{len(rows) - len(seen)} lines without a face were skipped")
    weights = [_weights(row, columns) for row in seen]
    return capture(_times(seen, table, rate), weights, [row.place for row in seen], notes)


def _weights(row: Row, columns: dict[str, int]) -> list[float]:
    weights = [0.0] * len(BLENDSHAPES)
    for unit, column in columns.items():
        for action in ACTIONS[unit]:
            weights[INDEX[action]] = row.number(column, unit) / STRONGEST
    return weights


def _times(rows: list[Row], table: Table, rate: float | None) -> list[float]:
    times = [row.number(table.columns.get("timestamp"), "timestamp") for row in rows] if rate is None else []
    if rate is None and (len(times) < 2 or times[0] != times[-1]):
        return times
    if rate is None:
        raise ValueError("every frame has the same time, as of single pictures: give their rate")
    return [row.number(table.columns.get("frame"), "frame") / rate for row in rows]
