"""Simulated people to learn from: the same for a seed, others for another, with a neutral face to begin with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from face_recon_node.training import people
from face_recon_node.training.people import EARS, FACES, MINUTES, SimulatedPerson, amplified
from face_recon_node.training.pretraining import PretrainingConfig
from imuface_core.arkit import BLENDSHAPES
from imuface_core.recording import Recording
from imuface_simulation import ACTIVITIES, PEOPLE, Performance, simulate
from imuface_simulation.performance import FRAME_RATE


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "SECONDS", 15.0)
    monkeypatch.setattr(people, "MINUTES", {0.0: 0.4, 0.2: 0.6})


def written_capture(path: Path, seconds: float) -> Path:
    """A Live Link Face CSV of a face that moves all the time."""
    frames = Performance.natural(1, seconds + 6.0).frames[round(4.5 * FRAME_RATE) :]
    lines = ["Timecode,BlendShapeCount," + ",".join(BLENDSHAPES)]
    for number, face in enumerate(frames[: round(seconds * FRAME_RATE)]):
        second, frame = divmod(number, round(FRAME_RATE))
        stamp = f"10:{second // 60:02d}:{second % 60:02d}:{frame:02d}.000"
        lines.append(f"{stamp},52," + ",".join(f"{weight:.3f}" for weight in face))
    path.write_text("\n".join(lines) + "\n")
    return path


def tracks(recording: Recording | None) -> Iterator[np.ndarray]:
    if recording is not None:
        for track in (recording.left, recording.right, recording.blendshapes):
            assert track is not None
            yield from astuple(track)


def test_a_seed_is_a_person_with_two_sessions() -> None:
    known = 0
    for seed in range(6):
        (own, session), (own_again, session_again) = (SimulatedPerson(seed).sessions() for _ in range(2))
        known += own is not None
        assert (own is None) == (own_again is None)
        for one, other in zip(
            [*tracks(own), *tracks(session)], [*tracks(own_again), *tracks(session_again)], strict=True
        ):
            np.testing.assert_array_equal(one, other)
        others = SimulatedPerson(seed + 1).sessions()[1]
        assert not np.array_equal([*tracks(session)][-1], [*tracks(others)][-1])
        if own is not None:
            assert not np.array_equal([*tracks(own)][-1][:400], [*tracks(session)][-1][:400])
    assert 0 < known < 6


def test_a_session_is_as_long_as_asked_for_and_begins_with_a_neutral_face() -> None:
    for seed in range(8):
        own, session = SimulatedPerson(seed).sessions()
        for recording, seconds in ((session, 15.0), (own, 0.2 * 60.0 + 3.0)):
            if recording is None:
                continue
            assert recording.blendshapes is not None
            stamps, weights = recording.blendshapes.stamps, recording.blendshapes.weights
            assert (stamps[-1] - stamps[0]) * 1e-9 == pytest.approx(seconds, abs=0.1)
            assert not weights[2:][stamps[2:] <= stamps[0] + 4 * 10**9].any()
            assert weights.any()
            assert 0.0 <= weights.min() <= weights.max() <= 1.0


@pytest.mark.parametrize("kind", ["study", "free", "babble"])
def test_calm_sessions_of_a_person_differ_only_in_the_face(kind: str) -> None:
    person = SimulatedPerson(5)
    first, again, other = (person.calm(number, 10.0, kind) for number in (0, 0, 1))
    for one, same in zip(tracks(first), tracks(again), strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal([*tracks(first)][1], [*tracks(other)][1])


@pytest.mark.parametrize("seconds", [12.0, 60.0])
def test_captures_are_recombined_however_short_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(people, "FACES", {"capture": 1.0})
    capture = written_capture(tmp_path / "capture.csv", seconds)
    courses = []
    for seed in (1, 1, 2, 3):
        _, session = SimulatedPerson(seed, (capture,)).sessions()
        assert session.blendshapes is not None
        courses.append(session.blendshapes.weights)
        assert courses[-1].any()
        assert not courses[-1][2:120].any()
        assert np.abs(np.diff(courses[-1], axis=0)).max() < 0.9  # pieces blend into each other
    np.testing.assert_array_equal(courses[0], courses[1])
    assert not any(np.array_equal(courses[0], other) for other in courses[2:])


def test_a_capture_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "FACES", {"capture": 1.0})
    with pytest.raises(OSError, match=r"absent\.csv"):
        SimulatedPerson(1, (tmp_path / "absent.csv",)).sessions()
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"other\.csv: no column 'Timecode'"):
        SimulatedPerson(1, (tmp_path / "other.csv",)).sessions()


def test_a_combination_that_no_face_shows_begins_and_ends_smoothly() -> None:
    frames = people._babble(np.random.default_rng(0), 40.0).frames
    assert frames.shape == (round(40.0 * FRAME_RATE), len(BLENDSHAPES))
    assert 0.0 <= frames.min() <= frames.max() <= 1.0
    assert not frames[: round(4.5 * FRAME_RATE)].any()
    assert (frames.max(axis=0) > 0.1).sum() > 30
    assert np.abs(np.diff(frames, axis=0)).max() < 0.5


def test_stronger_ears_move_as_much_farther() -> None:
    performance, participant = Performance.natural(1, 8.0), PEOPLE["anatomical"](1)
    spread = []
    for factor in (1e-6, 1.0, 2.0):
        ear = simulate(performance, amplified(participant, factor), 8.0, seed=1).left
        assert ear is not None
        spread.append(ear.angular_velocity)
    moved, moved_more = (np.abs(each - spread[0])[150:].sum() for each in spread[1:])
    assert 1.5 < moved_more / moved < 2.5


def test_shares_are_shares_of_what_there_is() -> None:
    for shares in (EARS, FACES, MINUTES):
        assert sum(shares.values()) == pytest.approx(1.0)
    assert set(EARS) == set(people.STRENGTHS) <= set(PEOPLE)
    assert sum(people.ACTIVITIES.values()) == pytest.approx(1.0)
    assert set(people.ACTIVITIES) <= set(ACTIVITIES)


def test_the_people_of_all_kinds_and_seeds_of_a_training_are_others() -> None:
    seeds = [
        {person.seed for person in PretrainingConfig(seed=seed).persons(kind, 3000)}
        for seed in (0, 1, 7)
        for kind in range(3)
    ]
    assert len(set().union(*seeds)) == 9 * 3000
    persons = PretrainingConfig(captures=("a.csv", "b.csv")).persons(1, 3)
    assert {person.captures for person in persons} == {(Path("a.csv"), Path("b.csv"))}
    assert persons == PretrainingConfig(captures=("a.csv", "b.csv")).persons(1, 3)
