from __future__ import annotations

import dataclasses
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imuface_core import topics
from imuface_core.bag import BagWriter, Storage, typestore
from imuface_core.recording import Recording
from imuface_core.session import read_face_landmarks, read_session, write_session
from imuface_interfaces.msg import Blendshapes, FacialLandmarks
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from ruamel.yaml import YAML
from sensor_msgs.msg import Imu


def assert_same(actual: object, expected: object) -> None:
    assert type(actual) is type(expected)
    if dataclasses.is_dataclass(expected):
        for field in dataclasses.fields(expected):
            assert_same(getattr(actual, field.name), getattr(expected, field.name))
    elif isinstance(expected, np.ndarray):
        assert isinstance(actual, np.ndarray)
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)


def test_what_is_written_is_read_back_exactly(tmp_path: Path, recording: Recording) -> None:
    write_session(tmp_path / "session", recording)
    assert_same(read_session(tmp_path / "session"), recording)
    assert read_face_landmarks(tmp_path / "session") is None


def test_the_bag_has_what_ros2_bag_play_needs(tmp_path: Path, recording: Recording) -> None:
    write_session(tmp_path / "session", recording, namespace="anna")
    metadata = YAML(typ="safe").load((tmp_path / "session" / "metadata.yaml").read_text())
    information = metadata["rosbag2_bagfile_information"]
    assert information["storage_identifier"] == "mcap"
    assert information["relative_file_paths"] == ["session.mcap"]
    assert recording.left is not None
    assert information["starting_time"]["nanoseconds_since_epoch"] == recording.left.stamps[0]
    assert information["message_count"] == 90 + 80 + 90 + 90
    with Reader(tmp_path / "session") as bag:
        connections = {connection.topic: connection for connection in bag.connections}
        stamps = [stamp for _, stamp, _ in bag.messages()]
    assert stamps == sorted(stamps)
    assert set(connections) == {
        "/anna/left/imu/data_raw",
        "/anna/right/imu/data_raw",
        "/anna/reference/blendshapes",
        "/anna/reference/landmarks",
    }
    for connection in connections.values():
        assert connection.digest == typestore().hash_rihs01(connection.msgtype)
        assert connection.msgdef.data.strip()
    qos = information["topics_with_message_count"][0]["topic_metadata"]["offered_qos_profiles"][0]
    assert (qos["reliability"], qos["depth"]) == ("best_effort", topics.IMU["left"].depth)


def test_landmarks_are_written_as_their_message_type(tmp_path: Path, recording: Recording) -> None:
    assert recording.landmarks is not None
    write_session(tmp_path / "session", recording)
    with Reader(tmp_path / "session") as bag:
        connections = [connection for connection in bag.connections if connection.msgtype == topics.FACE_LANDMARKS.type]
        messages: list[Any] = [
            typestore().deserialize_cdr(data, topics.FACE_LANDMARKS.type) for *_, data in bag.messages(connections)
        ]
        (*_, data) = next(bag.messages(connections))
    assert typestore().serialize_cdr(messages[0], topics.FACE_LANDMARKS.type) == data
    points = [[(point.x, point.y, point.z) for point in message.points] for message in messages]
    np.testing.assert_array_equal(np.array(points, np.float32), recording.landmarks.points)


def test_the_type_hashes_are_those_of_the_installed_ros() -> None:
    for message in (Imu, Blendshapes, FacialLandmarks):
        name = f"{message.__module__.split('.')[0]}/msg/{message.__name__}"
        assert typestore().hash_rihs01(name) == ros_type_hash(message)


def ros_type_hash(message: type) -> str:
    package = message.__module__.split(".")[0]
    description = Path(sys.prefix, "share", package, "msg", f"{message.__name__}.json")
    if not description.exists():
        pytest.skip(f"{description} is not installed here")
    hashes = json.loads(description.read_text())["type_hashes"]
    return str(next(h["hash_string"] for h in hashes if h["type_name"] == f"{package}/msg/{message.__name__}"))


def test_one_ear_is_a_session(tmp_path: Path, recording: Recording) -> None:
    write_session(tmp_path / "session", Recording(left=None, right=recording.right))
    session = read_session(tmp_path / "session")
    assert session.left is None
    assert session.blendshapes is None
    assert_same(session.right, recording.right)


def test_an_empty_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="recording is empty"):
        write_session(tmp_path / "session", Recording(left=None, right=None))
    assert not (tmp_path / "session").exists()


def test_a_session_is_not_overwritten(tmp_path: Path, recording: Recording) -> None:
    write_session(tmp_path / "session", recording)
    with pytest.raises(FileExistsError, match="exists already"):
        write_session(tmp_path / "session", recording)


def two_people(path: Path) -> None:
    store = typestore()
    imu = store.types["sensor_msgs/msg/Imu"]
    vector = store.types["geometry_msgs/msg/Vector3"](1.0, 2.0, 3.0)
    header = store.types["std_msgs/msg/Header"](store.types["builtin_interfaces/msg/Time"](1, 2), "x")
    orientation = store.types["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0)
    zeros = np.zeros(9)
    data = store.serialize_cdr(imu(header, orientation, zeros, vector, zeros, vector, zeros), imu.__msgtype__)
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for namespace in ("anna", "ben"):
            connection = writer.add_connection(f"/{namespace}/left/imu/data_raw", imu.__msgtype__, typestore=store)
            writer.write(connection, 1, data)


def test_of_several_people_one_must_be_named(tmp_path: Path) -> None:
    two_people(tmp_path / "session")
    with pytest.raises(ValueError, match="several people; choose a namespace: /anna, /ben"):
        read_session(tmp_path / "session")
    left = read_session(tmp_path / "session", namespace="ben").left
    assert left is not None
    assert left.acceleration.tolist() == [[1.0, 2.0, 3.0]]
    with pytest.raises(ValueError, match="nobody in namespace /eve, only in: /anna, /ben"):
        read_session(tmp_path / "session", namespace="/eve")


def test_a_missing_session_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no session at .*nowhere"):
        read_session(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no metadata\.yaml and no file \.mcap, \.db3"):
        read_session(tmp_path / "empty")
    (tmp_path / "notes.txt").write_text("not a bag")
    with pytest.raises(ValueError, match=r"notes\.txt is no session: neither a folder nor a file"):
        read_session(tmp_path / "notes.txt")


def test_other_types_and_topics_are_refused(tmp_path: Path) -> None:
    store = typestore()
    text = store.types["std_msgs/msg/String"]
    for folder, topic, message in (
        ("chat", "/chatter", "has no topic that ends in left/imu/data_raw or right/imu/data_raw"),
        ("text", "/imuface/left/imu/data_raw", "is std_msgs/msg/String, not sensor_msgs/msg/Imu"),
    ):
        with Writer(tmp_path / folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
            connection = writer.add_connection(topic, text.__msgtype__, typestore=store)
            writer.write(connection, 1, store.serialize_cdr(text("hello"), text.__msgtype__))
        with pytest.raises(ValueError, match=message):
            read_session(tmp_path / folder)


def test_another_version_of_a_type_is_refused(tmp_path: Path, recording: Recording) -> None:
    write_session(tmp_path / "session", recording)
    with Storage(tmp_path / "session") as session, BagWriter(tmp_path / "other") as writer:
        for connection, time_ns, data in session.messages(session.connections):
            older = connection.msgdef.data.replace("float32[52] weights", "float64[52] weights")
            source = connection._replace(msgdef=connection.msgdef._replace(data=older), digest="")
            writer.write(writer.topic_like(source), time_ns, data)
    with pytest.raises(ValueError, match="another version of imuface_interfaces/msg/Blendshapes"):
        read_session(tmp_path / "other")


def test_values_that_are_not_finite_are_refused(tmp_path: Path, recording: Recording) -> None:
    track = recording.left
    assert track is not None
    track.acceleration[5, 1] = np.nan
    write_session(tmp_path / "session", Recording(left=track, right=None))
    with pytest.raises(ValueError, match="has 1 of 90 messages with values that are not finite"):
        read_session(tmp_path / "session")


@pytest.mark.parametrize("file", ["session.mcap", "metadata.yaml"])
def test_damaged_files_give_one_clear_error_or_a_recording(tmp_path: Path, recording: Recording, file: str) -> None:
    write_session(tmp_path / "session", recording)
    whole = (tmp_path / "session" / file).read_bytes()
    generator = random.Random(7)
    refusals = []
    for trial in range(60):
        damaged = bytearray(whole[: generator.randrange(len(whole))] if trial % 2 else whole)
        for _ in range(generator.randrange(0, 20)):
            if damaged:
                damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        (tmp_path / "session" / file).write_bytes(damaged)
        try:
            read_session(tmp_path / "session")
        except (ValueError, OSError) as error:
            refusals.append(str(error))
    assert all(str(tmp_path / "session") in refusal for refusal in refusals)


def test_what_was_recorded_before_the_cut_is_read_with_a_warning(
    tmp_path: Path, recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    write_session(tmp_path / "session", recording)
    file = tmp_path / "session" / "session.mcap"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    left = read_session(tmp_path / "session").left
    assert left is not None
    assert recording.left is not None
    assert 10 < len(left.stamps) < len(recording.left.stamps)
    np.testing.assert_array_equal(left.acceleration, recording.left.acceleration[: len(left.stamps)])
    assert "session.mcap breaks off at byte" in caplog.text
    assert "messages are read, up to" in caplog.text
