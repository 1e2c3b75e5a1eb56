"""Files that OpenEarable writes, whole and damaged."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest
from device_packets import openearable2, recording  # type: ignore[import-not-found]
from hypothesis import given, settings
from hypothesis import strategies as st
from imuface_driver.recordings import read_openearable

BAROMETER = struct.pack("<BBQ2f", 1, 8, 77, 20.0, 101.3)
WHOLE = b"".join(openearable2(i) + (BAROMETER if i % 5 == 0 else b"") for i in range(200))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sensor_log.oe"


@pytest.mark.parametrize(
    ("version", "side", "ear"), [(3, 0, "left"), (3, 1, "right"), (3, 255, None), (2, 0, None), (1, 0, None)]
)
def test_a_whole_file_is_the_samples_of_the_imu(file: Path, version: int, side: int, ear: str | None) -> None:
    file.write_bytes(recording(WHOLE, side, version))
    result = read_openearable(file)
    assert (result.ear, result.notes, len(result.track.stamps)) == (ear, (), 200)
    assert np.all(np.diff(result.track.stamps) == 10_000_000)
    assert result.track.acceleration[3] == pytest.approx([0.0, 3.0, 9.81])
    assert result.track.angular_velocity[3] == pytest.approx(np.radians([90.0, 0.0, -1.0]))


def test_damage_costs_the_records_it_hits(file: Path) -> None:
    data = bytearray(recording(WHOLE))
    begin = len(data) - len(WHOLE)
    data[begin + 1000 : begin + 1100] = random.Random(0).randbytes(100)
    file.write_bytes(data[:-7])
    result = read_openearable(file)
    assert 190 <= len(result.track.stamps) < 200
    assert result.notes[0] == f"the file breaks off in a record of {46 - 7} bytes"
    assert " bytes are no record and were skipped" in result.notes[1]
    assert np.all(np.diff(result.track.stamps) > 0)


@pytest.mark.parametrize("index", [0, 50, 199])
@pytest.mark.parametrize("time_us", [0, 5 * 10**8, 2**64 - 1])
def test_one_wrong_time_costs_one_sample(file: Path, index: int, time_us: int) -> None:
    packets = [openearable2(i + 5000) for i in range(200)]
    packets[index] = packets[index][:2] + struct.pack("<Q", time_us) + packets[index][10:]
    file.write_bytes(recording(b"".join(packets)))
    result = read_openearable(file)
    assert len(result.track.stamps) == 199
    assert result.notes == ("1 samples whose time does not follow the one before were left out",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no recording of OpenEarable"),
        (b"RIFF" + bytes(40), "no recording of OpenEarable"),
        (recording(b"")[:20], "header .* is damaged"),
        (recording(b"")[:100], "header .* is damaged"),
        (recording(b""), "no sample of the IMU"),
        (recording(BAROMETER * 3), "no sample of the IMU"),
    ],
)
def test_a_file_of_no_use_is_refused_by_name(file: Path, data: bytes, message: str) -> None:
    file.write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        read_openearable(file)
    assert str(file) in str(caught.value)


@settings(max_examples=200)
@given(st.data())
def test_any_damage_is_told_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(recording(WHOLE[:2000]))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content)))
        if data.draw(st.booleans()):
            content[at : at + data.draw(st.integers(0, 60))] = data.draw(st.binary(max_size=60))
        else:
            del content[at:]
    file = tmp_path_factory.getbasetemp() / "damaged.oe"
    file.write_bytes(content)
    try:
        track = read_openearable(file).track
    except ValueError:
        return
    assert np.all(np.diff(track.stamps) > 0)
    assert np.isfinite(track.acceleration).all()
