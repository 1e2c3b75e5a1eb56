"""What is recognised of a message: pieces, encoder, heads, and what the shipped weights know."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from empathy_agent.recognition import (
    END,
    FIRST,
    KIND,
    MEANING,
    MOST,
    MOST_BEFORE,
    UNKNOWN,
    Head,
    Recogniser,
    shipped,
)
from hypothesis import given
from hypothesis import strategies as st

TEXTS = st.text(max_size=80)


def best(text: str, task: str, before: str = "") -> str:
    chances = shipped().probabilities(text, before)[task]
    return max(chances, key=chances.__getitem__)


@pytest.mark.parametrize(
    ("text", "before", "kind"),
    [
        (
            "do i tell him or keep waiting for him to figure it out",
            "my brother still thinks it was his idea",
            "question",
        ),
        ("那我怎么回他", "他又问我什么时候结婚", "question"),
        ("sent it!! she wrote back in two minutes and says yes", "I still haven't sent the letter", "good_news"),
        ("发了！！她秒回，说好呀", "我还在想要不要发给她", "good_news"),
        ("She hasn't said a word to me since Sunday.", "", "story"),
        ("她从周日起就没跟我说过一句话。", "", "story"),
    ],
)
def test_what_a_message_does_is_known_without_marks(text: str, before: str, kind: str) -> None:
    assert best(text, KIND, before) == kind


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("My grandmother died on Sunday. I was on the other side of the world.", "bereaved"),
        ("奶奶上周走了，我没赶上最后一面。", "bereaved"),
        ("Everyone from my class went to the lake and nobody told me.", "left-out"),
        ("他们建了个新群，就是没拉我。", "left-out"),
        ("I passed! Third try, but I passed my driving test!", "achieved"),
    ],
)
def test_what_a_message_means_is_known(text: str, meaning: str) -> None:
    assert best(text, MEANING) == meaning


def test_a_word_is_split_into_its_most_frequent_pieces() -> None:
    small = replace(
        shipped(), pieces={"▁": (4, -3.0), "▁un": (5, -4.0), "kind": (6, -5.0), "▁unk": (7, -9.0), "i": (8, -6.0)}
    )
    assert small.tokens("Unkind") == ([FIRST, 5, 6, END], 1)
    assert small.tokens("i", "unkind") == ([FIRST, 5, 6, END, 4, 8, END], 4)
    assert small.tokens("q") == ([FIRST, 4, UNKNOWN, END], 1)


def test_of_a_long_message_the_end_is_read() -> None:
    numbers, start = shipped().tokens("it rains and " * 500 + "I won", "and snows " * 500)
    assert len(numbers) == MOST + MOST_BEFORE + 3
    assert numbers[start:][-3:] == shipped().tokens("and I won")[0][-3:]


@given(TEXTS, TEXTS)
def test_anything_is_read(text: str, before: str) -> None:
    for chances in shipped().probabilities(text, before).values():
        assert np.isclose(sum(chances.values()), 1.0, atol=1e-4)


def test_what_is_written_is_read_again() -> None:
    weights = shipped()
    again = Recogniser.from_bytes(weights.to_bytes())
    assert again.pieces == weights.pieces
    assert np.allclose(again.vector("it rains"), weights.vector("it rains"), atol=0.05)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no weights at all"])
def test_what_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - numpy's own words for what is no archive at all
        Recogniser.from_bytes(data)


def test_weights_without_a_head_are_refused() -> None:
    heads = {KIND: Head(("a",), np.zeros((384, 1), np.float32), np.zeros(1, np.float32))}
    headless = replace(shipped(), heads=heads)
    with pytest.raises(KeyError, match="head meaning"):
        Recogniser.from_bytes(headless.to_bytes())
    file = io.BytesIO()
    np.savez(file, pieces=np.array("a"))
    with pytest.raises(KeyError):
        Recogniser.from_bytes(file.getvalue())
