"""Cuts Chinese and English text into whole sentences, also while it is still being written."""

from __future__ import annotations

import re
from collections.abc import Callable

LONGEST = 400
"""Characters after which a run without an end is cut."""
_SHORTEST_CUT = LONGEST // 2

_CHINESE_MARKS = "。！？｡"
_CLOSING = "”’」』）)]】》〉\"'"
_BREAKS = "\n\r\v\f\x85\u2028\u2029"
_CANDIDATE = re.compile(f"[{_CHINESE_MARKS}!?.…{_BREAKS}]")
_RUN = re.compile(f"[{_CHINESE_MARKS}!?.…]+")
_HAN = re.compile("[\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
# The longest abbreviation with what stands before it.
_BEFORE = 16
# A full stop after these is never the end. "No." often is one, so it is not among them.
_TITLE = re.compile(r"\b(?:dr|mr|mrs|ms|mx|prof|st|mt|vs|cf|e\.g|i\.e|approx|rev)\.\Z", re.IGNORECASE)
# A full stop after these is the end when a capital follows.
_ABBREVIATION = re.compile(r"\b(?:etc|jr|sr|inc|ltd|dept|(?:[a-z]\.)+[a-z])\.\Z", re.IGNORECASE)
_LIST_NUMBER = re.compile(r"\s*\(?\d{1,2}\.\Z")


class Sentences:
    """Takes text in chunks cut anywhere, gives each sentence as soon as it is certain to be whole.

    A sentence ends with 。！？…, with . ! ? before a space, and with its line; closing quotes and brackets stay with
    it, white space leads the next one. "e.g.", "Dr.", "3.5", "1." before an item and an ellipsis inside a sentence end
    nothing. A run of :data:`LONGEST` characters without an end is cut at a comma or a space; with ``on_endless`` it is
    left out up to its end, and that is called once for it. The sentences are the same whatever the chunks were, and
    concatenated they are the text but for what is left out; the last one may be white space alone.
    """

    def __init__(self, on_endless: Callable[[], None] | None = None) -> None:
        self._text = ""
        self._scanned = 0
        self._quoting = False
        self._on_endless = on_endless
        self._cut = self._endless = False  # whether the last end is a cut; whether a run goes on that was cut

    def feed(self, chunk: str) -> list[str]:
        """The sentences that this chunk completes."""
        self._text += chunk
        return self._take(final=False)

    def finish(self) -> list[str]:
        """What is left: whole sentences, and the beginning of one that has no end."""
        sentences = self._take(final=True)
        rest, self._text, self._scanned = self._text, "", 0
        return [*sentences, rest] if rest and not self._left_out(rest) else sentences

    def _take(self, final: bool) -> list[str]:
        sentences = []
        begin = 0
        while (end := self._end(begin, final)) is not None:
            sentence = self._text[begin:end]
            if not self._left_out(sentence):
                sentences.append(sentence)
            begin, self._scanned = end, end
            self._quoting ^= sentence.count('"') % 2 == 1
        self._text = self._text[begin:]
        self._scanned -= begin
        return sentences

    def _left_out(self, sentence: str) -> bool:
        """Whether what ends now is a piece of a run without an end, which is not wanted."""
        goes_on = self._endless and sentence.lstrip(" \t")[:1] not in _BREAKS
        begins, piece = self._cut and not goes_on, self._cut or goes_on
        self._endless, self._cut = self._cut, False
        if self._on_endless is None:
            return False
        if begins:
            self._on_endless()
        return piece

    def _end(self, begin: int, final: bool) -> int | None:
        """Where the sentence that starts at ``begin`` ends; None when that is not certain yet."""
        text, limit = self._text, begin + LONGEST
        while (mark := _CANDIDATE.search(text, self._scanned, limit)) is not None:
            start = mark.start()
            if mark[0] in _BREAKS:
                if text[begin:start].strip():
                    return start
                self._scanned = start + 1
                self._quoting = False
                continue
            run = _RUN.match(text, start, limit)
            assert run is not None
            end = self._closed(begin, run.end(), limit)
            if end == limit:
                return limit
            certain = any(letter in _CHINESE_MARKS for letter in run[0])
            if not final and len(text) < end + (1 if certain else 2):
                return None
            if certain or self._is_end(begin, start, run.end(), end):
                return end
            self._scanned = end
        if len(text) <= limit:
            return None
        self._cut = True
        cut = max(text.rfind(letter, begin + _SHORTEST_CUT, limit) for letter in "，,、；;：: \t") + 1
        return cut or limit

    def _closed(self, begin: int, end: int, limit: int) -> int:
        """The end with the closing quotes and brackets that follow it."""
        text = self._text
        while end < min(limit, len(text)) and text[end] in _CLOSING:
            # A straight quote with a letter behind it opens the next sentence, unless one is open.
            opens = text[end] == '"' and text[end + 1 : end + 2].isalnum()
            if opens and text.count('"', begin, end) % 2 == self._quoting:
                break
            end += 1
        return end

    def _is_end(self, begin: int, start: int, stop: int, end: int) -> bool:
        """Whether the Latin marks at ``start`` to ``stop``, closed up to ``end``, end a sentence."""
        text = self._text
        marks = text[start:stop]
        following = text[end : end + 1]
        apart = not following or following.isspace() or _HAN.match(following) is not None
        if "!" in marks or "?" in marks:
            return apart or _HAN.match(text, max(begin, start - 1), start) is not None
        after = text[end : end + 2].lstrip(" \t")[:1] if following in ("", " ", "\t") else following
        goes_on = "a" <= after <= "z"
        if len(marks) > 1 or marks == "…":
            return not goes_on
        if stop < end and goes_on:
            return False  # He said "no." and left.
        before = text[max(begin, start - _BEFORE) : start + 1]
        if _TITLE.search(before) or _LIST_NUMBER.fullmatch(text[begin : start + 1][:_BEFORE]):
            return False
        if _ABBREVIATION.search(before):
            return apart and not goes_on
        # Dots between Chinese characters are decoration.
        return apart and not (_HAN.match(following) and _HAN.match(text, max(begin, start - 1), start))


def split_sentences(text: str) -> list[str]:
    """The sentences of a whole text, as :class:`Sentences` gives them; concatenated they are the text."""
    sentences = Sentences()
    return [*sentences.feed(text), *sentences.finish()]
