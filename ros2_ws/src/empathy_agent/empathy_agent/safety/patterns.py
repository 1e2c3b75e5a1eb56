"""What a rule of the crisis gate is, and all rules of both languages.

The rules come from the warning signs that suicide-prevention bodies publish (talk of wanting to die, of a plan or
means, of being a burden, farewells), from what emergency and protection lines ask about, and from how such things are
said in Chinese and English; they are not a validated instrument. They are data: add a phrase to ``patterns_zh.py`` or
``patterns_en.py`` and a case to ``test_safety_gate.py``.

All patterns are RE2: time linear in the text, whatever the text holds. RE2 knows no look-around; what must not stand
beside a phrase is either taken out as an idiom first or weighed as its surroundings.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import re2


class Kind(enum.Enum):
    """What a finding is about."""

    SELF = "self"  # suicide and self-harm
    ATTEMPT = "attempt"  # an attempt or an overdose a moment ago: rescue first
    OTHERS = "others"  # harm to others
    VOICES = "voices"  # voices that command harm
    HARMED = "harmed"  # violence, sexual violence or stalking that is suffered now
    CHILD = "child"  # a minor who tells of abuse or neglect
    THIRD = "third"  # somebody else's life or body is in danger
    EMERGENCY = "emergency"  # a medical emergency, fire, gas


class Risk(enum.IntEnum):
    """Levels of ``imuface_interfaces/EmpathyReply``."""

    NONE = 0
    CONCERN = 1
    CRISIS = 2


URGENCY = (
    Kind.ATTEMPT,
    Kind.VOICES,
    Kind.OTHERS,
    Kind.CHILD,
    Kind.SELF,
    Kind.HARMED,
    Kind.EMERGENCY,
    Kind.THIRD,
)
"""Which kind answers when a text holds several, the first first."""


@dataclass(frozen=True)
class Rule:
    """Phrases that mean one thing, and how grave it is when the person says it of themselves, now, in earnest."""

    kind: Kind
    risk: Risk
    pattern: Any  # a compiled RE2 pattern
    unless: Any = None  # what in the same sentence makes the phrase harmless, as a compiled RE2 pattern


@dataclass(frozen=True)
class Language:
    """The rules of a language and what changes their weight.

    ``idioms`` are everyday phrases that hold the words of a crisis; they are taken out first, save where group 1
    matches. The others are searched in the words around a finding: ``clause`` ends what a negation or a subject
    reaches; ``denied`` is matched in the words before it in its clause, ``limited``
    (for tonight, not yet) takes a denial back; ``past`` there and in the finding,
    ``past_after`` behind it, ``over`` in its sentence and the one after, and ``again`` takes both back; ``story`` (a
    film, a lecture, prevention work), ``jest`` and ``dead`` (grief) in its sentence; ``somebody`` says that the finding
    is about another person, ``reported`` that the clause before tells whose it is; ``light`` are findings that a joke
    makes light; ``minor`` tells that a child or a pupil speaks.
    """

    rules: Sequence[Rule]
    idioms: Any
    clause: Any
    denied: Any
    limited: Any
    past: Any
    past_after: Any
    again: Any
    over: Any
    story: Any
    jest: Any
    light: Any
    dead: Any
    somebody: Any
    reported: Any
    minor: Any


def compiled(pattern: str) -> Any:
    """A compiled RE2 pattern. Raises ``re2.error`` when it is not RE2."""
    options = re2.Options()
    # Room for the automata of long alternations; when it is used up RE2 starts afresh, and would say so on stderr.
    options.max_mem = 32 << 20
    options.log_errors = False
    return re2.compile(pattern, options)


def rules(kind: Kind, risk: Risk, *patterns: str, unless: str = "") -> list[Rule]:
    """One rule per pattern. Raises ``re2.error`` when one is not RE2."""
    harmless = compiled(unless) if unless else None
    return [Rule(kind, risk, compiled(pattern), harmless) for pattern in patterns]


def any_of(*patterns: str) -> Any:
    """A compiled alternation."""
    return compiled("|".join(patterns))
