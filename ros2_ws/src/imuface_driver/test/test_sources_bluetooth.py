"""The Bluetooth source over a whole stack with simulated controllers: every kind of earphone, and what goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError, BleakError
from bleak.exc import BleakBluetoothNotAvailableReason as Reason
from device_packets import PACKETS, scheme, xiao  # type: ignore[import-not-found]
from emulated_bluetooth import Air, Earphone, leaping_loop, loop_ns, wear  # type: ignore[import-not-found]
from hypothesis import given
from hypothesis import strategies as st
from imuface_core.earphone import Ear
from imuface_driver.bluetooth.choice import Choice
from imuface_driver.bluetooth.errors import explain
from imuface_driver.bluetooth.radio import Radio, look
from imuface_driver.devices import BATTERY_LEVEL, DEVICES
from imuface_driver.devices.esense import RANGES, START_RANGES
from imuface_driver.devices.openearable2 import SCHEME, SIDE
from imuface_driver.devices.xiao import SAMPLES
from imuface_driver.ear import ImuSample
from imuface_driver.sources.bluetooth import BluetoothSource

XIAO = DEVICES["xiao"]
# What the devices answer when they are asked.
ANSWERS = {SCHEME: scheme(), SIDE: b"\1", RANGES: START_RANGES, BATTERY_LEVEL: bytes([64])}


def leap(work: Coroutine[Any, Any, None]) -> None:
    """Run it where waiting takes no time."""
    with asyncio.Runner(loop_factory=leaping_loop) as runner:
        runner.run(work)


class Collector:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.samples: dict[Ear, list[ImuSample]] = {"left": [], "right": []}

    def imu(self, sample: ImuSample) -> None:
        self.samples[sample.ear].append(sample)

    def reference(self, stamp_ns: int, weights: np.ndarray) -> None:
        raise NotImplementedError


@contextlib.asynccontextmanager
async def receiving(
    air: Air, choice: Choice | None = None, sink: Any = None
) -> AsyncIterator[tuple[BluetoothSource, Collector]]:
    source = BluetoothSource(loop_ns, choice or Choice(), radio=await air.radio())
    sink, stop = sink or Collector(), threading.Event()
    work = asyncio.create_task(source.receive(sink, stop))
    try:
        yield source, sink
    finally:
        stop.set()
        await work


async def until(condition: Callable[[], object], patience: float = 30.0) -> None:
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.05)


async def stream(bud: Earphone, packet: Callable[[int], bytes], rate: float = 25.0) -> None:
    """Send packet after packet, as a device does, connected or not."""
    for index in range(10_000):
        bud.send(bud.kind.notify[0], packet(index))
        await asyncio.sleep(1.0 / rate)


async def switch_on(air: Air, name: str, kind: str = "xiao", **options: Any) -> Earphone:
    bud = Earphone(DEVICES[kind], name, ANSWERS, **options)
    await bud.switch_on(air)
    return bud


@pytest.mark.parametrize(
    ("kind", "rate", "ear"), [("xiao", 26.0, "left"), ("openearable2", 100.0, "right"), ("esense", 100.0, "left")]
)
def test_each_kind_is_found_started_and_read(kind: str, rate: float, ear: Ear) -> None:
    async def scenario() -> None:
        air = Air()
        bud = await switch_on(air, DEVICES[kind].names[0].replace("*", "0A1B"), kind)
        sending = asyncio.create_task(stream(bud, PACKETS[kind], rate))
        async with receiving(air) as (source, sink):
            await until(lambda: len(sink.samples[ear]) > 50)
            sending.cancel()
        assert bud.written == [step for step in bud.kind.start if step[1] is not None]
        assert np.linalg.norm(sink.samples[ear][9].acceleration[2]) == pytest.approx(9.81, abs=0.01)
        assert source.health[ear].battery == (80 if kind == "xiao" else 64 if bud.kind.battery else None)
        assert source.health[ear].rssi == -50
        assert source.counters()["malformed_packets"] == 0

    leap(scenario())


def test_a_bud_that_cannot_tell_its_ear_is_named_with_the_remedy_and_taken_when_the_user_tells() -> None:
    async def scenario() -> None:
        air = Air()
        bud = await switch_on(air, "OpenEarable-0A1B", "openearable1")
        sending = asyncio.create_task(stream(bud, PACKETS["openearable1"], 50.0))
        address = bud.device.random_address.to_string(False)
        async with receiving(air) as (source, sink):
            await until(lambda: "nothing tells which ear" in source.fault)
            assert f"set bluetooth.left or bluetooth.right to {address}" in source.fault
        async with receiving(air, Choice(named={"right": address.lower()})) as (source, sink):
            await until(lambda: len(sink.samples["right"]) > 5)
            assert set(source.health) == {"right"}
        sending.cancel()

    leap(scenario())


def test_an_older_firmware_that_lacks_what_is_read_works_once_the_user_tells_the_ear() -> None:
    async def scenario() -> None:
        air = Air()
        kind = DEVICES["openearable2"]
        older = replace(kind, start=tuple(step for step in kind.start if step[0] != SIDE))
        bud = Earphone(older, "OpenEarable-0A1B", ANSWERS)
        await bud.switch_on(air)
        sending = asyncio.create_task(stream(bud, PACKETS["openearable2"], 100.0))
        async with receiving(air) as (source, sink):
            await until(lambda: "nothing tells which ear" in source.fault)
        async with receiving(air, Choice(named={"right": "OpenEarable-0A1B"})) as (source, sink):
            await until(lambda: len(sink.samples["right"]) > 5)
        sending.cancel()

    leap(scenario())


def test_the_user_tells_two_buds_that_call_themselves_the_same_ear() -> None:
    async def scenario() -> None:
        air = Air()
        buds = [await switch_on(air, name) for name in ("imuface A", "imuface B")]
        sending = [asyncio.create_task(stream(bud, xiao)) for bud in buds]  # both say left
        async with receiving(air, Choice(named={"left": "imuface A", "right": "imuface B*"})) as (source, sink):
            await until(lambda: sink.samples["left"] and sink.samples["right"])
            await until(lambda: not source.fault)
        for each in sending:
            each.cancel()

    leap(scenario())


def test_a_strangers_bud_is_left_alone_also_while_ones_own_is_away(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        air = Air()
        own = await switch_on(air, "imuface L")
        sending = [asyncio.create_task(stream(own, xiao))]
        async with receiving(air) as (source, sink):
            await until(lambda: sink.samples["left"])
            other = await switch_on(air, "imuface X")
            sending.append(asyncio.create_task(stream(other, xiao)))
            await until(lambda: "one more left ear, of somebody else" in caplog.text)
            await own.go()
            before = len(sink.samples["left"])
            await asyncio.sleep(20.0)
            assert len(sink.samples["left"]) == before
            assert other.connection is None
            await own.appear()
            await until(lambda: len(sink.samples["left"]) > before, 3.0)
            assert source.counters()["reconnects"] == 1
        for each in sending:
            each.cancel()

    leap(scenario())


def test_an_ear_that_comes_minutes_later_is_found() -> None:
    async def scenario() -> None:
        air = Air()
        sending = [asyncio.create_task(stream(await switch_on(air, "imuface L"), xiao))]
        async with receiving(air) as (source, sink):
            await asyncio.sleep(60.0)
            assert source.fault.startswith("no earphone in reach")
            bud = await switch_on(air, "imuface R")
            sending.append(asyncio.create_task(stream(bud, lambda index: xiao(index, ear=1))))
            await until(lambda: sink.samples["right"] and not source.fault, 17.0)
            await bud.go()
            await asyncio.sleep(20.0)
            before = len(sink.samples["right"])
            await bud.appear()
            await until(lambda: len(sink.samples["right"]) > before, 3.0)
        for each in sending:
            each.cancel()

    leap(scenario())


def test_what_is_around_is_named_when_no_earphone_is_there() -> None:
    async def scenario() -> None:
        air = Air()
        await switch_on(air, "Toothbrush", "openearable1", advertises_service=False)
        await switch_on(air, "imuface", advertises_service=False)
        async with receiving(air, Choice((XIAO,), {"left": "AA:BB:CC:DD:EE:FF"})) as (source, _):
            await until(lambda: source.fault)
            assert "no earphone in reach is bluetooth.left 'AA:BB:CC:DD:EE:FF'" in source.fault
            assert "seen: Toothbrush, imuface (2 devices in all)" in source.fault

    leap(scenario())


def test_a_look_around_lists_earphones_first_and_says_who_tells_the_ear() -> None:
    async def scenario() -> None:
        air = Air()
        await switch_on(air, "Toothbrush", "openearable1", advertises_service=False)
        for name, kind in (("imuface", "xiao"), ("eSense-0001", "esense")):
            await switch_on(air, name, kind)
        seen = await look(1.0, radio=await air.radio())
        assert [(each.name, each.kind, each.ear, each.rssi) for each in seen] == [
            ("imuface", "xiao", "its packets tell", -50),
            ("eSense-0001", "esense", "left", -50),
            ("Toothbrush", "", "", -50),
        ]
        with pytest.raises(OSError, match="bluetoothctl power on"):
            await look(1.0, radio=_absent(BleakDBusError("org.bluez.Error.NotReady", ["?"])))

    leap(scenario())


def test_packets_that_a_small_mtu_cuts_are_refused_by_name() -> None:
    async def scenario() -> None:
        air = Air()
        bud = await switch_on(air, "imuface L", mtu=23)
        sending = asyncio.create_task(stream(bud, xiao))
        async with receiving(air) as (source, sink):
            await until(lambda: "come cut to 20 bytes" in source.fault)
            assert "the connection has an MTU of 23 and they need 69" in source.fault
            assert source.counters()["cut_packets"] > 0
            assert not sink.samples["left"]
            await bud.go()
            bud.device.gatt_server.max_mtu = 247
            await bud.appear()
            await until(lambda: sink.samples["left"])
        sending.cancel()

    leap(scenario())


def test_another_firmware_a_mute_bud_and_noise_are_said_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        air = Air()
        await switch_on(air, "imuface Z", "esense", advertises_service=False)
        async with receiving(air) as (source, _):
            await until(lambda: f"it has no characteristic {SAMPLES}" in source.fault)
        air = Air()
        bud = await switch_on(air, "imuface L")
        async with receiving(air) as (source, sink):
            await until(lambda: "it sends nothing that can be read" in source.fault)
            sending = asyncio.create_task(stream(bud, lambda index: bytes(66)))
            await until(lambda: source.counters()["malformed_packets"] + source.counters()["crc_errors"] > 3)
            assert not sink.samples["left"]
            sending.cancel()
            sending = asyncio.create_task(stream(bud, xiao))
            await until(lambda: sink.samples["left"])
            sending.cancel()

    leap(scenario())


def test_a_bud_that_falls_silent_without_leaving_is_connected_anew(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        air = Air()
        bud = await switch_on(air, "imuface L")
        sending = asyncio.create_task(stream(bud, xiao))
        async with receiving(air, Choice(named={"left": "imuface L"})) as (source, sink):
            await until(lambda: sink.samples["left"] and not source.fault)
            sending.cancel()
            await until(lambda: "has sent nothing for 5 s: connecting it anew" in caplog.text)
            before = len(sink.samples["left"])
            sending = asyncio.create_task(stream(bud, xiao))
            await until(lambda: len(sink.samples["left"]) > before and not source.fault)
            assert source.counters()["reconnects"] == 1
        sending.cancel()

    leap(scenario())


@given(st.text(max_size=40), st.text(max_size=20), st.lists(st.text(max_size=40)), st.booleans())
def test_any_advertisement_is_judged(name: str, address: str, services: list[str], named: bool) -> None:
    choice = Choice(named={"left": "imuface*"} if named else {})
    with contextlib.suppress(ValueError):
        identity = choice.of(address, name, services)
        assert identity is None or (identity[0] and identity[1])


def test_a_battery_that_says_nonsense_is_not_believed() -> None:
    async def scenario() -> None:
        for value, battery in ((b"", None), (b"\xff", None), (bytes([100, 7]), 100)):
            air = Air()
            bud = Earphone(DEVICES["openearable2"], "OpenEarable-1", {**ANSWERS, BATTERY_LEVEL: value})
            await bud.switch_on(air)
            sending = asyncio.create_task(stream(bud, PACKETS["openearable2"]))
            async with receiving(air) as (source, sink):
                await until(lambda: len(sink.samples["right"]) > 20)
                assert source.health["right"].battery == battery
            sending.cancel()

    leap(scenario())


def test_half_a_worn_minute_loses_and_doubles_nothing_that_is_not_counted() -> None:
    async def scenario() -> None:
        away = {"left": [(8.0, 3.0), (20.0, 4.0)], "right": [(20.0, 4.0)]}
        for wearing in await wear(40.0, away, {"right": [30.0]}):
            assert np.all(np.diff(wearing.indices) > 0)
            assert np.all(np.diff([sample.stamp_ns for sample in wearing.samples]) > 0)
            assert wearing.health.lost == wearing.missing > 300
            assert wearing.health.resyncs == len(wearing.sampler.reboots)
            # The connection's delay is learned in the first seconds; benchmarks/bluetooth.py wears them for longer.
            assert np.percentile(np.abs(wearing.errors), 90) < 2e-3
            assert np.abs(wearing.errors).max() < 0.02
            assert max(wearing.recoveries) < 3.0
            assert len(wearing.recoveries) == 2

    leap(scenario())


def test_a_sink_that_fails_ends_the_source() -> None:
    class Broken(Collector):
        def imu(self, sample: ImuSample) -> None:
            raise ZeroDivisionError("a mistake")

    async def scenario() -> None:
        air = Air()
        bud = await switch_on(air, "imuface L")
        sending = asyncio.create_task(stream(bud, xiao))
        source = BluetoothSource(loop_ns, Choice(), radio=await air.radio())
        with pytest.raises(ZeroDivisionError):
            await source.receive(Broken(), threading.Event())
        sending.cancel()
        assert bud.connection is None

    leap(scenario())


def _absent(error: Exception) -> Radio:
    """A Bluetooth stack that is not there."""

    class Scanner(BaseBleakScanner):
        def __init__(self, *_: Any, **__: Any) -> None:
            super().__init__(None, None)

        async def start(self) -> None:
            raise error

        async def stop(self) -> None:
            pass

    class Adapter(BaseBleakAdapter):
        @classmethod
        async def get(cls, **_: Any) -> Adapter:
            raise error

    return Radio(Scanner, None, Adapter)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file or directory"), "the system D-Bus, the way to BlueZ, is not there"),
        (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["?"]), "sudo systemctl start bluetooth"),
        (BleakDBusError("org.freedesktop.DBus.Error.Spawn.ChildExited", ["?"]), "sudo systemctl start bluetooth"),
        (BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["?"]), "sudo usermod -aG bluetooth"),
        (PermissionError(13, "Permission denied"), "sudo usermod -aG bluetooth"),
        (BleakBluetoothNotAvailableError("?", Reason.NO_BLUETOOTH), "there is no Bluetooth adapter"),
        (BleakBluetoothNotAvailableError("?", Reason.NO_BLE_CENTRAL_ROLE), "knows no Low Energy"),
        (BleakBluetoothNotAvailableError("?", Reason.POWERED_OFF), "bluetoothctl power on"),
        (BleakBluetoothNotAvailableError("?", Reason.DENIED_BY_SYSTEM), "sudo usermod -aG bluetooth"),
        (BleakDBusError("org.bluez.Error.NotReady", ["?"]), "bluetoothctl power on"),
        (BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort"]), "BlueZ refuses: .*le-connection-abort"),
        (BleakError("adapter 'hci7' not found"), "Bluetooth cannot be used: adapter 'hci7' not found"),
        (TimeoutError(), "does not answer within 10 s"),
    ],
)
def test_a_missing_bluetooth_is_one_line_with_the_remedy(error: Exception, words: str) -> None:
    source = BluetoothSource(lambda: 0, Choice(), radio=_absent(error))
    with pytest.raises(OSError, match=words) as raised:
        source.open()
    assert "\n" not in str(raised.value)
    assert str(raised.value) == explain(error)


def test_bluetooth_that_goes_and_comes_is_said_and_used_again() -> None:
    async def scenario() -> None:
        air = Air()
        bud = await switch_on(air, "imuface L")
        sending = asyncio.create_task(stream(bud, xiao))
        async with receiving(air) as (source, sink):
            radio = source._radio
            source._radio = _absent(BleakDBusError("org.bluez.Error.NotReady", ["?"]))
            await until(lambda: "bluetoothctl power on" in source.fault)
            source._radio = radio
            await until(lambda: sink.samples["left"])
        sending.cancel()

    leap(scenario())
