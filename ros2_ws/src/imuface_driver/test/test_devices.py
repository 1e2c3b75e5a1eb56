"""The table of devices, and what each profile promises to the Bluetooth source."""

from __future__ import annotations

import contextlib
import math
import sys
from pathlib import Path

import pytest
from device_packets import PACKETS, damage, mutated, noisy  # type: ignore[import-not-found]
from hypothesis import given
from hypothesis import strategies as st
from imuface_driver import devices
from imuface_driver.devices import DEVICES, Device

MADE_UP = """
from imuface_driver.devices import Device

class Nothing:
    def configure(self, characteristic, data): ...
    def feed(self, characteristic, data): return []
    def counters(self): return {}

DEVICE = Device("made-up", "Made up", "service", ("Made*",), ("data",), Nothing, min_mtu=23)
"""


def test_a_new_device_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_up.py").write_text(MADE_UP)
    monkeypatch.setattr(devices, "__path__", [*devices.__path__, str(tmp_path)])
    found = devices.find()
    del sys.modules["imuface_driver.devices.made_up"]
    assert set(found) == {*DEVICES, "made-up"}
    assert found["made-up"].matches("Made in a test")


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_a_profile_is_whole(device: Device) -> None:
    characteristics = [device.service, *device.notify, *(step[0] for step in device.start), device.battery or ""]
    for uuid in filter(None, characteristics):
        assert len(uuid) == 36
        assert uuid == uuid.lower()
    assert device.min_mtu >= 23
    assert device.ears
    assert (device.ear_by == "name") == bool(device.ear_names)
    decoder = device.decoder()
    assert list(decoder.feed(device.notify[0], b"")) == []
    assert sum(decoder.counters().values()) == 1


@pytest.mark.parametrize("name", PACKETS)
def test_of_damaged_packets_only_those_pass_that_look_whole(name: str) -> None:
    for how in (mutated, noisy):
        result = damage(name, 10_000, 1, how)
        assert result.invalid == 0
        assert result.packets - result.taken > 0


def test_a_checksum_lets_no_more_pass_than_its_odds() -> None:
    assert damage("xiao", 20_000, 2, noisy).wrong <= 5  # odds of 2^-16: 0.3 expected
    assert damage("esense", 20_000, 2, noisy).wrong <= 120  # odds of 2^-8: 78 expected


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
@given(data=st.lists(st.binary(max_size=80)))
def test_any_notification_is_taken(device: Device, data: list[bytes]) -> None:
    decoder = device.decoder()
    for packet in data:
        for reading in decoder.feed(device.notify[0], packet):
            assert all(map(math.isfinite, (*reading.acceleration, *reading.angular_velocity)))
            assert 0 <= reading.time_us < reading.timing.time_period_us


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
@given(data=st.binary(max_size=80), index=st.integers(0, 3))
def test_whatever_is_read_first_is_taken_or_refused_and_packets_still_are(
    device: Device, data: bytes, index: int
) -> None:
    decoder = device.decoder()
    read = [characteristic for characteristic, written in device.start if written is None] or list(device.notify)
    with contextlib.suppress(ValueError):
        decoder.configure(read[index % len(read)], data)
    for packet in (data, *(make(index) for make in PACKETS.values())):
        decoder.feed(device.notify[0], packet)
