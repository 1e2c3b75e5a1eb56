"""What kind of turn a message is; the patterns themselves are tested in test_moves_*.py."""

from __future__ import annotations

import pytest
from empathy_agent.turns import KINDS, Turn, theme_of, turn_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("谢谢你听我说这些。", "zh", "thanks"),
        ("謝謝你聽我說這些。", "zh", "thanks"),
        ("下周是婚礼，我该怎么跟他们打招呼？", "zh", "question"),
        ("嗯", "zh", "short"),
        ("晚安，我去睡了", "zh", "goodbye"),
        ("Thank you for listening.", "en", "thanks"),
        ("What should I say to my mum tonight?", "en", "question"),
        ("I guess", "en", "short"),
        ("Good night.", "en", "goodbye"),
    ],
)
def test_kinds(text: str, language: str, kind: str) -> None:
    assert turn_of(text, language).kind == kind


def test_a_story_begins_and_goes_on() -> None:
    text = "My flatmate plays games until three every night."
    assert turn_of(text, "en") == Turn("story")
    assert turn_of(text, "en", before="") == Turn("more")


def test_who_tells_a_story_and_says_thank_you_has_told_a_story() -> None:
    text = "My sister left for good on Monday, and my brother has not called since. " * 3 + "Thank you for listening."
    assert turn_of(text, "en", before="").kind == "more"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Thanks. Honestly, I have not told her yet because she worries so much.", "en"),
        ("谢谢。其实我一直没敢告诉她，怕她知道了整夜睡不着。", "zh"),
    ],
)
def test_who_says_thank_you_and_goes_on_is_answered_to_what_follows(text: str, language: str) -> None:
    assert turn_of(text, language, before="").kind == "more"


def test_the_type_of_a_question_that_is_not_the_first_sentence_is_found() -> None:
    assert turn_of("They asked to stay. Should I let them?", "en") == turn_of("Should I let them?", "en")
    assert turn_of("Should I let them?", "en") == Turn("question", "decide")


def test_a_theme_is_found_in_the_newest_message_that_names_one() -> None:
    assert theme_of(["My boss shouted at me at work.", "My boss is back."], "en") == "work"
    assert theme_of(["My flatmate plays music until three."], "en") == "general"
    assert theme_of(["我奶奶去世了。", "今天下雨。"], "zh") == "loss"
    assert theme_of(["It rains."], "en") == "general"


@given(st.text(), st.sampled_from(["zh", "en"]), st.booleans())
def test_any_text_is_some_turn(text: str, language: str, first: bool) -> None:
    turn = turn_of(text, language, None if first else "")
    assert turn.kind in KINDS
    assert bool(turn.question) == (turn.kind == "question")
