"""Tells the answers sentence by sentence, in order and with their ends, for whoever says them aloud."""

from __future__ import annotations

import enum
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from empathy_agent.chain import Delta, Layer
from empathy_agent.dialogue import Dialogue, DialogueError, ErrorCode, Reply
from empathy_agent.safety import Risk
from empathy_agent.sentences import split_sentences
from empathy_agent.worker import Job


class State(enum.IntEnum):
    """What is told, with the values of ``imuface_interfaces/msg/Sentence``."""

    SAID = 0
    END = 1
    CANCELED = 2
    FAILED = 3


@dataclass(frozen=True)
class Sentence:
    """A reviewed sentence of an answer, or with an empty ``text`` how the reply ended after ``index`` of them.

    ``turn`` is the person's (:data:`empathy_agent.turns.KINDS`), empty where the post was not taken.
    """

    reply_id: str
    session_id: str
    index: int = 0
    state: State = State.SAID
    text: str = ""
    locale: str = ""
    risk: Risk = Risk.NONE
    turn: str = ""


@dataclass(eq=False)
class _Told:
    """How far a reply is told; ``next`` is what its next sentence is made from."""

    next: Sentence
    begun: bool = False
    closed: bool = False


class Telling:
    """Gives ``say`` the sentences of each job that it follows, from any thread but one at a time.

    Each reply is closed once. The replies of one session do not mix: the one that a crisis interrupts is closed before
    the crisis is answered, though its thread may notice later.
    """

    def __init__(self, dialogue: Dialogue, say: Callable[[Sentence], None]) -> None:
        self._dialogue, self._say = dialogue, say
        self._open: dict[str, _Told] = {}
        self._one_at_a_time = threading.RLock()

    def follow(self, job: Job) -> None:
        """Tell the answer of a job that is not submitted yet, before its own receivers get it."""
        told = _Told(Sentence(uuid.uuid4().hex, job.session_id))
        on_delta, on_done = job.on_delta, job.on_done

        def delta(given: Delta) -> None:
            if given.layer is Layer.ANSWER:
                self._answer(told, job, given.text)
            on_delta(given)

        def done(outcome: Reply | DialogueError) -> None:
            if isinstance(outcome, Reply):
                self._close(told, State.END)
            else:
                self._close(told, State.CANCELED if outcome.code is ErrorCode.CANCELED else State.FAILED)
            on_done(outcome)

        job.on_delta, job.on_done = delta, done

    def _answer(self, told: _Told, job: Job, text: str) -> None:
        with self._one_at_a_time:
            if told.closed:
                return
            if not told.begun:
                self._begin(told, job)
            for sentence in filter(None, map(str.strip, split_sentences(text))):
                self._say(replace(told.next, text=sentence))
                told.next = replace(told.next, index=told.next.index + 1)

    def _begin(self, told: _Told, job: Job) -> None:
        assert job.post is not None
        told.begun = True
        risk, turn = self._dialogue.standing(job.post)
        told.next = replace(told.next, locale=job.post.locale, risk=risk, turn=turn.kind)
        if job.session_id:  # nobody's posts are not one session
            if (before := self._open.get(job.session_id)) is not None:
                self._close(before, State.CANCELED)
            self._open[job.session_id] = told

    def _close(self, told: _Told, state: State) -> None:
        with self._one_at_a_time:
            if told.closed:
                return
            told.closed = True
            if self._open.get(told.next.session_id) is told:
                del self._open[told.next.session_id]
            self._say(replace(told.next, state=state))
