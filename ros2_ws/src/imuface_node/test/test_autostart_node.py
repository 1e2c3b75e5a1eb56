"""The autostarting lifecycle node, in a real ROS graph."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from imuface_node import AutostartNode, Status, StatusLevel
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter

pytestmark = pytest.mark.graph


class Worker(AutostartNode):
    """Fails in the transition that it is told to fail in, and notes what was called."""

    def __init__(self, failing: str = "", autostart: bool = True) -> None:
        super().__init__("worker", parameter_overrides=[Parameter("autostart", value=autostart)])
        self.failing = failing
        self.calls: list[str] = []

    def setup(self) -> None:
        self._note("setup")

    def start(self) -> None:
        self._note("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def teardown(self) -> None:
        self.calls.append("teardown")

    def status(self) -> list[tuple[str, Status]]:
        return [("part", Status(StatusLevel.WARN, "warm", {"temperature": "40"}))]

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if call == self.failing:
            raise FileNotFoundError("model 'x' is not there: get it first")


@pytest.fixture
def executor() -> Iterator[SingleThreadedExecutor]:
    rclpy.init()
    executor = SingleThreadedExecutor()
    yield executor
    for node in executor.get_nodes():
        node.destroy_node()
    executor.shutdown()
    rclpy.shutdown()


def diagnostics_of(worker: Worker, executor: SingleThreadedExecutor) -> DiagnosticArray:
    """Spin until the worker's health arrives over DDS."""
    listener = rclpy.create_node("listener")
    received: list[DiagnosticArray] = []
    listener.create_subscription(DiagnosticArray, "/diagnostics", received.append, 10)
    executor.add_node(listener)
    executor.add_node(worker)
    deadline = time.monotonic() + 10
    while not received and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.1)
    assert received, "no diagnostics within 10 s"
    return received[-1]


def test_starts_itself_and_reports_health(executor: SingleThreadedExecutor) -> None:
    worker = Worker()
    worker.autostart()
    assert worker.active
    assert worker.calls == ["setup", "start"]
    (status,) = diagnostics_of(worker, executor).status
    assert status.name == "/worker: part"
    assert status.level == StatusLevel.WARN.value
    assert [(value.key, value.value) for value in status.values] == [("temperature", "40")]


def test_waits_for_a_manager_when_told_to(executor: SingleThreadedExecutor) -> None:
    worker = Worker(autostart=False)
    worker.autostart()
    assert not worker.active
    assert worker.calls == []
    (status,) = diagnostics_of(worker, executor).status
    assert status.level == StatusLevel.STALE.value


@pytest.mark.parametrize(
    ("failing", "calls"),
    [("setup", ["setup", "teardown"]), ("start", ["setup", "start", "stop"])],
)
def test_a_failed_transition_is_undone_reported_and_can_be_repeated(
    executor: SingleThreadedExecutor, failing: str, calls: list[str]
) -> None:
    worker = Worker(failing)
    worker.autostart()
    assert not worker.active
    assert worker.calls == calls
    (status,) = diagnostics_of(worker, executor).status
    assert status.level == StatusLevel.ERROR.value
    assert "model 'x' is not there: get it first" in status.message
    worker.failing = ""
    if failing == "setup":
        worker.trigger_configure()
    worker.trigger_activate()
    assert worker.active


def test_closing_an_active_node_stops_it_first(executor: SingleThreadedExecutor) -> None:
    worker = Worker()
    worker.autostart()
    worker.close()
    assert worker.calls == ["setup", "start", "stop", "teardown"]
    worker.destroy_node()


def test_lifecycle_services_drive_it(executor: SingleThreadedExecutor) -> None:
    worker = Worker(autostart=False)
    worker.autostart()
    worker.trigger_configure()
    client_node = rclpy.create_node("manager")
    client: Client = client_node.create_client(GetState, "worker/get_state")
    executor.add_node(client_node)
    executor.add_node(worker)
    assert client.wait_for_service(timeout_sec=10)
    future = client.call_async(GetState.Request())
    executor.spin_until_future_complete(future, timeout_sec=10)
    response = future.result()
    assert response is not None
    assert response.current_state.id == State.PRIMARY_STATE_INACTIVE


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_process_ends_cleanly(interrupt: signal.Signals) -> None:
    program = "import imuface_node\nimuface_node.main(lambda: imuface_node.AutostartNode('lone'))"
    process = subprocess.Popen(
        [sys.executable, "-c", "import rclpy\n" + program], stderr=subprocess.PIPE, text=True, env=os.environ
    )
    time.sleep(3)
    process.send_signal(interrupt)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def run_program(body: str, *arguments: str) -> subprocess.Popen[str]:
    """``body`` defines a class ``Node``, which runs as an executable of its own."""
    program = f"import sys, time\nimport imuface_node\n{body}\nimuface_node.main(lambda: Node('lone'))"
    command = [sys.executable, "-c", program, "--ros-args", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_further_interrupts_do_not_disturb_the_end() -> None:
    body = """
class Node(imuface_node.AutostartNode):
    def start(self):
        print("started", flush=True)

    def stop(self):
        print("stopping", flush=True)
        time.sleep(1.0)
        print("stopped", flush=True)
"""
    process = run_program(body)
    assert process.stdout is not None
    for line in ("started", "stopping"):
        assert process.stdout.readline().strip() == line
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert "stopped" in output
    assert "Traceback" not in errors


def test_an_interrupt_breaks_off_a_long_start() -> None:
    body = """
class Node(imuface_node.AutostartNode):
    def setup(self):
        print("loading", flush=True)
        time.sleep(60.0)

    def teardown(self):
        print("torn down", flush=True)
"""
    process = run_program(body)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "loading"
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert "torn down" in output
    assert "Traceback" not in errors


@pytest.mark.parametrize("method", ["setup", "start"])
def test_a_required_node_that_cannot_start_ends_with_an_error(method: str) -> None:
    body = f"class Node(imuface_node.AutostartNode):\n    def {method}(self):\n        raise ValueError('no port x')"
    process = run_program(body, "-p", "required:=true")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no port x" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("arguments", [["-p", "autostart:=7"], ["-p", "autostart"], ["-r", "__ns:=/no good"]])
def test_a_bad_argument_is_one_line(arguments: list[str]) -> None:
    program = "import rclpy, imuface_node\nimuface_node.main(lambda: imuface_node.AutostartNode('lone'))"
    done = subprocess.run(
        [sys.executable, "-c", program, "--ros-args", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "bad argument or parameter" in done.stderr
    assert "Traceback" not in done.stderr
