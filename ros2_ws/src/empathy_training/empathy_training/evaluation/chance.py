"""A model that is none: it draws what a scaffold lets it choose by lot. What a real one adds is the difference."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence

from empathy_agent.engines import Decoding
from empathy_agent.engines.listener import Listener
from empathy_agent.prompt import Message


class Chance(Listener):
    """Says one of the strings of each place (:class:`~empathy_agent.engines.Decoding`), drawn by lot."""

    model = "chance"

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """See :class:`empathy_agent.engines.Engine`."""
        chance = random.Random(decoding.seed)
        for place in decoding.places:
            yield chance.choice(place)
