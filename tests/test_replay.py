"""Recorded sessions through the whole chain: the same again, with one ear, with an ear that stops, and damaged."""

from __future__ import annotations

import dataclasses
import subprocess
import sysconfig
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imuface_core import topics
from imuface_core.bag import Bag, typestore
from imuface_core.recording import ImuTrack, Recording
from imuface_core.session import read_face_landmarks, read_session, write_session

pytestmark = pytest.mark.graph

Launch = Callable[..., AbstractContextManager[Any]]
Replay = Callable[[Path, Path, str], dict[int, bytes]]
IMUFACE = Path(sysconfig.get_path("scripts")) / "imuface"


def _content(data: bytes) -> tuple[int, bytes]:
    """Stamp and numbers of recorded landmarks. CDR's padding is no part of a message; serialisers leave it."""
    message: Any = typestore().deserialize_cdr(data, topics.FACE_LANDMARKS.type)
    points = np.array([(point.x, point.y, point.z) for point in message.points])
    stamp = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
    return stamp, points.tobytes() + message.standard_deviation.tobytes()


@pytest.fixture
def reconstructed(launch: Launch, record: Launch) -> Replay:
    """Replays a bag as fast as possible with the face reconstructed anew; the recorded landmarks."""

    def replay(bag: Path, output: Path, namespace: str) -> dict[int, bytes]:
        with (
            record(namespace, output),
            launch("replay", bag=str(bag), rate="0.0", namespace=namespace, mesh="false") as running,
        ):
            running.graph.wait()
            assert not running.graph.failed
            assert running.said("played", "player")
        with Bag(output) as opened:
            return dict(_content(message.data) for message in opened.messages({topics.FACE_LANDMARKS}))

    return replay


def test_replaying_twice_gives_the_same_landmarks_byte_for_byte(
    reconstructed: Replay, tmp_path: Path, recording: Recording
) -> None:
    assert recording.left is not None
    write_session(tmp_path / "bag", recording)
    first = reconstructed(tmp_path / "bag", tmp_path / "first", "replay_first")
    second = reconstructed(tmp_path / "bag", tmp_path / "second", "replay_second")
    # On a busy machine the recorder, whose subscriptions are best effort, may miss messages; nothing else may differ.
    common = first.keys() & second.keys()
    assert len(common) >= 120
    assert all(first[stamp] == second[stamp] for stamp in common)
    # Without nodes, too.
    offline = tmp_path / "offline"
    subprocess.run([IMUFACE, "reconstruct", tmp_path / "bag", "--output", offline], check=True, capture_output=True)
    with Bag(offline) as opened:
        third = dict(_content(message.data) for message in opened.messages({topics.FACE_LANDMARKS}))
    assert all(third[stamp] == content for stamp, content in (first | second).items())
    # One frame for each sample of the left ear, and no other.
    assert first.keys() | second.keys() <= set(recording.left.stamps.tolist())
    # The samples themselves came through unchanged.
    again = read_session(tmp_path / "first").left
    assert again is not None
    _, ours, theirs = np.intersect1d(recording.left.stamps, again.stamps, return_indices=True)
    assert len(theirs) == len(again.stamps)
    np.testing.assert_array_equal(again.acceleration[theirs], recording.left.acceleration[ours])


@pytest.mark.parametrize("ear", ["left", "right"])
def test_one_ear_is_enough_for_a_face(reconstructed: Replay, tmp_path: Path, recording: Recording, ear: str) -> None:
    write_session(tmp_path / "bag", dataclasses.replace(recording, **{"left" if ear == "right" else "right": None}))
    assert len(reconstructed(tmp_path / "bag", tmp_path / "out", f"only_{ear}")) > 100


def test_an_ear_that_stops_does_not_stop_the_face(reconstructed: Replay, tmp_path: Path, recording: Recording) -> None:
    left, right = recording.left, recording.right
    assert left is not None
    assert right is not None
    middle = len(left.stamps) // 2
    cut = ImuTrack(left.stamps[:middle], left.acceleration[:middle], left.angular_velocity[:middle])
    write_session(tmp_path / "bag", dataclasses.replace(recording, left=cut))
    reconstructed(tmp_path / "bag", tmp_path / "out", "stopping_ear")
    face = read_face_landmarks(tmp_path / "out")
    assert face is not None
    # Frames go on at the sampling instants of the right ear, to its end.
    after = face.stamps[face.stamps > left.stamps[middle - 1]]
    assert len(after) > 0.8 * (right.stamps > left.stamps[middle - 1]).sum()
    assert right.stamps[-1] - after[-1] < 100_000_000
    assert np.isin(after[5:], right.stamps).all()


def test_a_bag_that_breaks_off_is_played_up_to_there(tmp_path: Path, recording: Recording, launch: Launch) -> None:
    write_session(tmp_path / "bag", recording)
    storage = tmp_path / "bag" / "bag.mcap"
    storage.write_bytes(storage.read_bytes()[:200_000])
    with launch("replay", bag=str(tmp_path / "bag"), rate="20.0", namespace="cut", face="false") as running:
        running.graph.wait()
        assert not running.graph.failed
        assert running.said("bag.mcap breaks off at byte 200000", "player")
        assert running.said("played", "player")


def test_ears_of_other_names_are_played(tmp_path: Path, recording: Recording, launch: Launch) -> None:
    write_session(tmp_path / "bag", recording)
    swapped = "left=/imuface/right/imu/data_raw right=/imuface/left/imu/data_raw"
    with launch(
        "replay", bag=str(tmp_path / "bag"), rate="20.0", namespace="named", topics=swapped, face="false"
    ) as run:
        run.graph.wait()
        assert not run.graph.failed


def test_a_bag_of_which_nothing_is_left_is_refused_in_one_line(tmp_path: Path, recording: Recording) -> None:
    write_session(tmp_path / "bag", recording)
    (tmp_path / "bag" / "bag.mcap").write_bytes(b"")
    result = subprocess.run([IMUFACE, "replay", tmp_path / "bag"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "is damaged or incomplete" in result.stderr
    assert result.stderr.count("\n") == 1
