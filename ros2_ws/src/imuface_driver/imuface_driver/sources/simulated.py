"""Simulated earphones in real time. Their samples take the way of real ones: device clock, radio, clock map."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Iterator

import numpy as np
from imuface_core.earphone import EARS, DeviceSample
from imuface_simulation import PEOPLE, Performance, SimulatedEarphones

from imuface_driver.sources.source import DeviceSource, HostClock, Sink

logger = logging.getLogger(__name__)

NATURAL_DURATION = 600.0  # s of generated performance before it repeats
# The simulation computes many samples at once, which takes some milliseconds: done ahead, in a gap that is long enough.
AHEAD = 60  # samples held at most; half of them at least
GAP = 0.012  # s


class SimulatedSource(DeviceSource):
    """A participant who plays a performance, starting anew with each :meth:`run`; the truth comes with the left ear."""

    def __init__(
        self,
        now_ns: HostClock,
        performance: str = "",
        participant: int = 0,
        ears: str = "anatomical",
        seed: int = 0,
        activity: str = "still",
        rate: float = 30.0,
        radio_delay: float = 0.0,
    ) -> None:
        """
        ``performance`` is a captured face (:mod:`imuface_core.captures`), or empty for a generated one;
        ``participant`` and ``seed`` choose the person and the session, ``ears`` how far the face moves the person's
        ears (see :data:`~imuface_simulation.PEOPLE`); ``rate`` is in Hz. ``radio_delay`` is the mean in seconds of the
        exponentially distributed delay between sampling and arrival; Bluetooth LE has about half of its connection
        interval, 4 to 15 ms.
        """
        super().__init__("simulated earphones", now_ns)
        self._performance_path = performance
        self._participant = participant
        self._ears = ears
        self._seed = seed
        self._activity = activity
        self._rate = rate
        self._radio_delay = radio_delay
        self._performance: Performance | None = None

    def open(self) -> None:
        if not 0.0 <= self._radio_delay <= 1.0:
            raise ValueError(f"simulated.radio_delay is {self._radio_delay} s, must be 0 to 1")
        if self._ears not in PEOPLE:
            raise ValueError(f"simulated.ears is '{self._ears}', must be one of {', '.join(PEOPLE)}")
        for name, seed in (("participant", self._participant), ("seed", self._seed)):
            if seed < 0:
                raise ValueError(f"simulated.{name} is {seed}, must be 0 or more")
        self._performance = (
            Performance.from_capture(self._performance_path)
            if self._performance_path
            else Performance.natural(self._seed, NATURAL_DURATION)
        )
        for note in self._performance.notes:
            logger.info("%s: %s", self._performance_path, note)
        self._earphones()  # refuses an impossible rate or activity now

    def run(self, sink: Sink, stop: threading.Event) -> None:
        assert self._performance is not None
        arrivals = self._arrivals(self._earphones().samples())
        queue = list(itertools.islice(arrivals, AHEAD))
        heapq.heapify(queue)
        begin = time.monotonic()
        while True:
            wait = begin + queue[0][0] - time.monotonic()
            if len(queue) < AHEAD // 2 or (wait > GAP and len(queue) < AHEAD):
                heapq.heappush(queue, next(arrivals))
                continue
            if stop.wait(wait) if wait > 0.0 else stop.is_set():
                return
            _, taken, sample = heapq.heappop(queue)
            measurement = self.deliver(sample.ear, sample, self.now_ns(), sink)
            if measurement is not None and sample.ear == "left":
                sink.reference(measurement.stamp_ns, self._performance.weights([taken])[0])

    def close(self) -> None:
        self._performance = None

    def _earphones(self) -> SimulatedEarphones:
        assert self._performance is not None
        participant = PEOPLE[self._ears](self._participant)
        return SimulatedEarphones(self._performance, participant, self._rate, self._seed, self._activity)

    def _arrivals(self, samples: Iterator[tuple[float, DeviceSample]]) -> Iterator[tuple[float, float, DeviceSample]]:
        """(time of arrival, time of sampling, sample), seconds since the session began; each ear keeps its order."""
        generator = np.random.default_rng([self._seed, 0x7261])
        latest = dict.fromkeys(EARS, 0.0)
        for taken, sample in samples:
            delay = generator.exponential(self._radio_delay) if self._radio_delay else 0.0
            latest[sample.ear] = max(latest[sample.ear], taken + delay)
            yield latest[sample.ear], taken, sample
