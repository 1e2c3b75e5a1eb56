"""Several engines as one: when one fails, the next takes over."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from empathy_agent.engines import DROPPED, CutOff, Decoding, Engine, EngineError
from empathy_agent.prompt import Message

Build = Callable[[Engine], tuple[Sequence[Message], Decoding]]
"""The prompt and the decoding for one engine: they depend on what it needs (``worked_examples``, ``scaffold``,
``supports_grammar``, ``context``)."""

_PAUSE = 0.2  # seconds before the second attempt
_PATIENCE = 2.0  # seconds that a server may ask us to wait before it
_REST = 30.0


class Fallback(Engine):
    """Asks ``engines`` in order until one answers; one alone is asked twice.

    An engine that fails is asked once more, then the next one is. If text of it was given already, ``DROPPED`` goes
    before the text of the next attempt. An engine that failed twice is left alone for ``rest`` seconds, or for as long
    as its server says, unless all others have failed, too. ``on_failure`` is told the model and the error of every
    failed attempt, on the caller's thread; ``failures`` counts them by model. ``CutOff`` is the caller's to handle and
    no failure.

    :meth:`ask` builds a prompt for each engine. As an :class:`~empathy_agent.engines.Engine`, with one prompt for all,
    it has the least context of all, and supports and needs whatever any of them does; engines leave out the grammar
    that they do not support. ``model`` is the one that was asked last.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        *,
        on_failure: Callable[[str, EngineError], None] = lambda model, error: None,
        rest: float = _REST,
    ) -> None:
        if not engines:
            raise ValueError("there must be at least one engine")
        self.engines = tuple(engines)
        self.on_failure = on_failure
        self.failures: Counter[str] = Counter()
        self.model = engines[0].model
        self.context = min(engine.context for engine in engines)
        self.supports_grammar = any(engine.supports_grammar for engine in engines)
        self.scaffold = any(engine.scaffold for engine in engines)
        self.worked_examples = any(engine.worked_examples for engine in engines)
        self._rest = rest
        self._resting = dict.fromkeys(range(len(engines)), 0.0)  # until when, on time.monotonic
        self._lock = threading.Lock()

    @property
    def current(self) -> Engine:
        """The engine that the next request goes to first."""
        return self.engines[self._order()[0]]

    def ask(self, build: Build, cancelled: threading.Event) -> Iterator[str]:
        """Stream a reply to what ``build`` makes for each engine that is asked.

        Raises as :meth:`empathy_agent.engines.Engine.stream`; ``EngineError`` when no engine answered.
        """
        faults: list[str] = []
        given = False
        for index in self._order():
            engine = self.engines[index]
            self.model = engine.model
            messages, decoding = build(engine)
            wait = 0.0
            for _ in range(2):
                if wait:
                    cancelled.wait(wait)
                try:
                    void = given
                    for chunk in engine.stream(messages, decoding, cancelled):
                        if void:
                            yield DROPPED
                            void = False
                        given = True
                        yield chunk
                    self._resting[index] = 0.0
                    return
                except CutOff:
                    raise
                except EngineError as error:
                    last = error
                    self._report(engine, error)
                wait = last.retry_after or _PAUSE
                if wait > _PATIENCE:
                    break
            self._resting[index] = time.monotonic() + max(self._rest, last.retry_after)
            faults.append(str(last))
        if len(faults) == 1:
            raise last
        raise EngineError("no engine answered: " + "; ".join(faults))

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """See :class:`empathy_agent.engines.Engine`."""
        return self.ask(lambda engine: (messages, decoding), cancelled)

    def prefill(self, messages: Sequence[Message], cancelled: threading.Event) -> None:
        """Of the current engine. See :class:`empathy_agent.engines.Engine`."""
        self.current.prefill(messages, cancelled)

    def restore(self, key: str) -> bool:
        """Of the current engine. See :class:`empathy_agent.engines.Engine`."""
        return self.current.restore(key)

    def save(self, key: str) -> None:
        """Of the current engine. See :class:`empathy_agent.engines.Engine`."""
        self.current.save(key)

    def close(self) -> None:
        """Close all engines."""
        for engine in self.engines:
            engine.close()

    def _order(self) -> list[int]:
        """Those that are awake first, each part in the given order."""
        now = time.monotonic()
        return sorted(self._resting, key=lambda index: self._resting[index] > now)

    def _report(self, engine: Engine, error: EngineError) -> None:
        with self._lock:
            self.failures[engine.model] += 1
        self.on_failure(engine.model, error)
