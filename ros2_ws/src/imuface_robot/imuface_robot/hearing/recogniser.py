"""Speech to text on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import opencc
from imuface_core.extras import explained

from imuface_robot.hearing.sources import Sound

_LANGUAGES = ("en", "zh")
"""Among which a recogniser chooses where no locale is given: those that the agent answers in."""
_REPETITIVE = 2.4  # compression of a text above which it says the same over and over: heard wrongly


@dataclass(frozen=True)
class Transcript:
    """What was said; ``text`` is empty where nothing was understood."""

    text: str
    locale: str


class Recogniser(Protocol):
    """Understands an utterance, or the part of it that there is so far."""

    def __call__(self, sound: Sound) -> Transcript: ...


class Whisper:
    """A Whisper model in the form of CTranslate2, by ``faster-whisper``.

    Args:
        folder: with ``model.bin``, ``config.json``, ``tokenizer.json`` and the vocabulary.
        locale: BCP 47 tag of what is said; empty: English or Chinese, whichever is likelier for each utterance.
        threads: of the processor.

    Raises:
        OSError: the folder holds no such model.
        ImportError: ``faster-whisper`` is not installed.
    """

    def __init__(self, folder: Path, locale: str = "", threads: int = 2) -> None:
        with explained():
            from faster_whisper import WhisperModel
        # Without its tokenizer the library would ask a server for one.
        for name in ("model.bin", "config.json", "tokenizer.json"):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder} holds no {name}; a model is a folder that CTranslate2 converted")
        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
            known = set(self._model.supported_languages)
        except Exception as error:  # the libraries raise whatever they like, one of them just that
            raise OSError(f"{folder} holds no Whisper model of CTranslate2: {' '.join(str(error).split())}") from None
        language = locale.replace("_", "-").split("-")[0].lower()
        if language and language not in known:
            raise ValueError(f"locale '{locale}' is not among the {len(known)} languages of the model in {folder}")
        self._locale, self._language = locale, language
        traditional = any(part in locale.lower() for part in ("hant", "tw", "hk", "mo"))
        # Not t2s, which leaves the 著 of 睡不著.
        self._script = opencc.OpenCC("s2t" if traditional else "tw2s")

    def __call__(self, sound: Sound) -> Transcript:
        segments, info = self._decode(sound, self._language or None)
        language = info.language
        if not self._language and language not in _LANGUAGES and info.all_language_probs:
            likely = dict(info.all_language_probs)
            language = max(_LANGUAGES, key=lambda name: likely.get(name, 0.0))
            segments, info = self._decode(sound, language)
        text = "".join(segment.text for segment in segments if segment.compression_ratio <= _REPETITIVE).strip()
        return Transcript(self._script.convert(text) if language == "zh" else text, self._locale or language)

    def _decode(self, sound: Sound, language: str | None) -> tuple[Any, Any]:
        # One try, as quick as can be: at higher temperatures an unclear word takes several times as long.
        return self._model.transcribe(
            sound,
            language=language,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
