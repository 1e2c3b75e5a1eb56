"""Spellings that mean the same become the same."""

from __future__ import annotations

import functools
from pathlib import Path

import opencc
import pytest
import yaml
from empathy_agent.safety import Risk, assess
from empathy_agent.safety.normalise import normalise
from hypothesis import given
from hypothesis import strategies as st

_DATA = Path(__file__).parents[2] / "empathy_training" / "empathy_training" / "screening" / "data"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("我想自殺", "我想自杀"),
        ("我 想 自 杀", "我想自杀"),
        ("我想自·杀", "我想自杀"),
        ("睡著了就別再醒", "睡着了就别再醒"),
        ("關係", "关系"),
        ("佢係我朋友", "他是我朋友"),
        ("唔想做人", "不想活"),
        ("畀佢打", "被他打"),
        ("畀我啦", "给我啦"),
        ("冇人明", "没有人明"),
        ("佢哋個女", "他们女儿"),
        ("我找了个女朋友", "我找了个女朋友"),
        ("以后爸妈怎么办", "以后爸妈怎么办"),
        ("后爸又来了", "继父又来了"),
        ("组里还差人手", "组里还差人手"),
        ("Ｉ ｗａｎｔ ｔｏ ｄｉｅ", "i want to die"),
        ("k i l l  m y s e l f", "killmyself"),
        ("k1ll", "kill"),
        ("I'm gonna d i e", "i'm going to d i e"),
        ("I don’t wanna", "i don't want to"),
        ("im sooo tired", "i'm so tired"),
        ("kms", "kill myself"),
        ("we drove 300 kms", "we drove 300 kms"),
        ("我\u200b想\x00死", "我想死"),
        ("我想4了", "我想死了"),
        ("紫砂壶", "紫砂壶"),
        ("好想紫砂", "好想自杀"),
    ],
)
def test_one_spelling(text: str, plain: str) -> None:
    assert normalise(text) == plain


_level = functools.cache(assess)  # the ways to write a line traditionally are seldom apart


@functools.cache
def _simplified_lines() -> list[str]:
    """Lines of the training data that OpenCC reads as simplified Chinese."""
    to_simplified = opencc.OpenCC("t2s")
    lines = [
        str(line)
        for name in ("zh_plain.yaml", "zh_crisis.yaml", "zh_calm.yaml")
        for lines in yaml.safe_load((_DATA / name).read_text(encoding="utf-8")).values()
        for line in lines
    ]
    return [line for line in lines if to_simplified.convert(line) == line]


@pytest.mark.parametrize("config", ["s2t", "s2hk", "s2tw"])
def test_traditional_lines_have_the_level_of_simplified_ones(config: str) -> None:
    converter = opencc.OpenCC(config)
    lines = _simplified_lines()
    assert len(lines) > 1000
    apart = [line for line in lines if _level(converter.convert(line)) != _level(line)]
    assert apart == []


@given(st.text(st.characters() | st.sampled_from("關係畀咗唔\x00\ud800\u200b ")))
def test_any_string_is_normalised(text: str) -> None:
    plain = normalise(text)
    assert isinstance(plain, str)
    plain.encode("utf-8")


@pytest.mark.parametrize("text", ["wo bu xiang huo le", "Xiang si", "wo xiang zi sha", "huo bu xia qu le"])
def test_pinyin_needs_no_chinese_character_beside_it(text: str) -> None:
    assert assess(text).risk is Risk.CRISIS
