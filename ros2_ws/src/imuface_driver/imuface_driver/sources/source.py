"""The interface of everything that samples can come from."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

import numpy as np
from imuface_core.earphone import EARS, Ear, Sample
from numpy.typing import NDArray

from imuface_driver.ear import EarHealth, EarReceiver, ImuSample
from imuface_driver.protocol import Decoder

HostClock = Callable[[], int]  # nanoseconds
# How long a reader waits for data before it looks whether it should stop, seconds.
POLL_PERIOD = 0.2
# So many bytes in a row without a frame are something else than earphones.
_FOREIGN_BYTES = 1000
_TEXT = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D}


class Sink(Protocol):
    """Takes what a source yields, in the thread of the source."""

    def imu(self, sample: ImuSample) -> None:
        """A measurement of one ear; stamps of one ear increase."""

    def reference(self, stamp_ns: int, weights: NDArray[np.float32]) -> None:
        """The true blendshape weights (52,), 0..1, at ``stamp_ns``, from sources that know them."""


class Source(ABC):
    """Yields stamped samples: ``open``, then ``run`` in a thread of its own, then ``close``."""

    name: str  # names the source in messages to people
    fault = ""  # why nothing can come at present; empty when all is well
    health: dict[Ear, EarHealth]  # of each ear that is expected from this source

    @abstractmethod
    def open(self) -> None:
        """Acquire port, socket or file. Raises ``OSError`` or ``ValueError`` with a message for people."""

    @abstractmethod
    def run(self, sink: Sink, stop: threading.Event) -> None:
        """Deliver samples to ``sink`` as they come until ``stop`` is set or the source ends; may be called again."""

    @abstractmethod
    def close(self) -> None:
        """Release what :meth:`open` acquired; harmless when nothing is open."""

    def counters(self) -> dict[str, int]:
        """Named counters of the link as a whole, over all its ears."""
        return {}


class DeviceSource(Source):
    """A source of device samples that have to be put on the host clock."""

    def __init__(self, name: str, now_ns: HostClock, ears: tuple[Ear, ...] = EARS) -> None:
        self.name = name
        self.now_ns = now_ns
        self._receivers = {ear: EarReceiver(ear) for ear in ears}
        self.health = {ear: receiver.health for ear, receiver in self._receivers.items()}

    def deliver(self, ear: Ear, sample: Sample, arrival_ns: int, sink: Sink, waited_ns: int = 0) -> ImuSample | None:
        """Stamp a sample of ``ear`` and hand it on, as :meth:`EarReceiver.receive`; None: it came after a later one."""
        measurement = self._receivers[ear].receive(sample, arrival_ns, waited_ns)
        if measurement is not None:
            sink.imu(measurement)
        return measurement


class FrameSource(DeviceSource):
    """A device source that reads the frames of :mod:`imuface_driver.protocol`."""

    def __init__(self, name: str, now_ns: HostClock, ear: Ear | None = None) -> None:
        """``ear``: the only ear on this link, whatever its frames say; None: both, told apart by their frames."""
        super().__init__(name, now_ns, EARS if ear is None else (ear,))
        self.decoder = Decoder()
        self._ear = ear
        self._foreign = bytearray()  # the last bytes since the last frame

    def deliver_bytes(self, data: bytes, sink: Sink) -> None:
        """Decode what has just arrived."""
        arrival_ns = self.now_ns()
        samples = self.decoder.feed(data)
        self._look_at(data, bool(samples))
        for sample in samples:
            self.deliver(self._ear or sample.ear, sample, arrival_ns, sink)

    def _look_at(self, data: bytes, frames: bool) -> None:
        """Say what comes when it is no frames."""
        if frames:
            if len(self._foreign) >= _FOREIGN_BYTES:
                self.fault = ""
            self._foreign.clear()
            return
        self._foreign += data[-_FOREIGN_BYTES:]
        del self._foreign[:-_FOREIGN_BYTES]
        if len(self._foreign) >= _FOREIGN_BYTES and not self.fault:
            text = all(byte in _TEXT for byte in self._foreign)
            what = "lines of text" if text else "bytes that hold no frame (another baud rate, another protocol?)"
            self.fault = f"{self.name} sends {what}, not the frames of docs/device-protocol.md: check the firmware"

    def counters(self) -> dict[str, int]:
        return {
            "crc_errors": self.decoder.crc_errors,
            "malformed_frames": self.decoder.malformed,
            "bytes_discarded": self.decoder.bytes_discarded,
        }
