"""The one form of all training and test data: a JSON object a line.

``docs/empathy-data.md`` describes the fields. A file is read whole; what is wrong with a line is told with its number
and never with its text, which is a person's.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Annotated

from empathy_agent.chain import THINK, Chain, Layer
from empathy_agent.language import detect_language, language_of
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, ValidationInfo, model_validator

LICENCES = frozenset(
    {
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC-BY-4.0",
        "CC-BY-SA-4.0",
        "CC0-1.0",
        "CDLA-Permissive-2.0",
        "MIT",
        "ODC-By-1.0",
        "PDDL-1.0",
    }
)
"""SPDX names of licences that allow training for any purpose."""
LONGEST = 20_000
"""Characters of a text: no letter is longer, a file that was pasted in is."""
_EXCLAMATION = 6
"""Letters of a post that may be in any language: "OK", "hi"."""
_LONGEST_LINE = 8 * 6 * LONGEST
_TAGS = (THINK, *(layer.tag for layer in Layer))
_LAYERS = tuple(layer for layer in Layer if layer is not Layer.ANSWER)

_Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\s<>][^\n<>]*$")]
_Text = Annotated[str, StringConstraints(max_length=LONGEST)]
_FilledText = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


class Example(BaseModel):
    """A post, how to think about it in four layers (all of them or none), and an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)

    id: _Name
    locale: Annotated[str, StringConstraints(pattern=r"^(zh|en)(-[A-Za-z0-9]+)*$")]
    """BCP 47 tag, Chinese or English."""
    topic: _Name
    session: Annotated[str, StringConstraints(max_length=200)] = ""
    """The conversation that it is a turn of; its turns follow one another in the file. Empty: a post alone."""
    post: _FilledText
    face: _Text = ""
    """What the face showed, in the agent's words (``affect_window.py``); empty for no cue."""
    L1: _Text = ""
    """Emotions and context."""
    L2: _Text = ""
    """Causes and beliefs."""
    L3: _Text = ""
    """Intention."""
    L4: _Text = ""
    """Strategy of the reply."""
    answer: _FilledText
    source: _Name
    """The corpus that it comes from."""
    licence: _Name
    """SPDX name."""
    chain_by: str = Field(default="", max_length=500)
    """Who wrote the layers, where it was a program: model and prompt."""

    @model_validator(mode="after")
    def _usable(self, info: ValidationInfo) -> Example:
        missing = [layer.tag for layer in _LAYERS if not getattr(self, layer.tag)]
        if 0 < len(missing) < len(_LAYERS):
            raise ValueError(f"lacks {', '.join(missing)}: all four layers, or none")
        texts = {name: getattr(self, name) for name in ("post", "L1", "L2", "L3", "L4", "answer")}
        for name, text in texts.items():
            if any(ord(letter) < 32 and letter not in "\n\t" for letter in text):
                raise ValueError(f"{name} holds a control character")
            if any(f"<{tag}>" in text or f"</{tag}>" in text for tag in _TAGS):
                raise ValueError(f"{name} holds a tag of the chain's format")
            exclaimed = name == "post" and len(text) <= _EXCLAMATION
            if text and not exclaimed and detect_language(text) != language_of(self.locale):
                raise ValueError(f"{name} is not in the language of the locale {self.locale}")
        allowed: Collection[str] = (info.context or {}).get("licences", LICENCES)
        if self.licence not in allowed:
            raise ValueError(f"licence {self.licence} is not known to allow training")
        return self

    @property
    def has_chain(self) -> bool:
        """Whether the four layers are there."""
        return bool(self.L1)

    @property
    def chain(self) -> Chain:
        """Layers and answer as a model writes them."""
        return Chain({layer: getattr(self, layer.tag) for layer in Layer}, self.has_chain)


@dataclass(frozen=True)
class Fault:
    """Why a line is no example."""

    line: int
    """From 1."""
    reason: str


@dataclass
class Reading:
    """What a file holds."""

    examples: list[Example] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[str]:
        """How many lines were refused for what."""
        return Counter(fault.reason for fault in self.faults)


def read_examples(path: Path, licences: Collection[str] = LICENCES) -> Reading:
    """Read a ``.jsonl`` file, plain or ``.gz``; lines that are no example become faults.

    Args:
        path: the file.
        licences: names of those that allow training.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a gzip file though its name says so, or is cut off.
    """
    reading = Reading()
    seen: dict[str, int] = {}
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip():
            continue
        try:
            example = parse(line, licences)
            if example.id in seen:
                raise ValueError(f"the id stands in line {seen[example.id]} already")
        except ValueError as error:
            reading.faults.append(Fault(number, str(error)))
            continue
        seen[example.id] = number
        reading.examples.append(example)
    return reading


def conversations(examples: Iterable[Example]) -> list[list[Example]]:
    """The turns of each conversation, in order; a post alone is one of a single turn."""
    return [list(turns) for _, turns in groupby(examples, key=lambda example: example.session or example.id)]


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file, plain or ``.gz``. Raises as :func:`read_examples` does."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            yield from stream
    except (EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is not a whole gzip file: {error}") from error


def parse(line: bytes | str, licences: Collection[str] = LICENCES) -> Example:
    """The example of a line.

    Raises:
        ValueError: there is none; the message says what is wrong, without quoting the texts.
    """
    if len(line) > _LONGEST_LINE:
        raise ValueError(f"the line has {len(line):,} bytes, at most {_LONGEST_LINE:,} make sense")
    try:
        return Example.model_validate_json(line, context={"licences": licences})
    except ValidationError as error:
        where, message = first_fault(error)
        raise ValueError(f"{where}: {message}" if where else message) from None


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Where a record's first fault is, and what it is; never the text, which is a person's."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"] if len(str(part)) <= 40)
    return where, first["msg"].removeprefix("Value error, ")


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write a ``.jsonl`` file; the number of lines. Empty fields are left out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8") as stream:
        for example in examples:
            stream.write(as_line(example))
            count += 1
    return count


def as_line(example: Example) -> str:
    """The example as a line of JSON with its end."""
    return json.dumps(example.model_dump(exclude_defaults=True), ensure_ascii=False) + "\n"
