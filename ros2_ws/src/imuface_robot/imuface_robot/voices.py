"""Voices: what makes a sentence heard. A program of this machine, or another package's action (:mod:`.tts_voice`)."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from imuface_robot.cues import seconds_to_say

_CHINESE = {"yue": "yue", "zh-hk": "yue", "zh-mo": "yue", "zh-yue": "yue"}
_PATIENCE = 4.0  # times as long as a sentence takes


class Voice(Protocol):
    """Says one sentence at a time."""

    def say(self, text: str, locale: str, done: Callable[[str], None]) -> None:
        """Begin to say a sentence; ``done`` is called once, from any thread or at once, with the fault or ""."""

    def stop(self) -> None:
        """Be silent at once."""


class Program:
    """A program that reads a sentence from its standard input and ends when it is said, as espeak-ng does.

    A process each; its words are never among its arguments, which every user of the machine can list. ``rate`` is in
    words a minute; with ``wav_folder`` it writes ``0001.wav`` and so on instead of being heard.

    Raises:
        FileNotFoundError: there is no such program, or no such folder.
    """

    def __init__(self, program: str = "espeak-ng", rate: int = 160, wav_folder: str = "") -> None:
        found = shutil.which(program)
        if found is None:
            raise FileNotFoundError(
                f"program '{program}' is not installed (Debian: apt install espeak-ng); without a voice: speech:=false"
            )
        if wav_folder and not Path(wav_folder).is_dir():
            raise FileNotFoundError(f"wav_folder '{wav_folder}' is no folder; make it first")
        self._program, self._rate, self._folder = found, rate, wav_folder
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[str] | None = None

    def say(self, text: str, locale: str, done: Callable[[str], None]) -> None:
        command = [self._program, "--stdin", "-v", espeak_voice(locale), "-s", str(self._rate)]
        if self._folder:
            command += ["-w", str(Path(self._folder) / f"{next(self._numbers):04}.wav")]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
        except OSError as error:
            return done(f"{self._program}: {error.strerror}")
        self._process = process
        threading.Thread(target=self._wait, args=(process, text, done), daemon=True).start()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _wait(self, process: subprocess.Popen[str], text: str, done: Callable[[str], None]) -> None:
        try:
            _, said = process.communicate(text, timeout=10.0 + _PATIENCE * seconds_to_say(text))
            lines = said.strip().splitlines()
            # espeak-ng ends with status 0 where there is no sound device.
            failed = process.returncode != 0 or (lines and lines[-1].startswith("error:"))
            reason = lines[-1] if lines else f"status {process.returncode}"
            fault = f"{self._program}: {reason}; is there a sound device?" if failed else ""
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            fault = f"{self._program} did not end"
        if self._process is process:
            self._process = None
            done(fault)


def espeak_voice(locale: str) -> str:
    """The espeak-ng voice of a BCP 47 tag: Mandarin unless the tag says Cantonese, English where there is none."""
    tag = locale.lower().replace("_", "-")
    for cantonese in _CHINESE:
        if tag.startswith(cantonese):
            return _CHINESE[cantonese]
    language = tag.split("-")[0]
    # Its voice cmn spells characters as letters and digits up to version 1.51.
    return "cmn-latn-pinyin" if language == "zh" else language or "en"
