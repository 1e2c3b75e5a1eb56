"""Bounded memory of what was said."""

from __future__ import annotations

import pytest
from empathy_agent.safety import Risk
from empathy_agent.session import SUMMARY_CHARACTERS, Exchange, Memory, Sessions


def test_turns_and_sessions_are_bounded() -> None:
    sessions = Sessions(max_turns=2, max_sessions=2)
    for turn in range(3):
        sessions.add("a", Exchange(f"post {turn}", f"answer {turn}"))
    assert sessions.memory("a").turns == [Exchange("post 1", "answer 1"), Exchange("post 2", "answer 2")]
    sessions.add("b", Exchange("p", "a"))
    sessions.add("a", Exchange("p", "a"))
    sessions.add("c", Exchange("p", "a"))
    assert len(sessions) == 2
    assert sessions.memory("b") == Memory()
    assert sessions.memory("a").turns


def test_of_older_turns_a_summary_in_the_persons_words_remains() -> None:
    sessions = Sessions(max_turns=1)
    sessions.add("a", Exchange("My sister moved to Oporto.", "That is far."))
    sessions.add("a", Exchange("I miss our walks.", "You walked a lot together."))
    sessions.add("a", Exchange("It is raining.", "Here, too."))
    memory = sessions.memory("a")
    assert memory.turns == [Exchange("It is raining.", "Here, too.")]
    assert memory.summary == "your sister moved to Oporto; you miss your walks"
    for turn in range(200):
        sessions.add("a", Exchange(f"My friend number {turn % 90} has left the town.", "I see."))
    assert 0 < len(sessions.memory("a").summary) <= SUMMARY_CHARACTERS


def test_what_the_agent_said_is_known_sentence_by_sentence() -> None:
    sessions = Sessions(max_turns=1)
    sessions.add("a", Exchange("p", "That is hard. Who is with you?"))
    sessions.add("a", Exchange("p", "And now?"))
    assert sessions.memory("a").said == {"thatishard", "whoiswithyou", "andnow"}


def left_behind(sessions: Sessions, *risks: Risk) -> list[bool]:
    """Whether the session is at a concern before each turn, and after the last."""
    levels = []
    for risk in risks:
        levels.append(sessions.memory("a").risk is Risk.CONCERN)
        sessions.add("a", Exchange("p", "a"), risk=risk)
    return [*levels, sessions.memory("a").risk is Risk.CONCERN]


@pytest.mark.parametrize("max_turns", [0, 2, 50])
def test_a_crisis_leaves_a_concern_for_some_turns_however_many_are_remembered(max_turns: int) -> None:
    calm = [Risk.NONE] * 7
    assert left_behind(Sessions(max_turns), Risk.CRISIS, *calm) == [False] + 6 * [True] + [False] * 2
    assert left_behind(Sessions(max_turns), Risk.CONCERN, *calm) == [False] + 2 * [True] + [False] * 6


def test_a_concern_prolongs_itself_and_shortens_no_crisis() -> None:
    sessions = Sessions()
    left_behind(sessions, Risk.CRISIS, Risk.CONCERN)
    assert left_behind(sessions, *[Risk.NONE] * 6) == [True] * 5 + [False] * 2
    left_behind(sessions, Risk.CONCERN, Risk.NONE, Risk.CONCERN)
    assert left_behind(sessions, *[Risk.NONE] * 3) == [True] * 2 + [False] * 2


def test_an_empty_session_is_nobodys() -> None:
    sessions = Sessions()
    sessions.add("", Exchange("p", "a"))
    assert len(sessions) == 0
    assert sessions.memory("") == Memory()


def test_sessions_are_forgotten_on_request_and_after_a_while() -> None:
    now = 0.0
    sessions = Sessions(retention=60.0, clock=lambda: now)
    for name in "abc":
        sessions.add(name, Exchange("p", "a"))
    assert sessions.forget("a") == 1
    assert sessions.forget("a") == 0
    assert sessions.memory("a") == Memory()
    now = 50.0
    sessions.add("b", Exchange("p", "a"))
    now = 70.0
    assert len(sessions) == 1
    assert sessions.memory("c") == Memory()
    assert sessions.forget() == 1


def test_no_turns_means_no_history() -> None:
    sessions = Sessions(max_turns=0)
    sessions.add("a", Exchange("p", "a"))
    assert sessions.memory("a").turns == []


@pytest.mark.parametrize("limits", [(-1, 1, 1.0), (1, 0, 1.0), (1, 1, 0.0)])
def test_limits_are_checked(limits: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match=r"max_|retention"):
        Sessions(*limits)
