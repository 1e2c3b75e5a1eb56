"""Speech and cues over DDS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imuface_core import topics
from imuface_interfaces.msg import Cue, Sentence, Utterance, Voice

pytestmark = pytest.mark.graph


def test_the_voice_says_sentences_and_stops_for_the_person(
    graph: Callable[[str], Any], running: Callable[..., Any], program: Callable[[float], tuple[Path, Path]]
) -> None:
    path, log = program(30.0)
    with running("imuface_robot.speech_node", "t_speech", f"program:={path}"):
        client = graph("t_speech")
        voice = client.collect(topics.VOICE)
        client.publish(topics.SENTENCE, reply_id="r", state=99)  # of another version: dropped
        client.publish(topics.SENTENCE, reply_id="r", text="It sounds hard.", locale="en-US")
        client.publish(topics.SENTENCE, reply_id="r", index=1, text="No wonder.", locale="en-US")
        assert client.until(log.read_text, 20.0)
        client.publish(topics.UTTERANCE, text=" ", id="u1")  # nothing was said
        client.until(lambda: False, 0.5)
        assert len(voice) == 1
        client.publish(topics.UTTERANCE, text="", state=Utterance.PARTIAL, id="u2")
        assert client.until(lambda: len(voice) == 2, 20.0)
        client.publish(topics.SENTENCE, reply_id="q", text="Yes?", locale="en-US")
        assert client.until(lambda: len(log.read_text().splitlines()) == 2, 20.0)
    assert "It sounds hard." in log.read_text()
    assert "No wonder" not in log.read_text()
    assert [(v.reply_id, v.index, v.state) for v in voice[:2]] == [("r", 0, Voice.BEGINS), ("r", 0, Voice.STOPS)]


def test_an_acknowledgement_is_said_and_broken_off_like_an_answer(
    graph: Callable[[str], Any], running: Callable[..., Any], program: Callable[[float], tuple[Path, Path]]
) -> None:
    path, log = program(30.0)
    with running("imuface_robot.speech_node", "t_said_at_once", f"program:={path}"):
        client = graph("t_said_at_once")
        voice = client.collect(topics.VOICE)
        client.publish(topics.UTTERANCE, text="My cat died.", id="u1")
        client.publish(topics.ACKNOWLEDGEMENT, text="I am listening.", locale="en-US", id="a1")
        assert client.until(log.read_text, 20.0)
        client.publish(topics.SENTENCE, reply_id="r", text="You miss her.", locale="en-US")
        client.publish(topics.UTTERANCE, text="She was", state=Utterance.PARTIAL, id="u2")
        assert client.until(lambda: len(voice) == 2, 20.0)
    assert "I am listening." in log.read_text()
    assert "You miss her" not in log.read_text()
    assert [(v.reply_id, v.index, v.state) for v in voice] == [("a1", 0, Voice.BEGINS), ("a1", 0, Voice.STOPS)]


def test_cues_come_with_what_is_heard_and_said(graph: Callable[[str], Any], running: Callable[..., Any]) -> None:
    with running("imuface_robot.cue_node", "t_cue"):
        client = graph("t_cue")
        cues = client.collect(topics.CUE)
        client.publish(topics.AFFECT, expression="happy", confidence=float("nan"), valence=float("nan"))
        client.publish(topics.UTTERANCE, text="I am tired.")
        assert client.until(lambda: len(cues) == 3, 20.0)
        client.publish(topics.SENTENCE, reply_id="r", risk=77, text="x")
        client.publish(topics.SENTENCE, reply_id="r", text="Are you?", locale="en-US", turn="short")
        assert client.until(lambda: any(cue.kind == Cue.TILT for cue in cues), 20.0)
        client.publish(topics.SENTENCE, reply_id="r", index=1, state=Sentence.END)
        assert client.until(lambda: cues[-1].reply_id == "", 20.0)
    assert {cue.reply_id for cue in cues[:3]} == {""}
    assert "r" in {cue.reply_id for cue in cues}


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ("program:=no-such-voice", "program 'no-such-voice' is not installed"),
        ("voice:=tts_msgs", "tts_msgs is not installed"),
        ("wav_folder:=/no/such/folder", "wav_folder '/no/such/folder' is no folder"),
    ],
)
def test_a_voice_that_is_missing_ends_in_one_line(
    running: Callable[..., Any], program: Callable[[float], tuple[Path, Path]], parameter: str, reason: str
) -> None:
    path, _ = program(0.0)
    with running("imuface_robot.speech_node", "t_missing", f"program:={path}", parameter, "required:=true") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert reason in output
    assert "Traceback" not in output
