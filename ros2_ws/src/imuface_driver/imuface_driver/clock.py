"""Maps the clock of one earphone to the host's, online, from arrival times that can only be late.

A sample taken at device time *d* arrives at host time *a = d + offset + drift·d + delay* with *delay >= 0*: radio, bus
and scheduler only ever add. So the map is the line under the points (*d*, *a - d*) that lies closest to all of them,
which is the linear programme of Moon, Skelly and Towsley, "Estimation and removal of clock skew from network delay
measurements" (INFOCOM 1999). Its solution is the edge of the lower convex hull that spans the mean abscissa. It is
taken over the least delayed sample of each second of the last two minutes, so it is cheap and forgets slow changes.

The constant part of the delay cannot be seen from arrival times: stamps are late by the least delay of the link. Where
a device samples in step with the connection events of its radio (100 Hz and 20 ms), that may be all the time between
them.
"""

from __future__ import annotations

import math
from collections import deque

from imuface_core.earphone import CRYSTAL_DRIFT, FRAME_TIMING, Timing

INTERVAL_NS = 1_000_000_000
# Intervals kept. Samples of a radio wait for its next connection event, and how long the luckiest of them waits drifts
# with the clocks: at 104 Hz and 20 ms by a sawtooth of up to 1.5 ms in half a minute, which a window has to span.
WINDOW = 120
DRIFT_INTERVALS = 10  # before these the slope serves the map, but says little about the crystal
# A sample that seems to come from further in the future, or is later, belongs to another life of one of the clocks.
MAX_ADVANCE_NS = 100_000_000
MAX_DELAY_NS = 1_000_000_000
# When even the least delayed samples of a few seconds are this late, the host clock was set forward.
STEP_NS = 50_000_000
STEP_INTERVALS = 3

Point = tuple[int, float]  # device time, host time - device time - epoch; ns


class DeviceClock:
    """Online map from the wrapping microseconds of one device, or its counted samples, to host nanoseconds.

    Stamps are never later than the arrival, and strictly increase unless the host clock itself was set back.
    """

    def __init__(self) -> None:
        self.resyncs = 0  # times the map was started anew: device reboot, or a jump of either clock
        self.drift_ppm: float | None = None  # how fast the device clock runs against the host's; None: not yet known
        self._device_ns = -1  # unwrapped device time of the newest sample; -1: no sample yet
        self._stamp_ns = -1
        self._points: deque[Point] = deque(maxlen=WINDOW)
        self._slope = 0.0  # of host time - device time over device time
        self._offset = 0.0  # of that line at device time 0
        self._epoch_ns = 0  # host time - device time when the map began: what is left is small enough for floats
        self._interval_end_ns = 0  # device time
        self._least: Point = (0, 0.0)  # the least delayed sample of the current interval
        self._least_delay = math.inf

    def stamp(self, time_us: int, arrival_ns: int, timing: Timing = FRAME_TIMING) -> int:
        """Host time in nanoseconds at which the sample with device time ``time_us`` was taken.

        Samples must come in the order of sampling; ``arrival_ns`` is the host clock when the sample arrived; ``timing``
        tells where device time wraps and how far it may drift.
        """
        device_ns = self._unwrap(time_us, arrival_ns, timing.time_period_us)
        if self._device_ns < 0:
            self._begin(device_ns, arrival_ns)
        delay = self._delay(device_ns, arrival_ns)
        # Samples that are counted instead of timed may not have been counted in a silence.
        silent = arrival_ns - self._stamp_ns > MAX_DELAY_NS and timing.drift > CRYSTAL_DRIFT and self._stamp_ns > 0
        if device_ns <= self._device_ns or silent or not -MAX_ADVANCE_NS <= delay <= MAX_DELAY_NS:
            self.resyncs += 1
            device_ns = time_us * 1000
            self._begin(device_ns, arrival_ns)
            delay = 0.0
        self._device_ns = device_ns
        if delay < 0.0:
            self._offset += delay
            delay = 0.0
        if device_ns >= self._interval_end_ns:
            self._close_interval(device_ns, timing.drift)
            delay = max(self._delay(device_ns, arrival_ns), 0.0)
        if delay <= self._least_delay:
            self._least_delay = delay
            self._least = (device_ns, float(arrival_ns - device_ns - self._epoch_ns))
        self._stamp_ns = max(arrival_ns - round(delay), self._stamp_ns + 1)
        return self._stamp_ns

    def _unwrap(self, time_us: int, arrival_ns: int, period_us: int) -> int:
        """Device time in ns on a line that does not wrap: the candidate nearest to what the map expects now."""
        if self._device_ns < 0:
            return time_us * 1000
        expected_us = int((arrival_ns - self._epoch_ns - self._offset) / (1000.0 + 1000.0 * self._slope))
        ahead = (time_us - expected_us + period_us // 2) % period_us - period_us // 2
        return (expected_us + ahead) * 1000

    def _delay(self, device_ns: int, arrival_ns: int) -> float:
        """How late the sample came, according to the map; negative: the map is too late."""
        return (arrival_ns - device_ns - self._epoch_ns) - (self._offset + self._slope * device_ns)

    def _begin(self, device_ns: int, arrival_ns: int) -> None:
        """Start a map at this sample; the drift of the crystal stays what it was."""
        self._epoch_ns = arrival_ns - device_ns
        self._device_ns = device_ns - 1
        self._offset = -self._slope * device_ns
        self._points.clear()
        self._start_interval(device_ns)
        self._stamp_ns = min(self._stamp_ns, arrival_ns - 1)  # less only when the host clock was set back

    def _start_interval(self, device_ns: int) -> None:
        self._interval_end_ns = device_ns + INTERVAL_NS
        self._least_delay = math.inf

    def _close_interval(self, device_ns: int, drift: float) -> None:
        self._points.append(self._least)
        latest = list(self._points)[-STEP_INTERVALS:]
        if len(latest) == STEP_INTERVALS and all(y - (self._offset + self._slope * x) > STEP_NS for x, y in latest):
            self.resyncs += 1
            self._points = deque(latest, maxlen=WINDOW)
        self._fit(drift)
        self._start_interval(device_ns)

    def _fit(self, drift: float) -> None:
        if len(self._points) > 1:
            self._slope = min(max(_slope_under(list(self._points)), -drift), drift)
        if len(self._points) >= DRIFT_INTERVALS:
            self.drift_ppm = -self._slope / (1.0 + self._slope) * 1e6
        self._offset = min(y - self._slope * x for x, y in self._points)


def _slope_under(points: list[Point]) -> float:
    """Slope of the edge of the lower convex hull of ``points`` (two or more, by abscissa) over their mean abscissa."""
    hull: list[Point] = []
    for x, y in points:
        while len(hull) > 1:
            (x0, y0), (x1, y1) = hull[-2:]
            if (y1 - y0) * (x - x0) < (y - y0) * (x1 - x0):
                break
            hull.pop()
        hull.append((x, y))
    mean = sum(x for x, _ in points) / len(points)
    end = next(i for i, (x, _) in enumerate(hull) if x >= mean and i > 0)
    (x0, y0), (x1, y1) = hull[end - 1 : end + 1]
    return (y1 - y0) / (x1 - x0)
