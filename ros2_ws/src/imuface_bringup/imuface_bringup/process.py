"""Running a plan: one real process per node, until one that matters ends or a signal comes."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import yaml

from imuface_bringup import environment
from imuface_bringup.launch_file import NodeProcess, packages

# Each signal of a shutdown and how long a node has to end after it, seconds.
_SHUTDOWN = ((signal.SIGINT, 8.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 2.0))

Report = Callable[[NodeProcess, str], None]


@dataclass(frozen=True)
class Exit:
    """How a node ended by itself; ``code`` is negative for a signal."""

    node: NodeProcess
    code: int

    def __str__(self) -> str:
        if self.code < 0:
            return f"{self.node.label} was killed by {signal.Signals(-self.code).name}"
        return f"{self.node.label} ended with exit code {self.code}"


class NodeError(RuntimeError):
    """A node ended that should be running."""


class Graph:
    """The running processes of a plan; a context manager that leaves none behind.

    ``report`` gets every line that a node prints, from a thread of its own per node.
    """

    def __init__(self, nodes: Iterable[NodeProcess], report: Report) -> None:
        self.nodes = tuple(nodes)
        self.exits: list[Exit] = []
        self._report = report
        self._processes: dict[int, subprocess.Popen[str]] = {}
        self._threads: list[threading.Thread] = []
        # Index of a node that ended; None asks the graph to stop. A SimpleQueue may be put to from a signal handler.
        self._events: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._folder = tempfile.TemporaryDirectory(prefix="imuface_")

    def __enter__(self) -> Graph:
        try:
            # Found before any process starts, so that a missing package leaves nothing half running.
            self._commands = [self._command(index, node) for index, node in enumerate(self.nodes)]
            for index in range(len(self.nodes)):
                self._start(index)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def wait(self) -> None:
        """Wait until every node has ended, a required one has, or :meth:`request_stop` was called."""
        while self._processes:
            if not self._handle(self._events.get()):
                return

    def check(self) -> None:
        """Notice nodes that have ended meanwhile. Raises :class:`NodeError` when there is one."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._handle(self._events.get_nowait())
        if self.exits:
            raise NodeError("; ".join(str(ended) for ended in self.exits))

    @property
    def failed(self) -> bool:
        """Whether a node ended by itself with an error."""
        return any(ended.code != 0 for ended in self.exits)

    def process_id(self, node: NodeProcess) -> int:
        """The process id of a running node. Raises ``ProcessLookupError`` when it has ended."""
        index = self.nodes.index(node)
        if index not in self._processes:
            raise ProcessLookupError(f"{node.label} is not running")
        return self._processes[index].pid

    def request_stop(self) -> None:
        """Make :meth:`wait` return; safe in a signal handler and in any thread."""
        self._events.put(None)

    def stop(self) -> None:
        """Interrupt all nodes, then terminate, then kill those that stay; a Ctrl-C meanwhile kills them at once."""
        try:
            self._shut_down()
        except KeyboardInterrupt:
            for process in self._processes.values():
                _signal_group(process, signal.SIGKILL)
            raise
        finally:
            self._folder.cleanup()

    def _shut_down(self) -> None:
        for number, grace in _SHUTDOWN:
            for process in self._processes.values():
                _signal_group(process, number)
            deadline = time.monotonic() + grace
            for index, process in list(self._processes.items()):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
                    del self._processes[index]
            if not self._processes:
                break
        for thread in self._threads:
            thread.join(timeout=1.0)

    def _handle(self, event: int | None) -> bool:
        """Take note of one event; whether to go on."""
        if event is None:
            return False
        node = self.nodes[event]
        process = self._processes.pop(event)
        ended = Exit(node, process.wait())
        self.exits.append(ended)
        if ended.code != 0:
            self._report(node, f"[ERROR] {ended}")
        return not node.required

    def _start(self, index: int) -> None:
        node = self.nodes[index]
        process = subprocess.Popen(
            self._commands[index],
            env=environment.of_child(node.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # a Ctrl-C in the terminal reaches the nodes through stop() alone, once
        )
        self._processes[index] = process
        thread = threading.Thread(target=self._follow, args=(index, node, process), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _follow(self, index: int, node: NodeProcess, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._report(node, line.rstrip("\n"))
        process.wait()
        self._events.put(index)

    def _command(self, index: int, node: NodeProcess) -> list[str]:
        command = [str(packages.executable(node.package, node.executable)), *node.arguments]
        command += ["--ros-args", "-r", f"__ns:={node.namespace}"]
        if node.name is not None:
            command += ["-r", f"__node:={node.name}"]
        for number, parameters in enumerate(node.parameters):
            file = parameters
            if not isinstance(file, Path):
                file = Path(self._folder.name) / f"{index}_{number}.yaml"
                file.write_text(yaml.safe_dump({"/**": {"ros__parameters": parameters}}), encoding="utf-8")
            command += ["--params-file", str(file)]
        for source, target in node.remappings:
            command += ["-r", f"{source}:={target}"]
        return command


@contextlib.contextmanager
def stop_on_signals(graph: Graph) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end ``graph.wait()``; a second one ends this process at once, as usual."""

    def handle(number: int, frame: FrameType | None) -> None:
        graph.request_stop()
        signal.signal(number, previous[number])

    previous: dict[int, Any] = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _signal_group(process: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
