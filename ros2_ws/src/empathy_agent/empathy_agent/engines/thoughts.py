"""Keeps a model's thoughts (``<think> … </think>``) out of its reply while it streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from empathy_agent.engines import DROPPED, CutOff

_OPEN, _CLOSE = "<think>", DROPPED


def without_thoughts(chunks: Iterable[str]) -> Iterator[str]:
    """What follows the last ``</think>`` of a text that comes in chunks, cut anywhere.

    A text that begins with ``<think>`` is held back until that is closed. Some servers send the closing tag alone, and
    some thoughts quote the tag: whenever one closes after text was given, ``DROPPED`` comes, and that text is void. A
    text without thoughts is held back by at most the seven characters that may begin a tag.
    """
    thoughts = _Filter()
    try:
        for chunk in chunks:
            yield from thoughts.feed(chunk)
    except CutOff:
        yield from thoughts.finish()
        raise
    yield from thoughts.finish()


class _Filter:
    def __init__(self) -> None:
        self._held = ""
        self._began = False  # whether it is known if the text begins with thoughts
        self._thinking = False
        self._given = False  # whether text was given that a closing tag would make void

    def feed(self, chunk: str) -> Iterator[str]:
        self._held += chunk
        if not self._began:
            text = self._held.lstrip()
            if len(text) < len(_OPEN) and _OPEN.startswith(text):
                return
            self._began = True
            self._thinking = text.startswith(_OPEN)
        end = self._held.rfind(_CLOSE)
        if end >= 0:
            if self._given:
                yield DROPPED
            self._given = self._thinking = False
            self._held = self._held[end + len(_CLOSE) :]
        kept = _beginning_of_tag(self._held)
        if not self._thinking:
            yield from self._give(self._held[: len(self._held) - kept])
        self._held = self._held[len(self._held) - kept :]

    def finish(self) -> Iterator[str]:
        if not self._thinking:
            yield from self._give(self._held)

    def _give(self, text: str) -> Iterator[str]:
        if text:
            self._given = True
            yield text


def _beginning_of_tag(text: str) -> int:
    """Length of the longest end of ``text`` that may become a closing tag."""
    return next(size for size in range(len(_CLOSE) - 1, -1, -1) if text.endswith(_CLOSE[:size]))
