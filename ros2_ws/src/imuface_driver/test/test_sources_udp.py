from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from imuface_core.earphone import DeviceSample
from imuface_driver.protocol import encode
from imuface_driver.sources import Source, UdpSource

pytestmark = pytest.mark.timing


def sample(ear: str, index: int) -> DeviceSample:
    return DeviceSample(ear, index, 1_000_000 + index * 33_333, (index, 0, 0, 0, 0, 0), 50)  # type: ignore[arg-type]


def test_frames_of_both_ears_arrive_whatever_else_does(
    run_source: Callable[[Source], AbstractContextManager[Any]], wait_for: Callable[..., None]
) -> None:
    source = UdpSource("127.0.0.1", 0, time.time_ns)
    generator = random.Random(5)
    with run_source(source) as sink, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        address = ("127.0.0.1", source.port)
        for index in range(60):
            left, right = encode(sample("left", index)), encode(sample("right", index))
            if index == 20:
                sender.sendto(right, address)
                continue  # one datagram is lost
            sender.sendto(generator.randbytes(generator.randrange(1500)), address)
            sender.sendto(b"", address)
            sender.sendto(left[:10], address)  # a cut frame does not spoil the next datagram
            sender.sendto(left + right, address)
            if index == 30:
                sender.sendto(left + right, address)  # a repeated one
            time.sleep(0.01)
        wait_for(lambda: len(sink.samples["right"]) == 60)
    assert len(sink.samples["left"]) == 59
    assert (source.health["left"].lost, source.health["right"].lost) == (1, 0)
    assert (source.health["left"].out_of_order, source.health["right"].out_of_order) == (1, 1)
    assert source.counters()["bytes_discarded"] > 10_000


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(OSError, match=r"cannot receive at udp://192\.0\.2\.1:47800.*udp\.host must be an address"):
        UdpSource("192.0.2.1", 47800, time.time_ns).open()


def test_a_name_that_is_no_address_is_refused() -> None:
    with pytest.raises(OSError, match=r"cannot receive at udp://no such host:47800"):
        UdpSource("no such host", 47800, time.time_ns).open()


@pytest.mark.parametrize("port", [-1, 70_000])
def test_an_impossible_port_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match=r"udp\.port"):
        UdpSource("127.0.0.1", port, time.time_ns).open()


def test_a_port_in_use_is_refused() -> None:
    first = UdpSource("127.0.0.1", 0, time.time_ns)
    first.open()
    try:
        with pytest.raises(OSError, match=r"in use.*udp\.port a free port"):
            UdpSource("127.0.0.1", first.port, time.time_ns).open()
    finally:
        first.close()
