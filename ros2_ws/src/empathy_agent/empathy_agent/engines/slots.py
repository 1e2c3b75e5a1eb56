"""Which of a model's slots a prompt goes to, so that each conversation finds its own evaluated prompt again."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from empathy_agent.prompt import Message

ANY = -1
"""What llama.cpp takes for "the next that is free"."""


class Slots:
    """The slots of a llama.cpp server, each of which keeps the last prompt it evaluated. For any number of threads."""

    def __init__(self, count: int) -> None:
        self._held: list[Sequence[Message]] = [()] * count
        self._order = list(range(count))  # least recently used first
        self._busy: set[int] = set()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, messages: Sequence[Message]) -> Iterator[int]:
        """The free slot that holds the conversation of a prompt; for a new one, the least recently used one.

        ``ANY`` where none is free.
        """
        with self._lock:
            free = [slot for slot in self._order if slot not in self._busy]
            slot = self._of_conversation(messages, free) if free else ANY
            if slot != ANY:
                self._held[slot] = messages
                self._busy.add(slot)
                self._order.remove(slot)
                self._order.append(slot)
        try:
            yield slot
        finally:
            with self._lock:
                self._busy.discard(slot)

    @contextmanager
    def all_free(self) -> Iterator[list[int]]:
        """All slots that are free now; what they hold is forgotten."""
        with self._lock:
            free = [slot for slot in self._order if slot not in self._busy]
            self._busy.update(free)
            for slot in free:
                self._held[slot] = ()
        try:
            yield free
        finally:
            with self._lock:
                self._busy.difference_update(free)

    def _of_conversation(self, messages: Sequence[Message], free: Sequence[int]) -> int:
        alike = {slot: _alike(self._held[slot], messages) for slot in free}
        best = max(free, key=alike.__getitem__)
        shared, goes_on, _ = alike[best]
        # All conversations begin with the same instructions and examples. One that goes on has a reply and a post more
        # than what it shares with its slot, or the same post as far as it was known; a new one has just its post.
        more = len(messages) - shared
        known = more == 0 or goes_on or (shared > 0 and more >= 2)
        return best if known else free[0]


def _alike(held: Sequence[Message], prompt: Sequence[Message]) -> tuple[int, bool, int]:
    """How many messages both begin with, whether the next one held goes on in the prompt, and what both share of it."""
    shared = 0
    for one, other in zip(held, prompt, strict=False):
        if one != other:
            pairs = zip(one["content"], other["content"], strict=False)
            common = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
            return shared, common == len(one["content"]) > 0, common
        shared += 1
    return shared, False, 0
