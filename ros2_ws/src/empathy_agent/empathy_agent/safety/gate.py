"""The crisis gate: a deterministic look at the person's own words, before any model sees them.

Words are the only input. What the face shows never raises or lowers the risk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from empathy_agent.language import HAN
from empathy_agent.safety.normalise import normalise
from empathy_agent.safety.patterns import URGENCY, Kind, Language, Risk, Rule
from empathy_agent.safety.patterns_en import ENGLISH
from empathy_agent.safety.patterns_zh import CHINESE

__all__ = ["Kind", "Risk", "Verdict", "assess", "by_rules"]

_HAN = re.compile(f"[{HAN}]")
_LATIN = re.compile("[a-z]{2}")
_SENTENCE = re.compile(r"[。!?;\n]+|\.(?=\s|$)")
# How far around a finding its surroundings reach, in characters. Bounded, so that no text takes long.
_BEFORE, _AFTER = 120, 80
# How far before a finding a word of the past reaches.
_PAST = 40
_SHOWN = 80


@dataclass(frozen=True)
class Verdict:
    """The gravest finding; ``kind`` is None without one.

    ``matched`` is what decided, as normalised (simplified characters, lower case): the span of a rule, or the n-grams
    that weighed most in the classifier; ``source`` says which, ``"rule"``, ``"classifier"`` or ``""``.
    """

    risk: Risk
    kind: Kind | None = None
    matched: str = ""
    source: str = ""


def assess(text: str) -> Verdict:
    """The risk that a text states. Any string is allowed; takes time linear in its length."""
    return by_rules(normalise(text))


def by_rules(text: str) -> Verdict:
    """What the rules say of a normalised text.

    Idioms are taken out first. Each finding is weighed in its surroundings: what is denied, past, a story's or a joke
    counts as a concern; what is somebody else's and present is a danger to them. The gravest finding decides, and of
    equal ones the more urgent kind.
    """
    best = Verdict(Risk.NONE)
    for language in _languages(text):
        cleaned = language.idioms.sub(lambda match: match[0] if match[1] else " ", text)
        for rule in language.rules:
            if rule.risk < best.risk or (rule.risk is best.risk and not _is_more_urgent(rule.kind, best.kind)):
                continue
            for match in rule.pattern.finditer(cleaned):
                risk, kind = _Surroundings(language, cleaned, *match.span()).weigh(rule)
                if risk > best.risk or (risk is best.risk and _is_more_urgent(kind, best.kind)):
                    best = Verdict(risk, kind, match[0].strip()[:_SHOWN], "rule")
    return best


def _languages(text: str) -> Iterator[Language]:
    if _HAN.search(text):
        yield CHINESE
    if _LATIN.search(text):
        yield ENGLISH


def _is_more_urgent(kind: Kind, other: Kind | None) -> bool:
    return other is None or URGENCY.index(kind) < URGENCY.index(other)


class _Surroundings:
    """The words around a finding, as far as they may change its weight."""

    def __init__(self, language: Language, text: str, start: int, end: int) -> None:
        self._language = language
        before = text[max(0, start - _BEFORE) : start]
        after = text[end : end + _AFTER]
        before = _SENTENCE.split(before)[-1]
        rest = _SENTENCE.split(after, maxsplit=1)
        clauses = _split(language.clause, before)
        self._clause = clauses[-1]
        self._clause_before = clauses[-2] if len(clauses) > 1 else ""
        self._found = text[start:end]
        self._after = rest[0]
        self._sentence = before + text[start:end] + rest[0]
        # Recovery is often told in the sentence after.
        self._and_next = before + text[start:end] + after
        self._text = text

    def weigh(self, rule: Rule) -> tuple[Risk, Kind]:
        """Risk and kind of the finding here."""
        language, kind = self._language, rule.kind
        if rule.unless is not None and rule.unless.search(self._sentence):
            return Risk.NONE, kind
        if rule.risk is not Risk.CRISIS:
            return rule.risk, kind
        if kind in (Kind.SELF, Kind.ATTEMPT) and self._is_of_somebody():
            kind = Kind.THIRD
        if kind is Kind.HARMED and language.minor.search(self._text[:2000]):
            kind = Kind.CHILD
        if kind is Kind.EMERGENCY:
            told = language.story.search(self._sentence) or language.past.search(self._clause)
            return (Risk.CONCERN if told else Risk.CRISIS), kind
        lowered = (
            language.story.search(self._sentence)
            or (language.denied.search(self._clause) and kind is not Kind.HARMED)
            or (self._is_past() and not language.again.search(self._sentence))
            or (kind is Kind.THIRD and language.dead.search(self._sentence))
            or (language.jest.search(self._and_next) and self._is_light(kind))
        )
        return (Risk.CONCERN if lowered else Risk.CRISIS), kind

    def _is_past(self) -> bool:
        language = self._language
        return bool(
            language.past.search(self._clause[-_PAST:] + self._found)
            or language.past_after.search(self._after)
            or language.over.search(self._and_next)
        )

    def _is_light(self, kind: Kind) -> bool:
        return kind in (Kind.OTHERS, Kind.VOICES) or bool(self._language.light.search(self._found))

    def _is_of_somebody(self) -> bool:
        if self._language.somebody.search(self._clause):
            return True
        reported = self._language.reported.search(self._clause)
        return bool(reported and self._language.somebody.search(self._clause_before))


def _split(separator: Any, text: str) -> list[str]:
    return separator.split(text) or [""]
