"""Says sentences one after another, and is silent when the person speaks."""

from __future__ import annotations

import enum
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from empathy_agent.telling import Sentence, State

from imuface_robot.voices import Voice

_KEPT = 256
"""Replies of which it is known whether they may still be said."""


class Heard(enum.IntEnum):
    """What became of a sentence, with the values of ``imuface_interfaces/msg/Voice``."""

    BEGINS = 0
    ENDS = 1
    STOPS = 2


class Speaker:
    """Gives a voice the sentences in order; ``tell`` hears of each that begins, ends or stops, ``fail`` of faults.

    Methods may be called from any thread. An utterance breaks off every reply so far, also what comes of it later; but
    not the reply that it is itself answered with: a crisis is answered before its utterance is over.
    """

    def __init__(
        self, voice: Voice, tell: Callable[[Sentence, Heard], None], fail: Callable[[str], None] = lambda fault: None
    ) -> None:
        self._voice, self._tell, self._fail = voice, tell, fail
        self._waiting: deque[Sentence] = deque()
        self._saying: Sentence | None = None
        self._answers: OrderedDict[str, str] = OrderedDict()  # the id of the utterance that a reply answers
        self._broken: OrderedDict[str, None] = OrderedDict()
        self._utterance = ""
        self._lock = threading.RLock()

    @property
    def waiting(self) -> int:
        """Sentences that wait to be said."""
        return len(self._waiting)

    def take(self, sentence: Sentence) -> None:
        """Say a sentence when its turn comes; or take note of how its reply ended."""
        with self._lock:
            reply = sentence.reply_id
            if reply not in self._answers:
                self._answers[reply] = self._utterance
                _trim(self._answers)
            if sentence.state is State.CANCELED:
                self._break_off({reply})
            elif sentence.state is State.SAID and reply not in self._broken:
                self._waiting.append(sentence)
                self._next()

    def interrupt(self, utterance_id: str = "") -> None:
        """The person speaks; ``utterance_id`` is "" where it is not known."""
        with self._lock:
            self._utterance = utterance_id
            self._break_off(
                {reply for reply, answered in self._answers.items() if not answered or answered != utterance_id}
            )

    def close(self) -> None:
        """Be silent."""
        with self._lock:
            self._break_off(set(self._answers))

    def _break_off(self, replies: set[str]) -> None:
        self._broken.update(dict.fromkeys(replies))
        _trim(self._broken)
        self._waiting = deque(sentence for sentence in self._waiting if sentence.reply_id not in replies)
        if self._saying is not None and self._saying.reply_id in replies:
            stopped, self._saying = self._saying, None
            self._voice.stop()
            self._tell(stopped, Heard.STOPS)
            self._next()

    def _next(self) -> None:
        if self._saying is None and self._waiting:
            self._saying = sentence = self._waiting.popleft()
            self._tell(sentence, Heard.BEGINS)
            self._voice.say(sentence.text, sentence.locale, lambda fault: self._done(sentence, fault))

    def _done(self, sentence: Sentence, fault: str) -> None:
        with self._lock:
            if self._saying is not sentence:
                return
            self._saying = None
            if fault:
                self._fail(fault)
            self._tell(sentence, Heard.ENDS)
            self._next()


def _trim(kept: OrderedDict[str, str] | OrderedDict[str, None]) -> None:
    while len(kept) > _KEPT:
        kept.popitem(last=False)
