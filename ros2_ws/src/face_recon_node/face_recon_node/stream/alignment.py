"""Both ears on one 30 Hz grid.

Each ear samples by its own clock, loses packets and may stop. :class:`Aligner` turns the two streams into grid points
that hold the readings of both ears at one instant. A frame is due at every sampling instant of the leading ear (the
left one; the right one while the left is absent) and describes the instant one period earlier, so that no frame waits
for a sample that a healthy ear has yet to send.

The grid points are a function of the samples of each ear alone. They do not depend on how the two streams interleave
on arrival, as long as neither runs more than :data:`LATENESS_NS` behind the other: whether an ear is present at an
instant is decided by stamps, and an undecided frame waits.
"""

from __future__ import annotations

import bisect
import enum
from dataclasses import dataclass, field

import numpy as np
from imuface_core.earphone import EARS
from numpy.typing import ArrayLike, NDArray

RATE = 30.0
PERIOD_NS = round(1e9 / RATE)
MAX_GAP_NS = 150_000_000
"""Samples of an ear further apart than this are not interpolated: the ear is absent between them."""
LATENESS_NS = 100_000_000
"""How far an ear may arrive behind the other, in stamps. An ear counts as present this long after it (re)appears."""
DISCONTINUITY_NS = 500_000_000
"""A longer silence of both ears starts the grid anew; a shorter one is filled with absent points."""
CLOCK_JUMP_NS = 1_000_000_000
"""A stamp further back than this is a clock that was set back (a bag that starts again), not a disordered packet."""
BUFFER_NS = 10_000_000_000
"""Samples are kept this long at most, even when the clocks of the two ears disagree for good."""

# A source this much faster than the grid is averaged over a period instead of interpolated, against aliasing.
_FAST_PERIOD_NS = 0.75 * PERIOD_NS
_BOX_NS = np.linspace(-0.4, 0.4, 5) * PERIOD_NS


@dataclass(frozen=True)
class GridPoint:
    """The readings of both ears at one instant of the grid."""

    stamp_ns: int
    """Stamp of the frame that this point belongs to; the readings are those of one period earlier."""
    readings: NDArray[np.float64]
    """(2, 6): left and right; acceleration in m/s², angular velocity in rad/s, earphone frames; 0 where absent."""
    present: NDArray[np.bool_]
    """(2,): whether the left and the right ear have a reading."""
    is_frame: bool
    """False where the leading ear lost a sample and the point only keeps the grid regular."""
    restart: bool
    """True after a discontinuity: nothing before this point may be used with it."""


@dataclass
class EarCounters:
    """What happened to the samples of one ear."""

    accepted: int = 0
    backwards: int = 0
    """Dropped: stamp not after the one before."""
    invalid: int = 0
    """Dropped: a value that is not finite."""
    unstamped: int = 0
    """Dropped: a stamp that is not positive."""
    gaps: int = 0
    """Times that the ear fell silent for longer than :data:`MAX_GAP_NS`."""


class _Presence(enum.Enum):
    PRESENT = enum.auto()
    ABSENT = enum.auto()
    UNDECIDED = enum.auto()


@dataclass
class _Ear:
    """The latest samples of one ear. Run: samples without a gap between them."""

    stamps: list[int] = field(default_factory=list)
    run_starts: list[int] = field(default_factory=list)
    periods: list[float] = field(default_factory=list)
    readings: list[NDArray[np.float64]] = field(default_factory=list)

    def append(self, stamp: int, reading: NDArray[np.float64]) -> bool:
        """Add a sample; returns whether it ends a gap."""
        gap = bool(self.stamps) and stamp - self.stamps[-1] > MAX_GAP_NS
        if not self.stamps or gap:
            run_start, period = stamp, float(PERIOD_NS)
        else:
            run_start = self.run_starts[-1]
            period = self.periods[-1] + (stamp - self.stamps[-1] - self.periods[-1]) / 8.0
        self.stamps.append(stamp)
        self.run_starts.append(run_start)
        self.periods.append(period)
        self.readings.append(reading)
        return gap

    def forget_before(self, stamp: int) -> None:
        """Drop what no instant from ``stamp`` on needs."""
        count = bisect.bisect_right(self.stamps, max(stamp, self.stamps[-1] - BUFFER_NS)) - 1 if self.stamps else 0
        # In blocks, since deleting from the front of a list moves the rest.
        if count >= 32:
            for values in (self.stamps, self.run_starts, self.periods, self.readings):
                del values[:count]

    def presence(self, instant: float, newest: int) -> _Presence:
        """Whether the ear has a reading at ``instant``, when the newest stamp of either ear is ``newest``."""
        before = bisect.bisect_right(self.stamps, instant) - 1
        if before < 0 or instant < self.run_starts[before] + LATENESS_NS:
            return _Presence.ABSENT
        if instant == self.stamps[before]:
            return _Presence.PRESENT
        if before + 1 == len(self.stamps):
            silent = newest - self.stamps[before]
            return _Presence.ABSENT if silent > MAX_GAP_NS + LATENESS_NS else _Presence.UNDECIDED
        bridged = self.run_starts[before + 1] == self.run_starts[before]
        return _Presence.PRESENT if bridged else _Presence.ABSENT

    def leads(self, stamp: int) -> bool:
        """Whether a sample at ``stamp`` is late enough in its run to make frames."""
        before = bisect.bisect_right(self.stamps, stamp) - 1
        return before >= 0 and stamp >= self.run_starts[before] + LATENESS_NS

    def is_fast(self, instant: float) -> bool:
        return self.periods[bisect.bisect_right(self.stamps, instant) - 1] < _FAST_PERIOD_NS

    def reading(self, instant: float) -> NDArray[np.float64]:
        """Linear interpolation at ``instant``; the mean over a period for a source faster than the grid."""
        if not self.is_fast(instant):
            return self._interpolate(instant)
        return np.mean([self._interpolate(instant + offset) for offset in _BOX_NS], axis=0)

    def _interpolate(self, instant: float) -> NDArray[np.float64]:
        after = min(max(bisect.bisect_left(self.stamps, instant), 1), len(self.stamps) - 1)
        if self.run_starts[after] != self.run_starts[after - 1]:
            # Never across a gap: whether its end has arrived yet must not matter.
            return self.readings[after - 1]
        start, end = self.stamps[after - 1], self.stamps[after]
        weight = min(max((instant - start) / (end - start), 0.0), 1.0)
        return self.readings[after - 1] + weight * (self.readings[after] - self.readings[after - 1])


class Aligner:
    """Turns the samples of two ears into :class:`GridPoint` objects. See the module's description."""

    def __init__(self) -> None:
        self.counters: dict[str, EarCounters] = {ear: EarCounters() for ear in EARS}
        self.restarts = 0
        self._reset()

    def _reset(self) -> None:
        self._ears = (_Ear(), _Ear())
        self._pending: list[tuple[int, int]] = []
        self._newest = 0
        self._last_frame: int | None = None
        self._due = 0.0

    def push(self, ear: str, stamp_ns: int, acceleration: ArrayLike, angular_velocity: ArrayLike) -> list[GridPoint]:
        """Take one sample (m/s², rad/s) and return the grid points that it completes, oldest first.

        Samples that are not finite or not after the one before are dropped and counted.

        Raises:
            ValueError: ``ear`` is neither "left" nor "right".
        """
        if ear not in EARS:
            raise ValueError(f'ear is "{ear}", expected "left" or "right"')
        side = EARS.index(ear)
        counters = self.counters[ear]
        reading = np.concatenate((np.asarray(acceleration, float), np.asarray(angular_velocity, float)))
        if stamp_ns <= 0 or not np.isfinite(reading).all():
            counters.unstamped += stamp_ns <= 0
            counters.invalid += stamp_ns > 0
            return []
        stamps = self._ears[side].stamps
        if stamps and stamp_ns <= stamps[-1]:
            if stamps[-1] - stamp_ns <= CLOCK_JUMP_NS:
                counters.backwards += 1
                return []
            self.restarts += 1
            self._reset()
        counters.accepted += 1
        counters.gaps += self._ears[side].append(stamp_ns, reading)
        self._newest = max(self._newest, stamp_ns)
        bisect.insort(self._pending, (stamp_ns, side))
        return self._drain()

    def _drain(self) -> list[GridPoint]:
        points: list[GridPoint] = []
        done = 0
        for stamp, side in self._pending:
            lead = self._is_frame(stamp, side)
            if lead is None:
                break
            done += 1
            if lead:
                points += self._frame(stamp, self._ears[side].is_fast(stamp))
        del self._pending[:done]
        return points

    def _is_frame(self, stamp: int, side: int) -> bool | None:
        """Whether a sample of an ear makes a frame; None while that is undecided."""
        left, right = self._ears
        if not self._ears[side].leads(stamp):
            return False
        if side == 1:
            presence = left.presence(stamp, self._newest)
            if presence != _Presence.ABSENT:
                return None if presence == _Presence.UNDECIDED else False
        elif not left.leads(stamp - PERIOD_NS) and right.presence(stamp, self._newest) == _Presence.UNDECIDED:
            # The left ear takes over from the right one, whose last frame may still be on its way.
            return None
        if self._last_frame is not None and stamp < self._due - PERIOD_NS / 4:
            return False
        for ear in self._ears:
            for instant in (stamp - PERIOD_NS, stamp - 0.6 * PERIOD_NS):
                presence = ear.presence(instant, self._newest)
                if presence == _Presence.UNDECIDED:
                    return None
                if presence == _Presence.ABSENT or not ear.is_fast(instant):
                    break
        return True

    def _frame(self, stamp: int, fast: bool) -> list[GridPoint]:
        """The grid point of a frame, preceded by those that fill the gap since the last frame."""
        last = self._last_frame
        restart = last is None or stamp - last > DISCONTINUITY_NS
        steps = 1 if last is None or restart else max(1, round((stamp - last) / PERIOD_NS))
        start = stamp if last is None else last
        points = [
            self._point(stamp - (stamp - start) * (steps - step) // steps, step == steps, restart)
            for step in range(1, steps + 1)
        ]
        # A source at the grid's own rate sets the pace; a faster one is decimated to the grid on average.
        paced = restart or not fast or abs(stamp - self._due) > PERIOD_NS
        self._due = stamp + PERIOD_NS if paced else self._due + PERIOD_NS
        self._last_frame = stamp
        for ear in self._ears:
            ear.forget_before(stamp - 2 * PERIOD_NS)
        return points

    def _point(self, stamp: int, is_frame: bool, restart: bool) -> GridPoint:
        instant = stamp - PERIOD_NS
        readings = np.zeros((2, 6))
        present = np.zeros(2, bool)
        for side, ear in enumerate(self._ears):
            if ear.presence(instant, self._newest) == _Presence.PRESENT:
                present[side] = True
                readings[side] = ear.reading(instant)
        return GridPoint(stamp, readings, present, is_frame, restart)
