from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
import rclpy
from imuface_bringup.recorder_node import RecorderNode
from imuface_interfaces.msg import AffectState
from rclpy.duration import Duration
from rclpy.parameter import Parameter
from rosbags.rosbag2 import Reader

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
