"""What a model wrote is read before it is said: fixed checks, sentence by sentence.

The policy is data, in ``review.yaml``; ``docs/safety.md`` lists it. A list of phrases catches phrases, not meanings.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from empathy_agent.language import language_data
from empathy_agent.packaged import read_yaml
from empathy_agent.safety.normalise import normalise
from empathy_agent.safety.numerals import gives_number
from empathy_agent.safety.scripts import is_foreign
from empathy_agent.sentences import split_sentences

# Characters before and behind a match in which an exception may stand.
_BEFORE, _AFTER = 60, 40
_PLACEHOLDER = re.compile(r"<([a-z]+)>")
# 您 is you, she is no other than he for the patterns.
_SAME = str.maketrans("您妳她牠咱俺", "你你他他我我")
# One way to say no in English.
_LONG_NOT = re.compile(
    r"\b(is|are|was|were|do|does|did|has|have|had|should|would|could|need) not\b|\b(ca)n ?not\b|\bwill not\b"
)
# What comes behind such a word is no longer what somebody else thinks.
_TURN = re.compile(
    r"其实|但|可是|可(?=[他你我这那])|不过|说实话|老实说|坦白说|事实上|实际上|说到底|确实"
    r"|\b(?:but|actually|honestly|frankly|to be honest|the truth is|in fact|in reality|the fact is|still|why not"
    r"|why don't (?:you|we)|if not|not only)\b"
)
_QUOTES = re.compile(r"“[^”]*(?:”|$)|「[^」]*(?:」|$)|『[^』]*(?:』|$)|«[^»]*(?:»|$)|\"[^\"]*(?:\"|$)")
_CLOSES = {"“": "”", "「": "」", "『": "』", "«": "»", '"': '"'}
_LONGEST_QUOTE = 5
"""Sentences over which a quotation may go on; one that never ends must not cover what follows."""
# After such a sentence come words for the person to say or send.
_OFFER = re.compile(
    r"\b(?:lines?|versions?|words|sentences?|messages?|texts?|notes?|letters?|replies|reply|like this|something like"
    r"|you could (?:say|write|send)|you might (?:say|write|send))[.:,]?$"
    r"|(?:这样|这么)(?:说|写|发|回)[。:,]?$|(?:一句|两句|几句)[。:,]?$"
)
_INVISIBLE = ("Cc", "Cf", "Mn", "Me")
_LETTERS = re.compile(r"[^\W\d_]")
# So many characters or words of the instructions in a row are no coincidence.
_ECHO = {"zh": 10, "en": 9}
_PIECE = {"zh": re.compile(r"[^\W_]"), "en": re.compile(r"[^\W_]+(?:['’][a-z]+)?")}


@dataclass(frozen=True)
class _Rules:
    """The patterns of a check for one language, as text: to compile all of them takes a second of each process."""

    stop: str | None
    always: str | None
    before: str | None
    inside: str | None
    after: str | None

    def compile(self) -> None:
        """Compile all of them now, instead of each when it is first needed."""
        for pattern in (self.stop, self.always, self.before, self.inside, self.after):
            if pattern is not None:
                _compiled(pattern)

    def stops(self, text: str, free: list[tuple[int, int]]) -> bool:
        """Whether a sentence holds what they look for, outside ``free``, the spans that are somebody else's words."""
        if self.always is not None and any(_outside(match, free) for match in _compiled(self.always).finditer(text)):
            return True
        return self.stop is not None and any(
            _outside(match, free) and not self._is_excepted(text, match)
            for match in _compiled(self.stop).finditer(text)
        )

    def _is_excepted(self, text: str, match: re.Match[str]) -> bool:
        turned = _TURN.match(text, match.start()) is not None
        before = "" if turned else _TURN.split(text[max(0, match.start() - _BEFORE) : match.start()])[-1]
        return any(
            pattern is not None and _compiled(pattern).search(part) is not None
            for pattern, part in (
                (self.before, before),
                (self.inside, match[0]),
                (self.after, text[match.end() : match.end() + _AFTER]),
            )
        )


def _outside(match: re.Match[str], free: list[tuple[int, int]]) -> bool:
    return not any(start <= match.start() and match.end() <= end for start, end in free)


@dataclass(frozen=True)
class Check:
    """One thing that must not be said.

    Attributes:
        name: a word, as in the objection.
        policy: what it is for, a line.
        says: the objection in a few words.
        examples: by language, a sentence that it stops.
    """

    name: str
    policy: str
    says: str
    examples: Mapping[str, str]
    _rules: Mapping[str, _Rules]
    _raw: bool = False
    _quoted: bool | str = False

    def prepare(self, language: str) -> None:
        """Compile the patterns for a language."""
        if rules := self._rules_for(language):
            rules.compile()

    def stops(self, sentence: _Sentence, language: str) -> bool:
        """Whether the sentence must not be said in an answer in ``language``."""
        if self.name == "language":
            return is_foreign(sentence.visible, language)
        if self.name == "number":
            return gives_number(sentence.plain)
        if self.name == "leak" and _echoes(sentence.plain, language):
            return True
        text = sentence.plain if self._raw else sentence.folded
        rules = self._rules_for(language)
        free = sentence.quoted if self._quoted else []
        return rules is not None and rules.stops(text, free + sentence.going_on * (self._quoted == "on"))

    def _rules_for(self, language: str) -> _Rules | None:
        return self._rules.get(language, self._rules.get("both"))


@dataclass(frozen=True)
class _Sentence:
    """A sentence as the checks read it."""

    visible: str
    """NFKC without what is invisible."""
    plain: str
    """The same in lower case; digits and marks stand as they were."""
    folded: str
    """With everything that :func:`normalise` brings together."""
    quoted: list[tuple[int, int]]
    """Spans of ``folded`` in quotation marks, where something stands outside of them."""
    going_on: list[tuple[int, int]]
    """The span of a quotation that an earlier sentence began or announced."""
    open: str
    """The mark of a quotation that the next sentence goes on with, or ""."""
    count: int
    """Sentences for which it has been open."""

    @classmethod
    def of(cls, text: str, before: _Sentence | None = None) -> _Sentence:
        """A sentence, and the one before it."""
        text = text.strip()
        folded = _LONG_NOT.sub(_short_not, normalise(text).translate(_SAME))
        spans = [match.span() for match in _QUOTES.finditer(folded)]
        introduced = len(_LETTERS.findall(folded)) - sum(len(_LETTERS.findall(folded[a:b])) for a, b in spans) > 1
        mark, count, start = "", 1, 0
        if before is not None and before.open:
            mark, count = before.open, before.count + 1
        elif before is not None and folded[:1] in _CLOSES and _OFFER.search(before.folded):
            mark, start = folded[0], 1
        going_on = [(0, folded.find(_CLOSES[mark], start) + 1 or len(folded))] if mark else []
        if going_on:
            mark = mark if _CLOSES[mark] not in folded[start:] and count < _LONGEST_QUOTE else ""
        elif introduced and spans and spans[-1][1] == len(folded):
            last = folded[spans[-1][0] :]
            mark = "" if len(last) > 1 and last[-1] == _CLOSES[last[0]] else last[0]
        return cls(_visible(text), _plain(text), folded, spans if introduced else [], going_on, mark, count)


def _short_not(match: re.Match[str]) -> str:
    return (match[1] or match[2] or "wo") + "n't"


def _plain(text: str) -> str:
    return _visible(text).lower()


def _visible(text: str) -> str:
    letters = unicodedata.normalize("NFKC", text)
    return "".join(letter for letter in letters if letter in "\n\t" or unicodedata.category(letter) not in _INVISIBLE)


def _load() -> tuple[Check, ...]:
    data = read_yaml("safety/review.yaml")
    words = data["words"]
    checks = []
    for entry in data["checks"]:
        rules = {
            language: _Rules(*(_pattern(entry[language].get(key), words.get(language, {})) for key in _KEYS))
            for language in ("zh", "en", "both")
            if language in entry
        }
        checks.append(
            Check(
                entry["name"],
                entry["policy"],
                entry["says"],
                entry["example"],
                rules,
                entry.get("raw", False),
                entry.get("quoted", False),
            )
        )
    return tuple(checks)


_KEYS = ("stop", "always", "before", "inside", "after")


def _pattern(lines: str | None, words: Mapping[str, Any]) -> str | None:
    if lines is None:
        return None
    pattern = "|".join(f"(?:{line})" for line in lines.splitlines() if line and not line.startswith("# "))
    while _PLACEHOLDER.search(pattern):
        pattern = _PLACEHOLDER.sub(lambda match: words[match[1]], pattern)
    return pattern


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


CHECKS: tuple[Check, ...] = _load()
"""In the order in which they are applied."""


def prepare(language: str) -> None:
    """Compile what :func:`objection` needs for a language, so that the first text need not wait for it."""
    for check in CHECKS:
        check.prepare(language)


def objection(text: str, language: str, before: str = "") -> str:
    """Why a text must not be said, such as ``"diagnosis: names an illness"``; empty when nothing speaks against it.

    Args:
        text: one or several sentences of what a model wrote, layers or answer.
        language: ``"zh"`` or ``"en"``, of the person.
        before: what was said just before in the same part, where a quotation may have begun.

    Returns:
        The name of the first check that the first bad sentence fails and a few words; never any of the text. Takes time
        linear in its length.
    """
    read = None
    for sentence in split_sentences(before) if before else ():
        read = _Sentence.of(sentence, read)
    for sentence in split_sentences(text):
        read = _Sentence.of(sentence, read)
        for check in CHECKS:
            if check.stops(read, language):
                return f"{check.name}: {check.says}"
    # Digits may be spread over sentences and lines.
    number = next(check for check in CHECKS if check.name == "number")
    return f"{number.name}: {number.says}" if gives_number(_plain(text)) else ""


def _echoes(plain: str, language: str) -> bool:
    """Whether a sentence repeats what the model was told."""
    return not _instructions(language).isdisjoint(_runs(plain, language))


@functools.cache
def _instructions(language: str) -> frozenset[tuple[str, ...]]:
    told = [text for key in ("system", "turns", "chain_writer") for text in _texts(language_data(language).get(key))]
    return frozenset(run for text in told for run in _runs(_plain(text), language))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)


def _runs(plain: str, language: str) -> Iterator[tuple[str, ...]]:
    pieces = _PIECE[language].findall(plain)
    length = _ECHO[language]
    return (tuple(pieces[start : start + length]) for start in range(len(pieces) - length + 1))
