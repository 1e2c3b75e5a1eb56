"""When to play the next recorded message. Free of ROS."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Protocol

# Samples of one ear that may be on their way; the face node's queues hold 30.
IN_FLIGHT = 12
# Seconds without a frame before going on without. The first frame may take long: libraries load at the first inference.
FRAME_PATIENCE = 5.0
# Speed, relative to real time, while no frames come.
BLIND_RATE = 1.0


class Pace(Protocol):
    """Holds the player back."""

    def wait(self, topic: str, time_ns: int, stamp_ns: int) -> None:
        """Block until the message of ``topic``, recorded at ``time_ns`` and stamped ``stamp_ns``, may be sent."""


class ClockPace:
    """Keeps the recorded distances in time, divided by ``rate``; with rate 0, does not wait at all."""

    def __init__(self, rate: float, stopping: threading.Event) -> None:
        self._rate = rate
        self._stopping = stopping
        self._start: tuple[int, float] | None = None

    def wait(self, topic: str, time_ns: int, stamp_ns: int) -> None:
        if self._rate == 0.0:
            return
        if self._start is None:
            self._start = time_ns, time.monotonic()
        recorded, real = self._start
        self._stopping.wait(real + (time_ns - recorded) * 1e-9 / self._rate - time.monotonic())


class FacePace:
    """As fast as the face can be reconstructed, without a lost sample.

    Subscriptions to IMU samples are best effort and shallow, so nobody tells a publisher that it is too fast. The
    reconstructed frames do: at most :data:`IN_FLIGHT` samples of an ear are ahead of the newest frame. When no frame
    comes for :data:`FRAME_PATIENCE`, samples go out at :data:`BLIND_RATE` until the next one does.
    """

    def __init__(self, ears: list[str], stopping: threading.Event) -> None:
        self._stopping = stopping
        self._frames = threading.Condition()
        self._newest_frame_ns = -1
        self._ahead: dict[str, deque[int]] = {ear: deque(maxlen=IN_FLIGHT) for ear in ears}
        self._blind = False
        self._previous_ns: int | None = None

    def on_frame(self, stamp_ns: int) -> None:
        """A frame of the face with this stamp has arrived; called from another thread."""
        with self._frames:
            self._newest_frame_ns = stamp_ns
            self._blind = False
            self._frames.notify()

    def wait(self, topic: str, time_ns: int, stamp_ns: int) -> None:
        ahead = self._ahead.get(topic)
        if ahead is None:
            return
        with self._frames:
            if not self._blind and len(ahead) == IN_FLIGHT:
                self._blind = not self._frames.wait_for(lambda: ahead[0] <= self._newest_frame_ns, FRAME_PATIENCE)
            while ahead and ahead[0] <= self._newest_frame_ns:
                ahead.popleft()
            blind = self._blind
        if blind and self._previous_ns is not None:
            self._stopping.wait((stamp_ns - self._previous_ns) * 1e-9 / BLIND_RATE)
        self._previous_ns = stamp_ns
        ahead.append(stamp_ns)
