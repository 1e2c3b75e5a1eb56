"""Earphones and a computer on simulated Bluetooth controllers: all of HCI, ATT and GATT (Bumble), and no hardware.

The computer's side stands behind bleak, as one of its backends, so that a source uses it as it uses BlueZ. With
:func:`leaping_loop` half an hour takes as long as its events take to be handled.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_str
from bumble import att, core, gatt
from bumble.controller import Controller
from bumble.core import AdvertisingData
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink
from fastcrc import crc16
from imuface_core.earphone import ACCELERATION_PER_LSB, EARS, SEQUENCE_PERIOD, TIME_PERIOD_US, Ear
from imuface_driver import devices
from imuface_driver.bluetooth.choice import Choice
from imuface_driver.bluetooth.radio import Radio
from imuface_driver.devices.xiao import BATCH, SAMPLES
from imuface_driver.ear import EarHealth, ImuSample
from imuface_driver.sources.bluetooth import BluetoothSource
from numpy.typing import NDArray

EPOCH_NS = 1_700_000_000_000_000_000
_NAMES = (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME)
_SERVICES = (
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
)


class _Leap(selectors.DefaultSelector):
    """Waits for nothing: what it should wait, it adds to its time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0.0)
        if not events and timeout:
            self.now += timeout
        return events


def leaping_loop() -> asyncio.AbstractEventLoop:
    """An event loop in which waiting takes no time, for ``asyncio.Runner(loop_factory=...)``."""
    leap = _Leap()
    loop = asyncio.SelectorEventLoop(leap)
    loop.time = lambda: leap.now  # type: ignore[method-assign]
    return loop


def loop_ns() -> int:
    """The host clock of a program on such a loop."""
    return EPOCH_NS + round(asyncio.get_running_loop().time() * 1e9)


class Air:
    """What is within reach of each other."""

    def __init__(self) -> None:
        self._link = LocalLink()
        self._count = 0

    async def device(self, name: str) -> Device:
        """A switched-on controller with a stack on it."""
        self._count += 1
        address = f"C0:00:00:00:00:{self._count:02X}"
        controller = Controller(name, link=self._link, public_address=address)
        device = Device(name=name, address=Address(address), host=Host(controller, AsyncPipeSink(controller)))
        await device.power_on()
        return device

    async def radio(self, mtu: int = 247) -> Radio:
        """A computer's Bluetooth that asks for so large an ATT MTU."""
        central = await self.device("computer")
        return Radio(
            type("Scanner", (_Scanner,), {"central": central}),
            type("Client", (_Client,), {"central": central, "largest_mtu": mtu}),
            BaseBleakAdapter,
        )


class _Scanner(BaseBleakScanner):
    central: Device

    def __init__(self, detection_callback: Any, service_uuids: list[str] | None, *_: Any, **__: Any) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        self.seen_devices = {}
        self.central.on("advertisement", self._on_advertisement)
        await self.central.start_scanning()

    async def stop(self) -> None:
        self.central.remove_listener("advertisement", self._on_advertisement)
        await self.central.stop_scanning()

    def _on_advertisement(self, heard: Advertisement) -> None:
        name = next((str(text) for kind in _NAMES if (text := heard.data.get(kind))), None)
        listed: list[Any] = [heard.data.get(kind) or () for kind in _SERVICES]
        services = [_uuid(uuid) for uuids in listed for uuid in uuids]
        data = AdvertisementData(name, {}, {}, services, None, heard.rssi, ())
        address = heard.address.to_string(False)
        device = self.create_or_update_device(address, address, name, heard.address, data)
        self.call_detection_callbacks(device, data)


class _Client(BaseBleakClient):
    central: Device
    largest_mtu: int

    def __init__(self, device: Any, *, disconnected_callback: Any, timeout: float, **_: Any) -> None:
        super().__init__(device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._peer: Peer | None = None

    @property
    def mtu_size(self) -> int:
        return self._connected.connection.att_mtu

    @property
    def is_connected(self) -> bool:
        return self._peer is not None

    @property
    def _connected(self) -> Peer:
        if self._peer is None:
            raise BleakError("not connected")
        return self._peer

    async def connect(self, pair: bool, **_: Any) -> None:
        try:
            connection = await self.central.connect(self.address, timeout=self._timeout)
        except (core.BaseBumbleError, TimeoutError) as error:
            raise BleakDeviceNotFoundError(self.address, f"does not answer: {error}") from error
        self._peer = Peer(connection)
        connection.on("disconnection", self._on_disconnection)
        await self._ask(self._peer.request_mtu(self.largest_mtu))
        await self._ask(self._peer.discover_all())
        self.services = BleakGATTServiceCollection()
        for service in self._peer.services:
            ours = BleakGATTService(service, service.handle, _uuid(service.uuid))
            self.services.add_service(ours)
            for each in service.characteristics:
                flags: list[Any] = [flag for flag in ("read", "write", "notify") if _has(each, flag)]
                room = lambda connection=connection: connection.att_mtu - devices.ATT_HEADER  # noqa: E731
                self.services.add_characteristic(
                    BleakGATTCharacteristic(each, each.handle, _uuid(each.uuid), flags, room, ours)
                )

    def _on_disconnection(self, _: int) -> None:
        self._peer = self.services = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        if self._peer is not None:
            await self._peer.connection.disconnect()

    async def pair(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError

    async def unpair(self) -> None:
        raise NotImplementedError

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **_: Any) -> bytearray:
        return bytearray(await self._ask(self._connected.read_value(characteristic.obj)))

    async def read_gatt_descriptor(self, descriptor: Any, **_: Any) -> bytearray:
        raise NotImplementedError

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: Any, response: bool) -> None:
        await self._ask(self._connected.write_value(characteristic.obj, bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: Any, data: Any) -> None:
        raise NotImplementedError

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: Callable[[bytearray], None], **_: Any
    ) -> None:
        await self._ask(
            self._connected.subscribe(characteristic.obj, lambda value: callback(bytearray(value)))  # in the loop
        )

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        await self._ask(self._connected.unsubscribe(characteristic.obj))

    async def _ask(self, request: Any) -> Any:
        try:
            return await self._connected.connection.cancel_on_disconnection(request)
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except (core.BaseBumbleError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and self._peer is not None:
                raise
            raise BleakError(f"the connection was lost: {error}") from error


def _uuid(uuid: core.UUID) -> str:
    return normalize_uuid_str(uuid.to_hex_str("-"))


def _has(characteristic: Any, flag: str) -> bool:
    return bool(characteristic.properties & gatt.Characteristic.Properties.from_string(flag.upper()))


@dataclass
class Earphone:
    """One bud: the characteristics of its kind, a name, and notifications that wait for the next connection event."""

    kind: devices.Device
    name: str
    values: Mapping[str, bytes] = field(default_factory=dict)  # of the characteristics that are read
    mtu: int = 247  # the largest that it agrees to
    interval: float = 0.02  # s between connection events
    advertises_service: bool = True
    written: list[tuple[str, bytes]] = field(default_factory=list)

    async def switch_on(self, air: Air) -> None:
        self.device = await air.device(self.name)
        self.device.gatt_server.max_mtu = self.mtu
        self._queue: list[tuple[str, bytes]] = []
        self._characteristics: dict[str, gatt.Characteristic[bytes]] = {}
        read = {uuid for uuid, data in self.kind.start if data is None}
        written = {uuid for uuid, data in self.kind.start if data is not None}
        battery = {self.kind.battery} - {None}
        for uuid in {*self.kind.notify, *read, *written, *battery}:
            properties = gatt.Characteristic.Properties(0)
            properties |= gatt.Characteristic.Properties.READ if uuid in read | battery else 0
            properties |= gatt.Characteristic.Properties.WRITE if uuid in written else 0
            properties |= gatt.Characteristic.Properties.NOTIFY if uuid in {*self.kind.notify, *battery} else 0
            value = gatt.CharacteristicValue(
                read=lambda _, uuid=uuid: self.values.get(uuid, b""),
                write=lambda _, data, uuid=uuid: self.written.append((uuid, data)),
            )
            permissions = gatt.Characteristic.READABLE | gatt.Characteristic.WRITEABLE
            self._characteristics[str(uuid)] = gatt.Characteristic(str(uuid), properties, permissions, value)
        self.device.add_service(gatt.Service(self.kind.service, list(self._characteristics.values())))
        told = [(AdvertisingData.COMPLETE_LOCAL_NAME, self.name.encode())]
        if self.advertises_service:
            told.append((_SERVICES[0], core.UUID(self.kind.service).to_bytes()))
        self.device.advertising_data = bytes(AdvertisingData(told))
        await self.appear()
        self._sender = asyncio.create_task(self._send_queued())

    async def appear(self) -> None:
        """Advertise whenever nobody is connected."""
        await self.device.start_advertising(
            auto_restart=True, advertising_interval_min=20.0, advertising_interval_max=20.0
        )

    async def go(self) -> None:
        """Break the connection and be silent until :meth:`appear`."""
        await self.device.stop_advertising()
        self._queue.clear()
        for connection in list(self.device.connections.values()):
            await connection.disconnect()

    @property
    def connection(self) -> Connection | None:
        return next(iter(self.device.connections.values()), None)

    def send(self, characteristic: str, data: bytes) -> bool:
        """Notify at the next connection event; whether anybody is connected."""
        if self.connection is None:
            return False
        self._queue.append((characteristic, data))
        return True

    async def _send_queued(self) -> None:
        while True:
            await asyncio.sleep(self.interval)
            queued, self._queue = self._queue, []
            for characteristic, data in queued:
                await self.device.notify_subscribers(self._characteristics[characteristic], data)


INDEX_PERIOD = 30_000  # samples; the first raw value holds the index modulo that, the second how often it wrapped


@dataclass
class Sampler:
    """The firmware of a XIAO bud: samples at its own pace, and remembers when; loses packets, and starts anew."""

    earphone: Earphone
    ear: Ear
    rate: float = 104.0  # Hz of its clock
    drift: float = 0.0  # share by which its clock is fast
    loss: float = 0.0  # share of packets that are never sent
    boot_us: int = 0  # device time of the first sample
    generator: random.Random = field(default_factory=random.Random)
    truth: list[int] = field(default_factory=list)  # host time of sample 0, 1, ..., ns
    reboots: list[int] = field(default_factory=list)  # indices of the first samples after reboots

    def reboot(self) -> None:
        """Number samples and count time from 0 again."""
        self.reboots.append(len(self.truth))

    async def run(self, duration: float) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time() + self.generator.random() / self.rate
        while (elapsed := len(self.truth) / self.rate) < duration:
            await asyncio.sleep(begin + (elapsed + (BATCH - 1) / self.rate) / (1.0 + self.drift) - loop.time())
            first = len(self.truth)
            for index in range(first, first + BATCH):
                self.truth.append(EPOCH_NS + round((begin + index / self.rate / (1.0 + self.drift)) * 1e9))
            if self.generator.random() >= self.loss:
                self.earphone.send(SAMPLES, self.packet(first))

    def packet(self, first: int) -> bytes:
        """Samples ``first`` and the following, as docs/device-protocol.md describes them."""
        base, boot_us = (self.reboots[-1], 0) if self.reboots else (0, self.boot_us)
        times = [boot_us + round((index - base) * 1e6 / self.rate) for index in range(first, first + BATCH)]
        header = 1 << 4 | EARS.index(self.ear)
        packet = struct.pack("<BBHI", header, 73, (first - base) % SEQUENCE_PERIOD, times[0] % TIME_PERIOD_US)
        for index, time in enumerate(times):
            wraps, rest = divmod(first + index, INDEX_PERIOD)
            packet += struct.pack("<H6h", time - times[max(index - 1, 0)], rest, wraps, 8192, 0, 0, 0)
        return packet + struct.pack("<H", crc16.ibm_3740(packet))


@dataclass
class Wearing:
    """What a source made of one ear, beside what was true."""

    ear: Ear
    health: EarHealth
    sampler: Sampler
    samples: list[ImuSample] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)  # host ns
    returns: list[int] = field(default_factory=list)  # host ns at which the bud was there again

    @property
    def indices(self) -> NDArray[np.int64]:
        """Which of the sampler's samples came, in order of arrival."""
        rest, wraps, _ = np.round(np.array([s.acceleration for s in self.samples]) / ACCELERATION_PER_LSB).T
        return (wraps * INDEX_PERIOD + rest).astype(np.int64)

    @property
    def errors(self) -> NDArray[np.float64]:
        """Stamp - true sampling time of each sample, seconds."""
        stamps = np.array([sample.stamp_ns for sample in self.samples])
        return (stamps - np.array(self.sampler.truth)[self.indices]) * 1e-9

    @property
    def missing(self) -> int:
        """Samples between the first and the last that did not come, without those of a silence with a reboot in it."""
        gaps = [(last, first) for last, first in pairwise(self.indices) if first > last + 1]
        reboots = self.sampler.reboots
        return sum(first - last - 1 for last, first in gaps if not any(last < each <= first for each in reboots))

    @property
    def recoveries(self) -> list[float]:
        """Seconds from each return to the first sample that came after it."""
        arrivals = np.array(self.arrivals)
        return [float(arrivals[arrivals > back].min() - back) * 1e-9 for back in self.returns]


async def wear(
    duration: float,
    away: Mapping[Ear, Sequence[tuple[float, float]]],
    reboots: Mapping[Ear, Sequence[float]],
    seed: int = 0,
) -> list[Wearing]:
    """Wear a pair of XIAO buds for so many seconds, with clocks 50 ppm fast and slow and 2 % of the packets lost.

    ``away``: when an ear goes, and for how long; ``reboots``: when one starts anew, which takes it two seconds. The
    clocks wrap after three seconds.
    """
    air, generator = Air(), random.Random(seed)
    source = BluetoothSource(loop_ns, Choice(), radio=await air.radio())
    wearings: dict[Ear, Wearing] = {}
    loop = asyncio.get_running_loop()
    for ear, drift in zip(EARS, (50e-6, -50e-6), strict=True):
        bud = Earphone(devices.DEVICES["xiao"], f"imuface {ear}", {devices.BATTERY_LEVEL: bytes([73])})
        await bud.switch_on(air)
        sampler = Sampler(bud, ear, drift=drift, loss=0.02, boot_us=TIME_PERIOD_US - 3_000_000, generator=generator)
        wearings[ear] = Wearing(ear, source.health[ear], sampler)

    class Receiver:
        def imu(self, sample: ImuSample) -> None:
            wearings[sample.ear].samples.append(sample)
            wearings[sample.ear].arrivals.append(loop_ns())

        def reference(self, stamp_ns: int, weights: NDArray[np.float32]) -> None:
            raise NotImplementedError

    async def leave(wearing: Wearing, begin: float, length: float, reboot: bool) -> None:
        await asyncio.sleep(begin)
        await wearing.sampler.earphone.go()
        if reboot:
            wearing.sampler.reboot()
        await asyncio.sleep(length)
        wearing.returns.append(loop_ns())
        await wearing.sampler.earphone.appear()

    stop = threading.Event()
    events = [leave(wearings[ear], *each, False) for ear in away for each in away[ear]]
    events += [leave(wearings[ear], each, 2.0, True) for ear in reboots for each in reboots[ear]]
    receiving = loop.create_task(source.receive(Receiver(), stop))
    await asyncio.gather(*(wearing.sampler.run(duration) for wearing in wearings.values()), *events)
    stop.set()
    await receiving
    return list(wearings.values())
