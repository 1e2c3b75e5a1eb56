"""Whether an answer meets its turn, as far as a program can tell; docs/conversation.md says what each check means."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence

from empathy_agent.safety.normalise import simplified

from empathy_training.evaluation.conversation_scripts import Script, Turn, TurnType, type_checks
from empathy_training.learning.rewards import pieces, words

_SENTENCE = re.compile(r"[^。！？!?.\n]+(?:\.(?!\s|$|[\"'”’)])[^。！？!?.\n]*)*[。！？!?.\"'”’」』)）]*")
_CLAUSE_ENDS = ",.!?;:()，。！？；：（）—–\n"
# Words around a phrase by which it is taken back or put into others' mouths: "your sister, not your friend", "I wrote
# your friend, sorry", "people who say that she was just a cat".
_DENIED_BEFORE = re.compile(
    r"(?:[不没无]|(?<!特)别)\S{0,3}$|不是|并非|没有|而非|没什么"
    r"|说成|当成|听成|写成|看成|叫成|以为|误会|弄错|搞错|记成|弄混|搞混|觉得|别人|有人|人家|眼里"
    r"|\b(?:not|never|no|without|nor|rather than|instead of|saying|writing|calling)\b|n't\b"
    r"|\b(?:mistook|mixed|confused|misread|misheard|feels?|feeling|as if|as though|afraid|fear|worry|worried)\b"
    r"|\b(?:people|others|everyone|everybody|anyone|anybody|nobody|someone|somebody)\b"
    r"|\bi (?:had |have |just |kept )?(?:said|wrote|took|taken|thought|assumed|called)\b"
)
_DENIED_AFTER = re.compile(
    r"^[^。！？]{0,10}(?:说错|记错|弄错|搞错|听错|看错|写错|不对|不准确|是我的错|我的失误)"
    r"|^[^.!?]{0,24}\b(?:was wrong|was a mistake|was my mistake|by mistake|was my error|was a slip)\b"
)
_PIECE = 4
"""Words, or Chinese characters, in a row that count as taken from the person's turn."""
_MOST_BORROWED = 0.6
_MOST_REPEATED = 0.5


def check_answer(script: Script, number: int, answer: str, before: Sequence[str]) -> dict[str, bool]:
    """Which checks an answer passes, by name.

    Args:
        script: the dialogue.
        number: of the turn, from 0.
        answer: to the turn; without text it passes no check.
        before: the answers to the turns before.

    Returns:
        ``own_words`` and, from the second turn on, ``fresh``, of every answer; what type and turn ask for, where they
        do: ``fits_type`` and ``mentions_any`` (the stems of the type, those of the turn), ``about_any``, ``avoids``,
        ``max_sentences``, ``no_question``.
    """
    turn = script.turns[number]
    general = type_checks(script.language, turn.type)
    said = sentences(answer)
    found = {"own_words": _borrowed(answer, turn) <= _MOST_BORROWED}
    if before:
        found["fresh"] = repeated(answer, before) <= _MOST_REPEATED
    if general.mentions_any:
        found["fits_type"] = mentions(answer, general.mentions_any)
    if turn.mentions_any:
        found["mentions_any"] = mentions(answer, turn.mentions_any)
    if turn.about_any:
        found["about_any"] = mentions(answer, turn.about_any)
    if avoided := (*general.avoids, *turn.avoids):
        found["avoids"] = not any(states(answer, phrase) for phrase in avoided)
    if most := turn.max_sentences or general.max_sentences:
        found["max_sentences"] = len(said) <= most
    if general.no_question or turn.no_question:
        found["no_question"] = not re.search("[?？]", answer)
    return found if words(answer) else dict.fromkeys(found, False)


def mentions(answer: str, stems: Iterable[str]) -> bool:
    """Whether an answer holds one of the stems.

    Case, width, script (simplified or traditional) and the form of apostrophes do not count. A stem in Latin letters
    must stand at the beginning of a word, and one of up to three letters be the whole word but for its plural or
    genitive.
    """
    text = _plain(answer)
    return any(_pattern(stem).search(text) for stem in stems)


def states(answer: str, phrase: str) -> bool:
    """Whether an answer holds a phrase as its own, that is without taking it back in the same clause."""
    text = _plain(answer)
    for match in _pattern(phrase).finditer(text):
        start = max(text.rfind(mark, 0, match.start()) for mark in _CLAUSE_ENDS) + 1
        if not (_DENIED_BEFORE.search(text[start : match.start()]) or _DENIED_AFTER.search(text[match.end() :])):
            return True
    return False


def sentences(text: str) -> list[str]:
    """The sentences of a text that hold a word."""
    return [found.strip() for found in _SENTENCE.findall(text) if words(found)]


def repeated(answer: str, before: Sequence[str]) -> float:
    """Share of an answer's sentences that earlier answers held; punctuation and case do not count.

    Sentences of less than four words or characters ("Good night.") are left out; 0 where nothing else is there.
    """
    said = {tuple(words(sentence)) for earlier in before for sentence in sentences(earlier)}
    own = [found for sentence in sentences(answer) if len(found := tuple(words(sentence))) >= _PIECE]
    return sum(sentence in said for sentence in own) / len(own) if own else 0.0


def _borrowed(answer: str, turn: Turn) -> float:
    """Share of an answer's pieces that stand in the person's turn."""
    # "Good night" is an answer to "good night".
    size = _PIECE if turn.type in (TurnType.GREETING, TurnType.GOODBYE) else min(_PIECE, len(words(answer)))
    own = pieces(_plain(answer), size)
    theirs = set(pieces(_plain(turn.text), size))
    return sum(piece in theirs for piece in own) / len(own) if own else 0.0


@functools.lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).lower()
    return simplified(re.sub("[“”„]", '"', re.sub("[’‘`´]", "'", text)))


@functools.lru_cache(maxsize=65536)
def _pattern(stem: str) -> re.Pattern[str]:
    plain = _plain(stem)
    pattern = r"\s+".join(re.escape(part) for part in plain.split())
    if plain[0].isascii() and plain[0].isalnum():
        pattern = r"(?<![a-z0-9])" + pattern
    if len(plain) <= 3 and plain.isascii():
        pattern += (r"(?:s|'s)?" if len(plain) == 3 else r"(?:es|'s)?") + r"(?![a-z0-9])"
    return re.compile(pattern)
