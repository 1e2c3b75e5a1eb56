"""A recorded session, played in real time as if it were happening now."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

import numpy as np
from imuface_core.earphone import EARS, Ear
from imuface_core.recording import ImuTrack, Recording
from imuface_core.session import read_session

from imuface_driver.ear import EarHealth, ImuSample
from imuface_driver.sources.source import HostClock, Sink, Source

log = logging.getLogger(__name__)


class BagSource(Source):
    """Plays the IMU topics and the true blendshapes of one person; the intervals between stamps are the recorded ones.

    The first sample is stamped with the host time at which :meth:`run` is called. The source ends with the recording.
    """

    def __init__(
        self, path: str, now_ns: HostClock, namespace: str | None = None, names: Mapping[str, str] | None = None
    ) -> None:
        """``namespace`` and ``names``: as of :class:`~imuface_core.bag.Bag`."""
        self.name = path
        self.health = {}
        self._namespace, self._names = namespace, names
        self._now_ns = now_ns
        self._recording: Recording | None = None

    def open(self) -> None:
        self._recording = read_session(self.name, self._namespace, self._names)
        self.health = {ear: EarHealth() for ear in self._tracks()}
        missing = set(EARS) - set(self.health)
        if missing:
            log.warning("session %s has no %s ear", self.name, missing.pop())

    def run(self, sink: Sink, stop: threading.Event) -> None:
        assert self._recording is not None
        self.fault = ""
        tracks, truth = self._tracks(), self._recording.blendshapes
        stamps = [tracks[ear].stamps for ear in tracks] + ([] if truth is None else [truth.stamps])
        every = np.concatenate(stamps)
        owner = np.concatenate([np.full(len(track), index) for index, track in enumerate(stamps)])
        row = np.concatenate([np.arange(len(track)) for track in stamps])
        order = np.argsort(every, kind="stable")
        ears = list(tracks)
        first_ns = int(every[order[0]])
        shift_ns, begin = self._now_ns() - first_ns, time.monotonic()
        for index, i, stamp_ns in zip(owner[order].tolist(), row[order].tolist(), every[order].tolist(), strict=True):
            wait = begin + (stamp_ns - first_ns) * 1e-9 - time.monotonic()
            if stop.wait(wait) if wait > 0.0 else stop.is_set():
                return
            if index == len(ears):
                assert truth is not None
                sink.reference(stamp_ns + shift_ns, truth.weights[i])
                continue
            ear, track = ears[index], tracks[ears[index]]
            acceleration, angular_velocity = track.acceleration[i].tolist(), track.angular_velocity[i].tolist()
            sample = ImuSample(ear, stamp_ns + shift_ns, tuple(acceleration), tuple(angular_velocity))
            self.health[ear].record(sample, self._now_ns())
            sink.imu(sample)
        self.fault = f"session {self.name} has ended"
        log.info("%s", self.fault)

    def close(self) -> None:
        self._recording = None

    def _tracks(self) -> dict[Ear, ImuTrack]:
        assert self._recording is not None
        tracks: dict[Ear, ImuTrack | None] = {"left": self._recording.left, "right": self._recording.right}
        return {ear: track for ear, track in tracks.items() if track is not None}
