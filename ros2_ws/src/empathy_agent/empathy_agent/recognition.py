"""What a message does and what it means, learned from labelled messages: a small encoder with three heads.

Rules know what always begins or ends in the same words (``turns.py``). "她回了！她说也想我" and "do i tell him or keep
waiting" have no such words, and what a message means at heart, that an effort was not seen or that somebody waits, has
none at all. For the meaning, n-grams that were seen with it are asked, too: both have to agree. The encoder is the
lower half of multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672; MIT) with the pieces of Chinese and English,
trained on by ``imuface empathy train-recognition`` (docs/recognition.md). Numpy only: some 20 ms a message.
"""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import math
import re
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from empathy_agent.language import detect_language
from empathy_agent.safety.normalise import normalise

WEIGHTS = "recognition.npz"
"""Name of the weights beside this module."""
KIND, MEANING, QUESTION = "kind", "meaning", "question"
"""What is asked of a message: what it does, what it means, and of a question which type it is of."""
NONE = "none"
"""The meaning of a message that has none of those known."""
FIRST, END, UNKNOWN = 0, 2, 3
"""Pieces that begin and end a message, and of a letter that no piece holds; the places in the model's own list."""
HEADS = 12
"""Of attention, in each layer."""
BLOCK = 32
"""Weights of the embedding that share a scale."""
MOST, MOST_BEFORE = 96, 32
"""Pieces of a message that are read, the last ones, and of the message before it."""

LANGUAGES = ("zh", "en")
_WORD = re.compile(r"[a-z']+|[!?]")
_SPACE = "▁"
_NO_PIECE = -25.0
_EPSILON = 1e-12
_KEPT = 64  # answers

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """A layer of the encoder by the names that BERT gives to its parts, each a matrix (out, in) or a row."""

    weights: Mapping[str, Array]

    def forward(self, x: Array) -> Array:
        """Hidden states (N, H) after the layer."""
        length, width = x.shape
        query, key, value = (
            self._linear(x, f"attention.self.{name}").reshape(length, HEADS, -1).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(width // HEADS)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (scores / scores.sum(axis=-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(length, width)
        x = self._normal(x + self._linear(mixed, "attention.output.dense"), "attention.output.LayerNorm")
        inner = self._linear(x, "intermediate.dense")
        inner *= 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner * inner * inner)))
        return self._normal(x + self._linear(inner, "output.dense"), "output.LayerNorm")

    def _linear(self, x: Array, name: str) -> Array:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _normal(self, x: Array, name: str) -> Array:
        return _normal(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])


@dataclass(frozen=True)
class Head:
    """One of the questions: weights (H, K) and offsets (K,) of its labels."""

    labels: tuple[str, ...]
    weights: Array
    offsets: Array


@dataclass(frozen=True)
class Words:
    """N-grams of one language with how rare each is (N,), their weights (N, K) for each meaning, and offsets (K,)."""

    grams: Mapping[str, int]
    rarity: Array
    weights: Array
    offsets: Array

    def logarithms(self, text: str) -> Array:
        """The logarithm of how probable each meaning is, shape (K,)."""
        known = [found for name in ngrams(text) if (found := self.grams.get(name)) is not None]
        values = self.rarity[known]
        scores = self.offsets + (values / max(float(np.linalg.norm(values)), 1e-9)) @ self.weights[known]
        return _logarithms(scores)


@dataclass(frozen=True)
class Recogniser:
    """Encoder, heads, and by language the n-grams for the meaning.

    ``pieces`` maps each piece of a word to its row of ``embedding`` (V, H) and the logarithm of how frequent it is;
    ``positions`` (P, H) hold what BERT adds to every row, too; ``scale`` and ``offset`` (H,) follow them.
    """

    pieces: Mapping[str, tuple[int, float]]
    embedding: Array
    positions: Array
    scale: Array
    offset: Array
    layers: tuple[Layer, ...]
    heads: Mapping[str, Head]
    words: Mapping[str, Words]
    _known: OrderedDict[bytes, dict[str, dict[str, float]]] = field(
        init=False, repr=False, compare=False, default_factory=OrderedDict
    )

    def probabilities(self, text: str, before: str = "") -> dict[str, dict[str, float]]:
        """For each question how probable its labels are for a message; ``before``: the person's message before it.

        A turn asks several times: the last answers are kept, by a hash and without the text.
        """
        digest = hashlib.sha256(f"{before}\0{text}".encode("utf-8", "surrogatepass")).digest()
        if (known := self._known.get(digest)) is None:
            known = self._known[digest] = self._probabilities(text, before)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known

    def _probabilities(self, text: str, before: str) -> dict[str, dict[str, float]]:
        vector = self.vector(text, before)
        result = {}
        for name, head in self.heads.items():
            chances = _logarithms(head.offsets + vector @ head.weights)
            if name == MEANING and (words := self.words.get(detect_language(text))) is not None:
                chances = _logarithms((chances + words.logarithms(text)) / 2)
            result[name] = dict(zip(head.labels, np.exp(chances).tolist(), strict=True))
        return result

    def vector(self, text: str, before: str = "") -> Array:
        """The mean of a message's last hidden states, shape (H,); it has been read with the message before it."""
        numbers, start = self.tokens(text, before)
        x = _normal(self.embedding[numbers] + self.positions[: len(numbers)], self.scale, self.offset)
        for layer in self.layers:
            x = layer.forward(x)
        return x[start:].mean(axis=0)

    def tokens(self, text: str, before: str = "") -> tuple[list[int], int]:
        """The rows of a message behind the one before it, and where its own begin."""
        earlier = [*self._split(before)[-MOST_BEFORE:], END] if before else []
        return [FIRST, *earlier, *self._split(text)[-MOST:], END], 1 + len(earlier)

    def _split(self, text: str) -> list[int]:
        """The pieces of a normalised text that are together the most frequent (Kudo 2018, arXiv:1804.10959)."""
        plain = _SPACE + _SPACE.join(normalise(text)[-6 * MOST :].split())
        best: list[tuple[float, int, int]] = [(0.0, 0, UNKNOWN)]
        longest = self._longest
        for end in range(1, len(plain) + 1):
            found = (best[end - 1][0] + _NO_PIECE, end - 1, UNKNOWN)
            for start in range(max(0, end - longest), end):
                if (piece := self.pieces.get(plain[start:end])) is not None:
                    found = max(found, (best[start][0] + piece[1], start, piece[0]))
            best.append(found)
        numbers, end = [], len(plain)
        while end:
            _, start, number = best[end]
            numbers.append(number)
            end = start
        return numbers[::-1]

    @functools.cached_property
    def _longest(self) -> int:
        return max(map(len, self.pieces))

    def to_bytes(self) -> bytes:
        """Embedding in four bits, each :data:`BLOCK` of its own scale; matrices in bytes, each row of its own."""
        names = list(self.pieces)
        blocks = self.embedding.reshape(-1, BLOCK)
        scales = (np.abs(blocks).max(axis=1, keepdims=True) / 7).astype(np.float16)
        levels = np.round(blocks / np.maximum(scales.astype(np.float32), 1e-9)).clip(-8, 7).astype(np.int8) + 8
        arrays: dict[str, NDArray[np.generic]] = {
            "pieces": np.array("\n".join(names)),
            "rows": np.array([self.pieces[name][0] for name in names], dtype=np.int32),
            "scores": np.array([self.pieces[name][1] for name in names], dtype=np.float16),
            "embedding": (levels[:, ::2] | levels[:, 1::2] << 4).astype(np.uint8),
            "embedding scales": scales,
            "positions": self.positions.astype(np.float16),
            "scale": self.scale,
            "offset": self.offset,
        }
        for number, layer in enumerate(self.layers):
            for name, values in layer.weights.items():
                arrays |= _packed(f"{number} {name}", values)
        for task, head in self.heads.items():
            arrays |= {f"head {task}": np.array("\n".join(head.labels)), f"head {task} offsets": head.offsets}
            arrays[f"head {task} weights"] = head.weights.astype(np.float16)
        for language, words in self.words.items():
            name = f"words {language}"
            arrays |= {name: np.array("\n".join(words.grams)), f"{name} rarity": words.rarity.astype(np.float16)}
            arrays |= _packed(f"{name} weights", words.weights) | {f"{name} offsets": words.offsets}
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Recogniser:
        """Raises ``ValueError`` or ``KeyError`` when these are no weights."""
        try:
            with np.load(io.BytesIO(data)) as file:
                arrays = dict(file)
        except (zipfile.BadZipFile, EOFError) as error:
            raise ValueError(f"these are no weights: {error}") from error
        names = str(arrays["pieces"]).split("\n")
        places = zip(arrays["rows"].tolist(), arrays["scores"].tolist(), strict=True)
        packed = arrays["embedding"]
        levels = np.stack([packed & 15, packed >> 4], axis=-1).reshape(len(packed), -1).astype(np.float32) - 8
        positions = arrays["positions"].astype(np.float32)
        layers: dict[int, dict[str, Array]] = {}
        for name, values in arrays.items():
            number, _, part = name.partition(" ")
            if number.isdigit() and not part.endswith(" scales"):
                layers.setdefault(int(number), {})[part] = _unpacked(values, arrays.get(f"{name} scales"))
        heads = {
            task: Head(
                tuple(str(arrays[f"head {task}"]).split("\n")),
                arrays[f"head {task} weights"].astype(np.float32),
                arrays[f"head {task} offsets"],
            )
            for task in (KIND, MEANING, QUESTION)
        }
        words = {
            language: Words(
                {name: row for row, name in enumerate(str(arrays[f"words {language}"]).split("\n"))},
                arrays[f"words {language} rarity"].astype(np.float32),
                _unpacked(arrays[f"words {language} weights"], arrays[f"words {language} weights scales"]),
                arrays[f"words {language} offsets"],
            )
            for language in LANGUAGES
            if f"words {language}" in arrays
        }
        embedding = (levels * arrays["embedding scales"].astype(np.float32)).reshape(-1, positions.shape[1])
        return cls(
            dict(zip(names, places, strict=True)),
            embedding,
            positions,
            arrays["scale"],
            arrays["offset"],
            tuple(Layer(layers[number]) for number in sorted(layers)),
            heads,
            words,
        )


def ngrams(text: str) -> set[str]:
    """Chinese characters up to three in a row, English words up to two, of a message."""
    plain = normalise(text)
    if detect_language(text) == "zh":
        return {plain[start : start + length] for length in (1, 2, 3) for start in range(len(plain) - length + 1)}
    words = _WORD.findall(plain)
    return {*words, *map(" ".join, itertools.pairwise(words))}


def _logarithms(scores: NDArray[np.floating]) -> Array:
    """Of the probabilities that belong to scores, by softmax."""
    above = scores - scores.max()
    return np.asarray(above - np.log(np.exp(above).sum()), dtype=np.float32)


def _packed(name: str, values: Array) -> dict[str, NDArray[np.generic]]:
    if values.ndim == 1:
        return {name: values.astype(np.float16)}
    scales = (np.abs(values).max(axis=1, keepdims=True) / 127).astype(np.float16)
    levels = np.round(values / np.maximum(scales.astype(np.float32), 1e-9)).clip(-127, 127).astype(np.int8)
    return {name: levels, f"{name} scales": scales}


def _unpacked(values: NDArray[np.generic], scales: NDArray[np.generic] | None) -> Array:
    plain = values.astype(np.float32)
    return plain if scales is None else plain * scales.astype(np.float32)


def _normal(x: Array, scale: Array, offset: Array) -> Array:
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _EPSILON) * scale + offset


@functools.cache
def shipped() -> Recogniser:
    """The one that comes with the package."""
    return Recogniser.from_bytes(resources.files("empathy_agent").joinpath(WEIGHTS).read_bytes())
