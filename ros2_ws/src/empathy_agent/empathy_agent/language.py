"""The agent's languages: which one a text is in, and what is said in each."""

from __future__ import annotations

import functools
import re
from typing import Any

from empathy_agent.packaged import read_yaml

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""For a set of a regular expression: CJK unified ideographs, all their extensions, and the compatibility ideographs.

In escapes, because an editor that normalises turns the first compatibility ideograph into a unified one."""
_HAN = re.compile(f"[{HAN}]")
_KANA_OR_HANGUL = re.compile(r"[ぁ-ゖァ-ヺ가-힯]")
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ][A-Za-zÀ-ÖØ-öø-ÿ'’-]*")


def detect_language(text: str) -> str:
    """``"zh"`` or ``"en"``.

    Chinese wins where it has at least as many characters as there are words in Latin letters, so that a Chinese post
    with English terms stays Chinese and an English one that quotes Chinese stays English. A text in neither language
    is answered in English.
    """
    if _KANA_OR_HANGUL.search(text):
        # Japanese and Korean texts hold Han characters too; a stray emoticon in a Chinese text does not count.
        foreign = len(_KANA_OR_HANGUL.findall(text))
        if foreign * 3 > len(_HAN.findall(text)):
            return "en"
    han = len(_HAN.findall(text))
    return "zh" if han and han >= len(_WORD.findall(text)) else "en"


def is_in_language(text: str, language: str) -> bool:
    """Whether a reply is in ``"zh"`` or ``"en"``; unlike :func:`detect_language`, English must hold no word of Chinese,
    Japanese or Korean."""
    if language == "zh":
        return detect_language(text) == "zh"
    return not (_HAN.search(text) or _KANA_OR_HANGUL.search(text)) and _WORD.search(text) is not None


def resolve_locale(requested: str, text: str) -> str:
    """BCP 47 tag to answer in: the requested one where the agent speaks it, else the language of the text.

    A requested region is kept (it selects the help lines); a bare Chinese text is taken for mainland China, a bare
    English one for nowhere in particular.
    """
    detected = detect_language(text)
    if language_of(requested) == detected:
        return requested
    return "zh-CN" if detected == "zh" else "en"


def language_of(locale: str) -> str:
    """The primary subtag of a BCP 47 tag, in lower case: ``"zh"`` of ``"zh-Hant-TW"``."""
    return re.split(r"[-_]", locale, maxsplit=1)[0].lower()


@functools.cache
def language_data(language: str) -> dict[str, Any]:
    """The entry of ``prompts.yaml`` for ``"zh"`` or ``"en"``. Raises ``KeyError`` for another language."""
    return read_yaml("prompts.yaml")[language]
