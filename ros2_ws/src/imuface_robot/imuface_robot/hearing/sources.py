"""Where sound comes from: a microphone, a WAV file, or a pipe; always 16 kHz, one channel."""

from __future__ import annotations

import os
import queue
import select
import stat
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from imuface_core.extras import explained
from numpy.typing import NDArray

RATE = 16_000
BLOCK = 512
"""Samples of a block, 32 ms: what the voice activity detector takes."""

Sound = NDArray[np.float32]
"""Samples from -1 to 1."""

MICROPHONE = "microphone"

_CONVERT = "convert it: sox IN.wav -r 16000 -c 1 -b 16 OUT.wav"
_SILENT = 3.0  # s without a block after which a microphone is gone


class Source(Protocol):
    """Gives blocks of sound as fast as they are spoken."""

    def blocks(self) -> Iterator[Sound]:
        """Blocks of :data:`BLOCK` samples until the sound ends or :meth:`close` is called. Raises ``OSError``."""

    def close(self) -> None:
        """Let :meth:`blocks` end; from any thread."""


def open_source(audio: str, device: str = "") -> Source:
    """The source that ``audio`` names: ``microphone``, a WAV file, or a named pipe.

    Args:
        audio: the word or the path.
        device: of the microphone, by number or by part of its name; empty: the system's.

    Raises:
        OSError: it is not there; the message names the remedy.
        ValueError: it is of another form.
        ImportError: the library for microphones is missing.
    """
    if audio == MICROPHONE:
        return Microphone(device)
    path = Path(audio).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"audio '{audio}' is not there; it is {MICROPHONE}, a WAV file, or a pipe (mkfifo)")
    return Pipe(path) if stat.S_ISFIFO(path.stat().st_mode) else WavFile(path)


class Microphone:
    """A microphone of this machine."""

    def __init__(self, device: str = "") -> None:
        try:
            with explained():
                import sounddevice
        except OSError as error:
            raise OSError(f"{error}; install it (Debian: apt install libportaudio2)") from None
        self._queue: queue.SimpleQueue[Sound | None] = queue.SimpleQueue()
        try:
            self._stream = sounddevice.InputStream(
                samplerate=RATE,
                channels=1,
                dtype="float32",
                blocksize=BLOCK,
                device=int(device) if device.isdecimal() else device or None,
                callback=self._take,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise OSError(f"no microphone '{device}' ({reason}); python -m sounddevice lists them") from None

    def blocks(self) -> Iterator[Sound]:
        while True:
            try:
                block = self._queue.get(timeout=_SILENT)
            except queue.Empty:
                raise OSError("the microphone gives no sound any more; is it plugged in?") from None
            if block is None:
                return
            yield block

    def close(self) -> None:
        self._queue.put(None)
        self._stream.close()

    def _take(self, sound: Sound, frames: int, times: Any, status: Any) -> None:
        self._queue.put(sound[:, 0].copy())


class WavFile:
    """A WAV file, as if it was spoken now. A last block that is not full is filled with silence."""

    def __init__(self, path: Path) -> None:
        try:
            with wave.open(str(path)) as file:
                form = (file.getframerate(), file.getnchannels(), 8 * file.getsampwidth())
                content = file.readframes(file.getnframes())
        except (wave.Error, EOFError) as error:
            raise ValueError(f"{path} is no WAV file of whole numbers ({error or 'it breaks off'})") from None
        if form != (RATE, 1, 16):
            raise ValueError(f"{path} has {form[0]} Hz, {form[1]} channels, {form[2]} bits; {_CONVERT}")
        self._sound = _samples(content)
        if not self._sound.size:
            raise ValueError(f"{path} holds no sound")
        self._closed = False

    @property
    def sound(self) -> Sound:
        """All of it."""
        return self._sound

    def blocks(self) -> Iterator[Sound]:
        begin = time.monotonic()
        for at in range(0, len(self._sound), BLOCK):
            time.sleep(max(0.0, begin + (at + BLOCK) / RATE - time.monotonic()))
            if self._closed:
                return
            block = self._sound[at : at + BLOCK]
            yield np.pad(block, (0, BLOCK - len(block)))

    def close(self) -> None:
        self._closed = True


class Pipe:
    """A named pipe with 16-bit samples, little-endian, and no header; who writes may come and go."""

    def __init__(self, path: Path) -> None:
        # Also for writing: without a writer a pipe is at its end.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._closed = False

    def blocks(self) -> Iterator[Sound]:
        rest = b""
        while not self._closed:
            if not select.select([self._pipe], [], [], 0.2)[0]:
                continue
            rest += os.read(self._pipe, 2 * BLOCK - len(rest))
            if len(rest) == 2 * BLOCK:
                yield _samples(rest)
                rest = b""
        os.close(self._pipe)

    def close(self) -> None:
        self._closed = True


def _samples(content: bytes) -> Sound:
    whole = content[: len(content) // 2 * 2]
    return np.frombuffer(whole, "<i2").astype(np.float32) / np.float32(32768.0)
