"""Bounded memory of what was said."""

from __future__ import annotations

import pytest
from empathy_agent.session import Sessions


def test_turns_and_sessions_are_bounded() -> None:
    sessions = Sessions(max_turns=2, max_sessions=2)
    for turn in range(3):
        sessions.add("a", f"post {turn}", f"answer {turn}")
    assert sessions.history("a") == [("post 1", "answer 1"), ("post 2", "answer 2")]
    sessions.add("b", "p", "a")
    sessions.add("a", "p", "a")
    sessions.add("c", "p", "a")
    assert len(sessions) == 2
    assert sessions.history("b") == []
    assert sessions.history("a")


def test_no_turns_means_no_history() -> None:
    sessions = Sessions(max_turns=0)
    sessions.add("a", "p", "a")
    assert sessions.history("a") == []


@pytest.mark.parametrize("limits", [(-1, 1), (1, 0)])
def test_limits_are_checked(limits: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="max_"):
        Sessions(*limits)
