"""The streaming parser on good and broken output, whatever the chunks."""

from __future__ import annotations

import pytest
from empathy_agent.chain import Chain, Layer
from empathy_agent.parser import ChainParser
from hypothesis import given
from hypothesis import strategies as st

GOOD = "<empathy_think><L1>one</L1><L2>two</L2><L3>three</L3><L4>four</L4></empathy_think>\n<answer>five. Six.</answer>"
TAGS = [f"<{end}{layer.tag}>" for layer in Layer for end in ("", "/")] + ["<empathy_think>", "</empathy_think>"]


def parse(text: str, size: int = 0) -> tuple[dict[Layer, str], Chain]:
    """Concatenated deltas and final chain of a text fed in chunks of ``size`` characters (0: at once)."""
    parser, streamed = ChainParser(), dict[Layer, str]()
    chunks = [text[start : start + size] for start in range(0, len(text), size)] if size else [text]
    deltas = [delta for chunk in chunks for delta in parser.feed(chunk)]
    last, chain = parser.finish()
    for delta in deltas + last:
        streamed[delta.layer] = streamed.get(delta.layer, "") + delta.text
    return streamed, chain


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 11])
def test_good_output(size: int) -> None:
    streamed, chain = parse(GOOD, size)
    assert chain.valid
    assert chain.missing == []
    assert [chain[layer] for layer in Layer] == ["one", "two", "three", "four", "five. Six."]
    assert streamed == chain.texts


def test_text_comes_as_soon_as_it_is_certain() -> None:
    parser = ChainParser()
    assert [delta.text for delta in parser.feed("<empathy_think><L1>I hear ")] == ["I hear"]
    assert [delta.text for delta in parser.feed("you</L")] == [" you"]
    assert parser.inside
    assert parser.feed("1>") == []
    assert not parser.inside


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("just text without a tag", {}),
        ("<L1>unclosed", {Layer.EMOTIONS_AND_CONTEXT: "unclosed"}),
        ("<L1>unclosed<L2>next</L2>", {Layer.EMOTIONS_AND_CONTEXT: "unclosed", Layer.CAUSES_AND_BELIEFS: "next"}),
        ("<L2>b</L2><L1>a</L1>", {Layer.EMOTIONS_AND_CONTEXT: "a", Layer.CAUSES_AND_BELIEFS: "b"}),
        ("<L1>first</L1><L1>second</L1>", {Layer.EMOTIONS_AND_CONTEXT: "first"}),
        ("<L1></L1><L1>second</L1>", {Layer.EMOTIONS_AND_CONTEXT: "second"}),
        ("outside<answer> inside </answer>outside", {Layer.ANSWER: "inside"}),
        ("<answer>cut off in a <", {Layer.ANSWER: "cut off in a <"}),
        ("<answer>1 < 2 and <b>bold</b></answer>", {Layer.ANSWER: "1 < 2 and <b>bold</b>"}),
        ("<ANSWER>upper</ANSWER>", {Layer.ANSWER: "upper"}),
        ("<answer>a\n\n  b\n</answer>", {Layer.ANSWER: "a\n\n  b"}),
        ("</L1></answer></empathy_think>", {}),
        ("<<L1>x</L1>", {Layer.EMOTIONS_AND_CONTEXT: "x"}),
    ],
)
@pytest.mark.parametrize("size", [0, 1, 4])
def test_broken_output(text: str, expected: dict[Layer, str], size: int) -> None:
    streamed, chain = parse(text, size)
    assert chain.texts == expected
    assert streamed == expected
    assert not chain.valid


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("<L3>three</L3>", ""),
        GOOD.replace("<L3>three</L3>", "<L3> </L3>"),
        GOOD.replace("<L1>one</L1><L2>two</L2>", "<L2>two</L2><L1>one</L1>"),
        GOOD.replace("</empathy_think>", ""),
        GOOD.replace("five. Six.", " "),
        GOOD + "and more",
        GOOD.replace("<L4>four</L4>", "<L4>four</L4><L4>again</L4>"),
    ],
)
def test_the_format_is_the_papers(text: str) -> None:
    assert not parse(text)[1].valid


outputs = st.lists(st.one_of(st.sampled_from(TAGS), st.text(alphabet="ab <>/L1\n好。", max_size=6))).map("".join)


@given(outputs, st.integers(1, 9))
def test_chunks_make_no_difference(text: str, size: int) -> None:
    streamed, chain = parse(text, size)
    assert chain == parse(text)[1]
    assert streamed == chain.texts


@given(st.text())
def test_never_raises(text: str) -> None:
    parse(text, 1)


@given(st.lists(st.text(alphabet="abc 好。", min_size=1).filter(str.strip), min_size=5, max_size=5))
def test_what_a_chain_writes_is_read_back(texts: list[str]) -> None:
    chain = Chain({layer: text.strip() for layer, text in zip(Layer, texts, strict=True)}, valid=True)
    assert parse(chain.serialise(), 3)[1] == chain
