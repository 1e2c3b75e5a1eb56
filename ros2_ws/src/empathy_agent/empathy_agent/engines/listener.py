"""No language model: of what a scaffold offers it says what readers would like best (``preference.py``)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from empathy_agent.engines import Cancelled, Decoding, Engine
from empathy_agent.prompt import Message


class Listener(Engine):
    """Says the first string of each place (:class:`~empathy_agent.engines.Decoding`): at once, and needs no file."""

    model = "listener"
    context = 8192
    supports_grammar = False
    scaffold = True
    worked_examples = False

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """See :class:`empathy_agent.engines.Engine`."""
        for place in decoding.places:
            if cancelled.is_set():
                raise Cancelled
            yield place[0]

    def close(self) -> None:
        """Nothing to release."""
