"""What was said before, per session; in memory only, bounded in size and time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from empathy_agent.reflection import clauses
from empathy_agent.safety import Risk
from empathy_agent.sentences import split_sentences

SUMMARY_CHARACTERS = 400
"""Of what is kept of turns that are no longer remembered word for word."""
CONCERN_TURNS = {Risk.NONE: 0, Risk.CONCERN: 2, Risk.CRISIS: 6}
"""Turns after one of that risk for which the session stays at a concern, however many turns are remembered.

A crisis must not be out of sight when the person says "ok"; a false alarm must not follow them for ever."""
_CLAUSES_KEPT = 2
_SENTENCES_KEPT = 600


def key(sentence: str) -> str:
    """A sentence without what may differ between two ways of writing it."""
    return "".join(letter for letter in sentence.casefold() if letter.isalnum())


@dataclass(frozen=True)
class Exchange:
    """A turn that is remembered. ``asked`` and ``written`` are what the model was given for it and what came of that
    with the layers; empty where no model was asked."""

    post: str
    answer: str
    asked: str = ""
    written: str = ""


@dataclass
class Memory:
    """One session. Of older turns the person's own words remain, in short, in the second person."""

    turns: list[Exchange] = field(default_factory=list)
    """Oldest first."""
    summary: str = ""
    said: set[str] = field(default_factory=set)
    """Sentences that the agent has said, as :func:`key` writes them."""
    risk: Risk = Risk.NONE
    """What the turns before leave behind: a concern, or nothing; see :data:`CONCERN_TURNS`."""

    @property
    def before(self) -> str | None:
        """The person's last message, None where the next one is the first."""
        return self.turns[-1].post if self.turns else None


@dataclass
class _Kept:
    turns: deque[Exchange]
    used: float
    concern: int = 0
    """Turns for which the session stays at a concern."""
    summary: str = ""
    said: OrderedDict[str, None] = field(default_factory=OrderedDict)


class Sessions:
    """The last turns of the sessions used last; safe to use from several threads.

    ``max_turns`` turns are kept for each of ``max_sessions`` sessions; the least recently used session is forgotten
    first, and one that was not used for ``retention`` seconds. An empty session id is nobody's: nothing is remembered.
    ``max_turns`` 0 keeps no history. Raises ``ValueError`` on a negative number, no session or no time.
    """

    def __init__(
        self,
        max_turns: int = 6,
        max_sessions: int = 64,
        retention: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_turns < 0:
            raise ValueError(f"max_turns {max_turns} is negative")
        if max_sessions < 1:
            raise ValueError(f"max_sessions {max_sessions} must be at least 1")
        if not retention > 0.0:
            raise ValueError(f"retention {retention} s must be positive")
        self._max_turns, self._max_sessions, self._retention = max_turns, max_sessions, retention
        self._clock = clock
        self._sessions: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            self._expire()
            return len(self._sessions)

    def memory(self, session_id: str) -> Memory:
        """A copy of what is remembered of a session."""
        with self._lock:
            self._expire()
            kept = self._sessions.get(session_id)
            if kept is None:
                return Memory()
            risk = Risk.CONCERN if kept.concern else Risk.NONE
            return Memory(list(kept.turns), kept.summary, set(kept.said), risk)

    def add(self, session_id: str, turn: Exchange, language: str = "en", risk: Risk = Risk.NONE) -> None:
        """Remember one turn in ``"zh"`` or ``"en"``; ``risk`` is what its post alone states."""
        if not session_id:
            return
        with self._lock:
            kept = self._sessions.setdefault(session_id, _Kept(deque(), 0.0))
            kept.used = self._clock()
            kept.turns.append(turn)
            kept.concern = max(kept.concern - 1, CONCERN_TURNS[risk])
            while len(kept.turns) > self._max_turns:
                kept.summary = _shortened(kept.summary, clauses(kept.turns.popleft().post, language), language)
            kept.said.update(dict.fromkeys(map(key, split_sentences(turn.answer))))
            while len(kept.said) > _SENTENCES_KEPT:
                kept.said.popitem(last=False)
            self._sessions.move_to_end(session_id)
            while len(self._sessions) > self._max_sessions:
                self._sessions.popitem(last=False)

    def forget(self, session_id: str = "") -> int:
        """Forget one session, or all of them; how many there were."""
        with self._lock:
            names = [session_id] if session_id else list(self._sessions)
            return sum(self._sessions.pop(name, None) is not None for name in names)

    def _expire(self) -> None:
        oldest = self._clock() - self._retention
        for name in [name for name, kept in self._sessions.items() if kept.used < oldest]:
            del self._sessions[name]


def _shortened(summary: str, more: Iterable[str], language: str) -> str:
    """The summary with the last clauses of a turn, without the oldest ones that are too many."""
    mark = "；" if language == "zh" else "; "
    parts = [part for part in summary.split(mark) if part] + list(more)[-_CLAUSES_KEPT:]
    while len(mark.join(parts)) > SUMMARY_CHARACTERS:
        del parts[0]
    return mark.join(parts)
