"""The crisis gate: a deterministic look at the person's own words, before any model sees them.

Words are the only input. What the face shows never raises or lowers the risk.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from empathy_agent.language import HAN
from empathy_agent.safety.classifier import IDIOM, Judgement, shipped
from empathy_agent.safety.excerpt import excerpt
from empathy_agent.safety.normalise import normalise
from empathy_agent.safety.patterns import URGENCY, Kind, Language, Risk, Rule
from empathy_agent.safety.patterns_en import ENGLISH
from empathy_agent.safety.patterns_zh import CHINESE

__all__ = ["Kind", "Risk", "Verdict", "assess", "by_rules", "graver", "marked"]

_HAN = re.compile(f"[{HAN}]")
_LATIN = re.compile("[a-z]{2}")
_SENTENCE = re.compile(r"[。!?;\n]+|\.(?=\s|$)")
# How far around a finding its surroundings reach, in characters. Bounded, so that no text takes long.
_BEFORE, _AFTER = 120, 80
# How far before a finding a word of the past reaches.
_PAST = 40
# A minor says so early.
_MINOR = 2000
_SHOWN = 80
_REMEMBERED = 32


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


_recent: OrderedDict[bytes, Verdict] = OrderedDict()
_recent_lock = threading.Lock()


def assess(text: str) -> Verdict:
    """The risk that a text states, by the rules; what they leave below a crisis the classifier may raise.

    Any string is allowed, also the beginning of an utterance; takes time linear in its length. Of a very long one an
    :func:`~empathy_agent.safety.excerpt.excerpt` is read. The verdicts of the last few texts are known by a
    digest: an utterance comes as a partial one, as the final one and as a post, and is screened once.
    """
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    with _recent_lock:
        known = _recent.get(digest)
    if known is None:
        known = _assess(text)
        with _recent_lock:
            _recent[digest] = known
            while len(_recent) > _REMEMBERED:
                _recent.popitem(last=False)
    return known


def _assess(text: str) -> Verdict:
    text = normalise(excerpt(text))
    verdict = by_rules(text)
    return verdict if verdict.risk is Risk.CRISIS else graver(verdict, shipped().judge(marked(text)))


def graver(verdict: Verdict, judgement: Judgement) -> Verdict:
    """The verdict of the rules, or the classifier's where that is graver."""
    if judgement.risk > verdict.risk:
        return Verdict(judgement.risk, judgement.kind, judgement.telling, "classifier")
    return verdict


def by_rules(text: str) -> Verdict:
    """What the rules say of a normalised text.

    Idioms are taken out first. Each finding is weighed in its surroundings: what is denied, past, a story's or a joke
    counts as a concern; what is somebody else's and present is a danger to them. The gravest finding decides, and of
    equal ones the more urgent kind.
    """
    best = Verdict(Risk.NONE)
    for language in _languages(text):
        cleaned = _without_idioms(text, language, " ")
        for rule in language.rules:
            if rule.risk < best.risk or (rule.risk is best.risk and not _is_more_urgent(rule.kind, best.kind)):
                continue
            weighed = set()
            for match in rule.pattern.finditer(cleaned):
                around = _Surroundings(language, cleaned, *match.span())
                if around.key in weighed:
                    continue
                weighed.add(around.key)
                risk, kind = around.weigh(rule)
                if risk is Risk.NONE:
                    continue
                if risk > best.risk or (risk is best.risk and _is_more_urgent(kind, best.kind)):
                    best = Verdict(risk, kind, match[0].strip()[:_SHOWN], "rule")
                if risk is rule.risk:
                    break
    return best


def marked(text: str) -> str:
    """A normalised text as the classifier reads it: with a mark where an idiom was, so that its words do not count."""
    for language in _languages(text):
        text = _without_idioms(text, language, f" {IDIOM} ")
    return text


def _without_idioms(text: str, language: Language, instead: str) -> str:
    return language.idioms.sub(lambda match: match[0] if match[1] else instead, text)


def _languages(text: str) -> Iterator[Language]:
    if _HAN.search(text):
        yield CHINESE
    if _LATIN.search(text):
        yield ENGLISH


def _is_more_urgent(kind: Kind, other: Kind | None) -> bool:
    return other is None or URGENCY.index(kind) < URGENCY.index(other)


class _Surroundings:
    """The words around a finding, as far as they may change its weight; worked out when they are asked for."""

    def __init__(self, language: Language, text: str, start: int, end: int) -> None:
        self._language = language
        self._text = text
        self._found = text[start:end]
        self._before = text[max(0, start - _BEFORE) : start]
        self._behind = text[end : end + _AFTER]
        # Repeated words need be weighed once.
        self.key = (self._before, self._found, self._behind)

    def weigh(self, rule: Rule) -> tuple[Risk, Kind]:
        """Risk and kind of the finding here."""
        language, kind = self._language, rule.kind
        if rule.unless is not None and rule.unless.search(self._sentence):
            return Risk.NONE, kind
        if rule.risk is not Risk.CRISIS:
            return rule.risk, kind
        if kind in (Kind.SELF, Kind.ATTEMPT) and self._is_of_somebody():
            kind = Kind.THIRD
        if kind is Kind.HARMED and language.minor.search(self._text[:_MINOR]):
            kind = Kind.CHILD
        if kind is Kind.EMERGENCY:
            told = language.story.search(self._sentence) or self._is_past()
            return (Risk.CONCERN if told else Risk.CRISIS), kind
        lowered = (
            (self._is_denied() and kind is not Kind.HARMED)
            or language.story.search(self._sentence)
            or (self._is_past() and (kind is Kind.THIRD or not language.again.search(self._sentence)))
            or (kind is Kind.THIRD and language.dead.search(self._sentence))
            or (language.jest.search(self._and_next) and self._is_light(kind))
        )
        return (Risk.CONCERN if lowered else Risk.CRISIS), kind

    @cached_property
    def _sentence_before(self) -> str:
        return _SENTENCE.split(self._before)[-1]

    @cached_property
    def _after(self) -> str:
        return _SENTENCE.split(self._behind, maxsplit=1)[0]

    @cached_property
    def _sentence(self) -> str:
        return self._sentence_before + self._found + self._after

    @cached_property
    def _and_next(self) -> str:
        """Recovery and jokes are often told in the sentence after."""
        return self._sentence_before + self._found + self._behind

    @cached_property
    def _clauses(self) -> list[str]:
        return self._language.clause.split(self._sentence_before) or [""]

    @property
    def _clause(self) -> str:
        return self._clauses[-1]

    def _is_denied(self) -> bool:
        if not self._language.denied.search(self._clause):
            return False
        # "I won't kill myself tonight" denies nothing.
        return not (self._language.limited.search(self._behind) or self._language.limited.search(self._clause))

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
        language = self._language
        if language.somebody.search(self._clause):
            return True
        before = self._clauses[-2] if len(self._clauses) > 1 else ""
        return bool(language.reported.search(self._clause) and language.somebody.search(before))
