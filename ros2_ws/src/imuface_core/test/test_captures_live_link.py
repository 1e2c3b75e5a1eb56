"""Live Link Face CSVs in all the forms that they come in."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_core.captures import Capture, read_capture

SHARED = Path(__file__).parents[4] / "../shared/data/facial_motion"
HEADER = "Timecode,BlendShapeCount," + ",".join(name[0].upper() + name[1:] for name in BLENDSHAPES) + ",HeadYaw"


def csv_text(frames: int = 60, **weights: str) -> str:
    """A capture at 60 Hz whose weights are 0 except the given ones."""
    row = ",".join(weights.get(name, "0.0") for name in BLENDSHAPES)
    lines = [f"10:00:{i // 60:02d}:{i % 60:02d}.000,61,{row},0.0" for i in range(frames)]
    return "\n".join([HEADER, *lines, ""])


def read(folder: Path, content: str | bytes, name: str = "take.csv") -> Capture:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_capture(path)


def timecode(count: int, base: int, drop: bool) -> str:
    """The time code of the count-th frame since midnight, by SMPTE's rule (ST 12-1)."""
    if drop:
        left_out = base // 15
        in_ten = 600 * base - 9 * left_out
        tens, rest = divmod(count, in_ten)
        count += 9 * left_out * tens + left_out * max(0, (rest - left_out) // (60 * base - left_out))
    seconds, frame = divmod(count, base)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{';' if drop else ':'}{frame:02d}.250"


def take(times: np.ndarray, base: int, drop: bool = False, start: int = 0) -> str:
    """A jaw that opens and closes, sampled at ``times``, in frames of ``base`` a second."""
    rate = base / 1.001 if drop else base
    lines = []
    for time in times:
        weights = (f"{0.5 - 0.5 * math.cos(2 * time):.6f}" if name == "jawOpen" else "0.0" for name in BLENDSHAPES)
        lines.append(f'"{timecode(start + round(time * rate), base, drop)}",61,{",".join(weights)},0.0')
    return "\n".join([HEADER, *lines])


@pytest.mark.parametrize("compress", [False, True])
def test_reads_plain_and_gzip_whatever_the_name(tmp_path: Path, compress: bool) -> None:
    data = csv_text(120, jawOpen="0.5", mouthSmileLeft="1.02").encode()
    capture = read(tmp_path, gzip.compress(data) if compress else data, "take.bin")
    assert capture.times[[0, -1]] == pytest.approx([0.0, 119 / 60])
    assert capture.weights[:, INDEX["jawOpen"]] == pytest.approx(np.full(120, 0.5))
    assert capture.weights[:, INDEX["mouthSmileLeft"]].max() == 1.0
    assert capture.notes == ("the time code counts 60 frames a second",)


@pytest.mark.parametrize(
    ("base", "drop"), [(24, False), (25, False), (30, True), (30, False), (50, False), (60, False), (60, True)]
)
@pytest.mark.parametrize("every", [1, 2])
def test_the_rate_is_taken_from_the_data(tmp_path: Path, base: int, drop: bool, every: int) -> None:
    rate = base / 1.001 if drop else base
    times = np.arange(0, round(130 * rate), every) / rate
    capture = read(tmp_path, take(times, base, drop, start=round(35_990 * rate)))
    assert capture.times == pytest.approx(times, abs=1e-6)
    jaw = np.interp(np.arange(0.0, 120.0, 0.01), capture.times, capture.weights[:, INDEX["jawOpen"]])
    truth = 0.5 - 0.5 * np.cos(2 * np.arange(0.0, 120.0, 0.01))
    assert np.abs(jaw - truth).max() < 0.01
    assert capture.notes[0] == (
        f"the time code counts {rate:.2f} frames a second (drop frame)"
        if drop
        else f"the time code counts {base} frames a second"
    )


@settings(max_examples=60)
@given(
    base=st.sampled_from([24, 25, 30, 50, 60]),
    kept=st.floats(0.6, 1.0),
    seconds=st.integers(3, 20),
    seed=st.integers(0, 1000),
    start=st.integers(0, 86_399),
)
def test_dropped_frames_do_not_change_the_rate(
    tmp_path_factory: pytest.TempPathFactory, base: int, kept: float, seconds: int, seed: int, start: int
) -> None:
    frames = np.arange(seconds * base)
    frames = frames[np.random.default_rng(seed).uniform(size=len(frames)) < kept]
    assume((frames % base == base - 1).any())  # a take at 25 that never counts to 24 is one at 24
    times = frames / base
    content = take(times, base, start=start * base).replace('"24:', '"00:')
    capture = read(tmp_path_factory.getbasetemp(), content)
    assert capture.times == pytest.approx(times - times[0], abs=1e-6)
    if len(times) * 1.02 < times[-1] * base:
        assert "frames were dropped" in " ".join(capture.notes)


def test_milliseconds_of_converters_and_takes_shorter_than_a_second(tmp_path: Path) -> None:
    rows = [f"00:00:{i * 33 // 1000:02d}:{i * 33 % 1000:03d},52,{','.join(['0.1'] * 52)},0" for i in range(90)]
    assert read(tmp_path, "\n".join([HEADER, *rows])).times[-1] == pytest.approx(89 * 0.033)
    assert read(tmp_path, csv_text(20)).times[-1] == pytest.approx(19 / 30)
    assert read(tmp_path, csv_text(40)).times[-1] == pytest.approx(39 / 60)


def test_crosses_midnight(tmp_path: Path) -> None:
    rows = csv_text(2).splitlines()
    rows[1] = rows[1].replace("10:00:00:00", "23:59:59:59")
    rows[2] = rows[2].replace("10:00:00:01", "00:00:00:00")
    assert read(tmp_path, "\n".join(rows)).times == pytest.approx([0.0, 1 / 60])


def test_lines_without_a_face_are_skipped_and_counted(tmp_path: Path) -> None:
    rows = csv_text(90, jawOpen="0.5").splitlines()
    for index in (10, 11):
        rows[index] = rows[index].split(",")[0] + ",0"
    rows[12] = rows[12].split(",")[0] + ",61" + "," * 53
    rows[13] = rows[13].replace(",61,", ",0,", 1)
    capture = read(tmp_path, "\n".join([*rows, "," * 54, ",,", "", "  "]))
    assert len(capture.times) == 86
    assert "4 lines without a face were skipped" in capture.notes
    assert "4 frames were dropped" in capture.notes


def test_a_gap_is_named_and_kept(tmp_path: Path) -> None:
    rows = csv_text(600).splitlines()
    del rows[100:300]
    capture = read(tmp_path, "\n".join(rows))
    assert np.diff(capture.times).max() == pytest.approx(201 / 60)
    assert "no frame for 3.3 s before line 101" in capture.notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("comma", [False, True])
def test_what_a_spreadsheet_saved_again(tmp_path: Path, delimiter: str, comma: bool, encoding: str) -> None:
    text = csv_text(90, jawOpen="0.25")
    rows = [row.split(",") for row in text.splitlines()]
    if comma:
        rows = [[cell.replace(".", ",") for cell in row] for row in rows]
    empty = delimiter * 54
    saved = "\r\n".join(
        ["sep=" + delimiter] * (delimiter == ";") + [delimiter.join(row) for row in rows] + [empty, empty]
    )
    capture = read(tmp_path, saved.encode(encoding))
    assert len(capture.times) == 90
    assert capture.times[-1] == pytest.approx(89 / 60)
    assert capture.weights[:, INDEX["jawOpen"]].tolist() == [0.25] * 90


def test_old_apps_and_calibrated_takes(tmp_path: Path) -> None:
    text = csv_text(90, jawOpen="-0.35", mouthClose="1.4")
    capture = read(tmp_path, "\n".join(",".join(row.split(",")[:53]) for row in text.splitlines()))
    assert "no column tongueOut: it is 0" in capture.notes
    assert capture.weights[0, INDEX["jawOpen"]] == 0.0
    assert capture.weights[0, INDEX["mouthClose"]] == 1.0
    assert not capture.weights[:, INDEX["tongueOut"]].any()


def test_columns_go_by_name(tmp_path: Path) -> None:
    text = csv_text(2, jawLeft="0.25", jawRight="0.75")
    rows = [row.split(",") for row in text.splitlines()]
    shuffled = "\n".join(",".join(reversed(row)) for row in rows)
    weights = read(tmp_path, shuffled).weights
    assert weights[:, [INDEX["jawLeft"], INDEX["jawRight"]]].tolist() == [[0.25, 0.75]] * 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no column 'Timecode'"),
        ("a,b,c\n1,2,3\n", "no column 'Timecode'"),
        (HEADER.replace("JawOpen,", "") + "\n", "1 of the 52 weights have no column, the first is 'jawOpen'"),
        (HEADER + "\n", "0 frames"),
        (csv_text(1), "1 frames"),
        (csv_text()[:-200], r"line 61: .* the file is cut off"),
        (csv_text(jawOpen="nan"), "line 2: jawOpen is nan"),
        (csv_text(jawOpen="inf"), "line 2: jawOpen is inf"),
        (csv_text(jawOpen="7"), "line 2: jawOpen is 7"),
        (csv_text(jawOpen=""), "line 2: jawOpen is ''"),
        (csv_text().replace("10:00:00:30.000", "half past"), "line 32: 'half past' is no timecode"),
        (csv_text().replace("10:00:00:30.000", "09:00:00:30.000"), "line 32: the time jumps"),
        (csv_text().replace("10:00:00:", "10:00:00:0000"), "timecode"),
        (b"\x1f\x8b\x08\x00broken", "damaged gzip data"),
        (gzip.compress(csv_text().encode())[:-20], "damaged gzip data"),
        (b"\xff\xfe\x00T\x00", "utf-16"),
        (b"\xff\xff", "utf-8"),
        (HEADER + "\n" + '"' + "x" * 200_000, "line 2: "),
    ],
)
def test_refuses_broken_files_with_the_reason(tmp_path: Path, content: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        read(tmp_path, content)
    assert str(tmp_path / "take.csv") in str(caught.value)


@settings(max_examples=200)
@given(data=st.data())
def test_damage_is_refused_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    good = bytearray(csv_text(4, jawOpen="0.25").encode())
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(good) - 1))
        good[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    content = data.draw(st.sampled_from([bytes(good), gzip.compress(good)]))
    try:
        capture = read(tmp_path_factory.getbasetemp(), content)
    except ValueError:
        return
    assert capture.times[0] == 0.0
    assert np.all(np.diff(capture.times) > 0.0)
    assert capture.weights.shape == (len(capture.times), 52)
    assert np.all((capture.weights >= 0.0) & (capture.weights <= 1.0))


@settings(max_examples=100)
@given(content=st.one_of(st.binary(max_size=400), st.text(max_size=400).map(lambda text: text.encode())))
def test_anything_else_is_a_value_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    with pytest.raises(ValueError, match="expected a Live Link Face CSV"):
        read(tmp_path_factory.getbasetemp(), content)


@pytest.mark.parametrize("name", ["alex_rom_3.csv.gz", "alex_rom_4.csv.gz"])
def test_reads_a_real_capture(name: str) -> None:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    capture = read_capture(path)
    assert 1.0 / np.diff(capture.times).mean() == pytest.approx(29.98, abs=0.05)
    assert capture.weights[:, INDEX["jawOpen"]].max() > 0.8
    assert capture.notes[0] == "the time code counts 60 frames a second"
