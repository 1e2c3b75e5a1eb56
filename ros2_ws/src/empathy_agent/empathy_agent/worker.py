"""Answers posts on threads of its own: those of a session one after another, those of several people at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from empathy_agent.cancellation import Cancellation
from empathy_agent.chain import Delta, Layer
from empathy_agent.dialogue import Dialogue, DialogueError, ErrorCode, Post, Reply, no_affect
from empathy_agent.engines import Cancelled, EngineError
from empathy_agent.safety import Risk

logger = logging.getLogger(__name__)

TURN_TAKING = ("queue", "interrupt")
"""What a new post of a session does to the reply before it: waits for its end, or cancels it."""


@dataclass(eq=False)
class Job:
    """One post to answer. ``on_delta`` and ``on_done`` are called from any thread; ``on_done`` once, last."""

    text: str
    on_done: Callable[[Reply | DialogueError], None]
    on_delta: Callable[[Delta], None] = lambda delta: None
    locale: str = ""
    session_id: str = ""
    affect: Callable[[str], str] = no_affect
    cancelled: Cancellation = field(default_factory=Cancellation)
    accepted: float = field(default_factory=time.monotonic)
    post: Post | None = None


class Worker:
    """Runs a dialogue on ``parallel`` threads. While there is nothing to answer it warms the engine up.

    A crisis never waits: it is answered by the gate on the caller's thread, whatever the model does, and ends what is
    being answered in the same session. ``capacity`` posts may wait beside those that are being answered; a worrying
    post that finds no room gets its help lines at once. ``on_fault`` is told of a warm-up that failed.
    """

    def __init__(
        self,
        dialogue: Dialogue,
        *,
        capacity: int = 4,
        parallel: int = 1,
        turn_taking: str = "queue",
        languages: Sequence[str] = (),
        on_fault: Callable[[str], None] = lambda message: None,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"queue_size {capacity} must be at least 1")
        if parallel < 1:
            raise ValueError(f"parallel {parallel} must be at least 1")
        if turn_taking not in TURN_TAKING:
            raise ValueError(f"turn_taking {turn_taking!r} is none of {', '.join(TURN_TAKING)}")
        self._dialogue = dialogue
        self._capacity, self._interrupts = capacity, turn_taking == "interrupt"
        self._on_fault = on_fault
        self._waiting: list[Job] = []
        self._current: dict[threading.Thread, Job] = {}
        self._preparing: tuple[str, str, str] | None = None
        self._unprepared = threading.Event()  # set: stop preparing, there is something to answer
        self._changed = threading.Condition()
        self._closing = False
        self.last_reply: Reply | None = None
        self.replaced = 0
        """Threads that ended unforeseen and were replaced."""
        self._languages = list(languages)
        self._threads = [self._started() for _ in range(parallel)]

    # State --------------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Posts in the queue."""
        with self._changed:
            return len(self._waiting)

    @property
    def busy(self) -> int:
        """Posts that are being answered."""
        with self._changed:
            return len(self._current)

    @property
    def characters_per_second(self) -> float:
        """Speed of the last generation, 0 before the first."""
        return self._dialogue.characters_per_second

    # Input --------------------------------------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Take a post. Raises ``DialogueError``: empty, too long, or BUSY when the queue is full."""
        job.post = post = self._dialogue.post(
            job.text, locale=job.locale, session_id=job.session_id, accepted=job.accepted
        )
        if post.verdict.risk is Risk.CRISIS:
            self._interrupt(job.session_id)
        if (reply := self._dialogue.fixed(post)) is not None:
            self._give(job, reply)
            return
        self.mend()
        if self._interrupts:
            self._interrupt(job.session_id)
        with self._changed:
            if len(self._waiting) < self._capacity:
                self._waiting.append(job)
                self._unprepared.set()
                self._changed.notify_all()
                return
        busy = f"{self._capacity} posts are waiting already (queue_size); try again later"
        if post.verdict.risk is Risk.NONE:
            raise DialogueError(ErrorCode.BUSY, busy)
        self._give(job, self._dialogue.stand_in(post, busy))

    def prepare(self, text: str, locale: str, session_id: str) -> None:
        """Evaluate a post as far as it is known as soon as nothing else is to be done; the newest one counts."""
        with self._changed:
            self._preparing = text, locale, session_id
            self._changed.notify_all()

    def cancel(self, job: Job) -> bool:
        """End a job without a reply: at once if it waits, else when the engine has let go of it.

        False where its reply is decided; that one comes.
        """
        with self._changed:
            job.cancelled.set()
            waited = job in self._waiting
            if waited:
                self._waiting.remove(job)
        if waited:
            _done(job, _cancellation())
        return job.cancelled.is_set()

    def forget(self, session_id: str = "") -> int:
        """Let the dialogue forget a session, or all of them; how many there were.

        What is being answered or waits there is cancelled first: it would be remembered after all.
        """
        self._end(session_id)
        return self._dialogue.sessions.forget(session_id)

    def close(self) -> None:
        """Cancel what is being answered and what waits, and end the threads."""
        with self._changed:
            self._closing = True
            jobs = [*self._current.values(), *self._waiting]
            self._unprepared.set()
            self._changed.notify_all()
        for job in jobs:
            self.cancel(job)
        for thread in self._threads:
            thread.join()

    def mend(self) -> None:
        """Replace threads that have ended, which nothing foreseen makes them do."""
        with self._changed:
            ended = [thread for thread in self._threads if not thread.is_alive() and not self._closing]
            lost = [self._current.pop(thread) for thread in ended if thread in self._current]
            self._threads = [thread for thread in self._threads if thread not in ended]
            self._threads += [self._started() for _ in ended]
            self.replaced += len(ended)
        for job in lost:
            _done(job, DialogueError(ErrorCode.ENGINE_FAILED, "a thread of the dialogue ended unforeseen"))

    def _interrupt(self, session_id: str) -> None:
        if session_id:  # nobody's posts are not one session
            self._end(session_id)

    def _end(self, session_id: str) -> None:
        """Cancel what is being answered and what waits in a session; empty: in all."""
        with self._changed:
            jobs = [*self._current.values(), *self._waiting]
        for job in jobs:
            if session_id in ("", job.session_id):
                self.cancel(job)

    def _give(self, job: Job, reply: Reply) -> None:
        """Deliver a reply that no model wrote."""
        job.cancelled.decide()
        self.last_reply = reply
        for layer in Layer:
            job.on_delta(Delta(layer, reply.chain[layer]))
        _done(job, reply)

    # Threads ------------------------------------------------------------------------------------------------------

    def _started(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="dialogue", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        while (job := self._next()) is not None:
            _done(job, self._answer(job))
            with self._changed:
                del self._current[threading.current_thread()]
                self._changed.notify_all()

    def _next(self) -> Job | None:
        """The next post whose session nobody answers; prepares what there is to prepare meanwhile."""
        while True:
            with self._changed:
                if self._closing:
                    return None
                sessions = {job.session_id for job in self._current.values()} - {""}
                for job in self._waiting:
                    if job.session_id not in sessions:
                        self._waiting.remove(job)
                        self._current[threading.current_thread()] = job
                        return job
                task = None
                if not self._waiting and not self._current:
                    task = self._task()
                if task is None:
                    self._changed.wait(1.0)
                    continue
                self._unprepared.clear()
            self._prepared(task)

    def _task(self) -> Callable[[], None] | None:
        """What can be evaluated before it is needed."""
        if self._preparing is not None:
            (text, locale, session_id), self._preparing = self._preparing, None
            return lambda: self._dialogue.prepare(text, locale, session_id, self._unprepared)
        if self._languages:
            language = self._languages.pop(0)
            return lambda: self._dialogue.warm_up(language, self._unprepared)
        return None

    def _prepared(self, task: Callable[[], None]) -> None:
        try:
            task()
        except Cancelled:
            pass
        except EngineError as error:
            self._on_fault(str(error))
        except Exception as error:  # whatever it is, posts must be answered
            self._on_fault(f"unforeseen {type(error).__name__}")

    def _answer(self, job: Job) -> Reply | DialogueError:
        assert job.post is not None
        try:
            for item in self._dialogue.answer(job.post, job.affect, job.cancelled):
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
        except Exception as error:  # one post fails, and no later one
            # Without its words: they may hold the person's.
            logger.error("a post was not answered: unforeseen %s", type(error).__name__)
            return DialogueError(ErrorCode.ENGINE_FAILED, f"unforeseen {type(error).__name__}; please report it")
        return DialogueError(ErrorCode.ENGINE_FAILED, "the dialogue ended without a reply; please report it")


def _done(job: Job, outcome: Reply | DialogueError) -> None:
    try:
        job.on_done(outcome)
    except Exception as error:  # the receiver's fault must not end the thread
        logger.error("an outcome was not taken: unforeseen %s", type(error).__name__)


def _cancellation() -> DialogueError:
    return DialogueError(ErrorCode.CANCELED, "the reply was cancelled")
