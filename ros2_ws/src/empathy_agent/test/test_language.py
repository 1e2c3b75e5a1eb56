"""Which language a text is in, and which locale it is answered in."""

from __future__ import annotations

import pytest
from empathy_agent.language import detect_language, is_in_language, resolve_locale
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


def test_reply_in_language() -> None:
    assert is_in_language("听起来你很累。", "zh")
    assert not is_in_language("It sounds hard.", "zh")
    assert is_in_language("It sounds hard.", "en")
    assert not is_in_language("It sounds 难 hard.", "en")
    assert not is_in_language("", "en")


@given(st.text())
def test_never_raises(text: str) -> None:
    assert detect_language(text) in ("zh", "en")
