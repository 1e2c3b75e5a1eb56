"""Language-model engines behind one small interface: stream text for chat messages, cancellable."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from empathy_agent.prompt import Message


class EngineError(OSError):
    """The engine could not be started or stopped with an error; the message names the cause and the remedy."""


class Cancelled(Exception):  # noqa: N818 - not an error
    """The caller set ``cancelled`` while text was being generated."""


@dataclass(frozen=True)
class Decoding:
    """How text is drawn from the model.

    ``grammar`` is GBNF, for engines with ``supports_grammar``. ``dry_multiplier`` is the strength of the DRY penalty on
    repeating what the context already holds word for word, which keeps a small model from looping and from copying the
    worked examples; engines without it leave it out. ``repeat_penalty`` divides the odds of what was said within the
    last 256 tokens, 1 being none.
    """

    max_tokens: int = 1024
    temperature: float = 0.3
    min_p: float = 0.05
    dry_multiplier: float = 0.8
    repeat_penalty: float = 1.0
    grammar: str = ""
    stop: tuple[str, ...] = ()
    seed: int | None = None


class Engine(Protocol):
    """A loaded language model."""

    model: str  # name for people: of the catalogue, or of the server's model
    context: int  # tokens of prompt and output together
    supports_grammar: bool
    scaffold: bool  # whether the model needs the support of a scaffold, see grammar.py
    worked_examples: bool  # whether it needs to be shown the format, see prompt.py

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """Text as it is generated.

        Raises ``Cancelled`` within a fraction of a second of ``cancelled`` being set, ``EngineError`` on a failure.
        """
        ...

    def close(self) -> None:
        """Release the model; idempotent."""
        ...
