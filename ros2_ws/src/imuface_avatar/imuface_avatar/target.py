"""Where datagrams go: one address, of this machine unless the user names another, and what became of them."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable


class Target:
    """A UDP socket to one address that counts instead of failing.

    Raises:
        ValueError: the host has no address, or is one of many (broadcast, multicast) and ``many`` does not allow it.
    """

    def __init__(self, host: str, port: int, many: bool = False) -> None:
        self.sent = self.refused = self.failed = 0
        """Datagrams; ``refused``: the machine was reached, but nobody listens at the port."""
        self.fault = ""
        """What the system said to the last one that failed."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise ValueError(f"host '{host}' has no address ({error}); name one, such as 192.168.1.20") from None
        # Receivers listen at 127.0.0.1, and localhost may mean ::1 first.
        family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        self.address = str(address[0])
        self.name = f"[{self.address}]:{port}" if family == socket.AF_INET6 else f"{self.address}:{port}"
        parsed = ipaddress.ip_address(self.address.partition("%")[0])
        if parsed.is_unspecified:
            raise ValueError(f"host '{host}' is no machine; name one, such as 127.0.0.1")
        if parsed.is_multicast and not many:
            raise ValueError(_MANY.format(host=host))
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            if many:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            # A connected socket is told when nobody listens.
            self._socket.connect(address)
        except PermissionError:
            self._socket.close()
            raise ValueError(_MANY.format(host=host)) from None
        except OSError as error:
            self._socket.close()
            raise ValueError(f"{self.name} cannot be reached: {error.strerror}") from None

    @property
    def local(self) -> bool:
        """Whether what is sent stays on this machine."""
        return ipaddress.ip_address(self.address.partition("%")[0]).is_loopback

    def send(self, datagrams: Iterable[bytes]) -> None:
        """Send datagrams; what goes wrong is counted."""
        for datagram in datagrams:
            try:
                try:
                    self._socket.send(datagram)
                except ConnectionRefusedError:  # said of the one before; this one has not gone out yet
                    self.refused += 1
                    self._socket.send(datagram)
                self.sent += 1
            except OSError as error:
                self.failed += 1
                self.fault = error.strerror or str(error)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


_MANY = "host '{host}' is an address of many machines, and a face is not for everybody: name one machine, or allow_many"
