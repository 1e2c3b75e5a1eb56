"""Thoughts stay out of replies, wherever a stream is cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from empathy_agent.engines import DROPPED, CutOff
from empathy_agent.engines.thoughts import without_thoughts
from hypothesis import example, given
from hypothesis import strategies as st

PIECES = [
    "<think>",
    "</think>",
    "<",
    "</",
    "think>",
    "<answer>",
    "</answer>",
    "I hear you.",
    " ",
    "\n",
    "思",
    "</empathy_think>",
]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5))).map("".join)


def heard(chunks: Iterable[str]) -> str:
    """What a consumer has at the end."""
    text = ""
    for chunk in chunks:
        text = "" if chunk == DROPPED else text + chunk
    return text


def reply_in(text: str) -> str:
    """The reply, read from the whole text."""
    if DROPPED in text:
        return text[text.rindex(DROPPED) + len(DROPPED) :]
    return "" if text.lstrip().startswith("<think>") else text


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    text = draw(TEXTS)
    places = sorted(draw(st.lists(st.integers(0, len(text)))))
    return text, [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


@given(cut_texts())
@example(("<think>a</think>b", list("<think>a</think>b")))
@example(("thought</think>reply", list("thought</think>reply")))
@example(("\n <think>one</think>two</think>three", ["\n ", "<thi", "nk>one</th", "ink>two<", "/think>three"]))
def test_what_is_heard_does_not_depend_on_the_cuts(case: tuple[str, list[str]]) -> None:
    text, chunks = case
    given_out = list(without_thoughts(chunks))
    assert heard(given_out) == reply_in(text)
    assert "" not in given_out
    assert all(chunk == DROPPED or DROPPED not in chunk for chunk in given_out)
    # A marker comes only where there is something to forget.
    assert not any(one == other == DROPPED for one, other in zip([DROPPED, *given_out], given_out, strict=False))


@given(cut_texts())
def test_text_without_thoughts_is_hardly_held_back(case: tuple[str, list[str]]) -> None:
    text, chunks = case
    if "<think>" in text or DROPPED in text:
        return
    came = 0

    def source() -> Iterator[str]:
        nonlocal came
        for chunk in chunks:
            came += len(chunk)
            yield chunk

    given_out = 0
    for chunk in without_thoughts(source()):
        given_out += len(chunk)
        assert given_out <= came
    assert given_out == len(text)
    half = chunks[: len(chunks) // 2]
    begun = "".join(half).lstrip()
    if begun and not "<think>".startswith(begun):
        out = 0
        stream = without_thoughts(iter([*half, "</think"]))  # the tag never ends
        for chunk in stream:
            out += len(chunk)
        assert out >= len("".join(half))


def test_nothing_of_open_thoughts_is_heard() -> None:
    assert list(without_thoughts(["<think>", "an endless", " thought"])) == []


def test_open_thoughts_are_not_kept_in_memory() -> None:
    stream = without_thoughts(["<think>"] + ["x" * 1000] * 1000 + ["</think>", "reply"])
    assert list(stream) == ["reply"]


def test_what_was_held_back_comes_before_the_cut() -> None:
    def cut() -> Iterator[str]:
        yield "It sounds </thi"
        raise CutOff("over", "length")

    given_out: list[str] = []
    with pytest.raises(CutOff):
        given_out.extend(without_thoughts(cut()))  # keeps what came before the exception
    assert "".join(given_out) == "It sounds </thi"
