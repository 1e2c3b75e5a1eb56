"""Where datagrams go, over real sockets."""

from __future__ import annotations

import socket
import time

import pytest
from imuface_avatar.target import Target


def closed_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_closed_port_is_counted_and_the_first_datagram_after_it_opens_arrives() -> None:
    port = closed_port()
    target = Target("127.0.0.1", port)
    for _ in range(3):
        target.send([b"x"])
        time.sleep(0.05)
    assert target.refused >= 1
    assert target.failed == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", port))
        receiver.settimeout(5.0)
        target.send([b"now"])
        assert receiver.recv(100) == b"now"
    target.close()


def test_a_datagram_that_is_too_long_is_counted() -> None:
    target = Target("127.0.0.1", closed_port())
    target.send([b"x" * 100_000])
    assert (target.sent, target.failed, target.fault) == (0, 1, "Message too long")
    target.close()


def test_localhost_is_where_receivers_listen() -> None:
    target = Target("localhost", 39539)
    assert target.address == "127.0.0.1"
    assert target.local
    target.close()


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("255.255.255.255", "host '255.255.255.255' is an address of many machines"),
        ("127.255.255.255", "host '127.255.255.255' is an address of many machines"),
        ("224.0.0.1", "host '224.0.0.1' is an address of many machines"),
        ("ff02::1", "host 'ff02::1' is an address of many machines"),
        ("0.0.0.0", "host '0.0.0.0' is no machine"),
        ("no such host", "host 'no such host' has no address"),
        ("x" * 300, "has no address"),
        ("", "host '' has no address"),
    ],
)
def test_refuses_what_is_not_one_machine(host: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Target(host, 39539)


def test_many_machines_need_a_word() -> None:
    target = Target("224.0.0.1", 39539, many=True)
    assert not target.local
    target.close()
