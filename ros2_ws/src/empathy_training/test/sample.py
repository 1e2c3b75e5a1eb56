"""Examples for tests: one that they change, and our own sets."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from empathy_training.corpus.examples import Example, read_examples


def make_example(**changes: str) -> Example:
    """An English post with an answer, without a chain."""
    fields = {
        "id": "en-1",
        "locale": "en",
        "topic": "work",
        "post": "My desk was moved to the corridor.",
        "answer": "A desk in the corridor would sting anyone.",
        "source": "a test",
        "licence": "MIT",
    }
    return Example(**(fields | changes))


@cache
def own_set(files: Iterable[Path], language: str) -> list[Example]:
    """What one of our own sets (``corpus``) holds in ``"zh"`` or ``"en"``; every line of it is an example."""
    (path,) = (path for path in files if path.stem == language)
    reading = read_examples(path)
    assert not reading.faults
    return reading.examples
