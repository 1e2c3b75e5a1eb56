"""What kind of turn a message is: a story, a question, thanks, a goodbye ... so that the answer can be to that turn.

The patterns are data (``moves/``): regular expressions with a high precision, searched in normalised text. A message
that none of them matches is what labelled messages have taught (``recognition.py``), if that is sure enough; else it
goes on with the story, or is a short sign of listening.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

from empathy_agent import recognition
from empathy_agent.meanings import SURE_OF_TONE, gladness
from empathy_agent.packaged import read_yaml
from empathy_agent.safety import Risk, assess
from empathy_agent.safety.normalise import normalise
from empathy_agent.session import key

KINDS = (
    "goodbye",
    "thanks",
    "anger_at_agent",
    "correction",
    "question",
    "greeting",
    "good_news",
    "small_talk",
    "plan",
    "short",
    "story",
    "more",
)
"""Kinds of turn; ``more`` is a story that goes on, ``plan`` says what the person will do next."""
_BRIEF = ("goodbye", "thanks", "greeting", "small_talk", "anger_at_agent")
"""Kinds that a long message is not: who tells a story and says thank you at its end has told a story."""
_LONGEST_BRIEF = {"zh": 45, "en": 140}
"""Characters."""
_TELLING = {"zh": 14, "en": 45}
"""Characters of a sentence that tells something, and is no courtesy."""
_LONGEST_SHORT = {"zh": 6, "en": 14}
"""Letters."""
SURE = {"story": 0.5, "short": 0.7, "question": 0.7, "request": 0.7, "good_news": 0.7, "plan": 0.9}
"""Probability from which a message is what it is recognised as; as other kinds too many were that are none."""
_SURE_TO_BEGIN_WITH = SURE | {"question": 0.95, "request": 0.95, "plan": 1.0}
"""The same for the first message of a session."""
_WEAK = ("opinion", "future")
"""Types whose words stand in questions of other types as often, unless nothing else stands there."""
_BARE = {"zh": 12, "en": 32}
"""Characters of a question in which nothing else stands."""
_PREFACE = re.compile(
    r"^(?:can|may|could) i (?:ask|tell) you (?:something|a question)\b|"
    r"^我?(?:能|可以|想)问(?:你|您)?(?:个|一个|一件|点)?(?:事|问题)"
)
"""What announces a question, and is none to be answered."""
_WIDE_THEMES = ("friends", "family", "work", "study", "money", "identity")
_LOSS, _HURT = "loss", "hurt"
"""The theme of no other, where the person says that it hurts; pity is for what was said."""
_DENIED = {
    "zh": re.compile(r"(?<!还)(?:不|没|没有|别)(?:是|那么|太|再|会|用|觉得|有)?$"),
    "en": re.compile(r"(?:\bnot|n't|\bnever|\bno longer|\bwithout)(?: (?!just\b|only\b)\w+)? $"),
}
"""Before a word of a theme: it is not so."""
_EITHER = re.compile(r"\bor\b|还是")
"""In a question for a choice: "the library or the café?"."""
_SENTENCE = re.compile(r"[^。！？.!?\n]+[。！？.!?\n]*")


@dataclass(frozen=True)
class Turn:
    """What a message does. ``question`` is a type of ``moves/*.yaml`` (answers), empty unless a question is asked."""

    kind: str
    question: str = ""


@functools.cache
def moves(language: str) -> dict[str, Any]:
    """The bank of moves of ``"zh"`` or ``"en"``: patterns, and the sentences that a weak model chooses from."""
    return read_yaml(f"moves/{language}.yaml")


def turn_of(text: str, language: str, before: str | None = None) -> Turn:
    """The turn that a message in ``"zh"`` or ``"en"`` is.

    ``before`` is the person's message before it in the session; None: the first, with which a story begins.
    """
    plain = normalise(text).strip()
    brief = len(plain) <= _LONGEST_BRIEF[language]
    for kind in KINDS[:8]:
        if kind in _BRIEF and not brief:
            continue
        if kind == "question":
            if asked := _asked(plain, language):
                return Turn(kind, _type(asked, language, text, before))
        elif _compiled(language, kind).search(plain) and not (kind == "thanks" and _goes_on(plain, language)):
            return Turn(kind)
    told = "story" if before is None else "more"
    kind = "question" if plain.endswith("?") else _recognised(text, language, before)
    if kind in ("question", "request"):
        return Turn("question", _type(" ".join(_sentences(plain)[-2:]), language, text, before))
    if kind:
        return Turn(told if kind == "story" else kind)
    return Turn("short" if len(key(plain)) <= _LONGEST_SHORT[language] else told)


def _recognised(text: str, language: str, before: str | None) -> str:
    """What a message has been recognised as; empty where that is not sure, or where it states a risk.

    Joy at what is none hurts most, so good news have to mean something good, too.
    """
    chances = recognition.shipped().probabilities(text, before or "")
    kinds = chances[recognition.KIND]
    best = max(kinds, key=kinds.__getitem__)
    least = (_SURE_TO_BEGIN_WITH if before is None else SURE).get(best, 1.0)
    sad = best == "good_news" and gladness(chances[recognition.MEANING], language) < SURE_OF_TONE
    return best if kinds[best] >= least and not sad and assess(text).risk is Risk.NONE else ""


def theme_of(texts: list[str], language: str) -> str:
    """What a person's messages of a session are about, the newest one counting twice.

    Words alone are not enough for a theme whose sentences claim more than they do: "a friend" is not being left out by
    friends. It needs two of them, and that it hurts. Without a theme it is ``hurt`` where the person says so, else
    ``general``, which presumes nothing. "Not sad" does not count.
    """
    counts = dict.fromkeys(_themes(language), 0)
    for text in [*texts, texts[-1]]:
        plain = normalise(text)
        for theme, pattern in _themes(language).items():
            counts[theme] += sum(
                not _DENIED[language].search(plain[: found.start()]) for found in pattern.finditer(plain)
            )
    hurt = counts.pop(_HURT)
    best = max(counts, key=counts.__getitem__)  # of equal ones the first in the file
    if counts[best] >= 1 and (best not in _WIDE_THEMES or (counts[best] >= 3 and hurt)):
        return best
    if counts[_LOSS] >= 2:  # whoever tells of a death names the family, too
        return _LOSS
    return _HURT if hurt else "general"


def _asked(plain: str, language: str) -> str:
    """The sentence with which a message asks, one of its last two; empty where it does not."""
    for sentence in reversed(_sentences(plain)[-2:]):
        if not _PREFACE.search(sentence) and _compiled(language, "question").search(sentence):
            return sentence
    return ""


def _type(asked: str, language: str, text: str, before: str | None) -> str:
    """The type of a question: by its words, by its form, or as it has been recognised."""
    for name, patterns in moves(language)["question_types"].items():
        strong = name not in _WEAK or len(asked) <= _BARE[language]
        if strong and _joined(tuple(patterns)).search(asked):
            return name
    if _EITHER.search(asked):
        return "decide"
    chances = recognition.shipped().probabilities(text, before or "")[recognition.QUESTION]
    return max(chances, key=chances.__getitem__)


def _sentences(plain: str) -> list[str]:
    return [stripped for sentence in _SENTENCE.findall(plain) if (stripped := sentence.strip())]


def _goes_on(plain: str, language: str) -> bool:
    """Whether who says thank you also tells something, in a sentence of its own."""
    others = [each for each in _sentences(plain) if not _compiled(language, "thanks").search(each)]
    return any(len(each) >= _TELLING[language] for each in others)


@functools.cache
def _compiled(language: str, kind: str) -> re.Pattern[str]:
    return _joined(tuple(moves(language)["patterns"][kind]))


@functools.cache
def _joined(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")


@functools.cache
def _themes(language: str) -> dict[str, re.Pattern[str]]:
    edge = "" if language == "zh" else r"\b"
    return {
        theme: re.compile(f"{edge}(?:{'|'.join(words)})") for theme, words in moves(language)["themes"].items() if words
    }
