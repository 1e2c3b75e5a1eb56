"""The conversation test set: dialogues whose person's side is written down, with checks of the answers.

``dialogues_zh.yaml`` and ``dialogues_en.yaml`` hold the dialogues, ``dialogue_types.yaml`` what holds for every turn of
a type; docs/conversation.md describes the fields.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import yaml
from empathy_agent.errors import first_line
from empathy_agent.language import language_of
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from empathy_training.corpus.examples import first_fault

_FILES = ("dialogues_zh.yaml", "dialogues_en.yaml")
_TYPES_FILE = "dialogue_types.yaml"
_FORM = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)

_Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
_Texts = Annotated[tuple[_Text, ...], Field(strict=False)]


class TurnType(enum.StrEnum):
    """What a person does with a turn."""

    STORY = "story"
    CONTINUE = "continue"
    QUESTION = "question"
    THANKS = "thanks"
    GREETING = "greeting"
    CORRECTION = "correction"
    ANGER = "anger"
    GOODBYE = "goodbye"
    SMALL_TALK = "small_talk"
    SHORT = "short"
    OUT_OF_ROLE = "out_of_role"
    GOOD_NEWS = "good_news"


# Turns that an answer can meet only by something of this very dialogue.
_NEED_MENTIONS = frozenset(
    {
        TurnType.STORY,
        TurnType.CONTINUE,
        TurnType.QUESTION,
        TurnType.CORRECTION,
        TurnType.SMALL_TALK,
        TurnType.SHORT,
        TurnType.OUT_OF_ROLE,
    }
)


class Checks(BaseModel):
    """What a program asks of an answer."""

    model_config = _FORM

    mentions_any: _Texts = ()
    """Stems of which an answer that listened holds at least one."""
    avoids: _Texts = ()
    """Phrases that would prove that it did not listen; one that is denied does not count."""
    max_sentences: int | None = Field(default=None, ge=1)
    no_question: bool = False


class Turn(Checks):
    """A turn of the person."""

    type: Annotated[TurnType, Field(strict=False)]
    text: _Text
    about_any: _Texts = ()
    """Of a question: stems of what it is about, of which the answer holds one besides."""
    refers_to: Annotated[tuple[int, ...], Field(strict=False)] = ()
    """Turns, counted from 1, whose facts a question needs."""
    good: _Texts = ()
    """Answers that pass all checks, in order: the first ones of all turns make a conversation, too."""
    bad: _Texts = ()
    """Answers that fail a check."""

    @model_validator(mode="after")
    def _checkable(self) -> Turn:
        if self.type in _NEED_MENTIONS and not self.mentions_any:
            raise ValueError(f"a turn of type {self.type} needs mentions_any")
        if (self.refers_to or self.about_any) and self.type is not TurnType.QUESTION:
            raise ValueError("only a question has about_any and refers_to")
        return self


class Script(BaseModel):
    """A dialogue."""

    model_config = _FORM

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    locale: Annotated[str, StringConstraints(pattern=r"^(zh|en)(-[A-Za-z0-9]+)*$")]
    about: _Text
    turns: Annotated[tuple[Turn, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _refers_back(self) -> Script:
        for number, turn in enumerate(self.turns, 1):
            if any(not 0 < earlier < number for earlier in turn.refers_to):
                raise ValueError(f"turn {number} refers to {list(turn.refers_to)}, which are not all earlier turns")
        return self

    @property
    def language(self) -> str:
        """``"zh"`` or ``"en"``."""
        return language_of(self.locale)

    @property
    def ends_in_question_about_earlier(self) -> bool:
        """Whether the last turn asks something that only the turns before it can answer."""
        return bool(self.turns[-1].refers_to)


_SCRIPTS = TypeAdapter(tuple[Script, ...])
_TYPES = TypeAdapter(dict[str, dict[TurnType, Checks]])


def read_scripts(path: Path) -> list[Script]:
    """The dialogues of a YAML file.

    Raises:
        OSError, ValueError: it cannot be read, or is no list of dialogues; the message names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None
    return _parse(text, str(path))


@functools.cache
def own_scripts() -> tuple[Script, ...]:
    """The dialogues that come with the package."""
    return tuple(script for name in _FILES for script in _parse(_packaged(name), name))


@functools.cache
def type_checks(language: str, kind: TurnType) -> Checks:
    """What holds for all turns of a type in ``"zh"`` or ``"en"``."""
    return _all_type_checks()[language].get(kind, Checks())


@functools.cache
def _all_type_checks() -> dict[str, dict[TurnType, Checks]]:
    # Lax, for the names of the types are keys.
    return _TYPES.validate_python(yaml.load(_packaged(_TYPES_FILE), yaml.CSafeLoader), strict=False)


def _packaged(name: str) -> str:
    return resources.files("empathy_training.evaluation").joinpath(name).read_text(encoding="utf-8")


def _parse(text: str, name: str) -> list[Script]:
    try:
        loader = yaml.CSafeLoader(text)
        root = loader.get_single_node()
        content = loader.construct_document(root) if root else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"{name}, line {line} is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # Of characters that YAML does not know, and of dates such as 2024-99-99.
        raise ValueError(f"{name} is not YAML: {first_line(error)}") from None
    if not isinstance(content, list) or not content:
        raise ValueError(f"{name} is not a list of dialogues")
    try:
        scripts = list(_SCRIPTS.validate_python(content, strict=False))
    except ValidationError as error:
        where = error.errors(include_url=False, include_input=False)[0]["loc"]
        what = first_fault(error)[1]
        whole = len(where) < 2 or (len(where) == 3 and where[-2] == "turns")
        field = "" if whole else next(f"{part}: " for part in reversed(where) if isinstance(part, str))
        raise ValueError(f"{name}, line {_line(root, where)}: {field}{what}") from None
    seen: set[str] = set()
    for number, script in enumerate(scripts):
        if script.id in seen:
            raise ValueError(f"{name}, line {_line(root, (number, 'id'))}: the id {script.id} stands twice")
        seen.add(script.id)
    return scripts


def _line(node: Any, where: Sequence[int | str]) -> int:
    """The line of a value, or of the nearest that holds it."""
    line = node.start_mark.line
    for part in where:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        elif isinstance(node, yaml.MappingNode):
            found = [pair for pair in node.value if pair[0].value == part]
            if not found:
                break
            # Of two with one name the last counts, as it does for the values.
            line, node = found[-1][0].start_mark.line, found[-1][1]
        else:
            break
    return line + 1
