"""Earphones on a serial port: a USB cable, a radio dongle, or a Bluetooth serial port."""

from __future__ import annotations

import contextlib
import logging
import termios
import threading

import serial
from imuface_core.earphone import Ear
from serial.tools import list_ports

from imuface_driver.sources.source import POLL_PERIOD, FrameSource, HostClock, Sink

log = logging.getLogger(__name__)

BACKOFF_MIN, BACKOFF_MAX = 0.1, 5.0  # seconds between attempts to find an unplugged port again


class SerialSource(FrameSource):
    """One port, with one ear or both on it. A port that vanishes while running is looked for until it is back."""

    def __init__(self, port: str, baud: int, now_ns: HostClock, ear: Ear | None = None) -> None:
        super().__init__(port, now_ns, ear)
        self._baud = baud
        self._serial: serial.Serial | None = None
        self.reconnects = 0

    def open(self) -> None:
        try:
            self._serial = self._connect()
        except (OSError, ValueError) as error:
            known = ", ".join(sorted(port.device for port in list_ports.comports())) or "none"
            raise OSError(
                f"cannot open serial port {self.name!r} ({_reason(error)}); ports of this machine: {known}"
            ) from error

    def run(self, sink: Sink, stop: threading.Event) -> None:
        while not stop.is_set():
            if self._serial is None:
                self._reconnect(stop)
                continue
            try:
                data = self._serial.read(self._serial.in_waiting or 1)
            except OSError as error:  # serial.SerialException is one
                self.fault = f"{self.name} was unplugged"
                log.warning("%s (%s); looking for it again", self.fault, _reason(error))
                self.close()
                continue
            if data:
                self.deliver_bytes(data, sink)

    def close(self) -> None:
        if self._serial is not None:
            with contextlib.suppress(OSError):  # a port that is gone cannot be flushed
                self._serial.close()
            self._serial = None
            self.decoder.reset()

    def counters(self) -> dict[str, int]:
        return {**super().counters(), "reconnects": self.reconnects}

    def _connect(self) -> serial.Serial:
        # Exclusive: a second reader would steal half of the bytes.
        try:
            port = serial.Serial(self.name, self._baud, timeout=POLL_PERIOD, exclusive=True)
        except termios.error as error:  # pyserial lets it through when the port vanishes while it is being opened
            raise OSError(*error.args) from error
        # USB serial chips may hold bytes back for 16 ms unless told otherwise; other ports refuse or need no telling.
        with contextlib.suppress(OSError, ValueError, NotImplementedError, AttributeError):
            port.set_low_latency_mode(True)
        return port

    def _reconnect(self, stop: threading.Event) -> None:
        backoff = BACKOFF_MIN
        while not stop.wait(backoff):
            try:
                self._serial = self._connect()
            except (OSError, ValueError):
                backoff = min(2 * backoff, BACKOFF_MAX)
                continue
            self.reconnects += 1
            self.fault = ""
            log.info("%s is back (reconnect %d)", self.name, self.reconnects)
            return


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
