"""Triplets for the reward model: a post, the counsellor's answer, and an answer that is worth less.

From easy to hard: the answer to another post; comfort that fits every post; advice that nobody asked for; sentences of
little empathy; the answer to the most similar post. The sentences of comfort and advice are dealt out so that those of
the test are not among those of the training.
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from empathy_agent.language import language_of
from sklearn.feature_extraction.text import TfidfVectorizer

from empathy_training.corpus.examples import Example, lines_of

RANDOM = "another post's answer"
KINDS = (RANDOM, "comfort", "advice", "low empathy", "a similar post's answer")
"""The first is the easy one; the others are hard."""


@dataclass(frozen=True)
class Triplet:
    """What to tell apart."""

    post: str
    answer: str
    worse: str
    kind: str
    """One of :data:`KINDS`."""


@dataclass(frozen=True)
class Rewriting:
    """One sentence in two manners."""

    high: str
    low: str


def read_rewritings(path: Path) -> list[Rewriting]:
    """Plain sentences and their empathetic rewritings (Empathetic Personas, CSV, plain or ``.gz``).

    Those of one plain sentence stand together, so that a part of the list knows nothing of the rest.

    Raises:
        OSError, ValueError: the file cannot be read or lacks a column.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(b"".join(lines_of(path)).decode("utf-8-sig"))))
        found = {
            (row["base"].strip(), row["rewriting"].strip()) for row in rows if row["transformation"].strip() == "HIGH"
        }
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8") from error
    except (KeyError, AttributeError):
        raise ValueError(f"{path}: expected the columns base, rewriting and transformation") from None
    return [Rewriting(high, low) for low, high in sorted(found) if low and high]


def make_triplets(
    examples: Sequence[Example], test: bool, seed: int = 0, rewritings: Sequence[Rewriting] = ()
) -> list[Triplet]:
    """A triplet of each kind for every example; none of "low empathy" without rewritings.

    Args:
        examples: at least two, of any language; answers to other posts come from those of the same language.
        test: which half of the sentences of comfort and advice is used.
        seed: decides about what is drawn.
        rewritings: of the same half of the data as the examples.
    """
    rng = np.random.default_rng([seed, int(test)])
    triplets = []
    for language in sorted({language_of(example.locale) for example in examples}):
        own = [example for example in examples if language_of(example.locale) == language]
        if len(own) < 2:
            continue
        nearest = _nearest([example.post for example in own])
        for number, example in enumerate(own):
            other = int((number + rng.integers(1, len(own))) % len(own))
            length = len(example.answer)
            worse = {
                RANDOM: own[other].answer,
                "comfort": _patched(_sentences(language, "comfort", test), length, rng),
                "advice": _patched(_sentences(language, "advice", test), length, rng),
                "a similar post's answer": own[nearest[number]].answer,
            }
            if rewritings and language == "zh":
                worse["low empathy"] = _patched(sorted({pair.low for pair in rewritings}), length, rng)
            triplets += [Triplet(example.post, example.answer, text, kind) for kind, text in worse.items()]
    return triplets


def _nearest(posts: Sequence[str]) -> list[int]:
    """Of each post the most similar other one, by the characters that they share."""
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(2, 3), min_df=1, max_features=60_000).fit_transform(posts)
    nearest = []
    for begin in range(0, len(posts), 500):
        similar = (vectors[begin : begin + 500] @ vectors.T).toarray()
        similar[np.arange(len(similar)), np.arange(begin, begin + len(similar))] = -1.0
        nearest += similar.argmax(axis=1).tolist()
    return nearest


@functools.cache
def _all_sentences() -> dict[str, Any]:
    text = resources.files("empathy_training.learning").joinpath("negatives.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def _sentences(language: str, kind: str, test: bool) -> list[str]:
    return _all_sentences()[language][kind][int(test) :: 2]


def _patched(sentences: Sequence[str], length: int, rng: np.random.Generator) -> str:
    """Sentences in any order, together about as long as the answer, so that length tells nothing."""
    text = ""
    for index in rng.permutation(len(sentences)):
        text = f"{text} {sentences[index]}".strip()
        if len(text) >= length:
            break
    return text
