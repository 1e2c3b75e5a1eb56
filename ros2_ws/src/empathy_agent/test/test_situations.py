"""Everyday situations: they are known by their words, and what they advise may be said."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from empathy_agent.chain import Layer
from empathy_agent.grammar import LANGUAGES
from empathy_agent.packaged import read_yaml
from empathy_agent.safety import Risk, objection
from empathy_agent.safety.gate import by_rules
from empathy_agent.safety.normalise import normalise
from empathy_agent.scaffold import scaffold
from empathy_agent.sentences import split_sentences
from empathy_agent.session import key
from empathy_agent.situations import advice, situation_of, situations
from empathy_agent.turns import turn_of
from hypothesis import given
from hypothesis import strategies as st

LONGEST = {"zh": 75, "en": 200}


@pytest.mark.parametrize("language", LANGUAGES)
def test_their_own_questions_are_known(language: str) -> None:
    found = Counter[bool]()
    for entry in read_yaml(f"moves/situations_{language}.yaml"):
        assert len(entry["asked"]) >= 3
        for text in entry["asked"]:
            situation = situation_of(text, language)
            assert situation is not None, text
            found[situation.id == entry["id"]] += 1
    assert found[False] <= 0.04 * found.total()  # of two that fit the one that names more is taken


def test_both_languages_know_the_same_situations() -> None:
    chinese, english = ([situation.id for situation in situations(language)] for language in ("zh", "en"))
    assert chinese == english
    assert len(set(english)) == len(english) >= 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_they_say_may_be_said(language: str) -> None:
    said = Counter[str]()
    for situation in situations(language):
        assert len(situation.do) >= 3
        assert len(situation.more) >= 2
        assert bool(situation.say) == (situation.to is not None)
        assert all("“" in words for words in situation.say)
        said.update((*situation.do, *situation.more, *situation.say))
    assert [text for text, times in said.items() if times > 1] == []
    for text in said:
        assert len(text) <= LONGEST[language], text
        assert not re.search(r"\d", text), text
        assert len(split_sentences(text)) <= 3, text
        assert not objection(text, language), text
        assert by_rules(normalise(text)).risk is Risk.NONE, text


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("en", "The people upstairs play loud music every night. What should I do?", "noisy-neighbour"),
        ("en", "How do I tell the people upstairs that their music is too loud at night?", "noisy-neighbour"),
        ("zh", "楼上天天半夜放音乐，吵得我睡不着，我该怎么办？", "noisy-neighbour"),
    ],
)
def test_an_answer_is_to_the_situation(language: str, text: str, name: str) -> None:
    turn = turn_of(text, language)
    known = next(situation for situation in situations(language) if situation.id == name)
    found = advice(text, language, turn.question)
    assert found is not None
    assert found.first in (known.do, known.say)
    offered = scaffold(turn, language, text).sentences[Layer.ANSWER]
    assert set(found.first) in [set(choices) for choices in offered]


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "The people upstairs play loud music every night."), ("zh", "楼上天天半夜放音乐，吵得我睡不着。")],
)
def test_a_bare_question_is_about_what_was_told(language: str, told: str) -> None:
    bare, other = {
        "en": ("So what do I do?", "My sister wants to move to Spain with her two dogs next year, what do I do?"),
        "zh": ("那我该怎么办？", "我姐姐明年想带着两只狗搬到西班牙去住，我该怎么办？"),
    }[language]
    assert situation_of(bare, language) is None
    found = situation_of(bare, language, [told])
    assert found is not None
    assert found.id == "noisy-neighbour"
    assert situation_of(other, language, [told]) is None
    # Nor what was told some turns ago, or a question with more to it.
    assert situation_of(bare, language, [told, "Yes.", "My cousin has a new job."]) is None
    if language == "en":
        assert situation_of("I'm so nervous about it, what can I do?", language, [told]) is None
    # Two messages that each tell half of it are no situation.
    assert advice(bare, language, "cope", ["The people upstairs are nice.", "I like loud music."]) is None
    # Whom a longer question is about may be somebody else by now.
    tell, longer = {
        "en": ("And how do I tell them?", "And how do I tell them that my sister's dogs move in here in May?"),
        "zh": ("那我怎么跟邻居说？", "那我怎么跟他们说我姐姐五月要带着两只狗搬过来住？"),
    }[language]
    told_words = advice(tell, language, "tell", [told])
    assert told_words is not None
    assert told_words.first == found.say
    assert advice(longer, language, "tell", [told]) is None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "怎么跟室友说才不会吵起来？"),
        ("zh", "昨天没忍住吼了四岁的女儿，我后悔死了。今天该怎么跟她道歉？"),
        ("en", "How do I ask my neighbour for the ladder without it turning into a row?"),
    ],
)
def test_what_is_feared_or_hyperbole_is_no_situation(language: str, text: str) -> None:
    found = situation_of(text, language)
    assert found is None or found.id not in {"flatmate-trouble", "telling-children-of-a-death", "neighbour-dispute"}


def test_a_long_post_is_none() -> None:
    """It holds the words of many; of those that were tried nearly all were wrong."""
    told = "The people upstairs play loud music every night. "
    assert situation_of(told + "What should I do?", "en") is not None
    assert situation_of(told + "I have told nobody about it. " * 12 + "What should I do?", "en") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_said_is_not_advised_again(language: str) -> None:
    told = {
        "en": "The people upstairs play loud music every night. What should I do?",
        "zh": "楼上天天半夜放音乐，吵得我睡不着，我该怎么办？",
    }[language]
    turn = turn_of(told, language)
    found = advice(told, language, turn.question)
    assert found is not None
    said = {key(sentence) for text in found.first for sentence in split_sentences(text)}
    offered = scaffold(turn, language, told, said=said).sentences[Layer.ANSWER]
    assert not set(found.first) & {choice for choices in offered for choice in choices}


@given(st.text(max_size=200), st.sampled_from(LANGUAGES), st.sampled_from(["cope", "tell", "memory", ""]))
def test_any_text_is_read(text: str, language: str, question: str) -> None:
    found = advice(text, language, question, [text])
    assert found is None or found.first
