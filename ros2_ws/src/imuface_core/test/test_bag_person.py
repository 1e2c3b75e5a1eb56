from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_core import topics
from imuface_core.bag import Bag, BagWriter, Storage, named_topics, typestore
from imuface_core.recording import ImuTrack, Recording
from imuface_core.session import read_session, write_session
from rosbags.rosbag2 import StoragePlugin, Writer

LEFT, RIGHT = topics.IMU.values()


@pytest.fixture
def bag(tmp_path: Path, recording: Recording) -> Path:
    write_session(tmp_path / "bag", recording)
    return tmp_path / "bag"


def renamed(source: Path, path: Path, names: dict[str, str]) -> Path:
    """The same bag with other names of topics, as ``ros2 bag record`` finds them on somebody's robot."""
    with Storage(source) as storage, BagWriter(path) as writer:
        for connection, time_ns, data in storage.messages(storage.connections):
            topic = names.get(connection.topic, connection.topic)
            writer.write(writer.topic_like(connection._replace(topic=topic)), time_ns, data)
    return path


def test_yields_the_messages_of_the_chosen_topics_in_order(bag: Path, recording: Recording) -> None:
    assert recording.left is not None
    assert recording.right is not None
    with Bag(bag) as opened:
        assert opened.namespace == "/imuface"
        assert opened.missing_ears == []
        assert opened.warnings == []
        found = list(opened.messages(set(topics.IMU.values())))
    assert {message.topic for message in found} == {LEFT, RIGHT}
    assert len(found) == len(recording.left.stamps) + len(recording.right.stamps)
    times = [message.time_ns for message in found]
    assert times == sorted(times)


def test_one_ear_is_enough_and_the_other_is_named(tmp_path: Path, recording: Recording) -> None:
    write_session(tmp_path / "one", dataclasses.replace(recording, right=None))
    with Bag(tmp_path / "one") as opened:
        assert opened.missing_ears == [RIGHT]
        assert opened.seconds_between_ears() == 0.0


def test_no_ear_is_refused(tmp_path: Path, recording: Recording) -> None:
    write_session(tmp_path / "none", dataclasses.replace(recording, left=None, right=None))
    with pytest.raises(ValueError, match=r"has no topic that ends in .*, and none of type sensor_msgs/msg/Imu"):
        Bag(tmp_path / "none")
    with BagWriter(tmp_path / "silent") as writer:
        writer.topic_of_ours(f"/anna/{LEFT}", topics.IMU["left"])
    with pytest.raises(ValueError, match=f"has no sample on /anna/{LEFT} or /anna/{RIGHT}"):
        Bag(tmp_path / "silent")


def test_a_person_is_chosen_among_several(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "two") as writer:
        for person in ("anna", "bert"):
            writer.write(writer.topic_of_ours(f"/{person}/{LEFT}", topics.IMU["left"]), 1, b"\0\1\0\0" + bytes(320))
    with pytest.raises(ValueError, match="several people; choose a namespace: /anna, /bert"):
        Bag(tmp_path / "two")
    with pytest.raises(ValueError, match="nobody in namespace /carl, only in: /anna, /bert"):
        Bag(tmp_path / "two", "carl")
    with Bag(tmp_path / "two", "bert") as opened:
        assert opened.namespace == "/bert"


def test_another_type_is_refused_where_it_is_read(tmp_path: Path, bag: Path) -> None:
    with Writer(tmp_path / "odd", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        writer.write(writer.add_connection(f"/x/{LEFT}", "std_msgs/msg/String", typestore=typestore()), 1, b"\0\1\0\0")
    with pytest.raises(ValueError, match="std_msgs/msg/String, not sensor_msgs/msg/Imu"):
        Bag(tmp_path / "odd")
    renamed(bag, tmp_path / "mixed", {"/imuface/reference/landmarks": "/imuface/reference/blendshapes"})
    with Bag(tmp_path / "mixed") as opened:
        assert list(opened.messages({LEFT}))
        with pytest.raises(ValueError, match=r"is imuface_interfaces/msg/FacialLandmarks, not .*Blendshapes"):
            list(opened.messages(opened.types))


@pytest.mark.parametrize("reference", ["/imuface/reference", "/truth"])
def test_topics_of_other_names_are_named(tmp_path: Path, bag: Path, recording: Recording, reference: str) -> None:
    names = {
        f"/imuface/{LEFT}": "/ear_l/imu",
        f"/imuface/{RIGHT}": "/ear_r/imu",
        "/imuface/reference/landmarks": f"{reference}/landmarks",
    }
    other = renamed(bag, tmp_path / "other", names)
    with pytest.raises(ValueError, match=r"of type .*: /ear_l/imu, /ear_r/imu \(name the ears with --topic left="):
        Bag(other)
    with pytest.raises(ValueError, match=r"has no topic /ear/imu; of type .*: /ear_l/imu"):
        Bag(other, names={LEFT: "/ear/imu"})
    chosen = named_topics(["left=/ear_l/imu", "right=/ear_r/imu", f"reference/landmarks={reference}/landmarks"])
    found = read_session(other, "imuface", chosen)
    assert found.left is not None
    assert recording.left is not None
    assert (found.left.stamps == recording.left.stamps).all()
    assert found.landmarks is not None
    assert found.blendshapes is not None
    # One ear can be swapped for another, and the rest stays the person's.
    swapped = read_session(bag, names={LEFT: f"/imuface/{RIGHT}"})
    assert swapped.left is not None
    assert recording.right is not None
    assert (swapped.left.stamps == recording.right.stamps).all()
    assert swapped.right is None


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["left"], "'left' is not of the form NAME=/topic; NAME is one of left, right, /diagnostics, /tf, "),
        (["nose=/x"], "'nose=/x' is not of the form"),
        (["left=x"], "'left=x' is not of the form"),
        (["left=/x", "left/imu/data_raw=/y"], "'left/imu/data_raw=/y' names a topic for the second time"),
        (["left=/x", "right=/x"], "'right=/x' names a topic for the second time"),
    ],
)
def test_assignments_of_topics_are_checked(assignments: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        named_topics(assignments)


@given(st.lists(st.text()))
def test_any_assignment_is_understood_or_refused(assignments: list[str]) -> None:
    try:
        assert len(named_topics(assignments)) == len(assignments)
    except ValueError as error:
        assert "--topic" in str(error)  # noqa: PT017


def test_ears_on_two_clocks_are_noticed(tmp_path: Path, recording: Recording) -> None:
    right = recording.right
    assert right is not None
    late = ImuTrack(right.stamps + 100_000_000_000, right.acceleration, right.angular_velocity)
    write_session(tmp_path / "apart", dataclasses.replace(recording, right=late))
    with Bag(tmp_path / "apart") as opened:
        assert opened.seconds_between_ears() == pytest.approx(97.0, abs=0.1)
