"""Advice for everyday situations: what to do about noise upstairs, what to say to a friend who cancels.

A stock rule fits every question and helps with none. ``moves/situations_*.yaml`` knows some situations by words that
all have to occur, and holds advice that is true for everybody in them. A wrong match is worse than none: the question
itself must name the situation, or be so short that it can only be about what was told before.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from empathy_agent.packaged import read_yaml
from empathy_agent.safety.normalise import normalise

DOING = ("cope", "help", "thoughts", "sleep")
"""Types of question of ``moves/`` that ask what to do."""
SAYING = ("tell", "reply", "refuse", "apologise", "greet")
"""Types that ask what to say."""
_TOLD = 2
"""Messages before the question in which the situation may be told."""
_MOST = {"zh": 120, "en": 360}
"""Characters of a message that tells one; a long one holds the words of many."""
_BARE = {"zh": 14, "en": 36}
"""Characters of a question that names nothing: "So what should I do?"."""
_NOT_TOLD = re.compile(
    r"(?:[急吓气累愁烦笑吵困疼臭乐悔慌怕]|难受|尴尬|紧张|无聊)死(?:我|人|了|啦)*|"
    r"(?:不|别)(?:会|要|至于|想|再|能|又|跟[他她]们?)*(?:吵|闹|翻脸|撕破脸)[^，,。!！?？]{0,4}|"
    r"\bwithout (?:it |this |that )?(?:turning|becoming|starting|causing|getting|ending|having|sounding)\b[^.?!]*"
)
"""Words that tell of no situation: 后悔死了 of no death, "without it turning into a row" of no row."""


@dataclass(frozen=True)
class Situation:
    """A situation with what may be said to whoever is in it.

    Attributes:
        id: lower case with hyphens, the same in both languages.
        when: each has to be found in what the person says; ``unless`` must not.
        do, more: what to do, and what is said behind any of these.
        say, to: words for the person to say, and what the question calls the one who hears them.
    """

    id: str
    when: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    do: tuple[str, ...]
    more: tuple[str, ...]
    say: tuple[str, ...]
    to: re.Pattern[str] | None


@dataclass(frozen=True)
class Advice:
    """Sentences of which one is said first, and of which one may follow."""

    first: tuple[str, ...]
    then: tuple[str, ...] = ()


def advice(text: str, language: str, question: str, earlier: Sequence[str] = ()) -> Advice | None:
    """What to say to a question of a type of ``moves/`` in ``"zh"`` or ``"en"``; None where no situation is known.

    Words to say need a question that tells the situation itself or is bare: in a talk, "what do I write to her about
    the visit?" may be about somebody else by now.
    """
    if question in DOING and (situation := situation_of(text, language, earlier)):
        return Advice(situation.do, situation.more)
    if question in SAYING:
        asked = normalise(text).strip()
        known = situation_of(text, language, earlier if len(asked) <= _BARE[language] else ())
        if known is not None and known.to is not None and known.to.search(asked):
            return Advice(known.say)
    return None


def situation_of(text: str, language: str, earlier: Sequence[str] = ()) -> Situation | None:
    """The situation that a question is about; of several the one of which it names the most, or else the first.

    One message must tell all of it, the question or one before.
    """
    *before, asked = (_NOT_TOLD.sub("", normalise(message)).strip() for message in [*earlier[-_TOLD:], text])
    messages = [message for message in [*before, asked] if len(message) <= _MOST[language]]
    best, most = None, -1.0
    for situation in situations(language):
        named = sum(pattern.search(asked) is not None for pattern in situation.when) / len(situation.when)
        if not named and len(asked) > _BARE[language]:
            continue
        if not any(_told(situation, message) for message in messages):
            continue
        if named > most:
            best, most = situation, named
    return best


def _told(situation: Situation, text: str) -> bool:
    return all(pattern.search(text) for pattern in situation.when) and not (
        situation.unless is not None and situation.unless.search(text)
    )


@functools.cache
def situations(language: str) -> tuple[Situation, ...]:
    """All situations of ``"zh"`` or ``"en"``."""
    edge = "" if language == "zh" else r"\b"

    def compiled(pattern: str) -> re.Pattern[str]:
        return re.compile(f"{edge}(?:{pattern})")

    return tuple(
        Situation(
            entry["id"],
            tuple(map(compiled, entry["when"])),
            compiled(entry["unless"]) if "unless" in entry else None,
            tuple(entry["do"]),
            tuple(entry["more"]),
            tuple(entry.get("say", ())),
            compiled(entry["to"]) if "to" in entry else None,
        )
        for entry in read_yaml(f"moves/situations_{language}.yaml")
    )
