"""Substitutions ``$(name argument ...)`` in the values of a launch file.

Of the grammar of the launch frontends, what Earnest's files use: arguments are separated by one space and may
themselves hold substitutions. Quotes and backslashes, which the frontends read in ways of their own, are refused where
they would mean something.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imuface_bringup.launch_file.errors import LaunchFileError, suggestion

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Call:
    """One ``$(name argument ...)``; each argument is a template of its own."""

    name: str
    arguments: tuple[Template, ...]


Template = tuple["str | Call", ...]
Functions = Mapping[str, Callable[..., str]]


def parse(text: str) -> Template:
    """Split ``text`` into literal text and calls. Raises :class:`LaunchFileError` on a syntax error."""
    return _Parser(text).template(stop="\\$")


def is_literal(text: str) -> bool:
    """Whether ``text`` holds no substitution. Raises :class:`LaunchFileError` on a syntax error."""
    return all(isinstance(part, str) for part in parse(text))


def evaluate(text: str, functions: Functions) -> str:
    """Replace every ``$(name a b)`` in ``text`` by ``functions[name](a, b)``.

    Raises :class:`LaunchFileError` on a syntax error, an unknown name or a wrong number of arguments.
    """
    return _evaluate(parse(text), text, functions)


def words(text: str, functions: Functions) -> tuple[str, ...]:
    """``text`` as the arguments of a command: split at its own spaces, never within what a substitution yields.

    Raises :class:`LaunchFileError` as :func:`evaluate` does, and on a quotation mark without a partner.
    """
    found: list[str] = []
    joined = False  # whether the next piece goes on with the last word
    for part in parse(text):
        if isinstance(part, Call):
            pieces, leads, joins = [_call(part, text, functions)], joined, True
        else:
            try:
                pieces = shlex.split(part)
            except ValueError as error:
                raise LaunchFileError(f"'{text}' cannot be split into arguments: {error}") from None
            leads, joins = joined and not part[0].isspace(), not part[-1].isspace()
        if pieces and leads:
            found[-1] += pieces.pop(0)
        found += pieces
        joined = joins
    return tuple(found)


def _evaluate(template: Template, text: str, functions: Functions) -> str:
    return "".join(part if isinstance(part, str) else _call(part, text, functions) for part in template)


def _call(call: Call, text: str, functions: Functions) -> str:
    if call.name not in functions:
        raise LaunchFileError(f"unknown substitution '$({call.name})' in '{text}'; {suggestion(call.name, functions)}")
    arguments = [_evaluate(argument, text, functions) for argument in call.arguments]
    try:
        return functions[call.name](*arguments)
    except TypeError:
        raise LaunchFileError(f"'$({call.name})' in '{text}' has a wrong number of arguments") from None


class _Parser:
    """Recursive descent over one string."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def template(self, stop: str) -> Template:
        """Text without the characters of ``stop``, and calls, up to the end or, in an argument, a space or bracket."""
        parts: list[str | Call] = []
        while self.position < len(self.text):
            if self.take("$("):
                parts.append(self.call())
                continue
            end = next((i for i in range(self.position, len(self.text)) if self.text[i] in stop), len(self.text))
            if end == self.position:
                break
            parts.append(self.text[self.position : end])
            self.position = end
        if " " not in stop and self.position < len(self.text):
            raise self.error("a lone '$' or a backslash")
        return tuple(parts)

    def call(self) -> Call:
        name = _NAME.match(self.text, self.position)
        if name is None:
            raise self.error("no name after '$('")
        self.position = name.end()
        arguments = []
        while self.take(" "):
            arguments.append(self.template(stop=" ()'\"\\$"))
            if not arguments[-1]:
                raise self.error("an empty argument")
        if not self.take(")"):
            raise self.error("a missing ')'")
        return Call(name.group(), tuple(arguments))

    def take(self, characters: str) -> bool:
        if self.text.startswith(characters, self.position):
            self.position += len(characters)
            return True
        return False

    def error(self, what: str) -> LaunchFileError:
        return LaunchFileError(f"'{self.text}' has {what} at character {self.position + 1}")
