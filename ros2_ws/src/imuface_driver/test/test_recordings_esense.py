"""Captures of eSense in the forms that apps write."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imuface_core.earphone import STANDARD_GRAVITY
from imuface_driver.recordings import read_table
from imuface_driver.recordings.esense import GYROSCOPES

CAPTURES = Path(__file__).parents[5] / "shared" / "data" / "ear_imu"
COUNT = 300
SWAY = 0.2 * np.sin(np.arange(COUNT) / 15.0)
FORCE = STANDARD_GRAVITY * np.stack([SWAY, 0.1 + 0 * SWAY, np.sqrt(0.99 - SWAY**2)], axis=1)  # m/s²
RATE = np.stack([SWAY, -SWAY, 0 * SWAY], axis=1)  # rad/s


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "capture.csv"


def write(file: Path, force: np.ndarray, rate: np.ndarray, times: np.ndarray | None = None, head: str = "") -> None:
    columns = [force, rate] if times is None else [times[:, None], force, rate]
    rows = np.concatenate(columns, axis=1).tolist()
    file.write_text(head + "\n".join(", ".join(f"{value:.15g}" for value in row) for row in rows) + "\n")


@pytest.mark.parametrize(("unit", "gyro"), [(1.0, "rad/s"), (STANDARD_GRAVITY, "deg/s")])
@pytest.mark.parametrize(("second", "start"), [(1, 0), (1e3, 1.7e12), (1e6, 1.7e15), (1e9, 1e9)])
def test_units_are_known_by_gravity_and_steps(file: Path, unit: float, gyro: str, second: float, start: float) -> None:
    times = start + np.arange(COUNT) * (second / 100)
    write(file, FORCE / unit, RATE / GYROSCOPES[gyro], times, "time,ax,ay,az,gx,gy,gz\n")
    result = read_table(file, gyro)
    assert (result.ear, result.notes) == ("left", ())
    assert np.diff(result.track.stamps) == pytest.approx(10_000_000, abs=1000)
    assert result.track.stamps[0] == pytest.approx(start / second * 1e9, rel=1e-12)
    assert result.track.acceleration == pytest.approx(FORCE, abs=1e-3)
    assert result.track.angular_velocity == pytest.approx(RATE, abs=1e-3)


@pytest.mark.parametrize(("per_g", "gyro", "per_degree"), [(16384, "250", 131.0), (4096, "2000", 16.4)])
@pytest.mark.parametrize("signed", [False, True])
def test_raw_values_are_scaled_and_those_of_the_android_library_mended(
    file: Path, per_g: int, gyro: str, per_degree: float, signed: bool
) -> None:
    raw = [np.rint(values).astype(int) for values in (FORCE / STANDARD_GRAVITY * per_g, np.degrees(RATE) * per_degree)]
    if signed:
        raw = [np.where(values & 0x80, values - 256, values) for values in raw]
    file.write_text(
        "4\n\n100\n12 yawn\n"
        + "\n".join(f"{list(a)} {list(w)}" for a, w in zip(*(r.tolist() for r in raw), strict=True))
    )
    result = read_table(file, gyro, rate=100.0)
    assert len(result.notes) == signed
    assert result.track.acceleration == pytest.approx(FORCE, abs=STANDARD_GRAVITY / per_g)
    assert result.track.angular_velocity == pytest.approx(RATE, abs=math.radians(1.0 / per_degree))
    assert np.all(np.diff(result.track.stamps) == 10_000_000)


def test_bursts_of_one_time_of_arrival_are_spread(file: Path) -> None:
    times = np.ceil(np.arange(COUNT - 3) / 4) * 40.0  # ms; four at once
    write(file, FORCE[:-3], RATE[:-3], times)
    stamps = read_table(file, "rad/s").track.stamps
    assert len(stamps) == COUNT - 3
    assert np.diff(stamps) == pytest.approx(10_000_000)


def test_lines_of_another_form_are_passed_over_and_told(file: Path) -> None:
    write(file, FORCE, RATE)
    lines = file.read_text().splitlines()
    lines[100] = "connection lost"
    lines[200] = lines[200][:20]
    file.write_text("\n".join(lines))
    result = read_table(file, "rad/s", rate=100.0)
    assert len(result.track.stamps) == COUNT - 2
    assert result.notes == ("2 lines between the samples are of another form and were left out",)


@pytest.mark.parametrize(
    ("text", "gyro", "rate", "message"),
    [
        ("", "rad/s", 100.0, "no line of six numbers"),
        ("1 2 3\n4 5 6\n", "rad/s", 100.0, "no line of six numbers"),
        ("0 0 9.8 0 0 0\n" * 9, None, 100.0, "give --gyro"),
        ("0 0 9.8 0 0 0\n" * 9, "furlong", 100.0, "give --gyro"),
        ("0 0 9.8 0 0 0\n" * 9, "rad/s", None, "give --rate"),
        ("0 0 9.8 0 0 0\n" * 9, "rad/s", math.nan, "give --rate"),
        ("0 0 5.1 0 0 0\n" * 9, "rad/s", 100.0, "gravity in no unit or range"),
        ("7 0 0 9.8 0 0 0\n" * 9, "rad/s", 100.0, "times in .* are 0 apart"),
        ("0 0 1e999 0 0 0\n" * 9, "rad/s", 100.0, "not finite"),
    ],
)
def test_a_file_of_no_use_is_refused_by_name(
    file: Path, text: str, gyro: str | None, rate: float | None, message: str
) -> None:
    file.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_table(file, gyro, rate)
    assert str(file) in str(caught.value)


@settings(max_examples=300)
@given(st.text(alphabet="0123456789-+.,;e \n[]x", max_size=300) | st.binary(max_size=300))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: str | bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        track = read_table(file, "rad/s", 100.0).track
    except ValueError:
        return
    assert np.isfinite(track.acceleration).all()
    assert np.all(np.diff(track.stamps) > 0)


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no eSense captures beside the repository")
def test_public_captures_of_a_worn_bud_come_out_at_gravity_mended() -> None:
    files = [
        file for file in sorted(CAPTURES.glob("yawning_gpl3/*/*.eimu")) if "sine" not in file.name
    ]  # shaken by hand
    assert len(files) == 12
    for file in files:
        result = read_table(file, "500", rate=float(file.parent.name.removesuffix("hz")))
        gravity = np.median(np.linalg.norm(result.track.acceleration, axis=1))
        assert gravity == pytest.approx(STANDARD_GRAVITY, rel=0.05)
        assert result.notes == ("low bytes were read as signed, as eSense's Android library does: mended",)
