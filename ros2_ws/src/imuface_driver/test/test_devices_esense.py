"""Packets of eSense; and its captures, where they lie beside the repository, against gravity."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from device_packets import esense  # type: ignore[import-not-found]
from imuface_core.earphone import STANDARD_GRAVITY
from imuface_driver.devices.esense import DATA, DEVICE, RANGES, START_RANGES, START_SAMPLING, ESenseDecoder, command

CAPTURES = Path(__file__).parents[5] / "shared" / "data" / "ear_imu"


def test_a_packet_is_one_sample_in_si() -> None:
    (reading,) = ESenseDecoder().feed(DATA, esense(258))
    assert (reading.ear, reading.sequence, reading.time_us) == ("left", 2, 20_000)
    assert reading.acceleration[2] == pytest.approx(STANDARD_GRAVITY)
    assert reading.acceleration[1] == pytest.approx(-200 / 8192 * STANDARD_GRAVITY)  # a low byte above 127
    assert reading.angular_velocity[0] == pytest.approx(math.radians(10.0))


def test_the_checksum_covers_size_and_data_but_not_the_index() -> None:
    packet = bytearray(esense(1))
    packet[1] = 77
    assert ESenseDecoder().feed(DATA, bytes(packet))[0].sequence == 77
    decoder = ESenseDecoder()
    packet[9] ^= 1
    assert decoder.feed(DATA, bytes(packet)) == []
    assert decoder.feed(DATA, esense(0)[:-1]) == []
    assert decoder.counters() == {"checksum_errors": 1, "malformed_packets": 1}


def test_the_ranges_that_the_device_has_are_the_scale() -> None:
    decoder = ESenseDecoder()
    decoder.configure(RANGES, command(0x59, 0, 3 << 3, 2 << 3, 0))
    (reading,) = decoder.feed(DATA, esense(0))
    assert reading.acceleration[2] == pytest.approx(2 * STANDARD_GRAVITY)  # ±8 g: 4096 LSB are one
    assert reading.angular_velocity[0] == pytest.approx(math.radians(655 / 16.4))
    decoder.configure(RANGES, START_RANGES)
    assert decoder == ESenseDecoder()


@pytest.mark.parametrize("data", [b"", START_RANGES[:-1], b"\x53" + START_RANGES[1:], START_RANGES[:-1] + b"\0"])
def test_ranges_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="when asked for its ranges"):
        ESenseDecoder().configure(RANGES, data)


def test_commands_are_those_of_the_specification() -> None:
    assert START_SAMPLING.hex(" ") == "53 67 02 01 64"
    assert [data for _, data in DEVICE.start] == [START_RANGES, None, START_SAMPLING]


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="no eSense captures beside the repository")
@pytest.mark.parametrize("name", ["96hz-long1", "96hz-long2", "96hz-yawns1", "96hz-yawns2"])
def test_captures_of_a_person_at_rest_scale_to_gravity(name: str) -> None:
    text = (CAPTURES / "yawning_gpl3" / "96hz" / f"{name}.eimu").read_text()
    rows = [tuple(map(int, re.findall(r"-?\d+", line))) for line in text.splitlines() if line.startswith("[")]
    decoder = ESenseDecoder()
    decoder.configure(RANGES, command(0x59, 0, 2 << 3, 2 << 3, 0))  # ±8 g
    scaled = [decoder.scale(row[3:], row[:3])[0] for row in rows]  # type: ignore[arg-type]
    assert np.median(np.linalg.norm(scaled, axis=1)) == pytest.approx(STANDARD_GRAVITY, rel=0.05)
