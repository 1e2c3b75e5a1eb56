"""Sentences to say, programs that say nothing, and a graph to listen in."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from empathy_agent.telling import Sentence
from imuface_node import GraphClient, message_class, offered, qos

_PROGRAM = """#!{python}
import sys, time
text = sys.stdin.read()
with open({log!r}, "a") as log:
    log.write(repr((sys.argv[1:], text)) + "\\n")
if "fail" in text:
    sys.exit("error: no voice today")
time.sleep({seconds})
"""


@pytest.fixture
def sentence() -> Callable[..., Sentence]:
    """A sentence of a reply."""

    def make(text: str = "It sounds hard.", index: int = 0, reply_id: str = "r", **fields: Any) -> Sentence:
        return Sentence(
            **{"locale": "en-US", "turn": "story", "session_id": "s"} | fields,
            reply_id=reply_id,
            index=index,
            text=text,
        )

    return make


@pytest.fixture
def program(tmp_path: Path) -> Callable[[float], tuple[Path, Path]]:
    """Makes a program that "speaks" for so many seconds; its path, and that of its log of what it read."""
    numbers = itertools.count()

    def make(seconds: float) -> tuple[Path, Path]:
        path, log = tmp_path / f"speaker{next(numbers)}", tmp_path / "said"
        path.write_text(_PROGRAM.format(python=sys.executable, log=str(log), seconds=seconds))
        path.chmod(0o755)
        log.touch()
        return path, log

    return make


class Graph(GraphClient):
    """Publishes to the topics of a person, and collects what others publish there."""

    def __init__(self, namespace: str) -> None:
        super().__init__("graph", namespace)
        self._publishers: dict[str, Any] = {}

    def collect(self, topic: Any) -> list[Any]:
        messages: list[Any] = []
        self.node.create_subscription(message_class(topic.type), topic, messages.append, qos(topic))
        return messages

    def publish(self, topic: Any, **fields: Any) -> None:
        """Publish a message to everybody who is there."""
        if topic not in self._publishers:
            self._publishers[topic] = self.node.create_publisher(message_class(topic.type), topic, offered(topic))
            assert self.until(lambda: self._publishers[topic].get_subscription_count(), 20.0), f"nobody takes {topic}"
            time.sleep(0.3)  # until all of them are matched
        self._publishers[topic].publish(message_class(topic.type)(**fields))


@pytest.fixture
def graph() -> Iterator[Callable[[str], Graph]]:
    graphs: list[Graph] = []

    def make(namespace: str) -> Graph:
        graphs.append(Graph(namespace))
        return graphs[-1]

    yield make
    for graph in graphs:
        graph.__exit__()


@pytest.fixture
def running() -> Callable[..., Any]:
    """A context in which a node of this package, or another module's, runs as a process."""

    @contextmanager
    def run(module: str, namespace: str, *parameters: str) -> Iterator[subprocess.Popen[str]]:
        command = [
            sys.executable,
            "-c",
            f"from {module} import main; main()",
            "--ros-args",
            "-r",
            f"__ns:=/{namespace}",
        ]
        for parameter in parameters:
            command += ["-p", parameter]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)

    return run
