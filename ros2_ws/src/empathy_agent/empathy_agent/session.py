"""What was said before, per session; in memory only."""

from __future__ import annotations

from collections import OrderedDict, deque


class Sessions:
    """The last turns of the sessions used last.

    ``max_turns`` (post, answer) pairs are kept for each of ``max_sessions`` sessions; the least recently used session
    is forgotten first. ``max_turns`` 0 keeps no history. Raises ``ValueError`` on a negative number or no session.
    """

    def __init__(self, max_turns: int = 4, max_sessions: int = 64) -> None:
        if max_turns < 0:
            raise ValueError(f"max_turns {max_turns} is negative")
        if max_sessions < 1:
            raise ValueError(f"max_sessions {max_sessions} must be at least 1")
        self._max_turns = max_turns
        self._max_sessions = max_sessions
        self._sessions: OrderedDict[str, deque[tuple[str, str]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def history(self, session_id: str) -> list[tuple[str, str]]:
        """Earlier (post, answer) pairs of a session, oldest first."""
        return list(self._sessions.get(session_id, ()))

    def add(self, session_id: str, post: str, answer: str) -> None:
        """Remember one turn."""
        turns = self._sessions.setdefault(session_id, deque(maxlen=self._max_turns))
        turns.append((post, answer))
        self._sessions.move_to_end(session_id)
        while len(self._sessions) > self._max_sessions:
            self._sessions.popitem(last=False)
