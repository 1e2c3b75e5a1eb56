"""What the classifier of the crisis gate reads in a text: hashed n-grams of characters, words and concepts.

Numpy and the standard library only; a text of 100,000 characters takes a few tenths of a second.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from empathy_agent.packaged import read_yaml

BUCKETS = 1 << 17
"""Every n-gram falls into one of so many."""

_CHARACTERS = 4  # the longest n-gram of characters
_WORDS = 3  # the longest n-gram of words
_NEAR = 3  # how far apart two concepts of a clause may stand
_LONGEST = 160  # characters of a piece

_NO_WORD = re.compile(r"[^\w']+")
_WORD = re.compile(r"[a-z']+|\d+")
_TOKEN = re.compile(r"[a-z](?:[a-z'-]*[a-z])?|[^\s]")
_CLAUSE_ENDS = frozenset(",.!?;:。、")
_SENTENCE = re.compile(r"(?<=[。!?;\n])|(?<=\. )")
_CLAUSE = re.compile(r"(?<=[,、:，])|(?<= )")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def pieces(text: str) -> list[str]:
    """A normalised text in pieces of whole sentences, at most 160 characters where sentences allow.

    A short text is one piece. Of a long one each piece begins with the last sentence of the one before, so that what
    takes two sentences to say is read together once.
    """
    if len(text) <= _LONGEST:
        return [text]
    found: list[str] = []
    current: list[str] = []
    for sentence in _sentences(text):
        if current and sum(map(len, current)) + len(sentence) > _LONGEST:
            found.append("".join(current))
            current = current[-1:] if len(current[-1]) + len(sentence) <= _LONGEST else []
        current.append(sentence)
    if current:
        found.append("".join(current))
    return found


def _sentences(text: str) -> Iterator[str]:
    for sentence in _SENTENCE.split(text):
        if len(sentence) <= _LONGEST:
            yield sentence
            continue
        # A run without a full stop, as speech recognition writes it.
        part = ""
        for clause in _CLAUSE.split(sentence):
            for start in range(0, len(clause), _LONGEST):
                cut = clause[start : start + _LONGEST]
                if part and len(part) + len(cut) > _LONGEST:
                    yield part
                    part = ""
                part += cut
        if part:
            yield part


def features(piece: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Buckets (ascending, distinct) and weights (1 + log of the count) of a piece of normalised text."""
    found = np.concatenate([_characters(piece), _hashed(named_features(piece))])
    buckets, counts = np.unique(found, return_counts=True)
    return buckets, 1 + np.log(counts, dtype=np.float32)


def named_features(piece: str) -> list[str]:
    """The n-grams of words (``w:``) and the concepts (``c:``) of a piece, readable."""
    words = _WORD.findall(piece)
    found = [
        "w:" + " ".join(words[start : start + length])
        for length in range(1, _WORDS + 1)
        for start in range(len(words) - length + 1)
    ]
    clauses = _concepts(piece)
    seen: set[str] = set()
    for clause in clauses:
        seen.update(clause)
        for first, concept in enumerate(clause):
            found += [f"c:{concept}>{other}" for other in clause[first + 1 : first + 1 + _NEAR]]
        found += ["c:" + ">".join(clause[start : start + 3]) for start in range(len(clause) - 2)]
    found += [f"c:{concept}" for concept in seen]
    found += [f"c:{one}&{other}" for one, other in combinations(sorted(seen), 2)]
    return found


def character_ngrams(piece: str) -> list[str]:
    """The n-grams of characters of a piece, in the order of their hashes."""
    text = _bare(piece)
    return [
        text[start : start + length] for length in range(1, _CHARACTERS + 1) for start in range(len(text) - length + 1)
    ]


def bucket_of_characters(piece: str) -> NDArray[np.int64]:
    """The bucket of each of :func:`character_ngrams`."""
    return _characters(piece)


def _bare(piece: str) -> str:
    return f" {_NO_WORD.sub(' ', piece).strip()} "


def _characters(piece: str) -> NDArray[np.int64]:
    codes = np.frombuffer(_bare(piece).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    found, rolling = [], np.zeros(len(codes) + 1, dtype=np.uint64)
    for length in range(1, _CHARACTERS + 1):
        count = len(codes) - length + 1
        if count < 1:
            break
        rolling = rolling[:count] * _MULTIPLIER + codes[length - 1 :] + np.uint64(length)
        mixed = rolling ^ (rolling >> np.uint64(29))
        found.append((mixed * _MULTIPLIER >> np.uint64(40)) % np.uint64(BUCKETS))
    return np.concatenate(found).astype(np.int64)


def _hashed(names: list[str]) -> NDArray[np.int64]:
    return np.array([bucket_of(name) for name in names], dtype=np.int64)


def bucket_of(name: str) -> int:
    """The bucket of one of :func:`named_features`."""
    return zlib.crc32(name.encode()) % BUCKETS


@functools.cache
def _lexicon() -> tuple[dict[str, str], int, int]:
    """The concept of each word of concepts.yaml; the most characters of a Chinese and words of an English entry."""
    concepts: dict[str, str] = {}
    chinese, english = 1, 1
    for concept, words in read_yaml("safety/concepts.yaml").items():
        for word in words["zh"].split():
            concepts.setdefault(word, concept)
            chinese = max(chinese, len(word))
        for phrase in words["en"].split():
            concepts.setdefault(phrase.replace("_", " "), concept)
            english = max(english, phrase.count("_") + 1)
    return concepts, chinese, english


def _concepts(piece: str) -> list[list[str]]:
    """The concepts of each clause, in order; of words that begin at the same place the longest counts."""
    concepts, chinese, english = _lexicon()
    clauses: list[list[str]] = [[]]
    # Tokens: Latin words, and every other character alone.
    tokens = _TOKEN.findall(piece)
    start = 0
    while start < len(tokens):
        token = tokens[start]
        if token in _CLAUSE_ENDS:
            if clauses[-1]:
                clauses.append([])
            start += 1
            continue
        latin = token[0].isascii() and token[0].isalpha()
        most, joint = (english, " ") if latin else (chinese, "")
        for length in range(min(most, len(tokens) - start), 0, -1):
            concept = concepts.get(joint.join(tokens[start : start + length]))
            if concept:
                clauses[-1].append(concept)
                break
        start += length
    return clauses
