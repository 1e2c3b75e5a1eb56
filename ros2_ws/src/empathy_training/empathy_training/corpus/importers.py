"""Public corpora in the project's form. None of them has chains; their licences stand beside them.

A dialogue becomes a post, all that the client had said before the counsellor's longest turn, and that turn as the
answer.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from empathy_training.corpus.examples import Fault, Reading, lines_of, parse

_LEAST_HEARD = 60
"""Characters that the client must have said before a turn can be an answer."""


@dataclass(frozen=True)
class Corpus:
    """A corpus that can be imported."""

    title: str
    licence: str
    entries: Callable[[Path], Iterator[tuple[int, Any]]]
    """Numbered entries of a file."""
    turns: Callable[[Any], Iterator[tuple[bool, str]]]
    """Whether the counsellor speaks, and what is said."""


def _json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines_of(path), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError:
                yield number, None


def _json_array(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        entries = json.loads(b"".join(lines_of(path)))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(entries, list):
        raise ValueError(f"{path} is not a JSON array")
    yield from enumerate(entries, 1)


def _role_turns(entry: Any) -> Iterator[tuple[bool, str]]:
    for turn in entry["dialog"]:
        yield turn["role"] == "counselor", turn["content"]


def _pair_turns(entry: Any) -> Iterator[tuple[bool, str]]:
    for pair in entry["conversation"]:
        yield False, pair["input"]
        yield True, pair["output"]


CORPORA = {
    "smile": Corpus("SMILE, long counselling dialogues", "CC0-1.0", _json_lines, _role_turns),
    "cpsycoun": Corpus("CPsyCounD, counselling dialogues from reports", "CC-BY-4.0", _json_lines, _role_turns),
    "emollm": Corpus("EmoLLM, synthetic support dialogues", "MIT", _json_array, _pair_turns),
}
"""By name, Chinese all of them."""


def client_turns(name: str, path: Path) -> Iterator[str]:
    """What the clients of a corpus' file say, turn by turn; entries of another form are left out.

    Raises:
        OSError, ValueError: there is no such corpus, or the file cannot be read.
    """
    corpus = _corpus(name)
    for _, entry in corpus.entries(path):
        try:
            turns = list(corpus.turns(entry))
        except (KeyError, TypeError, AttributeError):
            continue
        yield from (text.strip() for counsellor, text in turns if not counsellor and isinstance(text, str))


def _corpus(name: str) -> Corpus:
    if name not in CORPORA:
        raise ValueError(f"there is no importer '{name}'; there are {', '.join(CORPORA)}")
    return CORPORA[name]


def import_corpus(name: str, path: Path) -> Reading:
    """The examples of a corpus' file; entries of another form, or without an answer, become faults.

    Raises:
        OSError, ValueError: there is no such corpus, or the file cannot be read.
    """
    corpus = _corpus(name)
    reading = Reading()
    for number, entry in corpus.entries(path):
        try:
            post, answer = _longest_answer(list(corpus.turns(entry)))
            content = {
                "id": f"{name}-{number}",
                "locale": "zh",
                "topic": "unsorted",
                "post": post,
                "answer": answer,
                "source": corpus.title,
                "licence": corpus.licence,
            }
            reading.examples.append(parse(json.dumps(content)))
        except (KeyError, TypeError, AttributeError):
            reading.faults.append(Fault(number, f"not an entry of {corpus.title}"))
        except ValueError as error:
            reading.faults.append(Fault(number, str(error)))
    return reading


def _longest_answer(turns: list[tuple[bool, str]]) -> tuple[str, str]:
    heard, best = "", ("", "")
    for counsellor, text in turns:
        if not counsellor:
            heard = f"{heard}\n{text.strip()}".strip()
        elif len(heard) >= _LEAST_HEARD and len(text) > len(best[1]):
            best = heard, text
    if not best[1]:
        raise ValueError(f"no answer after {_LEAST_HEARD} characters of the client")
    return best


@dataclass(frozen=True)
class RatedReply:
    """A reply and how empathetic people found it."""

    reply: str
    empathy: float
    """Mean of the annotators, 0 to 2."""


def read_rated_replies(path: Path) -> list[RatedReply]:
    """The rated replies of the Empathetic Personas data (CSV, plain or ``.gz``).

    Raises:
        OSError, ValueError: the file cannot be read, lacks a column, or a score is not a number from 0 to 2.
    """
    try:
        text = b"".join(lines_of(path)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8") from error
    rated = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
        try:
            scores = [float(row[f"annotator{annotator}_score"]) for annotator in (1, 2, 3)]
            reply = row["response"].strip()
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ValueError(
                f"{path}, line {number}: expected response and annotator1_score .. annotator3_score"
            ) from None
        if not reply or not all(0.0 <= score <= 2.0 for score in scores):
            raise ValueError(f"{path}, line {number}: a score is not from 0 to 2, or the response is empty")
        rated.append(RatedReply(reply, sum(scores) / len(scores)))
    return rated
