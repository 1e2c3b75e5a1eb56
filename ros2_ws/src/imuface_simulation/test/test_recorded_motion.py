"""Head motion from a recording: read or refused with the reason, and played smoothly without end."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imuface_simulation import Participant, Performance, SimulatedEarphones, simulate
from imuface_simulation.head_motion import HeadMotion
from imuface_simulation.recorded_motion import RATE, looped, read_orientations
from scipy.spatial.transform import Rotation

SHARED = Path(__file__).parents[4] / "../shared/data/ear_imu/auritus"
NEUTRAL = Performance(np.zeros((600, 52), np.float32))
PERSON = Participant.random(1)


def csv_text(count: int = 300, peak: float = 0.8) -> str:
    """Nods of ``peak`` rad every two seconds, with a sign flip in the middle."""
    half = 0.5 * peak * np.sin(np.pi * np.arange(count) / RATE)
    sign = np.where(np.arange(count) > count // 2, -1.0, 1.0)
    return "\n".join(f"{s * np.cos(h):.9f},0,{s * np.sin(h):.9f},0" for s, h in zip(sign, half, strict=True)) + "\n"


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "head.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def with_line(number: int, line: str) -> str:
    lines = csv_text().splitlines()
    lines[number - 1] = line
    return "\n".join(lines)


def test_reads_scalar_first_quaternions(tmp_path: Path) -> None:
    orientations = read_orientations(written(tmp_path, csv_text()))
    assert len(orientations) == 300
    assert orientations[50].as_rotvec() == pytest.approx([0.0, 0.8, 0.0], abs=1e-6)


def test_plays_forth_and_back_without_corners(tmp_path: Path) -> None:
    course, period = looped(read_orientations(written(tmp_path, csv_text())))
    assert period == pytest.approx(2 * 299 / RATE)
    step = 1.0 / 480.0
    turns = course(np.arange(0.0, 2.5 * period, step))
    rates = (turns[:-1].inv() * turns[1:]).as_rotvec() / step
    assert np.abs(rates).max() < 0.8 * np.pi * 1.05
    # Two turning points of sin(πt) within the recording, corners only where it is played backwards.
    assert np.abs(np.diff(rates, axis=0) / step).max() < 60.0
    assert turns[0].magnitude() < 0.2


def test_a_recorded_head_starts_somewhere_and_heads_anywhere(tmp_path: Path) -> None:
    path = written(tmp_path, csv_text())
    times = np.arange(0.0, 30.0, 0.01)
    axes = []
    for seed in range(12):
        turns, positions = HeadMotion.recorded(path, np.random.default_rng(seed)).at(times)
        assert positions.shape == (len(times), 3)
        assert 0.6 < turns.magnitude().max() < 1.1
        axes.append(turns[int(np.argmax(turns.magnitude()))].as_rotvec())
    # Nods have become tilts in all directions, and no turns about the vertical.
    assert np.std(axes, axis=0)[:2].min() > 0.2
    assert np.abs(np.array(axes)[:, 2]).max() < 0.15


def test_live_equals_offline(tmp_path: Path) -> None:
    path = written(tmp_path, csv_text())
    track = simulate(NEUTRAL, PERSON, 8.0, seed=2, activity="recorded", motion=path, mount_seed=5).left
    earphones = SimulatedEarphones(NEUTRAL, PERSON, seed=2, activity="recorded", motion=str(path), mount_seed=5)
    live = [s for t, s in itertools.takewhile(lambda event: event[0] < 8.0, earphones.samples()) if s.ear == "left"]
    assert track is not None
    assert track.angular_velocity == pytest.approx(np.array([s.angular_velocity for s in live]), abs=3.1e-4)
    assert np.degrees(track.angular_velocity.std(axis=0)).max() > 20.0


@pytest.mark.parametrize(("activity", "named"), [("recorded", False), ("still", True)])
def test_a_recording_and_its_activity_go_together(tmp_path: Path, activity: str, named: bool) -> None:
    motion = written(tmp_path, csv_text()) if named else None
    with pytest.raises(ValueError, match=f"activity is '{activity}', motion is"):
        simulate(NEUTRAL, PERSON, 1.0, activity=activity, motion=motion)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "0 samples, at least 100"),
        (csv_text(99), "99 samples, at least 100"),
        (with_line(7, "1,0,0"), "line 7: 3 values instead of 4"),
        (with_line(7, "1,0,0,0,0"), "line 7: 5 values instead of 4"),
        (with_line(1, "w,x,y,z"), "line 1: could not convert"),
        (with_line(7, "nan,0,0,0"), "line 7: the quaternion has length nan"),
        (with_line(7, "inf,0,0,0"), "line 7: the quaternion has length inf"),
        (with_line(7, "0,0,0,0"), "line 7: the quaternion has length 0"),
        (with_line(7, "1e200,0,0,0"), "line 7: the quaternion has length 1e"),
        (with_line(200, "0,1,0,0"), "sample 200: the head turns by 1.* within one sample"),
        (b"\xff\xfe1\x00,\x00", "utf-8"),
        (b"\x00" * 64, "line 1: "),
    ],
)
def test_refuses_broken_files_with_the_reason(tmp_path: Path, content: str | bytes, reason: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_orientations(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nobody\.csv"):
        simulate(NEUTRAL, PERSON, 1.0, activity="recorded", motion=tmp_path / "nobody.csv")
    with pytest.raises(OSError, match=r"Or_GT\.csv"):
        read_orientations(tmp_path)


@settings(max_examples=100)
@given(data=st.data())
def test_damage_is_refused_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    good = bytearray(csv_text(110).encode())
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(good) - 1))
        good[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        orientations = read_orientations(written(tmp_path_factory.getbasetemp(), bytes(good)))
    except ValueError:
        return
    course, period = looped(orientations)
    turns = course(np.linspace(0.0, 2.0 * period, 500))
    assert np.isfinite(turns.as_quat()).all()


@settings(max_examples=50)
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode())))
def test_anything_else_is_a_value_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    with pytest.raises(ValueError, match="expected lines of a quaternion"):
        read_orientations(written(tmp_path_factory.getbasetemp(), content))


def test_reads_a_real_recording() -> None:
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not here")
    orientations = read_orientations(SHARED)
    assert len(orientations) == 1100
    assert isinstance(orientations, Rotation)
    track = simulate(NEUTRAL, PERSON, 30.0, activity="recorded", motion=SHARED).left
    assert track is not None
    # As fast as the recording, within what the registers hold.
    assert 40.0 < np.degrees(np.abs(track.angular_velocity)).max() < 200.0
