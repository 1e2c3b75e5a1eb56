r"""Substitutions ``$(name argument ...)`` in the values of a launch file.

Grammar of the launch frontends: arguments are separated by one space, may be quoted with ``'`` or ``"`` and may
themselves hold substitutions; a backslash takes the next character literally, so ``\$`` is a dollar sign.
"""

from __future__ import annotations

import re
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
    parser = _Parser(text)
    template = parser.template(stop="")
    parser.expect_end()
    return template


def is_literal(text: str) -> bool:
    """Whether ``text`` holds no substitution. Raises :class:`LaunchFileError` on a syntax error."""
    return all(isinstance(part, str) for part in parse(text))


def evaluate(text: str, functions: Functions) -> str:
    """Replace every ``$(name a b)`` in ``text`` by ``functions[name](a, b)``.

    Raises :class:`LaunchFileError` on a syntax error, an unknown name or a wrong number of arguments.
    """
    return _evaluate(parse(text), text, functions)


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
        """Text and calls up to a character of ``stop`` (not consumed) or the end."""
        parts: list[str | Call] = []
        literal: list[str] = []
        while self.position < len(self.text) and self.text[self.position] not in stop:
            if self.text.startswith("$(", self.position):
                if literal:
                    parts.append("".join(literal))
                    literal = []
                parts.append(self.call())
            else:
                literal.append(self.character())
        if literal:
            parts.append("".join(literal))
        return tuple(parts)

    def character(self) -> str:
        character = self.text[self.position]
        if character == "$":
            raise self.error(r"a lone '$' (write '\$')")
        self.position += 1
        if character != "\\":
            return character
        if self.position == len(self.text):
            raise self.error(r"a lone '\' at the end (write '\\')")
        self.position += 1
        return self.text[self.position - 1]

    def call(self) -> Call:
        self.position += len("$(")
        name = _NAME.match(self.text, self.position)
        if name is None:
            raise self.error("no name after '$('")
        self.position = name.end()
        arguments = []
        while self.take(" "):
            arguments.append(self.argument())
        if not self.take(")"):
            raise self.error("a missing ')'")
        return Call(name.group(), tuple(arguments))

    def argument(self) -> Template:
        for quote in "'\"":
            if self.take(quote):
                template = self.template(stop=quote)
                if not self.take(quote):
                    raise self.error(f"a missing {quote}")
                return template
        template = self.template(stop=" ()'\"")
        if not template:
            raise self.error("an empty argument (write '')")
        return template

    def take(self, character: str) -> bool:
        if self.text.startswith(character, self.position):
            self.position += 1
            return True
        return False

    def expect_end(self) -> None:
        if self.position != len(self.text):
            raise self.error("text that does not fit")

    def error(self, what: str) -> LaunchFileError:
        return LaunchFileError(f"'{self.text}' has {what} at character {self.position + 1}")
