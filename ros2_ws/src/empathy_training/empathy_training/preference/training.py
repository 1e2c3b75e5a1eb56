"""Trains and measures the preference between sentences. Needs scikit-learn; the running agent does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from empathy_agent.language import detect_language
from empathy_agent.preference import BEST, BUCKETS, PLACE, Occasion, Preference, Sentence, buckets
from empathy_agent.turns import theme_of, turn_of
from numpy.typing import NDArray

from empathy_training.jsonl import read_lines

_REGULARISATION = 60.0  # chosen by cross-validation over the talks that are learned from
_ITERATIONS = 300


@dataclass(frozen=True)
class Rated:
    """Sentences of which one is to be said, and how readers rated each, 0 .. 2, shape (N,)."""

    talk: str
    occasion: Occasion
    sentences: tuple[Sentence, ...]
    ratings: NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """How well somebody chooses: mean rating of what was chosen, and the share of it that readers found wrong."""

    places: int
    rating: float
    wrong: float


def read(files: Iterable[Path]) -> list[Rated]:
    """Places at which sentences were rated.

    Raises:
        OSError: a file cannot be read.
        ValueError: a line is none of ours; the message names file and line.
    """
    return [rated for line in read_lines(files, _read, "rated sentences") for rated in line]


def _read(entry: dict[str, Any]) -> list[Rated]:
    messages = tuple(str(message) for message in entry["messages"])
    language = detect_language("".join(messages))
    turn = turn_of(messages[-1], language, messages[-2] if len(messages) > 1 else None)
    occasion = Occasion(language, turn, theme_of(list(messages), language), messages)
    return [
        Rated(str(entry["talk"]), occasion, tuple(map(_sentence, place["offered"])), _digits(place))
        for place in entry["places"]
    ]


def _sentence(offered: Sequence[str]) -> Sentence:
    template, *chosen = offered
    return Sentence.of(template, list(zip(PLACE.findall(template), chosen, strict=True)))


def _digits(place: dict[str, str]) -> NDArray[np.float64]:
    ratings = np.array([int(digit) for digit in place["ratings"]], dtype=np.float64)
    if len(ratings) != len(place["offered"]) or not ((ratings >= 0) & (ratings <= BEST)).all():
        raise ValueError(f"the ratings {place['ratings']!r} are not a digit from 0 to 2 for each sentence")
    return ratings


def train(rated: Sequence[Rated], regularisation: float = _REGULARISATION) -> Preference:
    """Ridge regression of the ratings on the features of occasion and sentence."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import Ridge

    rows = [found for place in rated for found in buckets(place.occasion, place.sentences)]
    ends = np.cumsum([0, *map(len, rows)])
    ones = np.ones(ends[-1], dtype=np.float32)
    matrix = csr_matrix((ones, np.concatenate(rows), ends), shape=(len(rows), BUCKETS))
    model = Ridge(alpha=regularisation, solver="sparse_cg", max_iter=_ITERATIONS)
    model.fit(matrix, np.concatenate([place.ratings for place in rated]))
    return Preference(model.coef_.astype(np.float32), float(model.intercept_))


def measured(rated: Sequence[Rated], chooser: Callable[[Rated], NDArray[np.float64]]) -> Choice:
    """How well somebody chooses who gives each sentence a chance to be said, shape (N,) with the sum 1."""
    chances = [chooser(place) for place in rated]
    rating = [chance @ place.ratings for chance, place in zip(chances, rated, strict=True)]
    wrong = [chance @ (place.ratings == 0) for chance, place in zip(chances, rated, strict=True)]
    return Choice(len(rated), float(np.mean(rating)), float(np.mean(wrong)))


def lot(place: Rated) -> NDArray[np.float64]:
    """The baseline."""
    return np.full(len(place.ratings), 1 / len(place.ratings))


def best(place: Rated) -> NDArray[np.float64]:
    """What could be reached."""
    return _first(place.ratings)


def by(preference: Preference) -> Callable[[Rated], NDArray[np.float64]]:
    """Who says what readers are expected to like best."""
    return lambda place: _first(preference.ratings(place.occasion, place.sentences))


def _first(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.eye(len(scores))[int(scores.argmax())]
