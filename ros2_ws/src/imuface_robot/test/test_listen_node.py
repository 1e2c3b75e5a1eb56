"""The node that hears, over DDS."""

from __future__ import annotations

import os
import threading
import wave
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from imuface_core import topics
from imuface_interfaces.msg import Utterance, Voice
from imuface_robot.hearing.sources import RATE

pytestmark = pytest.mark.graph

LOUD, SILENT = b"\x00\x40" * RATE, b"\x00\x00" * RATE
"""A second each."""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> str:
    """The module of a node with stand-ins for what needs libraries."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    return "hearing_stand_in"


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def play(pipe: Path, *sounds: bytes) -> None:
    """Write to a pipe as fast as it is read."""
    thread = threading.Thread(target=lambda: pipe.write_bytes(b"".join(sounds)))
    thread.start()
    thread.join(20.0)
    assert not thread.is_alive()


def test_what_is_said_is_told_in_part_and_as_a_whole(
    graph: Callable[[str], Any], running: Callable[..., Any], stand_in: str, pipe: Path
) -> None:
    with running(stand_in, "t_listen", f"audio:={pipe}", "session:=anna", "partial_every:=0.5") as process:
        client = graph("t_listen")
        said = client.collect(topics.UTTERANCE)
        assert client.until(lambda: client.node.count_publishers(f"/t_listen/{topics.UTTERANCE}"), 20.0)
        client.publish(topics.VOICE, reply_id="r", state=Voice.ENDS)  # all are there
        client.until(lambda: False, 0.5)  # of the echo
        play(pipe, SILENT, LOUD, LOUD, SILENT, SILENT)
        assert client.until(lambda: any(each.state == Utterance.FINAL for each in said), 20.0)
        process.terminate()
        output, _ = process.communicate(timeout=20)
    assert [each.state for each in said] == [Utterance.PARTIAL] * (len(said) - 1) + [Utterance.FINAL]
    assert {(each.locale, each.session_id) for each in said} == {("en-US", "anna")}
    assert len({each.id for each in said}) == 1
    assert said[-1].text == "2 words"
    assert said[-1].header.stamp.sec > 0
    assert "words" not in output  # nothing of it in the log


@pytest.fixture
def while_it_speaks(
    graph: Callable[[str], Any], running: Callable[..., Any], stand_in: str, pipe: Path
) -> Callable[..., AbstractContextManager[Any]]:
    """A node that hears a pipe while the robot speaks: the client, and what it hears of the person."""

    @contextmanager
    def listening(name: str, *parameters: str) -> Iterator[Any]:
        with running(stand_in, name, f"audio:={pipe}", "partial_every:=0.0", *parameters):
            client = graph(name)
            said = client.collect(topics.UTTERANCE)
            assert client.until(lambda: client.node.count_publishers(f"/{name}/{topics.UTTERANCE}"), 20.0)
            client.publish(topics.VOICE, reply_id="r", state=Voice.BEGINS)
            client.until(lambda: False, 0.5)
            yield client, said

    return listening


def test_it_does_not_hear_the_robot(while_it_speaks: Callable[..., Any], pipe: Path) -> None:
    with while_it_speaks("t_deaf") as (client, said):
        play(pipe, LOUD, LOUD, SILENT, SILENT)
        client.until(lambda: False, 1.0)
        client.publish(topics.VOICE, reply_id="r", state=Voice.STOPS)
        client.until(lambda: False, 1.0)
        play(pipe, LOUD, SILENT, SILENT)
        assert client.until(lambda: said, 20.0)
    assert [each.text for each in said] == ["1 words"]


def test_with_headphones_who_speaks_breaks_the_robot_off(while_it_speaks: Callable[..., Any], pipe: Path) -> None:
    with while_it_speaks("t_phones", "headphones:=true") as (client, said):
        play(pipe, LOUD, LOUD, SILENT, SILENT)
        assert client.until(lambda: any(each.state == Utterance.FINAL for each in said), 20.0)
        client.publish(topics.VOICE, reply_id="r", state=Voice.STOPS)
        client.until(lambda: False, 0.5)
        play(pipe, LOUD, SILENT, SILENT)
        assert client.until(lambda: len(said) == 3, 20.0)
    begins, first, second = said
    assert (begins.text, begins.state) == ("", Utterance.PARTIAL)
    assert (first.text, first.id) == ("2 words", begins.id)
    assert (second.text, second.state) == ("1 words", Utterance.FINAL)


def test_a_file_is_heard_to_its_end(
    graph: Callable[[str], Any], running: Callable[..., Any], stand_in: str, tmp_path: Path
) -> None:
    path = tmp_path / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(3 * SILENT + LOUD)  # breaks off in the middle of a word
    client = graph("t_file")
    said = client.collect(topics.UTTERANCE)
    health = client.collect(topics.DIAGNOSTICS)
    with running(stand_in, "t_file", f"audio:={path}"):
        assert client.until(lambda: said, 30.0)
        over = "the sound is over"
        assert client.until(lambda: any(part.message == over for each in health for part in each.status), 20.0)
    assert [(each.text, each.state) for each in said] == [("1 words", Utterance.FINAL)]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (("audio:=/no/such.wav",), "audio '/no/such.wav' is not there"),
        (("audio:=EMPTY",), "is no WAV file"),
        (("pause:=0.0",), "pause"),
    ],
)
def test_bad_input_ends_in_one_line(
    running: Callable[..., Any], stand_in: str, tmp_path: Path, parameters: tuple[str, ...], reason: str
) -> None:
    (tmp_path / "empty").touch()
    told = [parameter.replace("EMPTY", str(tmp_path / "empty")) for parameter in parameters]
    with running(stand_in, "t_bad", *told, "required:=true") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert reason in output
    assert "Traceback" not in output


def test_a_model_that_was_not_fetched_ends_in_one_line(
    running: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARNEST_MODELS", str(tmp_path))
    with running("imuface_robot.listen_node", "t_no_model", "required:=true") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "run: imuface hearing get" in output
    assert "Traceback" not in output
