"""What is done with utterances that a speech recogniser is not sure of yet, and what is said while the agent thinks."""

from __future__ import annotations

import random
from collections import OrderedDict

from empathy_agent.prompt import language_data
from empathy_agent.safety import Risk

_KEPT = 256
_CERTAIN = 2
"""Partial utterances in a row that state a crisis before it is answered: "I want to die" may go on with "laughing"."""


class Partials:
    """Decides when a crisis in partial utterances is answered, and that it is answered once."""

    def __init__(self) -> None:
        self._crises: OrderedDict[tuple[str, str], int] = OrderedDict()

    def partial(self, session_id: str, utterance_id: str, risk: Risk) -> bool:
        """Whether to answer now, before the utterance is over."""
        name = session_id, utterance_id
        count = self._crises.pop(name, 0)
        if count < _CERTAIN:
            count = count + 1 if risk is Risk.CRISIS else 0
        elif risk is Risk.CRISIS:
            count += 1
        self._crises[name] = count
        while len(self._crises) > _KEPT:
            self._crises.popitem(last=False)
        return count == _CERTAIN

    def final(self, session_id: str, utterance_id: str, risk: Risk) -> bool:
        """Whether the final utterance is still to be answered."""
        answered = self._crises.pop((session_id, utterance_id), 0) >= _CERTAIN
        return not (answered and utterance_id and risk is Risk.CRISIS)


class Acknowledgements:
    """Short sentences that a robot may say at once, by language and risk; never the same one twice in a row."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, str] = OrderedDict()
        self._chance = random.Random()

    def next(self, session_id: str, language: str, risk: Risk) -> str:
        """What to say now in a session."""
        choices = language_data(language)["acknowledgements"]["concern" if risk else "none"]
        said = self._chance.choice([choice for choice in choices if choice != self._last.get(session_id)])
        self._last[session_id] = said
        self._last.move_to_end(session_id)
        while len(self._last) > _KEPT:
            self._last.popitem(last=False)
        return said
