"""What a message means at heart, and what may be said to that: an effort that nobody saw, a wait, a small joy.

Which it is has been learned (``recognition.py``); what to say, to ask and to do is in ``moves/meanings_*.yaml``, true
of everybody whose message means that. A wrong one is worse than none, so it has to be probable.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from empathy_agent import recognition
from empathy_agent.packaged import read_yaml

LIKELY = 0.25
"""Probability from which a message is taken to mean something."""
SURE_OF_TONE = 0.5
"""Probability that it means something good from which something good may be said, and up to which something else."""


@dataclass(frozen=True)
class Meaning:
    """What is said to a message of this meaning, what is asked, and what answers "what should I do?"."""

    says: tuple[str, ...]
    asks: tuple[str, ...]
    do: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether one is glad with the person: nothing has to be done."""
        return not self.do


def meaning_of(text: str, language: str, earlier: Sequence[str] = (), looking_back: int = 0) -> Meaning | None:
    """The meaning of a message in ``"zh"`` or ``"en"``, None: none is known.

    ``earlier`` are the person's messages before it; of so many of them the meaning counts, too, the last one first, for
    a message that means nothing by itself ("so what do I do?").
    """
    messages = [*earlier, text]
    for number in range(len(messages) - 1, max(len(messages) - 1 - looking_back, 0) - 1, -1):
        chances = recognition.shipped().probabilities(messages[number], messages[number - 1] if number else "")
        if (found := _likely(chances[recognition.MEANING], language)) is not None:
            return found
    return None


def gladness(chances: Mapping[str, float], language: str) -> float:
    """The probability that a message means something good, of those of its meanings."""
    return sum(chances[name] for name, known in meanings(language).items() if known.good)


def _likely(chances: Mapping[str, float], language: str) -> Meaning | None:
    best = max(chances, key=chances.__getitem__)
    known = meanings(language).get(best)
    if known is None or chances[best] < LIKELY:
        return None
    good = gladness(chances, language)
    return known if (good >= SURE_OF_TONE if known.good else good <= SURE_OF_TONE) else None


@functools.cache
def meanings(language: str) -> dict[str, Meaning]:
    """All meanings by id, the same in ``"zh"`` and ``"en"``."""
    return {
        entry["id"]: Meaning(tuple(entry["is"]), tuple(entry["ask"]), tuple(entry.get("do", ())))
        for entry in read_yaml(f"moves/meanings_{language}.yaml")
    }
