"""A model that is none: it draws each choice of a scaffold by lot. What a real one adds is the difference."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Iterator, Sequence

from empathy_agent.engines import Decoding, Engine
from empathy_agent.prompt import Message

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[()|]|[a-z]\w*)')


class Chance(Engine):
    """Says what a grammar of :func:`~empathy_agent.grammar.scaffold_grammar` allows, drawn by lot.

    Raises ``ValueError`` for any other grammar.
    """

    model = "chance"
    context = 8192
    supports_grammar = True
    scaffold = True
    worked_examples = False

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """See :class:`empathy_agent.engines.Engine`."""
        rules = dict(line.split(" ::= ", 1) for line in decoding.grammar.splitlines() if line)
        yield _Drawn(rules, random.Random(decoding.seed)).said("root")

    def close(self) -> None:
        """Nothing to release."""


class _Drawn:
    def __init__(self, rules: dict[str, str], chance: random.Random) -> None:
        self._rules, self._chance = rules, chance

    def said(self, rule: str) -> str:
        body = self._rules[rule]
        tokens = _TOKEN.findall(body)
        if _TOKEN.sub("", body).strip():
            raise ValueError(f"not the grammar of a scaffold: rule {rule}")
        text, rest = self._alternatives(tokens)
        if rest:
            raise ValueError(f"not the grammar of a scaffold: rule {rule}")
        return text

    def _alternatives(self, tokens: list[str]) -> tuple[str, list[str]]:
        """One of the sequences between the bars, and what follows them."""
        found = []
        while True:
            text, tokens = self._sequence(tokens)
            found.append(text)
            if not tokens or tokens[0] != "|":
                return self._chance.choice(found), tokens
            tokens = tokens[1:]

    def _sequence(self, tokens: list[str]) -> tuple[str, list[str]]:
        text = ""
        while tokens and tokens[0] not in ("|", ")"):
            token, tokens = tokens[0], tokens[1:]
            if token == "(":
                part, tokens = self._alternatives(tokens)
                text, tokens = text + part, tokens[1:]
            else:
                text += json.loads(token) if token.startswith('"') else self.said(token)
        return text, tokens
