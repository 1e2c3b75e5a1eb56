"""What a weak model may choose from: enough, fit to be said, and nothing twice."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from empathy_agent.chain import Layer
from empathy_agent.grammar import LANGUAGES
from empathy_agent.language import language_data
from empathy_agent.meanings import meanings
from empathy_agent.safety import objection
from empathy_agent.scaffold import CLAUSE, OFFERED, scaffold
from empathy_agent.sentences import split_sentences
from empathy_agent.session import key
from empathy_agent.turns import KINDS, Turn, moves

POSTS = {"zh": "我妈妈上个月去世了，我每天都睡不着。", "en": "My mother died last month and I lie awake every night."}


def sentences(value: Any) -> list[str]:
    """All texts in a bank."""
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value
    return [sentence for child in children for sentence in sentences(child)]


def spoken(language: str) -> list[str]:
    """What can become part of an answer."""
    bank = moves(language)
    return sentences([bank[name] for name in ("frames", "validations", "closings", "answers", "turns")])


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_speaks_against_any_sentence_of_the_bank(language: str) -> None:
    clause = {"zh": "你妈妈上个月去世了", "en": "your mother died last month"}[language]
    stopped = {text: found for text in spoken(language) if (found := objection(text.replace(CLAUSE, clause), language))}
    assert not stopped
    plan = [text for text in sentences(language_data(language)["plan"]) if "{" not in text]
    assert not [text for text in plan if objection(text, language)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_stands_twice_and_none_holds_a_digit(language: str) -> None:
    found = spoken(language)
    assert len(found) > 400
    assert len(set(map(key, found))) == len(found)
    assert not [text for text in found if re.search(r"\d", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_turn_and_every_question_has_a_plan(language: str) -> None:
    turns = [Turn(kind) for kind in KINDS if kind != "question"]
    turns += [Turn("question", name) for name in moves(language)["answers"]]
    for turn, earlier, text in product(turns, ([], ["before"]), (POSTS[language], "！")):
        plan = scaffold(turn, language, text, earlier)
        assert list(plan.sentences) == list(Layer)
        assert all(choices for part in plan.sentences.values() for choices in part)
        said = [choice for part in plan.sentences.values() for choices in part for choice in choices]
        assert not [choice for choice in said if "{" in choice], turn


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_session_of_twenty_turns_offers_no_sentence_that_was_said(language: str) -> None:
    said: set[str] = set()
    earlier: list[str] = []
    for number in range(20):
        text = POSTS[language] + "!" * number
        turn = Turn("more") if number else Turn("story")
        answer = scaffold(turn, language, text, earlier, said).sentences[Layer.ANSWER]
        for choices in answer:
            assert 0 < len(choices) <= OFFERED
            chosen = {key(sentence) for sentence in split_sentences(choices[0])}
            assert not chosen & said or number > 12
            said |= chosen
        earlier.append(text)


def test_the_same_post_gets_the_same_offer() -> None:
    first, second = (scaffold(Turn("story"), "en", POSTS["en"]) for _ in range(2))
    assert first == second
    assert scaffold(Turn("story"), "en", POSTS["en"] + " Really.").sentences != first.sentences


def test_the_theme_of_the_session_decides() -> None:
    bank = moves("en")["validations"]
    plan = scaffold(Turn("more"), "en", "Her cat sits there now.", [POSTS["en"]])
    validations = plan.sentences[Layer.ANSWER][-1]
    assert set(validations) <= {*bank["loss"], *bank["general"]}


def test_a_message_whose_meaning_is_known_gets_its_words_and_no_others() -> None:
    known = meanings("en")["left-out"]
    text = "Everyone from my class went to the lake and nobody told me."
    said, asked = scaffold(Turn("story"), "en", text).sentences[Layer.ANSWER]
    assert set(said) == set(known.says)
    assert set(asked) <= set(known.asks)
    (again,) = scaffold(Turn("more"), "en", text, [text], set(map(key, said[:3]))).sentences[Layer.ANSWER]
    assert again == said[3:]
    plan = scaffold(Turn("question", "cope"), "en", "So what do I do?", [text])
    assert set(plan.sentences[Layer.ANSWER][0]) <= set(known.do)


def test_only_what_the_question_is_about_is_remembered() -> None:
    earlier = ["My landlord keeps the deposit.", "My sister moved to Leeds."]
    answer = scaffold(Turn("question", "tell"), "en", "How do I ask the landlord for it?", earlier).sentences[
        Layer.ANSWER
    ]
    remembered = [choice for choices in answer for choice in choices if "your " in choice]
    assert not any("sister" in choice for choice in remembered)


def test_nobody_is_comforted_who_told_good_news() -> None:
    bank = moves("en")["validations"]
    plan = scaffold(Turn("more"), "en", "It took me three years.", ["I passed the exam! I'm so happy!"])
    assert not {sentence for sentences in bank.values() for sentence in sentences} & {
        choice for choices in plan.sentences[Layer.ANSWER] for choice in choices
    }
