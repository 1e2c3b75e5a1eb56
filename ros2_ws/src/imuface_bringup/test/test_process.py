"""Real processes: the driver with simulated earphones, and scripts in an ament prefix."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from imuface_bringup import environment
from imuface_bringup.launch_file import LaunchFileError, NodeProcess, packages
from imuface_bringup.process import Graph, NodeError, stop_on_signals


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Makes an executable of the package ``scripts`` in an ament prefix of the test's own."""
    folder = tmp_path / "lib" / "scripts"
    folder.mkdir(parents=True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))

    def make(executable: str, body: str, **settings: object) -> NodeProcess:
        path = folder / executable
        path.write_text(f"#!{sys.executable} -S\n{body}\n")
        path.chmod(0o755)
        return NodeProcess("scripts", executable, **settings)  # type: ignore[arg-type]

    return make


class Lines:
    """Collects what nodes print."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def report(self, node: NodeProcess, line: str) -> None:
        self.lines.append((node.executable, line))

    def wait_for(self, text: str, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not any(text in line for _, line in self.lines):
            assert time.monotonic() < deadline, f"no '{text}' in {self.lines}"
            time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_node_gets_its_name_parameters_and_environment(script, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    parameters = tmp_path / "p.yaml"
    parameters.write_text("x")
    node = script(
        "show",
        "import os, sys\nprint(sys.argv[1:], os.environ['E'])\n"
        "print(open(sys.argv[sys.argv.index('--params-file') + 1]).read())",
        name="n",
        namespace="/a",
        arguments=("--flag",),
        parameters=({"rate": 30.0, "empty": ""}, parameters),
        remappings=(("from", "to"),),
        environment={"E": "e"},
    )
    lines = Lines()
    with Graph([node], lines.report) as graph:
        graph.wait()
    first = lines.lines[0][1]
    assert "'--flag', '--ros-args', '-r', '__ns:=/a', '-r', '__node:=n', '--params-file'" in first
    assert f"'--params-file', '{parameters}', '-r', 'from:=to'] e" in first
    text = "\n".join(line for _, line in lines.lines[1:])
    assert "ros__parameters" in text
    assert "rate: 30.0" in text
    assert not graph.failed


def test_a_failed_node_is_reported_and_the_others_go_on(script) -> None:  # type: ignore[no-untyped-def]
    bad = script("bad", "import sys; sys.exit(3)")
    good = script("good", "import time; time.sleep(0.5); print('done', flush=True)")
    lines = Lines()
    with Graph([bad, good], lines.report) as graph:
        graph.wait()
    assert graph.failed
    assert ("good", "done") in lines.lines
    assert ("bad", "[ERROR] /bad ended with exit code 3") in lines.lines


def test_a_required_node_ends_the_graph(script) -> None:  # type: ignore[no-untyped-def]
    short = script("short", "print('over')", required=True)
    long = script("long", "import time; time.sleep(60)")
    start = time.monotonic()
    with Graph([short, long], Lines().report) as graph:
        pid = graph.process_id(long)
        graph.wait()
    assert time.monotonic() - start < 10
    assert not graph.failed
    assert not alive(pid)


def test_check_tells_of_a_death(script) -> None:  # type: ignore[no-untyped-def]
    node = script("dies", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with Graph([node], Lines().report) as graph:
        graph.wait()
        with pytest.raises(NodeError, match="/dies was killed by SIGKILL"):
            graph.check()
        with pytest.raises(ProcessLookupError, match="not running"):
            graph.process_id(node)


def test_a_stubborn_node_is_killed(script, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(
        "imuface_bringup.process._SHUTDOWN", ((signal.SIGINT, 0.3), (signal.SIGTERM, 0.3), (signal.SIGKILL, 5.0))
    )
    node = script(
        "stubborn",
        "import signal, time\nfor s in (signal.SIGINT, signal.SIGTERM): signal.signal(s, signal.SIG_IGN)\n"
        "print('up', flush=True)\ntime.sleep(60)",
    )
    lines = Lines()
    with Graph([node], lines.report) as graph:
        pid = graph.process_id(node)
        lines.wait_for("up")
    assert not alive(pid)


def test_a_missing_executable_starts_nothing(script) -> None:  # type: ignore[no-untyped-def]
    good = script("good", "import time; time.sleep(60)")
    with pytest.raises(LaunchFileError, match="no executable 'nothing' in package 'scripts'"):
        Graph([good, NodeProcess("scripts", "nothing")], Lines().report).__enter__()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_waiting(script, number: signal.Signals) -> None:  # type: ignore[no-untyped-def]
    node = script("long", "import time; time.sleep(60)")
    graph = Graph([node], Lines().report)
    before = signal.getsignal(number)
    with stop_on_signals(graph), graph:
        threading.Timer(0.2, os.kill, (os.getpid(), number)).start()
        graph.wait()
    assert signal.getsignal(number) == before
    assert not graph.failed


def test_the_driver_runs_and_ends_cleanly_on_an_interrupt() -> None:
    node = NodeProcess("imuface_driver", "imuface_driver", namespace="/process_test")
    lines = Lines()
    with Graph([node], lines.report) as graph:
        lines.wait_for("publishing from")
        process = graph._processes[0]
    assert process.returncode == 0
    assert not [line for _, line in lines.lines if "Traceback" in line]


def test_executables_are_found_where_pip_puts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    if "AMENT_PREFIX_PATH" not in os.environ:
        monkeypatch.setenv("AMENT_PREFIX_PATH", sys.prefix)
    assert os.access(packages.executable("imuface_bringup", "recorder_node"), os.X_OK)
    assert (packages.share_directory("imuface_bringup") / "launch" / "demo.launch.yaml").is_file()
    assert (packages.share_directory("imuface_interfaces") / "package.xml").is_file()


def test_a_child_finds_its_own_libraries_and_the_default_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "1")
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE")
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("ROS_LOG_DIR")
    child = environment.of_child({"NEW": "1"})
    assert "_ROS_WHEELS_BOOTSTRAP_COMPLETE" not in child
    assert child["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert child["AMENT_PREFIX_PATH"] == sys.prefix
    assert child["NEW"] == "1"
    assert child["ROS_LOG_DIR"]
