from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imuface_bringup.bag import Bag
from imuface_core import topics
from imuface_core.recording import Recording
from imuface_core.session import typestore, write_session
from rosbags.rosbag2 import StoragePlugin, Writer

LEFT, RIGHT = topics.IMU.values()


def test_yields_the_messages_of_the_chosen_topics_in_order(bag: Path, recording: Recording) -> None:
    assert recording.left is not None
    assert recording.right is not None
    with Bag(bag) as opened:
        assert opened.namespace == "/imuface"
        assert opened.missing_ears == []
        found = list(opened.messages(set(topics.IMU.values())))
    assert {message.topic for message in found} == {LEFT, RIGHT}
    assert len(found) == len(recording.left.stamps) + len(recording.right.stamps)
    times = [message.time_ns for message in found]
    assert times == sorted(times)


def test_one_ear_is_enough_and_the_other_is_named(tmp_path: Path, recording: Recording) -> None:
    write_session(tmp_path / "one", dataclasses.replace(recording, right=None))
    with Bag(tmp_path / "one") as opened:
        assert opened.missing_ears == [RIGHT]


def test_no_ear_is_refused(tmp_path: Path, recording: Recording) -> None:
    write_session(tmp_path / "none", dataclasses.replace(recording, left=None, right=None))
    with pytest.raises(ValueError, match="no session of earphones"):
        Bag(tmp_path / "none")


def test_a_person_is_chosen_among_several(tmp_path: Path) -> None:
    with Writer(tmp_path / "two", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for person in ("anna", "bert"):
            connection = writer.add_connection(f"/{person}/{LEFT}", LEFT.type, typestore=typestore())
            writer.write(connection, 1, b"\x00\x01\x00\x00" + bytes(320))
    with pytest.raises(ValueError, match="several people; choose one: /anna, /bert"):
        Bag(tmp_path / "two")
    with pytest.raises(ValueError, match="no person 'carl'; people: /anna, /bert"):
        Bag(tmp_path / "two", "carl")
    with Bag(tmp_path / "two", "bert") as opened:
        assert opened.namespace == "/bert"


def test_another_type_is_refused(tmp_path: Path) -> None:
    with Writer(tmp_path / "odd", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        writer.add_connection(f"/x/{LEFT}", "std_msgs/msg/String", typestore=typestore())
    with pytest.raises(ValueError, match="std_msgs/msg/String, not sensor_msgs/msg/Imu"):
        Bag(tmp_path / "odd")


def test_missing_and_unfinished_bags_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no bag at"):
        Bag(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="ros2 bag reindex"):
        Bag(tmp_path / "empty")


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_a_damaged_bag_is_read_or_refused(bag: Path, data: st.DataObject) -> None:
    damaged = bag.parent / "damaged"
    shutil.rmtree(damaged, ignore_errors=True)
    shutil.copytree(bag, damaged)
    victim = data.draw(st.sampled_from(sorted(damaged.iterdir())))
    content = bytearray(victim.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    victim.write_bytes(content)
    try:
        with Bag(damaged) as opened:
            list(opened.messages(set(topics.SESSION)))
    except (ValueError, FileNotFoundError) as error:
        message = str(error)
    else:
        return
    assert str(damaged) in message
