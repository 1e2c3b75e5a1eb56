"""Both executors under a node: what it is told, what it is not, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest
import rclpy
from imuface_node import AutostartNode, GraphClient, arrived
from imuface_node.executor import make_executor
from rcl_interfaces.srv import GetParameters
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from std_msgs.msg import String

pytestmark = pytest.mark.graph
DEPTH = QoSProfile(depth=10)


@pytest.fixture(params=[False, True], ids=["single-threaded", "events"])
def executor(request: pytest.FixtureRequest) -> Iterator[Any]:
    rclpy.init()
    executor = make_executor(request.param)
    yield executor
    nodes = list(executor.get_nodes())
    executor.shutdown()
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown()


def node_with_messages(executor: Any, subscribe: Callable[[AutostartNode], Any], count: int) -> Any:
    """What ``subscribe`` returns, after so many messages have come for it that nobody has taken."""
    node = AutostartNode("listener")
    executor.add_node(node)
    subscription = subscribe(node)
    executor.spin_once(timeout_sec=0.1)  # the events executor takes note of it
    publisher = node.create_publisher(String, "words", DEPTH)
    deadline = time.monotonic() + 20.0
    while not publisher.get_subscription_count():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for number in range(count):
        publisher.publish(String(data=str(number)))
    time.sleep(0.5)
    return subscription


def spin_for(executor: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0.0:
        executor.spin_once(timeout_sec=left)


def test_what_came_for_a_destroyed_subscription_is_not_handed_out(executor: Any) -> None:
    heard: list[str] = []

    def subscribe(node: AutostartNode) -> None:
        def once(message: String) -> None:
            heard.append(message.data)
            node.destroy_subscription(subscription)

        subscription = node.create_subscription(String, "words", once, DEPTH)

    node_with_messages(executor, subscribe, 5)
    spin_for(executor, 1.0)
    assert heard == ["0"]


def test_a_destroyed_timer_does_not_fire_though_it_was_due(executor: Any) -> None:
    node = AutostartNode("clock")
    executor.add_node(node)
    fired: list[int] = []

    def fire(which: int) -> None:
        fired.append(which)
        for timer in timers:
            node.destroy_timer(timer)

    timers = [node.create_timer(0.1, lambda: fire(0)), node.create_timer(0.1, lambda: fire(1))]
    executor.spin_once(timeout_sec=0.0)
    time.sleep(0.3)
    spin_for(executor, 1.0)
    assert len(fired) == 1


def test_an_unattended_subscription_wakes_nobody_and_can_be_read(executor: Any) -> None:
    subscription = node_with_messages(
        executor, lambda node: node.create_unattended_subscription(String, "words", DEPTH), 3
    )
    busy = time.process_time()
    spin_for(executor, 2.0)
    assert time.process_time() - busy < 1.0
    assert [message.data for message in arrived(subscription)] == ["0", "1", "2"]


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
def test_a_node_by_events_answers_and_ends_cleanly(interrupt: signal.Signals) -> None:
    program = """
import imuface_node

class Node(imuface_node.AutostartNode):
    BY_EVENTS = True

imuface_node.main(lambda: Node('eventful'))
"""
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    with GraphClient("asker", "/") as client:
        parameters: Client = client.node.create_client(GetParameters, "eventful/get_parameters")
        assert client.until(parameters.service_is_ready, 30.0)
        answer = parameters.call_async(GetParameters.Request(names=["autostart"]))
        assert client.until(answer.done, 30.0)
        response = answer.result()
        assert response is not None
        assert response.values[0].bool_value
    process.send_signal(interrupt)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def no_package(name: str) -> str:
    raise PackageNotFoundError(name)


@pytest.mark.parametrize("version", [lambda name: "7.1.4", no_package], ids=["jazzy", "unknown"])
def test_without_a_sound_events_executor_the_single_threaded_one_spins(
    monkeypatch: pytest.MonkeyPatch, version: Callable[[str], str]
) -> None:
    with rclpy.init():
        monkeypatch.setattr("imuface_node.executor.version", version)
        assert isinstance(make_executor(True), SingleThreadedExecutor)


def test_without_any_events_executor_the_single_threaded_one_spins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rclpy.experimental", None)
    with rclpy.init():
        assert isinstance(make_executor(True), SingleThreadedExecutor)
