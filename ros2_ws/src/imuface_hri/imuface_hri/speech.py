"""What a recogniser of ROS4HRI hears, as utterances: several results that may still change, then the final one."""

from __future__ import annotations

import re
import uuid
from typing import NamedTuple

LONGEST = 10_000
"""Characters of a text; nobody says more at once."""
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


class Heard(NamedTuple):
    """What was said so far, or, when it is final, at all."""

    text: str
    final: bool
    locale: str
    """BCP 47; empty: unknown."""
    id: str
    """The same from the first partial result to the final one."""


class Speech:
    """Follows one voice."""

    def __init__(self) -> None:
        self._id = ""

    def hear(self, incremental: str, final: str, language: str) -> Heard | None:
        """The utterance that a ``LiveSpeech`` tells, or None where it tells none; a final text wins.

        Raises:
            ValueError: the text is longer than :data:`LONGEST`.
        """
        text = final.strip() or incremental.strip()
        if not text:
            return None
        if len(text) > LONGEST:
            raise ValueError(f"speech has {len(text)} characters, and at most {LONGEST} are taken")
        known = self._id or uuid.uuid4().hex
        ended = bool(final.strip())
        self._id = "" if ended else known
        locale = language.strip().replace("_", "-")
        return Heard(text, ended, locale if _TAG.fullmatch(locale) else "", known)
