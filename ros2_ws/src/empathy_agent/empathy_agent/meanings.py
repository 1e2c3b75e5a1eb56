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

LIKELY = 0.35
"""Probability from which a message is taken to mean something."""
LIKELY_GROUP = 0.6
"""Probability from which it is taken to mean one of a group."""
GOOD = "good"
"""The group of what one is glad about with the person."""


@dataclass(frozen=True)
class Meaning:
    """What is said to a message of this meaning, what is asked, and what answers "what should I do?" (may be empty).

    ``of`` are the meanings of which a group is one; empty for a meaning of its own.
    """

    says: tuple[str, ...]
    asks: tuple[str, ...]
    do: tuple[str, ...]
    of: tuple[str, ...]
    good: bool


def meaning_of(text: str, language: str, earlier: Sequence[str] = (), looking_back: int = 0) -> Meaning | None:
    """The meaning of a message in ``"zh"`` or ``"en"``, or the group that it is surely of; None: neither is known.

    ``earlier`` are the person's messages before it; of so many of them the meaning counts, too, the last one first, for
    a message that means nothing by itself ("so what do I do?").
    """
    messages = [*earlier, text]
    for number in range(len(messages) - 1, max(len(messages) - 1 - looking_back, 0) - 1, -1):
        chances = recognition.shipped().probabilities(messages[number], messages[number - 1] if number else "")
        if (found := _likely(chances[recognition.MEANING], language)) is not None:
            return found
    return None


def _likely(chances: Mapping[str, float], language: str) -> Meaning | None:
    best = max(chances, key=chances.__getitem__)
    if chances[best] >= LIKELY:
        return meanings(language).get(best)  # none where it is none of them
    sums = {name: sum(chances[one] for one in known.of) for name, known in meanings(language).items()}
    best = max(sums, key=sums.__getitem__)
    return meanings(language)[best] if sums[best] >= LIKELY_GROUP else None


@functools.cache
def meanings(language: str) -> dict[str, Meaning]:
    """All meanings and groups by id, the same in ``"zh"`` and ``"en"``."""
    entries = read_yaml(f"moves/meanings_{language}.yaml")
    good = next(entry["of"] for entry in entries if entry["id"] == GOOD)
    return {
        entry["id"]: Meaning(
            tuple(entry["is"]),
            tuple(entry["ask"]),
            tuple(entry.get("do", ())),
            tuple(entry.get("of", ())),
            entry["id"] in (GOOD, *good),
        )
        for entry in entries
    }
