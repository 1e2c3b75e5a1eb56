"""Answers posts one after another on a thread of its own, from a bounded queue."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from empathy_agent.chain import Delta
from empathy_agent.dialogue import Dialogue, DialogueError, ErrorCode, Reply, no_affect
from empathy_agent.engines import Cancelled, EngineError


@dataclass(frozen=True)
class Job:
    """One post to answer. ``on_delta`` and ``on_done`` are called from the worker's thread; ``on_done`` once."""

    text: str
    on_done: Callable[[Reply | DialogueError], None]
    on_delta: Callable[[Delta], None] = lambda delta: None
    locale: str = ""
    session_id: str = ""
    affect: Callable[[str], str] = no_affect
    cancelled: threading.Event = field(default_factory=threading.Event)
    accepted: float = field(default_factory=time.monotonic)


class Worker:
    """Runs a dialogue. While there is nothing to answer it warms the engine up for ``languages``, in order.

    ``capacity`` posts may wait beside the one that is being answered. ``on_fault`` is told of a warm-up that failed.
    """

    def __init__(
        self,
        dialogue: Dialogue,
        *,
        capacity: int = 4,
        languages: Sequence[str] = (),
        on_fault: Callable[[str], None] = lambda message: None,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"queue_size {capacity} must be at least 1")
        self._dialogue = dialogue
        self._on_fault = on_fault
        self._languages = list(languages)
        self._queue: queue.Queue[Job | None] = queue.Queue(maxsize=capacity)
        self._warm_up_over = threading.Event()
        self._closing = False
        self._current: Job | None = None
        self.last_reply: Reply | None = None
        self._thread = threading.Thread(target=self._run, name="dialogue", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Posts in the queue."""
        return self._queue.qsize()

    @property
    def busy(self) -> bool:
        """Whether a post is being answered."""
        return self._current is not None

    @property
    def tokens_per_second(self) -> float:
        """Speed of the last generation, 0 before the first."""
        return self._dialogue.tokens_per_second

    def submit(self, job: Job) -> None:
        """Take a post. Raises ``DialogueError`` (BUSY) when the queue is full."""
        try:
            self._queue.put_nowait(job)
        except queue.Full:
            raise DialogueError(
                ErrorCode.BUSY, f"{self._queue.maxsize} posts are waiting already (queue_size); try again later"
            ) from None
        self._warm_up_over.set()

    def close(self) -> None:
        """Cancel what is being answered and what waits, and end the thread."""
        self._closing = True
        self._warm_up_over.set()
        if (current := self._current) is not None:
            current.cancelled.set()
        with contextlib.suppress(queue.Empty):
            while True:
                if (job := self._queue.get_nowait()) is not None:
                    job.on_done(_cancellation())
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        self._warm_up()
        while not self._closing and (job := self._queue.get()) is not None:
            self._current = job
            if self._closing:  # taken between close()'s looks at the current job and at the queue
                job.cancelled.set()
            job.on_done(self._answer(job))
            self._current = None

    def _warm_up(self) -> None:
        try:
            for language in self._languages:
                self._dialogue.warm_up(language, self._warm_up_over)
        except Cancelled:
            pass
        except EngineError as error:
            self._on_fault(str(error))

    def _answer(self, job: Job) -> Reply | DialogueError:
        try:
            for item in self._dialogue.respond(
                job.text,
                locale=job.locale,
                session_id=job.session_id,
                affect=job.affect,
                cancelled=job.cancelled,
                accepted=job.accepted,
            ):
                if job.cancelled.is_set():
                    return _cancellation()
                if isinstance(item, Reply):
                    self.last_reply = item
                    return item
                job.on_delta(item)
        except Cancelled:
            return _cancellation()
        except DialogueError as error:
            return error
        raise AssertionError("a dialogue ends with a reply or an error")


def _cancellation() -> DialogueError:
    return DialogueError(ErrorCode.CANCELED, "the reply was cancelled")
