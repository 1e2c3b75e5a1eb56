"""Chinese in the characters that the person writes: what the agent has is simplified."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence

import opencc

from empathy_agent.safety.normalise import simplified

_TRADITIONAL = re.compile(r"[-_](?:hant|tw|hk|mo)\b", re.IGNORECASE)
_HONG_KONG = re.compile(r"[-_](?:hk|mo)\b", re.IGNORECASE)


def writer(texts: Sequence[str], locale: str) -> Callable[[str], str]:
    """What writes simplified text as the person does whose messages (oldest first) and locale these are.

    The newest message that holds a character of one script alone decides, without one the locale (BCP 47).
    """
    for text in reversed(texts):
        text = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
        traditional, plain = _unlike(text, simplified(text)), _unlike(text, _converter("s2t")(text))
        if traditional or plain:
            return _of(locale) if traditional > plain else str
    return _of(locale) if _TRADITIONAL.search(locale) else str


def _of(locale: str) -> Callable[[str], str]:
    return _converter("s2hk" if _HONG_KONG.search(locale) else "s2tw")


def _unlike(text: str, other: str) -> int:
    return sum(one != another for one, another in zip(text, other, strict=False))


@functools.cache
def _converter(name: str) -> Callable[[str], str]:
    convert: Callable[[str], str] = opencc.OpenCC(name).convert
    return convert
