"""From sound to utterances: where one begins and ends, and when the robot's own voice is not to be heard."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from imuface_robot.hearing.activity import Activity
from imuface_robot.hearing.recogniser import Recogniser, Transcript
from imuface_robot.hearing.sources import BLOCK, RATE, Sound

_SPEAKS, _IS_SILENT = 0.5, 0.35  # likelihoods; what lies between goes on as before
_BEGIN = 3  # blocks of speech in a row that begin an utterance
_BEFORE = 10  # blocks before them that belong to it
_BEGUN = 5  # blocks of speech after which it is told that somebody speaks: a robot must stop within .2 s
_SHORTEST = 8  # blocks of speech without which it was a cough
_LONGEST = 60.0  # s of an utterance; also of a sentence of a robot of whose end nobody tells
_ECHO = 0.3  # s after the robot's voice in which its room is still heard


@dataclass(frozen=True)
class Said:
    """What the person says, or has said so far. The partial ones and the last of one utterance share an ``id``."""

    id: str
    text: str
    locale: str
    final: bool


@dataclass(frozen=True)
class _Job:
    id: str
    blocks: tuple[Sound, ...]
    final: bool


class Ears:
    """Cuts sound into utterances, has them recognised in a thread of its own, and tells of them.

    Methods may be called from any thread, ``tell`` and ``fail`` are called from the thread that recognises. After a
    partial utterance comes a final one, always.

    Args:
        activity: says whether somebody speaks.
        recogniser: understands it.
        tell: hears what was said.
        fail: hears why something was not recognised, without its words.
        begin: hears the id of an utterance .16 s after it began, which may be a cough, from the thread of :meth:`take`.
        pause: seconds of silence that end an utterance.
        partial_every: seconds between looks at an utterance that goes on; 0: none.
        clock: in seconds.
    """

    def __init__(
        self,
        activity: Activity,
        recogniser: Recogniser,
        tell: Callable[[Said], None],
        fail: Callable[[str], None] = lambda fault: None,
        begin: Callable[[str], None] = lambda utterance_id: None,
        pause: float = 1.0,
        partial_every: float = 1.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._activity, self._recogniser, self._tell, self._fail, self._clock = activity, recogniser, tell, fail, clock
        self._begin = begin
        self._pause, self._partial_every = _blocks(pause), _blocks(partial_every)
        self._deaf_until = -np.inf
        self._recent: deque[Sound] = deque(maxlen=_BEFORE + _BEGIN)
        self._id = ""
        self._blocks: list[Sound] = []
        self._run = self._voiced = self._quiet = self._looked = 0
        self.broken = 0
        """Blocks that were dropped: not of the right size, or with samples that are no numbers."""
        self._finals: deque[_Job] = deque()
        self._partial: _Job | None = None
        self._told = Said("", "", "", final=True)
        self._busy = self._closed = False
        self._state = threading.Condition()
        self._thread = threading.Thread(target=self._recognise, daemon=True)
        self._thread.start()

    @property
    def deaf(self) -> bool:
        """Whether nothing is heard because the robot speaks."""
        return self._clock() < self._deaf_until

    def take(self, block: Sound) -> None:
        """The next block of sound."""
        with self._state:
            if block.shape != (BLOCK,) or not np.isfinite(block).all():
                self.broken += 1
                return
            if self.deaf:
                return
            likely = self._activity(block)
            if self._id:
                self._go_on(block, likely)
            else:
                self._wait_for(block, likely)

    def deafen(self) -> None:
        """The robot begins to speak: what the person said so far is an utterance."""
        with self._state:
            self._deaf_until = self._clock() + _LONGEST
            self._end()

    def undeafen(self) -> None:
        """The robot is silent."""
        with self._state:
            self._deaf_until = self._clock() + _ECHO
            self._activity.reset()

    def finish(self, patience: float = 60.0) -> bool:
        """The sound is over: what was said last is an utterance. Whether all was recognised in time."""
        with self._state:
            self._end()
            return self._state.wait_for(lambda: not self._finals and not self._busy, patience)

    def close(self) -> None:
        """Listen no more; what was not recognised yet is lost."""
        with self._state:
            self._closed = True
            self._state.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=10.0)

    # Where an utterance begins and ends ---------------------------------------------------------------------------

    def _wait_for(self, block: Sound, likely: float) -> None:
        self._recent.append(block)
        self._run = self._run + 1 if likely >= _SPEAKS else 0
        if self._run >= _BEGIN:
            self._id = uuid.uuid4().hex
            self._blocks = list(self._recent)
            self._voiced, self._quiet, self._looked = self._run, 0, len(self._blocks)

    def _go_on(self, block: Sound, likely: float) -> None:
        self._blocks.append(block)
        silent = likely < _IS_SILENT
        self._quiet = self._quiet + 1 if silent else 0
        self._voiced += not silent
        if self._voiced == _BEGUN and not silent:
            self._begin(self._id)
        if self._quiet >= self._pause or len(self._blocks) >= _blocks(_LONGEST):
            self._end()
        elif self._is_time_to_look() and not self._busy:
            self._looked = len(self._blocks)
            self._partial = _Job(self._id, tuple(self._blocks), final=False)
            self._state.notify_all()

    def _is_time_to_look(self) -> bool:
        due = self._partial_every and len(self._blocks) - self._looked >= self._partial_every
        # A cough has no final one; and in a pause the final one may be due, which would have to wait.
        return bool(due) and self._voiced >= _SHORTEST and not self._quiet

    def _end(self) -> None:
        if self._id and self._voiced >= _SHORTEST:
            self._finals.append(_Job(self._id, tuple(self._blocks), final=True))
            self._state.notify_all()
        self._id, self._blocks, self._run = "", [], 0
        self._partial = None
        self._recent.clear()

    # The thread that recognises -----------------------------------------------------------------------------------

    def _recognise(self) -> None:
        while True:
            with self._state:
                self._busy = False
                self._state.notify_all()
                self._state.wait_for(lambda: self._closed or self._finals or self._partial)
                if self._closed:
                    return
                job = self._finals.popleft() if self._finals else self._partial
                self._partial = None
                self._busy = True
            assert job is not None
            self._answer(job, self._understand(job))

    def _understand(self, job: _Job) -> Transcript:
        try:
            return self._recogniser(np.concatenate(job.blocks))
        except Exception as error:  # a library's; whatever it is, the next utterance is heard again
            self._fail(f"{type(error).__name__} in the recogniser")
            return Transcript("", "")

    def _answer(self, job: _Job, heard: Transcript) -> None:
        before = self._told if self._told.id == job.id else Said(job.id, "", "", final=False)
        said = Said(job.id, heard.text or before.text, heard.locale or before.locale, job.final)
        with self._state:
            late = self._closed or (not job.final and any(final.id == job.id for final in self._finals))
        if said.text and said != before and not late:
            self._told = said
            self._tell(said)


def _blocks(seconds: float) -> int:
    return round(seconds * RATE / BLOCK)
