"""What is said to a message of a meaning: the banks, and when one is taken to be meant."""

from __future__ import annotations

import pytest
from empathy_agent import meanings as module
from empathy_agent.meanings import LIKELY, meaning_of, meanings
from empathy_agent.recognition import MEANING, NONE, shipped
from empathy_agent.safety import objection

LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])


def test_both_languages_know_the_same() -> None:
    assert {name: known.good for name, known in meanings("zh").items()} == {
        name: known.good for name, known in meanings("en").items()
    }


def test_what_is_recognised_has_words() -> None:
    assert {*shipped().heads[MEANING].labels} == {*meanings("en"), NONE}


@LANGUAGES
def test_every_sentence_may_be_said_and_stands_once(language: str) -> None:
    said = [text for known in meanings(language).values() for text in (*known.says, *known.asks, *known.do)]
    assert len(set(said)) == len(said)
    assert {text: reason for text in said if (reason := objection(text, language))} == {}


@LANGUAGES
def test_what_is_asked_is_a_question_and_nothing_else_is(language: str) -> None:
    for known in meanings(language).values():
        assert all(text.endswith(("?", "？")) for text in known.asks)
        assert not any(text.rstrip("”").endswith(("?", "？")) for text in known.says)
        assert len(known.says) >= 4
        assert len(known.asks) >= 3


def test_a_bare_question_means_what_was_told_before() -> None:
    told = "Everyone from my class went to the lake and nobody told me."
    assert meaning_of("So what do I do?", "en", [told], looking_back=3) == meaning_of(told, "en")


@pytest.mark.parametrize(
    ("chances", "name"),
    [
        ({"waiting": LIKELY + 0.1, NONE: LIKELY + 0.2}, None),  # that it means none of these is more probable
        ({"waiting": LIKELY, NONE: LIKELY - 0.01}, "waiting"),
        ({"waiting": LIKELY - 0.01}, None),
        ({"waiting": 0.3, "achieved": 0.29, "relieved": 0.29}, None),  # it may as well be good news
        ({"achieved": 0.3, "fear": 0.29, "waiting": 0.29}, None),
        ({"achieved": 0.3, "relieved": 0.25, "waiting": 0.2}, "achieved"),
    ],
)
def test_a_meaning_is_known_where_it_is_probable_and_its_tone_is(
    monkeypatch: pytest.MonkeyPatch, chances: dict[str, float], name: str | None
) -> None:
    everything = dict.fromkeys(shipped().heads[MEANING].labels, 0.0) | chances

    class Fixed:
        def probabilities(self, text: str, before: str) -> dict[str, dict[str, float]]:
            return {MEANING: everything}

    monkeypatch.setattr(module.recognition, "shipped", Fixed)
    assert meaning_of("any", "en") == (meanings("en")[name] if name else None)
