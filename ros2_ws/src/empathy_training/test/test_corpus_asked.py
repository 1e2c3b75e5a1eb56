"""The questions of everyday trouble have plain answers that the agent itself might say."""

from __future__ import annotations

from collections import Counter

import pytest
from empathy_agent.grammar import LANGUAGES
from empathy_agent.safety import Risk, objection
from empathy_agent.safety.gate import by_rules
from empathy_agent.safety.normalise import normalise
from empathy_agent.sentences import split_sentences
from empathy_agent.turns import turn_of
from empathy_training.corpus.asked import ASKED_FILES
from empathy_training.corpus.examples import Example
from sample import own_set  # type: ignore[import-not-found]


def asked(language: str) -> list[Example]:
    return own_set(ASKED_FILES, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_question_stands_once_and_two_share_an_answer(language: str) -> None:
    posts = Counter(example.post for example in asked(language))
    assert len(posts) >= 2400
    assert [post for post, times in posts.items() if times > 1] == []
    assert set(Counter(example.answer for example in asked(language)).values()) == {2}
    assert {example.licence for example in asked(language)} == {"Apache-2.0"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_agent_knows_them_for_questions(language: str) -> None:
    missed = [example.id for example in asked(language) if turn_of(example.post, language).kind != "question"]
    assert len(missed) <= 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rules_find_no_crisis(language: str) -> None:
    risks = {example.id: by_rules(normalise(example.post)).risk for example in asked(language)}
    assert [name for name, risk in risks.items() if risk is Risk.CRISIS] == []
    assert sum(risk is Risk.CONCERN for risk in risks.values()) <= 0.015 * len(risks)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_review_stops_few_answers(language: str) -> None:
    """None of them should be stopped; who wrote them had not seen the review (docs/safety.md)."""
    stopped = []
    for example in asked(language)[::2]:
        so_far = ""
        for sentence in split_sentences(example.answer):
            stopped += [example.id] * bool(objection(sentence, language, so_far))
            so_far += sentence
    assert len(stopped) <= 0.04 * len(asked(language)) / 2
