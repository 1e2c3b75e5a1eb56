"""What is written, beside what rosbags writes, and after a kill."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from imuface_core import topics
from imuface_core.bag import BagWriter, Storage, new_bag, typestore
from imuface_core.recording import Recording
from imuface_core.session import write_session
from mcap.reader import make_reader
from rosbags.interfaces import ConnectionExtRosbag2
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

WRITER = """
import itertools, sys, time
from imuface_core import topics
from imuface_core.bag import BagWriter
writer = BagWriter(sys.argv[1])
channel = writer.topic_of_ours("/imuface/left/imu/data_raw", topics.IMU["left"])
for number in itertools.count():
    writer.write(channel, number, number.to_bytes(320, "big"))
    if number % 20 == 0:
        writer.flush()
        print(number, flush=True)
    time.sleep(0.0005)
"""


@pytest.fixture
def pair(tmp_path: Path, recording: Recording) -> tuple[Path, Path]:
    """The same session in folders of one name, by us and by rosbags."""
    write_session(tmp_path / "ours" / "session", recording)
    theirs = tmp_path / "theirs" / "session"
    with (
        Reader(tmp_path / "ours" / "session") as reader,
        Writer(theirs, version=9, storage_plugin=StoragePlugin.MCAP) as writer,
    ):
        channels = {}
        for each in reader.connections:
            assert isinstance(each.ext, ConnectionExtRosbag2)
            channels[each.topic] = writer.add_connection(
                each.topic, each.msgtype, typestore=typestore(), offered_qos_profiles=each.ext.offered_qos_profiles
            )
        for connection, time_ns, data in reader.messages():
            writer.write(channels[connection.topic], time_ns, data)
    return tmp_path / "ours" / "session", theirs


def information(bag: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"])


def test_the_metadata_is_that_of_rosbags(pair: tuple[Path, Path]) -> None:
    ours, theirs = map(information, pair)
    assert ours.pop("ros_distro") == "kilted"
    assert theirs.pop("ros_distro") == "rosbags"
    assert ours == theirs
    assert not list(pair[0].glob("*.tmp"))


def test_the_file_is_that_of_rosbags(pair: tuple[Path, Path]) -> None:
    found = []
    for bag in pair:
        with (bag / "session.mcap").open("rb") as file:
            reader = make_reader(file, validate_crcs=True)
            summary = reader.get_summary()
            assert summary is not None
            assert summary.statistics is not None
            channels = {}
            for channel in summary.channels.values():
                qos = yaml.safe_load(channel.metadata["offered_qos_profiles"])
                schema = summary.schemas[channel.schema_id]
                channels[channel.topic] = (channel.message_encoding, qos, schema.name, schema.encoding, schema.data)
            (embedded,) = (record.metadata["serialized_metadata"] for record in reader.iter_metadata())
            assert yaml.safe_load(embedded) == information(bag)
            messages = [(channel.topic, m.log_time, m.publish_time, m.data) for _, channel, m in reader.iter_messages()]
            found.append((reader.get_header().profile, channels, messages, summary.statistics.channel_message_counts))
    assert found[0] == found[1]


def test_at_the_start_there_is_metadata_already(tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / "bag")
    assert information(tmp_path / "bag")["relative_file_paths"] == ["bag.mcap"]
    assert information(tmp_path / "bag")["message_count"] == 0
    writer.close()
    writer.close()
    with Reader(tmp_path / "bag") as reader:
        assert reader.message_count == 0


@pytest.mark.parametrize("trial", range(4))
def test_what_was_flushed_survives_a_kill(tmp_path: Path, trial: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path / "bag"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        time.sleep(random.Random(trial).uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        flushed = [0, *map(int, process.stdout.read().split())][-1]
    with Storage(tmp_path / "bag") as storage:
        found = list(storage.messages(storage.connections))
        assert "breaks off" in storage.damage[0]
    assert [int.from_bytes(message.data, "big") for message in found] == list(range(len(found)))
    assert len(found) >= flushed + 1


def test_a_bag_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_bag(tmp_path / "bag"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with new_bag(tmp_path / "deep" / "bag", {"note": "kept: as it is"}) as writer:
        writer.write(writer.topic_of_ours("/x", topics.AFFECT), 5, b"\0\1\0\0")
        assert not (tmp_path / "deep" / "bag").exists()
    assert information(tmp_path / "deep" / "bag")["custom_data"] == {"note": "kept: as it is"}
    with pytest.raises(FileExistsError, match="name another folder"), new_bag(tmp_path / "deep"):
        pass
    with pytest.raises(FileExistsError, match="name another folder"):
        BagWriter(tmp_path / "deep")
