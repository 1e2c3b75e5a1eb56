"""How soon a robot can begin to speak, and how soon it is silent: real nodes over DDS.

The first figures are the times from the last word (a final utterance) to when the voice begins with the
acknowledgement, and to the first sentence of the answer; their baseline is the time to the complete reply of the same
post; medians over the posts. The last is the time from the first word that a person says into the robot's speech to the
news that it stopped, told once the voice's process was sent its end.
``python benchmarks/robot.py [--model NAME]``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from imuface_core import topics
from imuface_interfaces.msg import EmpathyReply, Sentence, Utterance, Voice
from imuface_node import GraphClient, offered, qos

POSTS = Path(__file__).with_name("dialogue_posts.yaml")
NAMESPACE = f"robot_benchmark_{os.getpid()}"
PATIENCE = 600.0  # s


@contextmanager
def running(module: str, **parameters: object) -> Iterator[None]:
    """A node as a process."""
    command = [sys.executable, "-c", f"from {module} import main; main()", "--ros-args", "-r", f"__ns:=/{NAMESPACE}"]
    for name, value in parameters.items():
        command += ["-p", f"{name}:={value}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


class Person(GraphClient):
    """Speaks, and takes down when sentences, replies and the voice's news come."""

    def __init__(self) -> None:
        super().__init__("person", NAMESPACE)
        self.came: list[tuple[float, Any]] = []
        for kind, topic in ((Sentence, topics.SENTENCE), (EmpathyReply, topics.REPLY), (Voice, topics.VOICE)):
            self.node.create_subscription(kind, topic, self._take, qos(topic))
        self._utterances = self.node.create_publisher(Utterance, topics.UTTERANCE, offered(topics.UTTERANCE))
        self._sentences = self.node.create_publisher(Sentence, topics.SENTENCE, offered(topics.SENTENCE))

    def _take(self, message: Any) -> None:
        self.came.append((time.monotonic(), message))

    def await_listeners(self, count: int = 1) -> None:
        assert self.until(lambda: self._utterances.get_subscription_count() >= count, 60.0)
        self.until(lambda: False, 1.0)

    def post(self, text: str) -> tuple[float, float, float]:
        """Seconds to the voice's beginning, to the first sentence, and to the whole reply."""
        self.came.clear()
        started = time.monotonic()
        self._utterances.publish(Utterance(text=text))
        assert self.until(lambda: any(isinstance(message, EmpathyReply) for _, message in self.came), PATIENCE)
        kinds = (Voice, Sentence, EmpathyReply)
        voice, first, whole = (next(when for when, each in self.came if isinstance(each, kind)) for kind in kinds)
        return voice - started, first - started, whole - started

    def interruption(self) -> float:
        """Seconds from a word into a sentence to silence."""
        self.came.clear()
        self._sentences.publish(Sentence(reply_id=uuid.uuid4().hex, text="A long sentence.", locale="en"))
        assert self.until(lambda: len(self.came) >= 2, 60.0)  # our own sentence, and that the voice begins
        self.until(lambda: False, 0.5)
        started = time.monotonic()
        self._utterances.publish(Utterance(text="Wait", state=Utterance.PARTIAL, id=uuid.uuid4().hex))
        assert self.until(lambda: self.came[-1][1].state == Voice.STOPS, 60.0)
        return self.came[-1][0] - started


def main(
    model: Annotated[str, typer.Option(help="Model of the catalogue.")] = "",
    posts: Annotated[int, typer.Option(min=1, help="Posts to answer, of each language.")] = 3,
    interruptions: Annotated[int, typer.Option(min=1, help="Times the person speaks into a sentence.")] = 30,
) -> None:
    """Run the benchmark."""
    languages = yaml.safe_load(POSTS.read_text(encoding="utf-8"))
    texts = [text for written in languages.values() for text in written[:posts]]
    person = Person()
    with person, tempfile.TemporaryDirectory() as folder:
        voice = Path(folder) / "voice"
        voice.write_text("#!/bin/sh\nexec sleep 60\n")
        voice.chmod(0o755)
        with running("imuface_robot.speech_node", program=voice):
            person.await_listeners()
            silent = [person.interruption() for _ in range(interruptions)]
            with running("empathy_agent.node", model=f"'{model}'", acknowledge=True):
                person.await_listeners(2)
                person.post("Hello.")  # the instructions are evaluated by then
                times = [person.post(text) for text in texts]
        heard, first, whole = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {len(times)} posts")
        print(f"last word to acknowledgement {heard:.3f} s, ratio {heard / whole:.4f}")
        print(f"last word to first sentence {first:.1f} s, to complete reply {whole:.1f} s, ratio {first / whole:.2f}")
    print(f"word to silence: median {1e3 * statistics.median(silent):.0f} ms, longest {1e3 * max(silent):.0f} ms")


if __name__ == "__main__":
    typer.run(main)
