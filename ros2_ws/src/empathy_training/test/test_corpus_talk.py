"""The conversations have the size and spread that they promise, and repeat themselves nowhere."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from empathy_agent.grammar import LANGUAGES
from empathy_agent.safety import Risk, assess, objection
from empathy_agent.sentences import split_sentences
from empathy_agent.session import key
from empathy_agent.turns import turn_of
from empathy_training.corpus.examples import Example, conversations
from empathy_training.corpus.talk import TALK_FILES
from sample import own_set  # type: ignore[import-not-found]


@cache
def talks(language: str) -> list[list[Example]]:
    return conversations(own_set(TALK_FILES, language))


def turns(language: str) -> list[Example]:
    return [turn for talk in talks(language) for turn in talk]


@pytest.mark.parametrize(("language", "count"), [("zh", 240), ("en", 110)])
def test_there_are_enough_and_each_turn_has_its_chain(language: str, count: int) -> None:
    assert len(talks(language)) >= count
    assert all(3 <= len(talk) <= 6 for talk in talks(language))
    assert all(turn.has_chain and turn.licence == "Apache-2.0" for turn in turns(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_turn_occurs(language: str) -> None:
    kinds = Counter(
        turn_of(turn.post, language, None if turn is talk[0] else "").kind for talk in talks(language) for turn in talk
    )
    least = {"question": 0.2, "thanks": 0.02, "goodbye": 0.01, "correction": 0.004, "anger_at_agent": 0.004}
    total = kinds.total()
    assert {kind: kinds[kind] / total for kind, share in least.items() if kinds[kind] < share * total} == {}
    assert sum(bool(turn.face) for turn in turns(language)) >= 0.05 * total


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_of_an_answer_stands_twice(language: str) -> None:
    said = Counter(
        key(sentence) for turn in turns(language) for sentence in split_sentences(turn.answer) if len(key(sentence)) > 9
    )
    assert [sentence for sentence, times in said.items() if times > 2] == []
    assert sum(times - 1 for times in said.values()) <= 0.005 * said.total()


@pytest.mark.parametrize("language", LANGUAGES)
def test_beginnings_differ(language: str) -> None:
    size = 6 if language == "zh" else 18
    begun = Counter(turn.answer[:size] for turn in turns(language))
    assert begun.most_common(1)[0][1] <= 0.02 * begun.total()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_review_stops_no_answer(language: str) -> None:
    stopped = {}
    for turn in turns(language):
        so_far = ""
        for sentence in split_sentences(turn.answer):
            if reason := objection(sentence, language, so_far):
                stopped[turn.id] = reason
            so_far += sentence
    assert stopped == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_none_is_a_crisis(language: str) -> None:
    assert [turn.id for turn in turns(language) if assess(turn.post).risk is Risk.CRISIS] == []
