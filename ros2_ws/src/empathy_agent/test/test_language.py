"""Which language a text is in, and which locale it is answered in."""

from __future__ import annotations

import re

import pytest
from empathy_agent.language import HAN, detect_language, is_in_language, resolve_locale
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我最近很难过", "zh"),
        ("我最近被leader PUA，每天做PPT到凌晨，deadline太多了", "zh"),
        ("我好難過，不知道怎麼辦", "zh"),
        ("I feel sad", "en"),
        ("My mother always says 加油 but it does not help me at all", "en"),
        ("¿Qué debo hacer? Estoy muy triste.", "en"),
        ("最近とても悲しいです。どうすればいいですか。", "en"),
        ("요즘 너무 힘들어요", "en"),
        ("我好难过 (´・ω・`)", "zh"),
        ("\uf9f4\uf9e1\u884c", "zh"),  # compatibility ideographs
        ("\U00020bb7\u91ce\U0002a6d0\U0002b740\U00030000", "zh"),  # extensions
        ("", "en"),
        ("12345 !!!", "en"),
    ],
)
def test_detection(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("requested", "text", "locale"),
    [
        ("", "我很难过", "zh-CN"),
        ("", "I am sad", "en"),
        ("en-US", "I am sad", "en-US"),
        ("zh-TW", "我很難過", "zh-TW"),
        ("zh-CN", "I am sad", "en"),
        ("en-US", "我很难过", "zh-CN"),
        ("fr-FR", "Je suis triste", "en"),
    ],
)
def test_locale(requested: str, text: str, locale: str) -> None:
    assert resolve_locale(requested, text) == locale


@pytest.mark.parametrize(
    "letter", ["\u3400", "\u4dbf", "\u4e00", "\u9fff", "\uf900", "\ufaff", "\U00020000", "\U0002f800", "\U000323af"]
)
def test_what_is_han(letter: str) -> None:
    assert re.fullmatch(f"[{HAN}]", letter)


@pytest.mark.parametrize(
    "letter", ["가", "힣", "\u1100", "あ", "ア", "\ua000", "\ue000", "\uf8ff", "\ufb00", "\u4dc0", "A", "é", "😀"]
)
def test_what_is_not_han(letter: str) -> None:
    assert not re.search(f"[{HAN}]", letter)


def test_reply_in_language() -> None:
    assert is_in_language("听起来你很累。", "zh")
    assert not is_in_language("It sounds hard.", "zh")
    assert is_in_language("It sounds hard.", "en")
    assert not is_in_language("It sounds 难 hard.", "en")
    assert not is_in_language("It sounds 힘들다 hard.", "en")
    assert not is_in_language("It sounds つらい hard.", "en")
    assert not is_in_language("", "en")


@given(st.text())
def test_never_raises(text: str) -> None:
    assert detect_language(text) in ("zh", "en")
