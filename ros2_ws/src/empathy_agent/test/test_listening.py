"""Partial utterances, and what is said while the agent thinks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from empathy_agent.listening import Acknowledgements, Partials
from empathy_agent.safety import Risk, objection

NONE, CRISIS = Risk.NONE, Risk.CRISIS


def test_a_crisis_that_lasts_is_answered_once_before_the_end() -> None:
    partials = Partials()
    assert [partials.partial("s", "1", risk) for risk in (NONE, CRISIS, CRISIS, CRISIS)] == [False, False, True, False]
    assert not partials.final("s", "1", CRISIS)
    assert partials.final("s", "2", CRISIS)


def test_a_crisis_that_goes_on_harmlessly_is_none() -> None:
    partials = Partials()
    assert not any(partials.partial("s", "1", risk) for risk in (CRISIS, NONE, CRISIS, NONE))
    assert partials.final("s", "1", NONE)


def test_what_follows_an_answered_crisis_is_answered() -> None:
    partials = Partials()
    assert [partials.partial("s", "1", risk) for risk in (CRISIS, CRISIS)] == [False, True]
    assert partials.final("s", "1", NONE)


def test_sessions_do_not_mix() -> None:
    partials = Partials()
    assert not partials.partial("a", "1", CRISIS)
    assert not partials.partial("b", "1", CRISIS)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("risk", [Risk.NONE, Risk.CONCERN])
def test_an_acknowledgement_is_never_said_twice_in_a_row(language: str, risk: Risk) -> None:
    acknowledgements = Acknowledgements()
    said = [acknowledgements.next("s", language, risk) for _ in range(60)]
    assert all(before != after for before, after in pairwise(said))
    assert len(set(said)) >= 3
    assert not any(objection(sentence, language) for sentence in said)
