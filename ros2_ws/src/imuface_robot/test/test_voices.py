"""Voices: a program that is real, one that is not, and the action of another package."""

from __future__ import annotations

import queue
import shutil
import sys
import time
import types
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from imuface_robot import tts_voice
from imuface_robot.voices import Program, espeak_voice


def said_by(voice: Program, text: str, locale: str = "en-US") -> str:
    """Say a sentence to its end; the fault."""
    done: queue.Queue[str] = queue.Queue()
    voice.say(text, locale, done.put)
    return done.get(timeout=20)


@pytest.mark.parametrize(
    ("locale", "voice"),
    [
        ("zh-CN", "cmn-latn-pinyin"),
        ("zh-TW", "cmn-latn-pinyin"),
        ("zh-HK", "yue"),
        ("yue", "yue"),
        ("en_GB", "en"),
        ("", "en"),
        ("fr-FR", "fr"),
    ],
)
def test_the_voice_of_a_locale(locale: str, voice: str) -> None:
    assert espeak_voice(locale) == voice


def test_the_words_are_read_and_are_no_arguments(program: Callable[[float], tuple[Path, Path]]) -> None:
    path, log = program(0.0)
    assert said_by(Program(str(path), 120), "你好。", "zh-CN") == ""
    assert log.read_text() == "(['--stdin', '-v', 'cmn-latn-pinyin', '-s', '120'], '你好。')\n"


def test_a_program_that_fails_says_why(program: Callable[[float], tuple[Path, Path]]) -> None:
    path, _ = program(0.0)
    assert said_by(Program(str(path)), "fail") == f"{path}: error: no voice today; is there a sound device?"
    voice = Program(str(path))
    path.unlink()
    assert said_by(voice, "a") == f"{path}: No such file or directory"


def test_it_is_silent_at_once(program: Callable[[float], tuple[Path, Path]]) -> None:
    path, log = program(30.0)
    voice, done = Program(str(path)), queue.Queue[str]()
    voice.say("A long one.", "en", done.put)
    while not log.read_text():
        time.sleep(0.01)
    process = voice._process
    assert process is not None
    voice.stop()
    assert process.wait(timeout=5) < 0
    voice.stop()  # harmless
    assert done.empty()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="'no-such-voice' is not installed"):
        Program("no-such-voice")
    with pytest.raises(FileNotFoundError, match="is no folder"):
        Program(sys.executable, wav_folder=str(tmp_path / "none"))
    with pytest.raises(ImportError, match="tts_msgs is not installed"):
        tts_voice.TtsVoice(None, "tts")  # type: ignore[arg-type]


@pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed (Debian: apt install espeak-ng)"
)
@pytest.mark.parametrize(("text", "locale"), [("It sounds hard.", "en-US"), ("听起来你真的累了。", "zh-CN")])
def test_espeak_speaks_english_and_chinese(tmp_path: Path, text: str, locale: str) -> None:
    voice = Program(wav_folder=str(tmp_path))
    for _ in range(2):
        assert said_by(voice, text, locale) == ""
    for name in ("0001.wav", "0002.wav"):
        with wave.open(str(tmp_path / name)) as sound:
            assert 0.5 < sound.getnframes() / sound.getframerate() < 5.0


class Future:
    """A result that is there at once."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def result(self) -> Any:
        return self._result

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        callback(self)


class Server:
    """Stands in for the action: what a client does with it."""

    def __init__(self) -> None:
        self.goals: list[dict[str, str]] = []
        self.cancelled = 0
        self.ready = self.accepted = True
        self.finish: Callable[[Any], None] = lambda future: None

    def server_is_ready(self) -> bool:
        return self.ready

    def send_goal_async(self, goal: dict[str, str]) -> Future:
        self.goals.append(goal)
        return Future(self)

    def get_result_async(self) -> Any:
        return types.SimpleNamespace(add_done_callback=lambda callback: setattr(self, "finish", callback))

    def cancel_goal_async(self) -> None:
        self.cancelled += 1


def test_the_action_of_tts_msgs(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    action = types.SimpleNamespace(TTS=types.SimpleNamespace(Goal=dict))
    monkeypatch.setitem(sys.modules, "tts_msgs", types.ModuleType("tts_msgs"))
    monkeypatch.setitem(sys.modules, "tts_msgs.action", action)
    monkeypatch.setattr(tts_voice, "ActionClient", lambda node, kind, name: server)
    voice, ended = tts_voice.TtsVoice(None, "tts"), list[str]()  # type: ignore[arg-type]
    voice.say("Hello.", "en-GB", ended.append)
    assert server.goals == [{"input": "Hello.", "locale": "en_GB"}]
    server.finish(Future(types.SimpleNamespace(status=4, result=None)))
    voice.say("Again.", "en-GB", ended.append)
    server.finish(Future(types.SimpleNamespace(status=6, result=types.SimpleNamespace(error_msg="no sound"))))
    voice.say("Third.", "en-GB", ended.append)
    voice.stop()
    server.finish(
        Future(types.SimpleNamespace(status=5, result=types.SimpleNamespace(error_msg="")))
    )  # too late to count
    assert server.cancelled == 1
    server.accepted = False
    voice.say("Fourth.", "en-GB", ended.append)
    server.ready = False
    voice.say("Fifth.", "en-GB", ended.append)
    assert ended == ["", "tts failed: no sound", "tts refused a sentence", "tts is offered by nobody"]
