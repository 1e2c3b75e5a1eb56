"""Packets of both generations of OpenEarable, and the scheme that the second sends."""

from __future__ import annotations

import logging
import math
import struct

import pytest
from device_packets import openearable1, openearable2, scheme  # type: ignore[import-not-found]
from hypothesis import given
from hypothesis import strategies as st
from imuface_driver.devices import DEVICES
from imuface_driver.devices.openearable import DATA, NINE_FLOATS, ImuLayout
from imuface_driver.devices.openearable2 import SCHEME, SIDE, OpenEarable2Decoder


def test_both_generations_send_si_after_scaling() -> None:
    for name, packet, time_us in (
        ("openearable1", openearable1(7), 140_000),
        ("openearable2", openearable2(7), 70_000),
    ):
        (reading,) = DEVICES[name].decoder().feed(DATA, packet)
        assert reading.acceleration == pytest.approx((0.0, 7.0, 9.81))
        assert reading.angular_velocity == pytest.approx((math.pi / 2, 0.0, math.radians(-1.0)))
        assert (reading.ear, reading.time_us, reading.timing.sequence_period) == (None, time_us, None)


@pytest.mark.parametrize(("name", "packet"), [("openearable1", openearable1(0)), ("openearable2", openearable2(0))])
def test_a_packet_cut_by_the_default_mtu_is_refused_by_name(
    name: str, packet: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    decoder = DEVICES[name].decoder()
    with caplog.at_level(logging.WARNING):
        assert [*decoder.feed(DATA, packet[:20]), *decoder.feed(DATA, packet[:20])] == []
    assert decoder.counters()["cut_packets"] == 2
    assert caplog.messages == [f"packets of {len(packet)} bytes come cut to 20: the ATT MTU is too small"]
    assert DEVICES[name].min_mtu == len(packet) + 3


def test_several_samples_in_a_packet_are_a_step_apart() -> None:
    payload = struct.pack("<9f", *range(9)) * 3 + struct.pack("<H", 1250)
    packet = struct.pack("<BBQ", 0, len(payload), 2**63) + payload
    decoder = OpenEarable2Decoder()
    assert [reading.time_us - 2**63 for reading in decoder.feed(DATA, packet)] == [0, 1250, 2500]
    assert decoder.feed(DATA, struct.pack("<BBQ", 0, len(payload) - 2, 0) + payload[:-2]) == []
    assert decoder.malformed == 1


def test_the_side_is_the_ear() -> None:
    decoder = OpenEarable2Decoder()
    for side, ear in ((b"\0", "left"), (b"\1", "right"), (b"\1\0\0\0", "right"), (b"\xff", None)):
        decoder.configure(SIDE, side)
        assert decoder.feed(DATA, openearable2(0))[0].ear == ear


def test_the_scheme_tells_where_the_numbers_are_and_in_which_unit() -> None:
    assert ImuLayout.parse(scheme()).__dict__ | {"sample": 0} == NINE_FLOATS.__dict__ | {"sample": 0}
    decoder = OpenEarable2Decoder()
    decoder.configure(SCHEME, scheme((("GYROSCOPE", "rad/s"), ("ACCELEROMETER", "g")), kind=7))
    payload = struct.pack("<6d", 1, 2, 3, 0, 0, 1)
    (reading,) = decoder.feed(DATA, struct.pack("<BBQ", 0, len(payload), 5) + payload)
    assert (reading.acceleration, reading.angular_velocity) == ((0.0, 0.0, 9.80665), (1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not that of an IMU"),
        (scheme(sensor=4), "not that of an IMU"),
        (scheme()[:60], "cut"),
        (scheme(kind=9), "unknown type"),
        (scheme((("ACCELEROMETER", "m/s^2"),)), "no GYR"),
        (scheme((("ACCELEROMETER", "furlong"), ("GYROSCOPE", "dps"))), "no ACC x, y, z in a unit"),
    ],
)
def test_a_scheme_of_no_use_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OpenEarable2Decoder().configure(SCHEME, data)


@given(st.binary(max_size=200) | st.integers(0, 200).map(lambda size: scheme()[:size]))
def test_any_scheme_is_taken_or_refused(data: bytes) -> None:
    try:
        layout = ImuLayout.parse(data)
    except ValueError:
        return
    assert max(*layout.acceleration, *layout.angular_velocity) < layout.sample.size


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30, 200.0])
def test_what_no_imu_measures_is_counted(value: float) -> None:
    decoder = OpenEarable2Decoder()
    assert decoder.feed(DATA, struct.pack("<BBQ9f", 0, 36, 0, value, *[0.0] * 8)) == []
    assert decoder.feed(DATA, struct.pack("<BBQ9f", 0, 36, 0, *[0.0] * 4, 20 * value, *[0.0] * 4)) == []
    assert decoder.counters()["impossible_samples"] == 2


def test_other_sensors_are_passed_over() -> None:
    decoder = OpenEarable2Decoder()
    assert decoder.feed(DATA, struct.pack("<BBQ2f", 1, 8, 0, 20.0, 101.3)) == []
    assert decoder.counters() == {
        "cut_packets": 0,
        "malformed_packets": 0,
        "impossible_samples": 0,
        "packets_of_other_sensors": 1,
    }
