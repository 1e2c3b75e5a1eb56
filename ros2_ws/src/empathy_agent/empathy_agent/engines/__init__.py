"""Language-model engines behind one small interface: stream text for chat messages, cancellable.

What a consumer of :meth:`Engine.stream` has to do, and nothing else:

- join the chunks; at one that equals :data:`DROPPED`, forget all that came before it, and start the parser anew;
- expect ``Cancelled``, ``EngineError``, and after the text ``CutOff``, which is an ``EngineError``, too.

:func:`complete` does so for consumers that want the whole text.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from empathy_agent.prompt import Message

DROPPED = "</think>"
"""A chunk of its own that says: what came so far was no part of the reply.

It comes when a model closes thoughts that it never opened, or when another engine takes over in the middle of a reply.
No other chunk holds this text.
"""


class EngineError(OSError):
    """The engine could not be started or stopped with an error; the message names the cause and the remedy.

    ``retry_after`` is the time in seconds for which the server is better left alone, where that is known; else 0.
    """

    retry_after = 0.0


class CutOff(EngineError):  # noqa: N818 - part of the text is there
    """The text that was streamed is not whole; ``reason`` is "length" (``max_tokens``, context) or "content_filter"."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Cancelled(Exception):  # noqa: N818 - not an error
    """The caller set ``cancelled`` while text was being generated."""


@dataclass(frozen=True)
class Decoding:
    """How text is drawn from the model.

    ``grammar`` is GBNF, for engines with ``supports_grammar``. ``dry_multiplier`` is the strength of the DRY penalty on
    repeating what the context already holds word for word, which keeps a small model from looping and from copying the
    worked examples; engines without it leave it out. ``repeat_penalty`` divides the odds of what was said within the
    last 256 tokens, 1 being none. ``whole`` says that a text which ``max_tokens`` ends is an error (``CutOff``).
    ``places`` are for engines with ``scaffold``: the text is one of the strings of each place, in order, and all that
    the model does is to choose.
    """

    max_tokens: int = 1024
    temperature: float = 0.3
    min_p: float = 0.05
    dry_multiplier: float = 0.8
    repeat_penalty: float = 1.0
    grammar: str = ""
    stop: tuple[str, ...] = ()
    seed: int | None = None
    whole: bool = True
    places: tuple[tuple[str, ...], ...] = ()


class Engine(Protocol):
    """A loaded language model. A class that inherits from this one need not define what has a default."""

    model: str  # name for people: of the catalogue, or of the server's model
    context: int  # tokens of prompt and output together
    supports_grammar: bool
    scaffold: bool  # whether the model chooses between sentences instead of writing, see scaffold.py
    worked_examples: bool  # whether it needs to be shown the format, see prompt.py

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """Text as it is generated, without the model's thoughts; see the module for what the consumer does.

        Raises ``Cancelled`` within 200 ms of ``cancelled`` being set, ``EngineError`` on a failure, and ``CutOff``
        after a text that is not whole.
        """
        ...

    def prefill(self, messages: Sequence[Message], cancelled: threading.Event) -> None:
        """Evaluate what a later prompt will begin with, and generate nothing.

        The later prompt holds the same messages, but the content of the last one may go on there: give a post as far as
        it is known, without what the prompt puts after it. By default nothing: the server is not ours to keep busy.
        Raises ``Cancelled`` and ``EngineError``.
        """
        return

    def restore(self, key: str) -> bool:
        """Take up from disk what was evaluated when ``save(key)`` was called, in this process or an earlier one.

        False where there is nothing to take up; evaluate it then, and save it. Never raises.
        """
        return False

    def save(self, key: str) -> None:
        """Keep on disk what the last ``prefill`` evaluated, as ``key``; that prompt must hold no user's text.

        ``key`` names the prompt, such as the hash of its messages; the engine adds what depends on itself. A failure
        costs time only, so it is logged and not raised.
        """
        return

    def close(self) -> None:
        """Release the model; idempotent."""
        ...


def complete(engine: Engine, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> str:
    """The whole text of a reply. Raises as ``engine.stream``; with ``decoding.whole`` a part of a text is not given."""
    text = ""
    for chunk in engine.stream(messages, decoding, cancelled):
        text = "" if chunk == DROPPED else text + chunk
    return text
