"""Packets of our own firmware."""

from __future__ import annotations

import itertools
import math

import pytest
from device_packets import xiao  # type: ignore[import-not-found]
from imuface_core.earphone import STANDARD_GRAVITY
from imuface_driver.devices.xiao import BATCH, DEVICE, SAMPLES, XiaoDecoder, packet_size


def test_a_packet_is_its_samples_each_with_its_time() -> None:
    samples = XiaoDecoder().feed(SAMPLES, xiao(3, samples=2, ear=1))
    assert [(s.ear, s.sequence, s.time_us, s.battery) for s in samples] == [
        ("right", 6, 57_690, 80),
        ("right", 7, 67_305, 80),
    ]
    assert samples[0].acceleration[2] == pytest.approx(STANDARD_GRAVITY, rel=1e-3)
    assert samples[1].angular_velocity == pytest.approx([math.radians(17.5e-3 * lsb) for lsb in (1, -2, 3)])


def test_numbers_and_time_wrap_inside_a_packet() -> None:
    assert [s.sequence for s in XiaoDecoder().feed(SAMPLES, xiao(21_845, samples=3))] == [65_535, 0, 1]

    def time_us(index: int) -> int:
        return int.from_bytes(xiao(index)[4:8], "little")

    just_before = next(i for i in range(111_000, 112_000) if time_us(i) > time_us(i + 1))
    times = [s.time_us for s in XiaoDecoder().feed(SAMPLES, xiao(just_before))]
    assert [(b - a) % 2**32 for a, b in itertools.pairwise(times)] == [9615] * 3


def test_what_the_firmware_sends_fits_the_mtu_that_is_asked_for() -> None:
    assert DEVICE.min_mtu == len(xiao(0, BATCH)) + 3 == packet_size(BATCH) + 3


@pytest.mark.parametrize(
    ("packet", "counter"),
    [
        (b"", "malformed_packets"),
        (xiao(0, samples=0), "malformed_packets"),
        (xiao(0)[:20], "malformed_packets"),
        (xiao(0, ear=2), "malformed_packets"),
        (xiao(0, battery=101), "malformed_packets"),
        (xiao(0)[:-1] + b"\0", "crc_errors"),
    ],
)
def test_a_packet_that_is_none_is_counted(packet: bytes, counter: str) -> None:
    decoder = XiaoDecoder()
    assert decoder.feed(SAMPLES, packet) == []
    assert {name for name, count in decoder.counters().items() if count} == {counter}
