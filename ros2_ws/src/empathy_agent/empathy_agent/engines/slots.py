"""Which of a model's slots a prompt goes to, so that each conversation finds its own evaluated prompt again."""

from __future__ import annotations

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
        """The free slot whose last prompt shares the longest beginning, of several the least recently used one.

        ``ANY`` where none is free.
        """
        with self._lock:
            free = [slot for slot in self._order if slot not in self._busy]
            # Of equals the first is taken, so the order decides.
            slot = max(free, key=lambda slot: _shared(self._held[slot], messages), default=ANY)
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


def _shared(held: Sequence[Message], prompt: Sequence[Message]) -> float:
    """How many messages both begin with; half a one more where a message goes on in the other."""
    for index, (one, other) in enumerate(zip(held, prompt, strict=False)):
        if one != other:
            goes_on = one["role"] == other["role"] and other["content"].startswith(one["content"])
            return index + (0.5 if goes_on else 0.0)
    return float(min(len(held), len(prompt)))
