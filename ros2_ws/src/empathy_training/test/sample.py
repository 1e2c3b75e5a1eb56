"""An example for tests, which change what they are about."""

from __future__ import annotations

from empathy_training.corpus.examples import Example


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
