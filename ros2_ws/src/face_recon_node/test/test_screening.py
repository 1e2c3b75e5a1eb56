"""Sessions with one thing wrong each: refused with what was found and what to do, or used with a warning."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_recon_node.data.screening import screen
from face_recon_node.data.sessions import prepare_session, read_sessions
from face_recon_node.head import HeadModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imuface_core.recording import BlendshapeTrack, ImuTrack, LandmarkTrack, Recording
from imuface_core.session import write_session
from imuface_simulation import Participant, Performance, simulate

SECOND = 1_000_000_000
MINUTE = 60.0


@cache
def session(person: int = 1, activity: str = "still", rate: float = 30.0) -> Recording:
    """A minute and a half of a simulated person, with landmarks."""
    recording = simulate(
        Performance.natural(person, 1.5 * MINUTE), Participant.random(person), 1.5 * MINUTE,
        rate=rate, seed=person, activity=activity, start_ns=1_700_000_000 * SECOND,
    )  # fmt: skip
    assert recording.blendshapes is not None
    points = HeadModel.load().landmarks(recording.blendshapes.weights).astype(np.float32)
    return replace(recording, landmarks=LandmarkTrack(recording.blendshapes.stamps, points))


Track = ImuTrack | BlendshapeTrack | LandmarkTrack


def rows(track: Any, kept: np.ndarray) -> Any:
    return type(track)(*(values[kept] for values in vars(track).values()))


def each(recording: Recording, change: Callable[[ImuTrack], ImuTrack]) -> Recording:
    """Both ears changed."""
    assert recording.left is not None
    assert recording.right is not None
    return replace(recording, left=change(recording.left), right=change(recording.right))


def scaled(acceleration: float, angular_velocity: float) -> Callable[[Recording], Recording]:
    return lambda r: each(
        r, lambda t: ImuTrack(t.stamps, t.acceleration * acceleration, t.angular_velocity * angular_velocity)
    )


def thinned(r: Recording) -> Recording:
    return each(r, lambda t: rows(t, np.arange(0, len(t.stamps), 6)))


def clock_set_back(r: Recording) -> Recording:
    def change(track: ImuTrack) -> ImuTrack:
        stamps = track.stamps.copy()
        stamps[1500:] -= 10 * SECOND
        return rows(replace(track, stamps=stamps), np.argsort(stamps))

    return each(r, change)


def clock_ahead(r: Recording) -> Recording:
    def change(track: ImuTrack) -> ImuTrack:
        stamps = track.stamps.copy()
        stamps[1500:] += 5 * SECOND
        return replace(track, stamps=stamps)

    return each(r, change)


def reference_later(r: Recording) -> Recording:
    assert r.blendshapes is not None
    stamps = r.blendshapes.stamps + 1000 * SECOND
    return replace(r, blendshapes=replace(r.blendshapes, stamps=stamps), landmarks=None)


def reference_thinned(r: Recording) -> Recording:
    return replace(r, blendshapes=rows(r.blendshapes, np.arange(0, 2700, 10)), landmarks=None)


def reference_frozen(r: Recording) -> Recording:
    assert r.blendshapes is not None
    weights = r.blendshapes.weights.copy()
    weights[300:] = weights[300]
    return replace(r, blendshapes=replace(r.blendshapes, weights=weights), landmarks=None)


def reference_with_gaps(r: Recording) -> Recording:
    kept = np.arange(2700) % 1000 < 300
    return replace(r, blendshapes=rows(r.blendshapes, kept), landmarks=None)


def landmarks_times(factor: float) -> Callable[[Recording], Recording]:
    def change(r: Recording) -> Recording:
        assert r.landmarks is not None
        return replace(r, landmarks=replace(r.landmarks, points=r.landmarks.points * np.float32(factor)))

    return change


def weights_in_percent(r: Recording) -> Recording:
    assert r.blendshapes is not None
    return replace(r, blendshapes=replace(r.blendshapes, weights=r.blendshapes.weights * 100))


def one_axis_stuck(r: Recording) -> Recording:
    assert r.right is not None
    values = r.right.angular_velocity.copy()
    values[:, 1] = 0.25
    return replace(r, right=replace(r.right, angular_velocity=values))


def stuck(r: Recording) -> Recording:
    def change(track: ImuTrack) -> ImuTrack:
        force, rate = track.acceleration.copy(), track.angular_velocity.copy()
        force[500:], rate[500:] = force[500], rate[500]
        return ImuTrack(track.stamps, force, rate)

    return each(r, change)


def saturated(r: Recording) -> Recording:
    return each(r, lambda t: replace(t, angular_velocity=np.clip(40.0 * t.angular_velocity, -1.2, 1.2)))


def two_people(r: Recording) -> Recording:
    other = session(5)
    shift = 90 * SECOND
    parts: dict[str, Any] = {}
    for name, track in vars(r).items():
        then = getattr(other, name)
        parts[name] = type(track)(
            np.concatenate((track.stamps, then.stamps + shift)),
            *(np.concatenate((values, getattr(then, key))) for key, values in vars(track).items() if key != "stamps"),
        )
    return Recording(**parts)


BROKEN: dict[str, tuple[Callable[[Recording], Recording], str]] = {
    "5 Hz": (thinned, r"left/imu/data_raw came at 5 Hz and should come at 30 Hz"),
    "12 Hz": (lambda r: session(2, rate=12.0), r"came at 12 Hz"),
    "set back": (clock_set_back, r"samples in the second 40 s after the start instead of 30: its clock was set back"),
    "ahead": (clock_ahead, r"part by 5\.0 s, 50 s after the start: a clock jumped"),
    "g": (scaled(1 / 9.80665, 1.0), r"usually 1\.0\d m/s² instead of 9\.81: it is in g: multiply by 9\.80665"),
    "mg": (scaled(1000 / 9.80665, 1.0), r"it is in mg"),
    "no gravity": (scaled(0.01, 1.0), r"gravity seems to be removed"),
    "degrees": (scaled(1.0, 57.29578), r"angular velocity says: that is in °/s, multiply by 0\.0174533"),
    "axis": (one_axis_stuck, r"right/imu/data_raw: angular velocity y is 0\.25 all the time"),
    "stuck": (stuck, r"does not change at all for 8\d% of the time"),
    "saturated": (saturated, r"at the end of its range, ±1\.2, in .*widen the sensor's range"),
    "twice": (lambda r: replace(r, right=r.left), r"carry the same samples"),
    "no truth": (lambda r: replace(r, blendshapes=None, landmarks=None), r"neither reference/blendshapes nor"),
    "later": (reference_later, r"do not overlap: reference/blendshapes begins \+1000\.0 s after"),
    "slow truth": (reference_thinned, r"reference/blendshapes came at 3 Hz"),
    "frozen": (reference_frozen, r"shows one frozen face for 8\d% of the time"),
    "gaps": (reference_with_gaps, r"reference/blendshapes is missing for 6\d% of the time"),
    "millimetres": (landmarks_times(1000.0), r"the face is \d+ m large: they are in millimetres: divide by 1000"),
    "pixels": (landmarks_times(7000.0), r"give the landmarks in metres"),
    "percent": (weights_in_percent, r"should be within 0 to 1: divide percent by 100"),
    "two people": (two_people, r"turn by \d+° against each other 90 s after the start and stay so"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_session_is_refused_with_the_remedy(what: str) -> None:
    damage, message = BROKEN[what]
    with pytest.raises(ValueError, match=message) as refusal:
        screen(damage(session()))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("activity", ["still", "nodding", "talking", "walking"])
def test_whole_sessions_pass_whatever_the_head_does(activity: str) -> None:
    findings = screen(session(3, activity))
    assert (findings.warnings, findings.unknown) == ([], [])


def test_one_ear_and_another_rate_pass() -> None:
    assert screen(replace(session(), left=None)).warnings == []
    assert screen(session(4, rate=100.0)).warnings == []


def test_where_the_true_face_is_lost_nothing_is_learned(tmp_path: Path) -> None:
    whole = session()
    assert whole.blendshapes is not None
    kept = (np.arange(2700) < 900) | (np.arange(2700) >= 1200)
    write_session(tmp_path / "gap", replace(whole, blendshapes=rows(whole.blendshapes, kept), landmarks=None))
    segments, _, warnings = prepare_session(tmp_path / "gap")
    assert warnings == ["reference/blendshapes has 1 gaps, 10.0 s in all"]
    stamps = np.concatenate([segment.stamps for segment in segments])
    lost = whole.blendshapes.stamps[900:1200]
    assert len(segments) == 2
    assert not np.any((stamps >= lost[0]) & (stamps <= lost[-1]))
    assert len(stamps) > 2200


def test_sessions_are_read_skipped_and_told_apart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    good, bad, absent = tmp_path / "good", tmp_path / "bad", tmp_path / "absent"
    write_session(good, session())
    write_session(bad, scaled(1 / 9.80665, 1.0)(session()))
    reported: list[int] = []
    with caplog.at_level(logging.WARNING):
        sessions = read_sessions([good, bad, absent], lambda what, done, of: reported.append(done))
    assert reported == [1, 2, 3]
    assert list(sessions.segments) == [good]
    assert sessions.all_segments == sessions.segments[good]
    assert set(sessions.skipped) == {"bad", "absent"}
    assert "multiply by 9.80665" in sessions.skipped["bad"]
    assert len(caplog.records) == 2
    assert [len(prepared) for prepared in read_sessions([bad, good]).segments.values()] == [1]
    with pytest.raises(ValueError, match=r"none of the sessions can be used: .*it is in g"):
        read_sessions([bad, absent])


@cache
def short() -> Recording:
    return simulate(Performance.natural(9, 8.0), Participant.random(9), 8.0, seed=9, start_ns=1_700_000_000 * SECOND)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    file=st.sampled_from(["session.mcap", "metadata.yaml"]),
    cut=st.floats(0.0, 1.0),
    bytes_=st.lists(st.tuples(st.floats(0.0, 1.0, exclude_max=True), st.integers(0, 255)), max_size=12),
)
def test_random_damage_of_the_files_never_ends_in_another_error(
    tmp_path: Path, file: str, cut: float, bytes_: list[tuple[float, int]]
) -> None:
    whole = tmp_path / "session"
    if not whole.exists():
        write_session(whole, short())
    damaged = tmp_path / "damaged"
    shutil.rmtree(damaged, ignore_errors=True)
    shutil.copytree(whole, damaged)
    content = bytearray((damaged / file).read_bytes())
    if cut > 0.5:
        content = content[: int(2.0 * (cut - 0.5) * len(content))]
    for place, value in bytes_:
        if content:
            content[int(place * len(content))] = value
    (damaged / file).write_bytes(content)
    with contextlib.suppress(ValueError, OSError):
        prepare_session(damaged)


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(max_examples=60)
@given(data=st.data())
def test_random_damage_of_the_values_never_ends_in_another_error(data: st.DataObject) -> None:
    """Finite values and ascending stamps are all that the reader promises."""

    def damaged(track: Any) -> Any:
        if track is None or data.draw(st.booleans()):
            return data.draw(st.sampled_from([track, None])) if track is not None else None
        count = data.draw(st.integers(1, len(track.stamps)))
        columns = {name: np.array(values[:count]) for name, values in vars(track).items()}
        for name, values in columns.items():
            for _ in range(data.draw(st.integers(0, 4))):
                row = data.draw(st.integers(0, count - 1))
                if name == "stamps":
                    values[row:] += data.draw(st.integers(-(10**12), 10**12))
                else:
                    values[row:] = data.draw(numbers)
        columns["stamps"], order = np.unique(columns["stamps"], return_index=True)
        return type(track)(columns.pop("stamps"), *(values[order] for values in columns.values()))

    whole = short()
    recording = Recording(damaged(whole.left), damaged(whole.right), damaged(whole.blendshapes))
    with contextlib.suppress(ValueError):
        screen(recording)
