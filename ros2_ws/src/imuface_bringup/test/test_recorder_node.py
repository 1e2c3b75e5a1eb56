from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy
from imuface_bringup.recorder_node import RecorderNode
from imuface_core.bag import BagWriter
from imuface_core.session import read_session
from imuface_interfaces.msg import AffectState, EmpathyReply, Sentence, Utterance
from rclpy.duration import Duration
from rclpy.parameter import Parameter
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import Imu

pytestmark = pytest.mark.graph


@pytest.mark.parametrize("interrupted", [False, True])
def test_what_has_arrived_is_recorded_though_nobody_has_handled_it(tmp_path: Path, interrupted: bool) -> None:
    previous = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        with rclpy.init():
            recorder = RecorderNode()
            path, all_topics = Parameter("path", value=str(tmp_path / "out")), Parameter("all_topics", value=True)
            recorder.set_parameters([path, all_topics])
            recorder.trigger_configure()
            recorder.trigger_activate()
            other = rclpy.create_node("other")
            publisher = other.create_publisher(AffectState, "face/affect", 50)
            for index in range(30):
                message = AffectState()
                message.header.stamp.sec = index
                publisher.publish(message)
            assert publisher.wait_for_all_acked(Duration(seconds=20.0))
            if interrupted:  # rclpy's handler of signals shuts ROS down before the node is closed
                signal.raise_signal(signal.SIGINT)
                while rclpy.ok():
                    time.sleep(0.01)
            recorder.close()
            recorder.destroy_node()
    finally:
        signal.signal(signal.SIGINT, previous)
    with Reader(tmp_path / "out") as reader:
        assert reader.message_count == 30


@pytest.mark.parametrize("wanted", [False, True])
def test_words_are_written_only_if_asked_for(tmp_path: Path, wanted: bool) -> None:
    said = {"dialogue/utterance": Utterance, "dialogue/sentence": Sentence, "dialogue/reply": EmpathyReply}
    with rclpy.init():
        recorder, other = RecorderNode(), rclpy.create_node("other")
        recorder.set_parameters([Parameter("path", value=str(tmp_path / "out")), Parameter("dialogue", value=wanted)])
        recorder.trigger_configure()
        recorder.trigger_activate()
        publishers = [
            other.create_publisher(kind, name, 10) for name, kind in {**said, "face/affect": AffectState}.items()
        ]
        for publisher, kind in zip(publishers, [*said.values(), AffectState], strict=True):
            publisher.publish(kind())
            assert publisher.wait_for_all_acked(Duration(seconds=20.0))
        recorder.close()
        recorder.destroy_node()
        other.destroy_node()
    with Reader(tmp_path / "out") as reader:
        assert {topic.lstrip("/") for topic in reader.topics if topic.startswith("/dialogue")} == (
            set(said) if wanted else set()
        )
        assert reader.message_count == 3 * wanted


def test_a_full_disk_ends_the_recording_and_leaves_it_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def flush(writer: BagWriter) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with rclpy.init():
        recorder = RecorderNode()
        recorder.set_parameters([Parameter("path", value=str(tmp_path / "out"))])
        recorder.trigger_configure()
        recorder.trigger_activate()
        monkeypatch.setattr(BagWriter, "flush", flush)
        with pytest.raises(SystemExit):
            rclpy.spin(recorder)
        recorder.close()
        recorder.destroy_node()
    assert "out ends: [Errno 28] No space left on device; what was written can be read" in capfd.readouterr().err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"out.mcap", "metadata.yaml"}


@pytest.mark.parametrize("trial", range(3))
def test_a_kill_costs_a_second_at_most(tmp_path: Path, trial: int) -> None:
    namespace, folder = f"killed_{trial}", tmp_path / "out"
    parameters = ["--ros-args", "-r", f"__ns:=/{namespace}", "-p", f"path:={folder}"]
    with (
        rclpy.init(),
        subprocess.Popen([sys.executable, "-m", "imuface_bringup.recorder_node", *parameters]) as recorder,
    ):
        other = rclpy.create_node("ear", namespace=namespace)
        publisher = other.create_publisher(Imu, "left/imu/data_raw", 5)
        sent: list[int] = []
        alive = random.Random(trial).uniform(0.3, 2.0)
        deadline, heard = time.monotonic() + 60.0, 0.0
        while not heard or time.monotonic() < heard + alive:
            assert time.monotonic() < deadline
            heard = heard or (time.monotonic() if publisher.get_subscription_count() else 0.0)
            sent.append(time.time_ns())
            message = Imu()
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(sent[-1], 1_000_000_000)
            publisher.publish(message)
            time.sleep(1 / 30)
        recorder.send_signal(signal.SIGKILL)
        killed = time.time_ns()
    left = read_session(folder).left
    assert left is not None
    recorded = left.stamps.tolist()
    assert set(recorded) <= set(sent)
    assert killed - recorded[-1] < 1_000_000_000
