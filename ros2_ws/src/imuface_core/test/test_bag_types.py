from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from imuface_core import topics
from imuface_core.bag.types import digest, typestore
from rosbags.interfaces import Connection, ConnectionExtRosbag2, MessageDefinition, MessageDefinitionFormat

IMU = topics.IMU["left"].type
PARTS = ("std_msgs/Header", "builtin_interfaces/Time", "geometry_msgs/Quaternion", "geometry_msgs/Vector3")


def connection(text: str, form: MessageDefinitionFormat = MessageDefinitionFormat.MSG, stored: str = "") -> Connection:
    ext = ConnectionExtRosbag2("cdr", [])
    return Connection(1, "/x", IMU, MessageDefinition(form, text), stored, 0, ext, None)


def test_a_definition_as_ros_records_it_gives_the_hash_of_its_type() -> None:
    def source(name: str) -> str:
        package, message = name.split("/")
        return Path(sys.prefix, "share", package, "msg", f"{message}.msg").read_text()

    text = source("sensor_msgs/Imu") + "".join(f"\n{'=' * 80}\nMSG: {name}\n{source(name)}" for name in PARTS)
    assert "#" in text
    assert digest(connection(text)) == typestore().hash_rihs01(IMU)
    assert digest(connection(text.replace("float64 w", "float32 w"))) != typestore().hash_rihs01(IMU)
    assert digest(connection(text, stored="RIHS01_0")) == "RIHS01_0"


@given(st.text(max_size=80), st.sampled_from(list(MessageDefinitionFormat)))
def test_a_definition_that_says_nothing_has_no_hash(text: str, form: Any) -> None:
    assert digest(connection(text, form)) != typestore().hash_rihs01(IMU)
