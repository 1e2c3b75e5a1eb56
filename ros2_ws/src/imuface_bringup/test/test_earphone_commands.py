"""How the ears do, what is around, and which bud is left: the tables, and the commands with real nodes over DDS."""

from __future__ import annotations

import subprocess
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from imuface_bringup import environment
from imuface_bringup.earphone_commands import around, state
from imuface_bringup.launch_file import plan
from imuface_bringup.observer import Health
from imuface_bringup.process import Graph
from imuface_core import topics
from imuface_core.earphone import EARS
from imuface_core.stamps import set_ns
from imuface_driver.bluetooth.radio import Seen
from imuface_node import GraphClient, qos
from rich.console import Console, RenderableType
from sensor_msgs.msg import Imu

IMUFACE = Path(sysconfig.get_path("scripts")) / "imuface"


def text(shown: RenderableType) -> str:
    console = Console(width=150, file=StringIO())
    with console.capture() as capture:
        console.print(shown)
    return capture.get()


def ear(message: str, **values: str) -> Health:
    return Health(True, False, message, {"source": "Bluetooth", "received": "90", "lost": "10", **values})


def test_the_state_of_both_ears_and_how_they_are_worn() -> None:
    driver = {
        "left ear": ear("104.0 Hz", rate_hz="104.00", battery_percent="73", rssi_dbm="-60", gravity="9.79"),
        "right ear": ear(
            "silent for 2.0 s: imuface R is gone; looking for it", rate_hz="nan", battery_percent="unknown"
        ),
    }
    lines = text(state(driver, {"wearing": ear("the left earbud sits loosely")}))
    for words in (
        "104.00 Hz",
        "10 of 100 (10.0%)",
        "73 %",
        "-60 dBm",
        "9.79 m/s²",
        "imuface R is gone",
        "sits loosely",
    ):
        assert words in lines
    assert "nan" not in lines
    assert "unknown" not in lines
    assert text(state({"": Health(False, True, "cannot be configured: no adapter", {})}, {})).startswith("cannot be")


def test_what_is_around() -> None:
    shown = text(
        around(
            [
                Seen("imuface L", "C0:01", -50, "xiao", "left"),
                Seen("", "C0:02", -90, "", ""),
                Seen("[b]x[/q]", "", 0, "", ""),
            ]
        )
    )
    assert "imuface L" in shown
    assert "[b]x[/q]" in shown
    assert "(no name)" in shown
    assert "imuface up earphones source:=bluetooth left:=ADDRESS" in shown
    assert "none of them is an earphone" in text(around([Seen("TV", "C0:02", -90, "", "")]))
    assert "no Bluetooth device in reach" in text(around([]))


def imuface(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(IMUFACE), *arguments], capture_output=True, text=True, timeout=60)


@contextmanager
def sending(person: str, tapped: str, turn: Callable[[float], float]) -> Iterator[None]:
    """Two ears of a person whose head turns like that and who taps one of them all the time."""
    environment.complete()
    generator = np.random.default_rng(0)
    stop = threading.Event()
    with GraphClient("ears", f"/{person}") as client:
        publishers = {ear: client.node.create_publisher(Imu, topics.IMU[ear], qos(topics.IMU[ear])) for ear in EARS}

        def send() -> None:
            for index in range(100_000):
                if stop.wait(0.01):
                    return
                for ear, publisher in publishers.items():
                    message = Imu()
                    set_ns(message.header.stamp, time.time_ns())
                    message.linear_acceleration.z = 9.8 + 0.05 * generator.normal()
                    message.linear_acceleration.x = 30.0 * (ear == tapped and index % 40 == 0)
                    message.angular_velocity.y = turn(0.01 * index) + 0.01 * generator.normal()
                    publisher.publish(message)

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def nodding(seconds: float) -> float:
    return float(0.8 * np.sin(2.0 * np.pi * seconds))


@pytest.mark.graph
def test_pair_tells_exchanged_buds_from_right_ones() -> None:
    with sending("paired", "left", nodding):
        result = imuface("pair", "--seconds", "3", "--namespace", "paired")
        assert (result.returncode, "nothing is to be changed" in result.stdout) == (0, True), result
    with sending("swapped", "right", nodding):
        result = imuface("pair", "--seconds", "3", "--namespace", "swapped")
        assert result.returncode == 1
        assert "The buds are exchanged: put each bud into the other ear" in result.stdout
    with sending("at_rest", "left", lambda seconds: 0.0):
        result = imuface("pair", "--seconds", "3", "--namespace", "at_rest")
        assert result.returncode == 1
        assert "imuface: neither bud saw a nod" in result.stderr


@pytest.mark.graph
def test_what_cannot_work_is_one_line() -> None:
    result = imuface("pair", "--namespace", "nobody")
    assert result.returncode == 1
    assert result.stderr.startswith("imuface: no samples of the left ear and the right ear within 5 s")
    result = imuface("earphones", "--namespace", "nobody")
    assert result.returncode == 1
    assert result.stderr.startswith("imuface: no imuface_driver reports in /nobody within 5 s")


@pytest.mark.graph
def test_the_earphones_of_a_running_driver_are_shown() -> None:
    environment.complete()
    file = environment.share() / "launch" / "earphones.launch.yaml"
    with Graph(plan(file, {"namespace": "shown"}).nodes, lambda node, line: None):
        deadline = time.monotonic() + 40
        while "30.00 Hz" not in (result := imuface("earphones", "--once", "--namespace", "shown")).stdout:
            assert time.monotonic() < deadline, result
    assert "simulated earphones" in result.stdout
    assert "m/s²" in result.stdout
