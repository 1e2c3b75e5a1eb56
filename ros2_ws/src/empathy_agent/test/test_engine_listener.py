"""The engine without a language model."""

from __future__ import annotations

import threading

import pytest
from empathy_agent.engines import Cancelled, Decoding
from empathy_agent.engines.listener import Listener


def test_it_says_the_best_of_what_is_offered() -> None:
    decoding = Decoding(places=(("<answer>",), ("best", "good"), ("</answer>",)))
    assert "".join(Listener().stream([], decoding, threading.Event())) == "<answer>best</answer>"


def test_it_can_be_interrupted() -> None:
    cancelled = threading.Event()
    stream = Listener().stream([], Decoding(places=(("a",), ("b",))), cancelled)
    assert next(stream) == "a"
    cancelled.set()
    with pytest.raises(Cancelled):
        next(stream)
