"""Earphones over Bluetooth Low Energy, through the system's own stack (bleak: BlueZ, macOS, Windows).

Everything happens on an event loop in the thread of the source: one coroutine looks for the ears that are missing and
connects them, notifications arrive in callbacks. A bud that goes is looked for until it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from imuface_core.earphone import EARS, Ear

from imuface_driver.bluetooth.choice import Choice, untold
from imuface_driver.bluetooth.errors import FAILURES, PATIENCE, explain, reason
from imuface_driver.bluetooth.radio import Radio
from imuface_driver.devices import ATT_HEADER, Decoder, Device
from imuface_driver.sources.source import POLL_PERIOD, DeviceSource, HostClock, Sink

log = logging.getLogger(__name__)

LOOK = 5.0  # s; one look around
GRACE = 1.0  # s in which the other ear may turn up beside the first; connecting ends the look
MUTE = 5.0  # s without a packet after which a device is connected anew, as it may have forgotten that somebody listens
TELL = 2.0  # s in which a bud is to send something, so that its packets tell its ear
MTU_PATIENCE = 1.0  # s; the stacks ask for a larger MTU by themselves, and may take a while to say so
BACKOFF_MIN, BACKOFF_MAX = 0.1, 1.0  # s between looks; short, since a bud out of its case is to be back in seconds
BACKOFF_ONE = 15.0  # s, for an ear that has never come: looking takes radio time from the one that is there
SHOWN = 8  # devices named when none of ours is there
UNREPORTED = -127  # dBm, in bleak's words


class Found(NamedTuple):
    """A device that may be connected."""

    peripheral: BLEDevice
    kinds: tuple[Device, ...]  # of which it may be; its characteristics tell
    ears: tuple[Ear, ...]  # which it is; both: one of them or both, its packets tell
    rssi: int

    @property
    def label(self) -> str:
        return f"{self.peripheral.name or 'device'} ({self.peripheral.address})"


@dataclass(eq=False)
class Bud:
    """A connected device."""

    found: Found
    client: BleakClient
    kind: Device
    decoder: Decoder
    mtu: int
    ears: set[Ear] = field(default_factory=set)  # that have come from it
    trouble: str = ""  # why nothing comes
    heard: float = 0.0  # time of the loop at which it last sent something

    @property
    def ear(self) -> Ear | None:
        """The ear that it is, whatever its packets say; None: they tell."""
        return self.found.ears[0] if len(self.found.ears) == 1 else None


class BluetoothSource(DeviceSource):
    """One or two buds, told apart by their name, their packets, or the user."""

    def __init__(self, now_ns: HostClock, choice: Choice, adapter: str = "", radio: Radio | None = None) -> None:
        """``adapter`` such as hci0; empty: any that is on."""
        expected = [ear for ear in EARS if ear in choice.named or not choice.named]
        able = {ear for kind in choice.kinds for ear in kind.ears}
        super().__init__("Bluetooth", now_ns, tuple(ear for ear in expected if ear in able))
        self._choice = choice
        self._adapter: BlueZScannerArgs = {"adapter": adapter} if adapter else {}
        self._radio = radio or Radio()
        self._buds: list[Bud] = []
        self._decoders: dict[str, Decoder] = {}  # by address; their counts outlive connections
        self._home: dict[Ear, str] = {}  # the address an ear was first found at: it is not swapped for a stranger's
        self._refused: set[str] = set()  # addresses of devices that turned out not to be the person's
        self._seen: dict[str, str] = {}  # what is around: names, or nothing, by address
        self._failure: Exception | None = None  # of a callback
        self.reconnects = 0
        self.cut = 0  # packets

    # Life -----------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        try:
            asyncio.run(self._probe())
        except FAILURES as error:
            raise OSError(explain(error)) from error

    def run(self, sink: Sink, stop: threading.Event) -> None:
        asyncio.run(self.receive(sink, stop))

    async def receive(self, sink: Sink, stop: threading.Event) -> None:
        """:meth:`run`, for a program that has an event loop."""
        work = asyncio.create_task(self._serve(sink))
        while not stop.is_set() and not work.done():
            await asyncio.wait({work}, timeout=POLL_PERIOD)
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    def close(self) -> None:
        self._buds.clear()  # connections end with run

    def counters(self) -> dict[str, int]:
        counts = {"reconnects": self.reconnects, "cut_packets": self.cut}
        for decoder in self._decoders.values():
            for name, count in decoder.counters().items():
                counts[name] = counts.get(name, 0) + count
        return counts

    async def _probe(self) -> None:
        with contextlib.suppress(NotImplementedError):  # Android
            async with asyncio.timeout(PATIENCE):
                await self._system()

    async def _system(self) -> BleakAdapter:
        return await BleakAdapter.get(bluez=self._adapter, backend=self._radio.adapter)

    async def _serve(self, sink: Sink) -> None:
        backoff, self._failure = BACKOFF_MIN, None
        try:
            while True:
                if self._failure is not None:
                    raise self._failure
                await self._wake()
                if not self._missing():
                    self._say(next((f"{bud.found.label}: {bud.trouble}" for bud in self._buds if bud.trouble), ""))
                    backoff = BACKOFF_MIN
                    await asyncio.sleep(POLL_PERIOD)
                    continue
                try:
                    found = await self._look_around()
                except FAILURES as error:
                    found = []
                    self._say(explain(error))
                for each in found:
                    if self._wanted(each):  # still, after those before it
                        await self._connect(each, sink)
                if missing := self._missing():
                    await asyncio.sleep(backoff)
                    never = self._buds and not any(self.health[ear].received for ear in missing)
                    backoff = min(2 * backoff, BACKOFF_ONE if never else BACKOFF_MAX)
        finally:
            buds, self._buds = self._buds, []
            for bud in buds:
                await _hang_up(bud.client)

    async def _wake(self) -> None:
        """Let go of what is connected and sends nothing, so that it is connected anew."""
        now = asyncio.get_running_loop().time()
        for bud in [bud for bud in self._buds if now - bud.heard > MUTE]:
            self._buds.remove(bud)
            self._say(f"{bud.found.label} has sent nothing for {MUTE:g} s: connecting it anew")
            await _hang_up(bud.client)

    def _missing(self) -> set[Ear]:
        """The ears that no connected device brings."""
        return set(self.health) - {ear for bud in self._buds for ear in bud.ears}

    def _say(self, fault: str) -> None:
        """Why nothing comes: for the diagnostics and, when it is news, for the log; empty when all is well.

        What stands behind a semicolon, such as the devices seen, makes no news.
        """
        if fault and fault.split(";")[0] != self.fault.split(";")[0]:
            log.warning("%s", fault)
        self.fault = fault

    # Looking around -------------------------------------------------------------------------------------------------

    async def _look_around(self) -> list[Found]:
        """Devices that bring missing ears, the nearest first."""
        found = {each.peripheral.address: each for each in await self._already_connected()}
        trouble = ""
        self._seen.clear()
        loop = asyncio.get_running_loop()
        end = loop.time() + LOOK
        async with BleakScanner(bluez=self._adapter, backend=self._radio.scanner) as scanner:
            while loop.time() < end and not self._complete(found):
                await asyncio.sleep(0.05)
                for peripheral, advertisement in scanner.discovered_devices_and_advertisement_data.values():
                    try:
                        each = self._ours(peripheral, advertisement)
                    except ValueError as error:
                        trouble = str(error)
                        continue
                    if each is not None and peripheral.address not in found:
                        found[peripheral.address] = each
                        end = min(end, loop.time() + GRACE)
        if not found:
            self._say(trouble or self._nothing_found())
        return sorted(found.values(), key=lambda each: -each.rssi)

    def _ours(self, peripheral: BLEDevice, advertisement: AdvertisementData) -> Found | None:
        name = advertisement.local_name or peripheral.name or ""
        self._seen[peripheral.address] = name
        identity = self._choice.of(peripheral.address, name, advertisement.service_uuids)
        return None if identity is None else self._wanted(Found(peripheral, *identity, advertisement.rssi))

    def _wanted(self, found: Found) -> Found | None:
        address = found.peripheral.address
        missing = self._missing()
        ears = tuple(ear for ear in found.ears if ear in missing and self._home.get(ear, address) == address)
        if not ears or address in self._refused or any(bud.found.peripheral.address == address for bud in self._buds):
            return None
        return found

    def _complete(self, found: Mapping[str, Found]) -> bool:
        """Whether nobody else need be waited for."""
        missing = self._missing()
        return len(found) >= len(missing) and missing <= {ear for each in found.values() for ear in each.ears}

    async def _already_connected(self) -> list[Found]:
        """Devices that a process which was killed has left connected: they do not advertise."""
        found = []
        with contextlib.suppress(*FAILURES, NotImplementedError, ValueError):
            system = await self._system()
            for kind in self._choice.kinds:
                for peripheral in await system.get_connected_devices([kind.service]):
                    identity = self._choice.of(peripheral.address, peripheral.name or "", [kind.service])
                    each = identity and self._wanted(Found(peripheral, *identity, UNREPORTED))
                    if each:
                        found.append(each)
        return found

    def _nothing_found(self) -> str:
        wanted = [f"bluetooth.{ear} {wanted!r}" for ear, wanted in self._choice.named.items() if ear in self._missing()]
        kinds = ", ".join(kind.name for kind in self._choice.kinds)
        names = sorted({name for name in self._seen.values() if name})
        seen = ", ".join([*names[:SHOWN], *(["..."] if len(names) > SHOWN else [])]) or "no device with a name"
        return (
            f"no earphone in reach is {' or '.join(wanted) or f'one of {kinds}'}: take it out of its case, come near, "
            f"and disconnect it from phones; seen: {seen} ({len(self._seen)} devices in all)"
        )

    # Connecting -----------------------------------------------------------------------------------------------------

    async def _connect(self, found: Found, sink: Sink) -> None:
        buds: list[Bud] = []  # what it turns out to be

        def gone(_: BleakClient) -> None:
            for bud in buds:
                self._on_disconnected(bud)

        client = BleakClient(found.peripheral, gone, timeout=PATIENCE, bluez=self._adapter, backend=self._radio.client)
        try:
            async with asyncio.timeout(PATIENCE):
                await client.connect()
                kind = _kind(client, found.kinds)
                decoder = self._decoders.setdefault(found.peripheral.address, kind.decoder())
                bud = Bud(found, client, kind, decoder, await _mtu(client, kind))
                buds.append(bud)
                self._buds.append(bud)
                await self._begin(bud, sink)
        except (*FAILURES, ValueError) as error:
            self._say(f"cannot use {found.label}: {reason(error)}; trying again")
            self._buds = [bud for bud in self._buds if bud not in buds]
            await _hang_up(client)

    async def _begin(self, bud: Bud, sink: Sink) -> None:
        """Make the device send, and learn its ear. Raises ``ValueError`` when what it sends is of no use."""
        kind, client = bud.kind, bud.client
        for characteristic in kind.notify:
            await client.start_notify(characteristic, partial(self._on_packet, bud, sink, characteristic))
        for characteristic, data in kind.start:
            if data is not None:
                await client.write_gatt_char(characteristic, data)
            elif client.services.get_characteristic(characteristic) is not None:
                bud.decoder.configure(characteristic, bytes(await client.read_gatt_char(characteristic)))
        end = asyncio.get_running_loop().time() + TELL
        while not bud.ears and not bud.trouble and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
        if not bud.ears:
            raise ValueError(bud.trouble or "it sends nothing that can be read")
        await self._watch_battery(bud)

    def _admit(self, bud: Bud, ear: Ear) -> bool:
        """Take an ear from a device that has not brought it since it was connected; whether it is welcome."""
        address = bud.found.peripheral.address
        if ear not in self._missing() or self._home.get(ear, address) != address:
            self._refused.add(address)
            bud.trouble = f"it is one more {ear} ear, of somebody else"
            return False
        if not self._choice.named:
            self._home[ear] = address
            if len(bud.kind.ears) == 1:
                self.health = {ear: self.health[ear]}  # nobody waits for an ear that this earphone does not have
        known = bool(self.health[ear].received)
        self.reconnects += known
        bud.ears.add(ear)
        self.health[ear].rssi = bud.found.rssi  # a connection does not report it
        log.info("%s ear: %s %s, %d dBm", ear, bud.found.label, "is back" if known else "connected", bud.found.rssi)
        return True

    def _on_packet(self, bud: Bud, sink: Sink, characteristic: str, _: object, data: bytearray) -> None:
        arrival_ns = self.now_ns()
        bud.heard = asyncio.get_running_loop().time()
        if bud.mtu < bud.kind.min_mtu and len(data) == bud.mtu - ATT_HEADER:
            self.cut += 1
            bud.trouble = (
                f"its packets come cut to {len(data)} bytes, the connection has an MTU of {bud.mtu} and they need "
                f"{bud.kind.min_mtu}: use another adapter or a newer BlueZ"
            )
            return
        try:
            readings = bud.decoder.feed(characteristic, bytes(data))
            for reading in readings:
                ear = bud.ear or reading.ear
                if ear is None:
                    bud.trouble = untold("it", bud.found.peripheral.address)
                elif ear in bud.ears or self._admit(bud, ear):
                    waited_us = (readings[-1].time_us - reading.time_us) % reading.timing.time_period_us
                    self.deliver(ear, reading, arrival_ns, sink, 1000 * waited_us)
        except Exception as error:  # bleak would only log it
            self._failure = error

    def _on_disconnected(self, bud: Bud) -> None:
        if bud in self._buds:
            self._buds.remove(bud)
            self._say(f"{bud.found.label} is gone; looking for it")

    async def _watch_battery(self, bud: Bud) -> None:
        characteristic = bud.kind.battery and bud.client.services.get_characteristic(bud.kind.battery)
        if not characteristic:
            return
        self._on_battery(bud, await bud.client.read_gatt_char(characteristic))
        if "notify" in characteristic.properties:
            await bud.client.start_notify(characteristic, lambda _, data: self._on_battery(bud, data))

    def _on_battery(self, bud: Bud, data: bytearray) -> None:
        if data and data[0] <= 100:
            for ear in bud.ears:
                self.health[ear].battery = data[0]


def _kind(client: BleakClient, kinds: Sequence[Device]) -> Device:
    """The first kind whose characteristics the device has, save those that are only read, which older firmware lacks.

    Raises ``ValueError`` when it is of none.
    """
    for kind in kinds:
        wanted = [*kind.notify, *(characteristic for characteristic, data in kind.start if data is not None)]
        missing = [uuid for uuid in wanted if client.services.get_characteristic(uuid) is None]
        if not missing:
            return kind
    raise ValueError(f"it has no characteristic {missing[0]}, as {kind.title} has: is it of another kind or firmware?")


async def _mtu(client: BleakClient, kind: Device) -> int:
    """The ATT MTU of a connection, once it is large enough or seems to stay what it is."""
    characteristic = client.services.get_characteristic(kind.notify[0])
    assert characteristic is not None
    end = asyncio.get_running_loop().time() + MTU_PATIENCE
    while True:
        mtu = characteristic.max_write_without_response_size + ATT_HEADER
        if mtu >= kind.min_mtu or asyncio.get_running_loop().time() > end:
            return mtu
        await asyncio.sleep(0.05)


async def _hang_up(client: BleakClient) -> None:
    with contextlib.suppress(*FAILURES):
        async with asyncio.timeout(PATIENCE):
            await client.disconnect()
