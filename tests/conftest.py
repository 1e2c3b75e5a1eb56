"""Whole graphs for the system tests: real processes and DDS, in the ROS domain of this run (../conftest.py)."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from face_recon_node.head import HeadModel
from imuface_bringup import environment
from imuface_bringup.launch_file import NodeProcess, plan
from imuface_bringup.launch_file.node import Parameters
from imuface_bringup.observer import Observer
from imuface_bringup.process import Graph
from imuface_core.recording import LandmarkTrack, Recording
from imuface_simulation import Participant, Performance, simulate

ROOT = Path(__file__).parents[1]
LAUNCH = ROOT / "launch"
sys.path.append(str(ROOT / "ros2_ws/src/empathy_agent/test"))  # for chat_server, which says what a test tells it to
# For a condition that takes a second on an idle machine; a CI machine may be far from idle.
PATIENCE = 90.0


class RunningGraph:
    """A launch file that runs, and what its nodes said."""

    def __init__(self, graph: Graph, lines: list[tuple[str, str]]) -> None:
        self.graph = graph
        self._lines = lines

    def said(self, text: str, node: str = "") -> bool:
        """Whether a node (any, or the one whose label ends in ``node``) printed ``text``."""
        return any(text in line and label.endswith(node) for label, line in self._lines)

    def await_face(self, observer: Observer, count: int = 60) -> None:
        """Wait for ``count`` more frames of the face."""
        target = len(observer.latencies) + count
        self.until(lambda: len(observer.latencies) >= target, f"{count} more frames of the face")

    def until(self, condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        """Wait for ``condition``; fails with the nodes' output."""
        deadline = time.monotonic() + patience
        while not condition():
            output = "\n".join(f"{label}: {line}" for label, line in self._lines)
            assert time.monotonic() < deadline, f"{what}: not within {patience:g} s\n{output}"
            time.sleep(0.05)


@contextlib.contextmanager
def launched(launch_file: str, **arguments: str) -> Iterator[RunningGraph]:
    """Run one of our launch files."""
    environment.complete()
    with running(plan(LAUNCH / f"{launch_file}.launch.yaml", arguments).nodes) as graph:
        yield graph


@contextlib.contextmanager
def running(nodes: Iterable[NodeProcess]) -> Iterator[RunningGraph]:
    """Run nodes."""
    lines: list[tuple[str, str]] = []
    with Graph(nodes, lambda node, line: lines.append((node.label, line))) as graph:
        yield RunningGraph(graph, lines)


@pytest.fixture
def launch() -> Callable[..., contextlib.AbstractContextManager[RunningGraph]]:
    """:func:`launched`, since test modules cannot import from here."""
    return launched


@pytest.fixture
def record() -> Callable[[str, Path], contextlib.AbstractContextManager[RunningGraph]]:
    """Records a person's topics into a folder, from the moment the context is entered."""

    @contextlib.contextmanager
    def recording_of(namespace: str, folder: Path) -> Iterator[RunningGraph]:
        parameters: Parameters = {"path": str(folder), "all_topics": True}
        node = NodeProcess("imuface_bringup", "recorder_node", namespace=f"/{namespace}", parameters=(parameters,))
        with running([node]) as graph:
            graph.until(lambda: graph.said("recording into"), "the recorder")
            yield graph

    return recording_of


@pytest.fixture(scope="session")
def recording() -> Recording:
    """Twelve seconds of a simulated person, with the true landmarks."""
    seconds, start_ns = 12.0, 1_700_000_000_000_000_000
    simulated = simulate(Performance.natural(5, seconds), Participant.random(5), seconds, start_ns=start_ns)
    assert simulated.blendshapes is not None
    points = HeadModel.load().landmarks(simulated.blendshapes.weights)
    return dataclasses.replace(simulated, landmarks=LandmarkTrack(simulated.blendshapes.stamps, points))
