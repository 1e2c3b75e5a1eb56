"""Earphones behind a gateway (a phone, a microcontroller on Wi-Fi) that sends their frames in UDP datagrams."""

from __future__ import annotations

import socket
import threading

from imuface_driver.sources.source import POLL_PERIOD, FrameSource, HostClock, Sink

MAX_DATAGRAM = 65_535


class UdpSource(FrameSource):
    """A socket that receives datagrams of one or more whole frames, of both ears, from any number of senders."""

    def __init__(self, host: str, port: int, now_ns: HostClock) -> None:
        super().__init__(f"udp://{host}:{port}", now_ns)
        self._address = (host, port)
        self._socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """The bound port; of use when port 0 (any) was asked for."""
        assert self._socket is not None
        return int(self._socket.getsockname()[1])

    def open(self) -> None:
        if not 0 <= self._address[1] <= 65_535:  # the system would take it modulo 65536
            raise ValueError(f"udp.port is {self._address[1]}, must be 0 to 65535")
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.bind(address)
        except OSError as error:
            self.close()
            raise OSError(
                f"cannot receive at {self.name} ({error.strerror}); "
                "udp.host must be an address of this machine and udp.port a free port"
            ) from error
        self._socket.settimeout(POLL_PERIOD)

    def run(self, sink: Sink, stop: threading.Event) -> None:
        assert self._socket is not None
        while not stop.is_set():
            try:
                data = self._socket.recv(MAX_DATAGRAM)
            except TimeoutError:
                continue
            self.deliver_bytes(data, sink)
            self.decoder.reset()  # frames do not span datagrams

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
