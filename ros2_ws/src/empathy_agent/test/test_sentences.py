"""Whole sentences from a stream."""

from __future__ import annotations

import time

import pytest
from empathy_agent.sentences import LONGEST, Sentences, split_sentences
from hypothesis import example, given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "sentences",
    [
        ["你很累。", "他说什么？", "真的！", "我……", "走了。"],
        ["他说：“你太敏感了。”", "你愣住了。"],
        ["“真的吗？！”", "（我不信。）", "好"],
        ["他走了！！！", "你哭了……", "然后呢?", "没有然后!", "就这样"],
        ["第一行", "\n第二行。", "\n\n第三行"],
        ["It hurts.", " You waited.", " Why?", " No!", " Then he left"],
        ['He said "no."', " You stood there.", " (It was late.)", " Then?"],
        ['He said "no." and left.', " You stayed."],
        ['He said: "You?', ' Never!"', " You left."],
        ["Dr. Lee saw you at 3.5 hours, e.g. on Monday, i.e. late.", " Then it was over."],
        ["At 3 p.m. you cried, etc. and so on.", " You came at 9 a.m.", " It was cold."],
        ["Well... perhaps it is… not so.", " I waited...", " Nobody came…", " Nobody."],
        ["1. Eat something.", "\n2. Sleep.", " It was 2019.", " Then more."],
        ["No.", " She can't know."],
        ["See a.b.com/?q=1!x now.", " Yes."],
        ["你这是抑.郁.症吗。", "OK.", "好的"],
        ['他问:"甲。', '乙。"', "丙。"],
        ["  \n  你好。", " \n"],
        ["a" * LONGEST, "a" * 10],
        ["啊" * (LONGEST - 10) + "，", "啊" * 30 + "。", "好"],
        ["word " * (LONGEST // 5), "word word."],
        ["。" * LONGEST, "。。"],
    ],
)
def test_where_a_sentence_ends(sentences: list[str]) -> None:
    assert split_sentences("".join(sentences)) == sentences


def test_a_sentence_comes_with_the_letter_behind_it() -> None:
    stream = Sentences()
    assert stream.feed("你很累。") == []
    assert stream.feed("他") == ["你很累。"]
    assert stream.feed("说") == []
    assert stream.feed("：“走。") == []
    assert stream.feed("”你") == ["他说：“走。”"]
    assert stream.feed("没") == []
    assert stream.finish() == ["你没"]
    assert stream.finish() == []


_TEXT = st.text(alphabet="你好a B1。！？…….!?\"'”）(“,， \n\r\u2028", max_size=60) | st.text()


@given(_TEXT | st.lists(_TEXT, max_size=30).map("".join), st.lists(st.integers(1, 40), min_size=1))
@example("a" * (LONGEST - 1) + '."' + "b", [1])
@example("e" * (LONGEST - 4) + "e.g. b" * 3, [1])
@example('好。"' * 300, [7])
@example(" " * 900 + "。", [1])
def test_the_chunks_do_not_matter(text: str, sizes: list[int]) -> None:
    stream = Sentences()
    sentences: list[str] = []
    position = turn = 0
    while position < len(text):
        size = sizes[turn % len(sizes)]
        sentences += stream.feed(text[position : position + size])
        position, turn = position + size, turn + 1
    sentences += stream.finish()
    assert "".join(sentences) == text
    assert all(0 < len(sentence) <= LONGEST for sentence in sentences)
    assert sentences == split_sentences(text)


@pytest.mark.parametrize(
    ("text", "kept", "runs"),
    [
        ("a" * LONGEST, ["a" * LONGEST], 0),
        ("a" * 5 * LONGEST, [], 1),
        ("a" * LONGEST + "a.", [], 1),
        ("very " * 300 + "tired. It is late.", [" It is late."], 1),
        ("It is late. " + "so, " * 300 + "\nYou wait.", ["It is late.", " \nYou wait."], 1),
        ("啊" * 900 + "。你很累。" + "好，" * 300 + "好。", ["你很累。"], 2),
        ("。" * LONGEST + "。。", ["。" * LONGEST, "。。"], 0),
        ("a" * 2 * LONGEST + "\n" + "b" * 10, ["\n" + "b" * 10], 1),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_run_without_an_end_is_left_out_if_asked_to(text: str, kept: list[str], runs: int, size: int) -> None:
    told: list[None] = []
    stream = Sentences(lambda: told.append(None))
    sentences = [piece for start in range(0, len(text), size) for piece in stream.feed(text[start : start + size])]
    assert [*sentences, *stream.finish()] == kept
    assert len(told) == runs


@pytest.mark.parametrize("unit", ["a", "。", ". ", "你", '."', " ", "e.g. ", "…", "a.", "'", "?\n"])
def test_time_is_linear(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    start = time.perf_counter()
    split_sentences(text)
    stream = Sentences()
    for letter in text[:20_000]:
        stream.feed(letter)
    assert time.perf_counter() - start < 2
