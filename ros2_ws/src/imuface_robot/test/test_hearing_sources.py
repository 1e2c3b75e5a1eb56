"""Sound from files, pipes and microphones, and what is wrong with it."""

from __future__ import annotations

import os
import sys
import threading
import types
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imuface_robot.hearing import sources
from imuface_robot.hearing.sources import BLOCK, MICROPHONE, RATE, Microphone, Pipe, WavFile, open_source


@pytest.fixture
def wav(tmp_path: Path) -> Callable[..., Path]:
    """Writes a WAV file of so many samples of half the full loudness."""

    def write(samples: int = 800, rate: int = RATE, channels: int = 1, width: int = 2) -> Path:
        path = tmp_path / "sound.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(width)
            file.setframerate(rate)
            file.writeframes((0x40 << 8 * (width - 1)).to_bytes(width, "little") * samples * channels)
        return path

    return write


def test_a_file_comes_in_blocks_as_fast_as_it_is_spoken(
    wav: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(sources, "time", types.SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append))
    first, last = open_source(str(wav(800))).blocks()
    assert first.shape == last.shape == (BLOCK,)
    assert first.dtype == np.float32
    assert set(first) == {np.float32(0.5)}
    assert not last[800 - BLOCK :].any()  # filled with silence
    assert sum(slept) == pytest.approx(2 * BLOCK / RATE)


def test_a_file_can_be_left_in_the_middle(wav: Callable[..., Path]) -> None:
    source = WavFile(wav(4 * BLOCK))
    blocks = source.blocks()
    next(blocks)
    source.close()
    assert not list(blocks)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"rate": 44_100}, "44100 Hz, 1 channels, 16 bits; convert it: sox"),
        ({"channels": 2}, "16000 Hz, 2 channels, 16 bits; convert it: sox"),
        ({"width": 1}, "16000 Hz, 1 channels, 8 bits; convert it: sox"),
        ({"samples": 0}, "holds no sound"),
    ],
)
def test_a_file_of_another_form_is_refused(wav: Callable[..., Path], form: dict[str, int], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        WavFile(wav(**form))


@pytest.mark.parametrize("kept", [0, 3, 20, 43])
def test_a_file_without_a_whole_head_is_no_wav_file(wav: Callable[..., Path], kept: int) -> None:
    path = wav()
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"sound\.wav (is no WAV file|holds no sound)"):
        WavFile(path)


def test_of_a_file_that_breaks_off_the_whole_samples_are_heard(wav: Callable[..., Path]) -> None:
    path = wav(800)
    path.write_bytes(path.read_bytes()[: 44 + 2 * 600 + 1])
    assert len(WavFile(path).sound) == 600


def test_a_file_of_real_numbers_is_refused(wav: Callable[..., Path]) -> None:
    path = wav()
    content = bytearray(path.read_bytes())
    content[20] = 3  # IEEE float: may hold what is no number
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no WAV file of whole numbers"):
        WavFile(path)


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(
        FileNotFoundError, match=r"audio '/no/such' is not there; it is microphone, a WAV file, or a pipe"
    ):
        open_source("/no/such")


def test_a_pipe_outlives_those_who_write_to_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    source = open_source(str(path))
    assert isinstance(source, Pipe)
    heard: list[Any] = []
    ended = threading.Event()

    def listen() -> None:
        for block in source.blocks():
            heard.append(block)
            ended.set()

    thread = threading.Thread(target=listen)
    thread.start()
    half = b"\x00\x40" * (BLOCK // 2)
    path.write_bytes(half[:-1])  # not even a whole sample
    path.write_bytes(half[-1:] + half)
    assert ended.wait(10.0)
    source.close()
    thread.join(10.0)
    assert not thread.is_alive()
    (block,) = heard
    assert set(block) == {np.float32(0.5)}


class Stream:
    """Stands in for a microphone: what it was asked for, and what it hands out."""

    def __init__(self, **asked: Any) -> None:
        if asked["device"] == "none":
            raise PortAudioError("no input device\nmatching 'none'")
        self.asked = asked

    def start(self) -> None:
        self.asked["callback"](np.full((BLOCK, 1), 0.25, np.float32), BLOCK, None, None)

    def close(self) -> None:
        self.asked["device"] = "closed"


class PortAudioError(Exception):
    """As in sounddevice."""


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = types.ModuleType("sounddevice")
    module.InputStream, module.PortAudioError = Stream, PortAudioError
    monkeypatch.setitem(sys.modules, "sounddevice", module)


@pytest.mark.usefixtures("sounddevice")
def test_a_microphone_is_heard_until_it_is_closed() -> None:
    source = open_source(MICROPHONE, "3")
    assert isinstance(source, Microphone)
    blocks = source.blocks()
    assert set(next(blocks)) == {np.float32(0.25)}
    asked = source._stream.asked
    assert (asked["samplerate"], asked["channels"], asked["blocksize"], asked["device"]) == (RATE, 1, BLOCK, 3)
    source.close()
    assert not list(blocks)
    assert asked["device"] == "closed"


@pytest.mark.usefixtures("sounddevice")
def test_a_microphone_that_is_not_there_or_falls_silent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        OSError, match=r"no microphone 'none' \(no input device matching 'none'\); python -m sounddevice"
    ):
        open_source(MICROPHONE, "none")
    monkeypatch.setattr(sources, "_SILENT", 0.05)
    blocks = open_source(MICROPHONE).blocks()
    next(blocks)
    with pytest.raises(OSError, match="gives no sound any more"):
        next(blocks)


def test_without_its_library_a_microphone_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ImportError, match="sounddevice is not installed; get it with: make hearing"):
        open_source(MICROPHONE)
