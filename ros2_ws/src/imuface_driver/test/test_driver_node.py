"""The driver as a process of its own, seen over DDS."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from imuface_core.earphone import EARS, STANDARD_GRAVITY
from imuface_core.recording import ImuTrack, Recording
from imuface_core.session import write_session
from imuface_driver.ear import EarHealth, ImuSample
from imuface_driver.node import ImufaceDriver
from imuface_driver.sources import Sink, Source
from imuface_interfaces.msg import Blendshapes
from imuface_node import StatusLevel
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Imu

pytestmark = pytest.mark.graph


class Graph:
    """A driver process and a listener to everything it says."""

    def __init__(self, **parameters: object) -> None:
        self.imu: dict[str, list[tuple[int, Imu]]] = {ear: [] for ear in EARS}
        self.references: list[Blendshapes] = []
        self.reports: list[dict[str, DiagnosticStatus]] = []
        self._context = rclpy.Context()
        self._context.init()
        node = rclpy.create_node("listener", context=self._context)
        for ear in EARS:
            node.create_subscription(
                Imu,
                f"{ear}/imu/data_raw",
                lambda message, ear=ear: self.imu[ear].append((time.time_ns(), message)),
                qos_profile_sensor_data,
            )
        node.create_subscription(Blendshapes, "reference/blendshapes", self.references.append, qos_profile_sensor_data)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_report, 10)
        self._node = node
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(node)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()
        command = [sys.executable, "-c", "from imuface_driver.node import main; main()", "--ros-args"]
        for name, value in parameters.items():
            command += ["-p", f"{name.replace('__', '.')}:={value}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def close(self) -> str:
        """End the driver as Ctrl-C does; what it printed."""
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=15)
        self._stop.set()
        self._thread.join()
        self._node.destroy_node()
        self._context.shutdown()
        return output

    def values(self, part: str) -> dict[str, str]:
        return {value.key: value.value for value in self.reports[-1][part].values}

    def level(self, part: str) -> int:
        return self.reports[-1][part].level[0] if self.reports and part in self.reports[-1] else -1

    def message(self, part: str) -> str:
        return self.reports[-1][part].message

    def _on_report(self, message: DiagnosticArray) -> None:
        self.reports.append({status.name: status for status in message.status})

    def _spin(self) -> None:
        while not self._stop.is_set():
            self._executor.spin_once(timeout_sec=0.1)


@pytest.fixture
def driver() -> Iterator[Callable[..., Graph]]:
    graphs: list[Graph] = []

    def start(**parameters: object) -> Graph:
        graphs.append(Graph(**parameters))
        return graphs[-1]

    yield start
    for graph in graphs:
        if graph.process.poll() is None:
            graph.close()


LEFT, RIGHT, NODE = "/imuface_driver: left ear", "/imuface_driver: right ear", "/imuface_driver"
OK, WARN, ERROR = DiagnosticStatus.OK[0], DiagnosticStatus.WARN[0], DiagnosticStatus.ERROR[0]


def stamp_ns(message: Imu | Blendshapes) -> int:
    return message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec


def test_frames_and_covariances_are_parameters(driver: Callable[..., Graph], wait_for: Callable[..., None]) -> None:
    graph = driver(
        person_id="anna", left_frame_id="left_bud", linear_acceleration_stdev=0.5, angular_velocity_stdev=0.0
    )
    wait_for(lambda: graph.imu["left"] and graph.imu["right"] and graph.references)
    frames = [graph.imu[ear][0][1].header.frame_id for ear in EARS]
    assert [*frames, graph.references[0].header.frame_id] == ["left_bud", "earphone_right_imu_link_anna", "face_anna"]
    message = graph.imu["right"][0][1]
    assert message.linear_acceleration_covariance.tolist() == [0.25, 0, 0, 0, 0.25, 0, 0, 0, 0.25]
    assert message.angular_velocity_covariance.tolist() == [0.0] * 9  # unknown (REP-145)


def test_a_person_who_cannot_be_in_a_frame_is_refused(
    driver: Callable[..., Graph], wait_for: Callable[..., None]
) -> None:
    graph = driver(person_id="anna b")
    wait_for(lambda: graph.level(NODE) == ERROR)
    assert "a person is called 'anna b' in frames: use letters" in graph.message(NODE)


@pytest.mark.timing
def test_simulated_earphones_are_published_by_default(
    driver: Callable[..., Graph], wait_for: Callable[..., None]
) -> None:
    graph = driver()
    wait_for(lambda: len(graph.imu["left"]) >= 90 and len(graph.imu["right"]) >= 90 and graph.level(LEFT) == OK)
    for ear, name in (("left", LEFT), ("right", RIGHT)):
        messages = [message for _, message in graph.imu[ear]]
        assert {message.header.frame_id for message in messages} == {f"earphone_{ear}_imu_link"}
        assert all(message.orientation_covariance[0] == -1.0 for message in messages)
        assert all(message.linear_acceleration_covariance[0] > 0.0 for message in messages)
        force = np.mean(
            [(m.linear_acceleration.x, m.linear_acceleration.y, m.linear_acceleration.z) for m in messages], 0
        )
        assert np.linalg.norm(force) == pytest.approx(STANDARD_GRAVITY, rel=0.1)
        intervals = np.diff([stamp_ns(message) for message in messages])
        assert np.all(intervals > 0)
        assert np.median(intervals) == pytest.approx(1e9 / 30.0, rel=1e-3)
        late = np.array([arrival - stamp_ns(message) for arrival, message in graph.imu[ear]])
        assert np.median(late) < 10e6
        assert float(graph.values(name)["rate_hz"]) == pytest.approx(30.0, rel=0.01)
        assert graph.values(name)["lost"] == "0"
    wait_for(lambda: stamp_ns(graph.references[-1]) >= stamp_ns(graph.imu["left"][80][1]))
    left_stamps = {stamp_ns(message) for _, message in graph.imu["left"]}
    references = {stamp_ns(message) for message in graph.references}
    assert len(references & left_stamps) >= 70
    assert all(0.0 <= weight <= 1.0 for weight in graph.references[0].weights)
    assert "publishing from simulated earphones" in graph.close()
    assert graph.process.returncode == 0


def test_a_serial_device_is_followed_through_unplugging_and_an_ear_that_stops(
    driver: Callable[..., Graph],
    emulate: Callable[..., subprocess.Popen[bytes]],
    wait_for: Callable[..., None],
    tmp_path: Path,
) -> None:
    link = tmp_path / "ttyEAR"
    device = emulate(link, tmp_path / "truth.json")
    graph = driver(source="serial", serial__left_port=link, serial__right_port=link)
    wait_for(lambda: graph.level(LEFT) == OK and graph.level(RIGHT) == OK)
    assert graph.values(LEFT)["battery_percent"] == "73"
    device.send_signal(signal.SIGUSR1)
    wait_for(lambda: graph.level(LEFT) == WARN and f"{link} was unplugged" in graph.message(LEFT))
    device.send_signal(signal.SIGUSR1)
    wait_for(lambda: graph.level(LEFT) == OK and graph.level(RIGHT) == OK)
    assert graph.values(LEFT)["link_reconnects"] == "1"
    assert int(graph.values(LEFT)["lost"]) >= 30
    wait_for(lambda: int(graph.values(LEFT)["link_crc_errors"]) >= 1)  # frames are corrupted at random
    device.send_signal(signal.SIGUSR2)
    # The right ear stops: it is reported, and the left one is not held up.
    wait_for(lambda: graph.level(LEFT) == OK and graph.message(RIGHT).startswith("silent for"))
    assert graph.level(RIGHT) == WARN
    before = len(graph.imu["left"])
    wait_for(lambda: len(graph.imu["left"]) > before + 30)
    output = graph.close()
    assert "was unplugged" in output
    assert "is back (reconnect 1)" in output
    assert "Traceback" not in output


def test_a_bag_with_one_ear_is_played(
    driver: Callable[..., Graph], wait_for: Callable[..., None], tmp_path: Path
) -> None:
    stamps = 1_000_000_000 + np.arange(300, dtype=np.int64) * 33_333_333
    write_session(
        tmp_path / "session", Recording(None, ImuTrack(stamps, *np.random.default_rng(0).normal(size=(2, 300, 3))))
    )
    graph = driver(source="bag", bag__path=tmp_path / "session")
    wait_for(lambda: len(graph.imu["right"]) > 30 and graph.level(RIGHT) == OK)
    assert not graph.imu["left"]
    assert LEFT not in graph.reports[-1]
    assert abs(graph.imu["right"][-1][0] - stamp_ns(graph.imu["right"][-1][1])) < 1e9
    assert "has no left ear" in graph.close()


def test_what_cannot_work_is_said_and_the_node_stays_up(
    driver: Callable[..., Graph], wait_for: Callable[..., None]
) -> None:
    graph = driver(source="serial", serial__left_port="/dev/ttyNONE")
    message = "cannot be configured: cannot open serial port '/dev/ttyNONE'"
    wait_for(lambda: graph.level(NODE) == ERROR)
    assert message in graph.message(NODE)
    output = graph.close()
    assert message in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"source": "serial"}, "neither serial.left_port nor serial.right_port"),
        ({"source": "bluetooth", "bluetooth.device": "banana"}, "bluetooth.device is 'banana', must be one of any, "),
        (
            {"source": "bluetooth", "bluetooth.device": "esense", "bluetooth.right": "eSense-0001"},
            "bluetooth.right is given, but eSense (left bud) has no right ear with a sensor",
        ),
        ({"source": "bag", "bag.path": "/nowhere"}, "there is no session at /nowhere"),
        ({"source": "bag"}, "bag.path is empty"),
        ({"source": "telepathy"}, "source is 'telepathy', must be one of simulated, bluetooth, serial, udp, bag"),
        ({"simulated.activity": "dancing"}, "simulated.activity is 'dancing', must be one of still"),
        ({"simulated.seed": -3}, "simulated.seed is -3, must be 0 to"),
        ({"rate": -5.0}, "rate is -5.0, must be 10 to 208"),
        ({"udp.port": 99999}, "udp.port is 99999, must be 0 to 65535"),
        ({"simulated.performance": "/nowhere.csv"}, "/nowhere.csv"),
        ({"source": "udp", "udp.host": "192.0.2.1"}, "cannot receive at udp://192.0.2.1:47800"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict[str, Any], message: str) -> None:
    with rclpy.init():
        node = ImufaceDriver(parameter_overrides=[Parameter(name, value=value) for name, value in parameters.items()])
        assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
        assert message in node._failure
        node.close()
        node.destroy_node()


def test_a_machine_without_bluetooth_fails_the_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    with rclpy.init():
        node = ImufaceDriver(parameter_overrides=[Parameter("source", value="bluetooth")])
        assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
        assert "cannot be configured: the system D-Bus, the way to BlueZ, is not there" in node._failure
        node.close()
        node.destroy_node()


class Broken(Source):
    """A source with a fault of its own."""

    name = "broken"

    def __init__(self) -> None:
        self.health = {"left": EarHealth()}

    def open(self) -> None:
        pass

    def run(self, sink: Sink, stop: threading.Event) -> None:
        raise ZeroDivisionError("a mistake")

    def close(self) -> None:
        pass


def test_a_reader_does_not_die_unnoticed(monkeypatch: pytest.MonkeyPatch, wait_for: Callable[..., None]) -> None:
    source = Broken()
    monkeypatch.setattr(ImufaceDriver, "_create_sources", lambda self: [source])
    with rclpy.init():
        node = ImufaceDriver()
        node.autostart()
        wait_for(lambda: source.fault)
        ((part, status),) = node.status()
        assert (part, status.level) == ("left ear", StatusLevel.WARN)
        assert "reading broken failed: ZeroDivisionError('a mistake')" in status.message
        node.close()
        node.destroy_node()


class Interrupted(Broken):
    """A source in whose work ROS is shut down, as by an interrupt."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def run(self, sink: Sink, stop: threading.Event) -> None:
        try:
            rclpy.try_shutdown()
            sink.imu(ImuSample("left", 1, (0.0, 0.0, 9.8), (0.0, 0.0, 0.0)))
        finally:
            self.over.set()


def test_a_reader_that_is_interrupted_is_not_at_fault(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    source = Interrupted()
    monkeypatch.setattr(ImufaceDriver, "_create_sources", lambda self: [source])
    with rclpy.init():
        node = ImufaceDriver()
        node.setup()
        node.start()
        assert source.over.wait(10.0)
        node.stop()
        assert not source.fault
        assert "failed" not in capfd.readouterr().err
        node.close()
        node.destroy_node()


def test_the_node_can_be_stopped_started_and_set_up_again() -> None:
    with rclpy.init():
        node = ImufaceDriver()
        node.autostart()
        for _ in range(2):
            assert node.active
            assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
            assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
            assert node.status() == []
            node.autostart()
        node.close()
        node.destroy_node()
