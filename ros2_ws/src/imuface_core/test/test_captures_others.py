"""OpenFace's tables, and MediaPipe's blendshapes as tables and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_core.captures import Capture, read_capture
from imuface_core.captures.openface import ACTIONS

UNITS = sorted(ACTIONS)
MEDIAPIPE = ("_neutral", *(name for name in BLENDSHAPES if name != "tongueOut"))


def read(folder: Path, content: str, rate: float | None = None) -> Capture:
    path = folder / "take.txt"
    path.write_text(content, encoding="utf-8")
    return read_capture(path, rate)


def openface(spaces: bool, rows: Sequence[tuple[object, ...]]) -> str:
    """A table of OpenFace: (frame, face_id, timestamp, confidence, success, intensity of AU12, of the others)."""
    head = ["frame", "face_id", "timestamp", "confidence", "success", "gaze_0_x"]
    head += [f"{unit}_r" for unit in UNITS] + [f"{unit}_c" for unit in UNITS]
    lines = [(", " if spaces else ",").join(head)]
    for *start, smile, others in rows:
        units = [smile if unit == "AU12" else others for unit in UNITS]
        lines.append((", " if spaces else ",").join(map(str, [*start, 0.1, *units, *[1] * len(units)])))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("spaces", [False, True])
def test_openface_in_both_spellings(tmp_path: Path, spaces: bool) -> None:
    rows = [(i + 1, 0, round(i / 25, 3), 0.98, 1, 2.5, 0.0) for i in range(50)]
    rows[7] = (8, 0, 0.28, 0.1, 0, 0.0, 0.0)
    capture = read(tmp_path, openface(spaces, rows))
    assert len(capture.times) == 49
    assert capture.times[-1] == pytest.approx(49 / 25)
    assert capture.weights[0, [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]].tolist() == [0.5, 0.5]
    assert np.count_nonzero(capture.weights[0]) == 2
    assert "1 lines without a face were skipped" in capture.notes
    assert "1 frames were dropped" in capture.notes
    assert "action units know no sides" in capture.notes[0]


def test_openface_with_several_faces_takes_the_one_that_is_there_most(tmp_path: Path) -> None:
    rows = []
    for i in range(30):
        rows.append((i + 1, 0, i / 30, 0.98, 1, 5.0, 0.0))
        if i % 2:
            rows.append((i + 1, 1, i / 30, 0.98, 1, 0.0, 5.0))
    capture = read(tmp_path, openface(False, rows))
    assert len(capture.times) == 30
    assert capture.weights[:, INDEX["mouthSmileLeft"]].tolist() == [1.0] * 30
    assert "2 faces; the one of face_id 0 was taken, which is in 30 lines" in capture.notes


def test_openface_on_pictures_needs_a_rate(tmp_path: Path) -> None:
    text = openface(True, [(i + 1, 0, 0.0, 0.98, 1, 1.0, 1.0) for i in range(31)])
    with pytest.raises(ValueError, match="as of single pictures: give their rate"):
        read(tmp_path, text)
    assert read(tmp_path, text, rate=10.0).times[-1] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("column", "unit"), [("timestamp_ms", 1e3), ("timestamp", 1.0), ("time", 1e3), ("Timestamp", 1e6), ("t", 1e9)]
)
def test_mediapipe_tables_in_any_unit_of_time(tmp_path: Path, column: str, unit: float) -> None:
    lines = [",".join(("frame", column, *MEDIAPIPE))]
    for i in range(60):
        cells = ("" if i == 30 else "0.5" if name == "jawOpen" else "0.01" for name in MEDIAPIPE)
        lines.append(f"{i},{i / 30 * unit:.9g}," + ",".join(cells))
    capture = read(tmp_path, "\n".join(lines))
    assert capture.times[-1] == pytest.approx(59 / 30, rel=1e-3)
    assert capture.weights[:, INDEX["jawOpen"]].tolist() == [0.5] * 59
    assert "not told, and therefore 0: tongueOut" in capture.notes
    assert "1 frames without a face were skipped" in capture.notes


def test_mediapipe_tables_without_time_need_a_rate(tmp_path: Path) -> None:
    text = "\n".join([",".join(("frame", *MEDIAPIPE)), *(f"{i}," + ",".join(["0.1"] * 52) for i in range(0, 40, 2))])
    with pytest.raises(ValueError, match=r"no column with the time .*: give the rate"):
        read(tmp_path, text)
    assert read(tmp_path, text, rate=20.0).times[-1] == pytest.approx(38 / 20)


def named(jaw: float) -> dict[str, float]:
    return {name: jaw if name == "jawOpen" else 0.0 for name in MEDIAPIPE}


def listed(jaw: float, key: str) -> list[dict[str, object]]:
    return [{"index": i, "score": score, key: name} for i, (name, score) in enumerate(named(jaw).items())]


@pytest.mark.parametrize(
    "shapes",
    [
        lambda jaw: {"blendshapes": named(jaw)},
        lambda jaw: named(jaw),
        lambda jaw: {"face_blendshapes": [listed(jaw, "category_name")]},
        lambda jaw: {"faceBlendshapes": [{"categories": listed(jaw, "categoryName"), "headIndex": -1}]},
        lambda jaw: {"blendshapes": listed(jaw, "categoryName")},
    ],
    ids=["names", "flat", "python", "javascript", "categories"],
)
@pytest.mark.parametrize("form", ["list", "frames", "lines"])
def test_mediapipe_json(tmp_path: Path, shapes: object, form: str) -> None:
    assert callable(shapes)
    frames: list[dict[str, object]] = [{"timestamp_ms": i * 40, **shapes(0.25)} for i in range(50)]
    frames[3] = {"timestamp_ms": 120, "faceBlendshapes": []}
    text = {
        "list": json.dumps(frames),
        "frames": json.dumps({"fps": 25, "frames": frames}),
        "lines": "\n".join(map(json.dumps, frames)),
    }[form]
    capture = read(tmp_path, text)
    assert capture.times[[0, -1]] == pytest.approx([0.0, 1.96])
    assert capture.weights[:, INDEX["jawOpen"]].tolist() == [0.25] * 49
    assert "1 frames without a face were skipped" in capture.notes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1, 2]", "frame 1 is no object with a time and blendshapes"),
        ("[]", "0 frames with a face"),
        ('{"frames": 3}', "the JSON holds no list of frames"),
        ("[{", "line 1: "),
        ('{"a": 1}\n{', "line 2: "),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps([{"time": i, "jawOpen": 0.1} for i in range(3)]), "1 of ARKit's 52 actions are named"),
        (json.dumps([named(0.1)] * 3), "frame 1 has no time"),
        (
            json.dumps([{"time": i * 2.0, **named(0.1)} for i in range(3)]),
            "2 apart, which are frames at 5 to 240 Hz in no",
        ),
        (json.dumps([{"t": i / 30, **named(float("nan"))} for i in range(3)]), "frame 1: jawOpen is nan"),
        (json.dumps([{"t": i / 30, **named(0.1), "jawLeft": "x"} for i in range(3)]), "frame 1: jawLeft is 'x', not a"),
        (json.dumps([{"t": 10**400, **named(0.1)}]), "frame 1: t is '1000000"),
        (json.dumps([{"t": -i / 30, **named(0.1)} for i in range(3)]), "in no unit"),
    ],
)
def test_refuses_broken_json_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(tmp_path, text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.sampled_from(["jawOpen", "x"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["blendshapes", "frames", "categories", "categoryName", "score", "time", "jawOpen", "mouthLeft"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=200)
@given(document=JSON)
def test_any_json_is_a_value_error(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:
    with pytest.raises(ValueError, match="expected a Live Link Face CSV"):
        read(tmp_path_factory.getbasetemp(), json.dumps(document))


@settings(max_examples=100)
@given(data=st.data(), rate=st.none() | st.floats(1.0, 1000.0))
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, rate: float | None
) -> None:
    good = data.draw(
        st.sampled_from(
            [
                openface(True, [(i + 1, 0, i / 30, 0.9, 1, 1.0, 0.5) for i in range(4)]),
                "\n".join(
                    [",".join(("timestamp_ms", *MEDIAPIPE)), *(f"{i * 33}," + ",".join(["0.1"] * 52) for i in range(4))]
                ),
                json.dumps([{"t": i / 30, **named(0.5)} for i in range(4)]),
            ]
        )
    )
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(good) - 1))
        good = good[:at] + data.draw(st.text(max_size=3)) + good[at + data.draw(st.integers(0, 3)) :]
    try:
        capture = read(tmp_path_factory.getbasetemp(), good.encode("utf-8", "replace").decode(), rate)
    except ValueError:
        return
    assert np.all(np.diff(capture.times) > 0.0)
    assert np.all((capture.weights >= 0.0) & (capture.weights <= 1.0))


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_refuses_an_impossible_rate(tmp_path: Path, rate: float) -> None:
    with pytest.raises(ValueError, match="frames a second is not within 1 to 1000"):
        read(tmp_path, "x", rate)
