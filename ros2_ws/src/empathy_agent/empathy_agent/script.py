"""Chinese in the characters that the person writes: what the agent has is simplified."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import opencc

from empathy_agent.safety.normalise import simplified

_IS_TRADITIONAL = re.compile(r"[-_](?:hant|tw|hk|mo)\b", re.IGNORECASE)
_IS_HONG_KONG = re.compile(r"[-_](?:hk|mo)\b", re.IGNORECASE)
_READ = 200
"""Characters of a message that tell its script."""
# Loaded with the module, some 70 ms: the first reply may be to a crisis.
_TRADITIONAL, _TAIWAN, _HONG_KONG = (opencc.OpenCC(name).convert for name in ("s2t", "s2tw", "s2hk"))


def writer(texts: Sequence[str], locale: str) -> Callable[[str], str]:
    """What writes simplified text as the person does whose messages (oldest first) and locale these are.

    The newest message that holds a character of one script alone decides, without one the locale (BCP 47).
    """
    for text in reversed(texts):
        text = text[:_READ].replace("\0", "").encode("utf-8", "replace").decode("utf-8")
        traditional, plain = _unlike(text, simplified(text)), _unlike(text, _TRADITIONAL(text))
        if traditional or plain:
            return _of(locale) if traditional > plain else str
    return _of(locale) if _IS_TRADITIONAL.search(locale) else str


def _of(locale: str) -> Callable[[str], str]:
    return _HONG_KONG if _IS_HONG_KONG.search(locale) else _TAIWAN


def _unlike(text: str, other: str) -> int:
    return sum(one != another for one, another in zip(text, other, strict=False))
