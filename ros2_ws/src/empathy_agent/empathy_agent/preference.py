"""How gladly a sentence would be heard here: what readers who rated such sentences preferred, learned.

A linear model over hashed features of the occasion and the sentence; numpy only. The weights come with the package and
are trained by ``imuface empathy train-preference`` (docs/preference.md).
"""

from __future__ import annotations

import functools
import io
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from empathy_agent.safety.normalise import normalise
from empathy_agent.turns import Turn

WEIGHTS = "preference.npz"
"""Name of the weights beside this module."""
BUCKETS = 1 << 17
"""Every feature falls into one of so many."""
BEST = 2.0
"""The rating of what readers would gladly hear; 1 passes, 0 is wrong."""

PLACE = re.compile(r"(\{\w+\})")
"""Where a frame takes up the person's words, or a feeling."""
_OWN_WORDS = ("{clause}", "{asked}")
_LENGTHS = {"zh": (6, 10, 15, 22, 30), "en": (15, 25, 40, 60, 90)}  # characters
_LATIN = re.compile(r"[a-z']+")
_NO_CHINESE = re.compile(r"[^一-鿿]+")


@dataclass(frozen=True)
class Occasion:
    """When something is said: after which turn, on which theme, and the person's messages, the newest last."""

    language: str
    turn: Turn
    theme: str
    messages: tuple[str, ...]

    @functools.cached_property
    def newest(self) -> str:
        """The newest message, normalised."""
        return normalise(self.messages[-1])

    @functools.cached_property
    def known(self) -> frozenset[str]:
        """Its words."""
        return _words(self.newest, self.language)


@dataclass(frozen=True)
class Sentence:
    """One that may be said: how the bank has it, and with its places filled."""

    template: str
    text: str
    filled: tuple[tuple[str, str], ...] = ()
    """Each place and what stands there."""

    @classmethod
    def of(cls, template: str, filled: Sequence[tuple[str, str]]) -> Sentence:
        """A template with its places filled."""
        text = template
        for place, words in filled:
            text = text.replace(place, words, 1)
        return cls(template, text, tuple(filled))


@dataclass(frozen=True)
class Preference:
    """Weights (BUCKETS,) and offset of the expected rating."""

    weights: NDArray[np.float32]
    offset: float

    def ratings(self, occasion: Occasion, sentences: Sequence[Sentence]) -> NDArray[np.float64]:
        """The rating that readers would give each, about 0 .. :data:`BEST`."""
        return np.array([self.offset + self.weights[found].sum() for found in buckets(occasion, sentences)])

    def to_bytes(self) -> bytes:
        """The weights in bytes of their greatest."""
        scale = float(np.abs(self.weights).max()) / 127 or 1.0
        file = io.BytesIO()
        np.savez_compressed(
            file, weights=np.round(self.weights / scale).astype(np.int8), scale=np.array(scale), offset=self.offset
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Preference:
        """Raises ``ValueError`` or ``KeyError`` when these are no weights."""
        with np.load(io.BytesIO(data)) as arrays:
            weights = arrays["weights"].astype(np.float32) * float(arrays["scale"])
            offset = float(arrays["offset"])
        if weights.shape != (BUCKETS,):
            raise ValueError("the weights of the preference are of another shape; train them again")
        return cls(weights, offset)


def buckets(occasion: Occasion, sentences: Sequence[Sentence]) -> list[NDArray[np.int64]]:
    """Where the features of each sentence fall."""
    own = {filled: _of_own_words(occasion, *filled) for one in sentences for filled in one.filled}
    return [
        np.unique([zlib.crc32(name.encode()) % BUCKETS for name in _features(occasion, one, own)]) for one in sentences
    ]


def _features(occasion: Occasion, sentence: Sentence, own: Mapping[tuple[str, str], list[str]]) -> list[str]:
    """What the rating may depend on, by name; ``own`` are the features of what stands at the places."""
    turn, template = occasion.turn, sentence.template
    told = f"told {min(len(occasion.messages) - 1, 2)}"
    names = [f"{template}|{value}" for value in ("", turn.kind, turn.question, occasion.theme, told)]
    words = _words_of_bank(template, occasion.language)
    names += [f"word {word}|{value}" for word in words for value in ("", turn.kind, turn.question, occasion.theme)]
    names.append(f"shared {min(len(words & occasion.known), 3)}")
    names += [name for filled in sentence.filled for name in own[filled]]
    return names


def _of_own_words(occasion: Occasion, place: str, filled: str) -> list[str]:
    if place not in _OWN_WORDS:  # a feeling, a belief
        return [f"{place} {filled}|{value}" for value in ("", occasion.turn.kind, occasion.theme, *occasion.known)]
    plain = normalise(filled)
    length = sum(len(plain) > most for most in _LENGTHS[occasion.language])
    names = [f"{place} length {length}", f"{place} length {length}|{occasion.turn.kind}"]
    # Its end is as the person wrote it: only pronouns and their verbs were changed.
    names.append(f"{place} newest {plain[-4:] in occasion.newest}")
    parts = (plain[:2], plain[-2:]) if occasion.language == "zh" else plain.split(" ")
    names += [f"{place} begins {parts[0]}", f"{place} ends {parts[-1]}"]
    return names + [f"{place} word {word}" for word in _words(plain, occasion.language)]


@functools.cache
def _words_of_bank(template: str, language: str) -> frozenset[str]:
    return _words(normalise(PLACE.sub(" ", template)), language)


def _words(plain: str, language: str) -> frozenset[str]:
    """Words, or pairs of Chinese characters, of a normalised text."""
    if language == "en":
        return frozenset(_LATIN.findall(plain))
    runs = _NO_CHINESE.split(plain)
    return frozenset(run[start : start + 2] for run in runs for start in range(len(run) - 1))


@functools.cache
def shipped() -> Preference:
    """The one that comes with the package."""
    return Preference.from_bytes(resources.files("empathy_agent").joinpath(WEIGHTS).read_bytes())
