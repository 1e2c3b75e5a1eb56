"""A XIAO bud behind a stand-in for bluetoothd (bluezoo) on the system bus, run as a process of its own.

It registers its characteristics and its advertisement at the stand-in's second adapter, as a program on Linux does that
makes a computer an earphone, and sends when somebody has subscribed. The system bus must be a private one.
"""

import argparse
import asyncio
import itertools
from typing import Annotated

from dbus_fast import PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusBytes, DBusObjectPath, DBusSignature, DBusStr
from dbus_fast.constants import BusType
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property
from device_packets import xiao  # type: ignore[import-not-found]
from imuface_driver.devices import BATTERY_LEVEL
from imuface_driver.devices.xiao import SAMPLES, SERVICE

ROOT = "/earphone"
RATE = 26.0  # packets a second
Options = Annotated[dict[str, Variant], DBusSignature("a{sv}")]
Strings = Annotated[list[str], DBusSignature("as")]


class Service(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("org.bluez.GattService1")

    @dbus_property(access=PropertyAccess.READ)
    def UUID(self) -> DBusStr:  # noqa: N802
        return SERVICE

    @dbus_property(access=PropertyAccess.READ)
    def Primary(self) -> DBusBool:  # noqa: N802
        return True


class Characteristic(ServiceInterface):
    """One that can be read and subscribed to."""

    def __init__(self, uuid: str, value: bytes) -> None:
        super().__init__("org.bluez.GattCharacteristic1")
        self._uuid = uuid
        self._value = value
        self.notifying = False

    def notify(self, value: bytes) -> None:
        self._value = value
        self.emit_properties_changed({"Value": value})

    @dbus_property(access=PropertyAccess.READ)
    def UUID(self) -> DBusStr:  # noqa: N802
        return self._uuid

    @dbus_property(access=PropertyAccess.READ)
    def Service(self) -> DBusObjectPath:  # noqa: N802
        return f"{ROOT}/service0"

    @dbus_property(access=PropertyAccess.READ)
    def Flags(self) -> Strings:  # noqa: N802
        return ["read", "notify"]

    @dbus_property(access=PropertyAccess.READ)
    def Value(self) -> DBusBytes:  # noqa: N802
        return self._value

    @dbus_property(access=PropertyAccess.READ)
    def Notifying(self) -> DBusBool:  # noqa: N802
        return self.notifying

    @dbus_method()
    def ReadValue(self, options: Options) -> DBusBytes:  # noqa: N802
        return self._value

    @dbus_method()
    def StartNotify(self) -> None:  # noqa: N802
        self.notifying = True

    @dbus_method()
    def StopNotify(self) -> None:  # noqa: N802
        self.notifying = False

    @dbus_method()
    def Confirm(self) -> None:  # noqa: N802
        pass


class Advertisement(ServiceInterface):
    def __init__(self, name: str) -> None:
        super().__init__("org.bluez.LEAdvertisement1")
        self._name = name

    @dbus_property(access=PropertyAccess.READ)
    def Type(self) -> DBusStr:  # noqa: N802
        return "peripheral"

    @dbus_property(access=PropertyAccess.READ)
    def LocalName(self) -> DBusStr:  # noqa: N802
        return self._name

    @dbus_property(access=PropertyAccess.READ)
    def ServiceUUIDs(self) -> Strings:  # noqa: N802
        return [SERVICE]

    @dbus_property(access=PropertyAccess.READ)
    def Discoverable(self) -> DBusBool:  # noqa: N802
        return True

    @dbus_method()
    def Release(self) -> None:  # noqa: N802
        pass


async def run(name: str, adapter_path: str, ear: int) -> None:
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    samples, battery = Characteristic(SAMPLES, b""), Characteristic(BATTERY_LEVEL, bytes([64]))
    bus.export(f"{ROOT}/service0", Service())
    bus.export(f"{ROOT}/service0/char0", samples)
    bus.export(f"{ROOT}/service0/char1", battery)
    bus.export(f"{ROOT}/advertisement", Advertisement(name))
    adapter = bus.get_proxy_object("org.bluez", adapter_path, await bus.introspect("org.bluez", adapter_path))
    await adapter.get_interface("org.bluez.GattManager1").call_register_application(ROOT, {})  # type: ignore[attr-defined]
    advertising = adapter.get_interface("org.bluez.LEAdvertisingManager1")
    await advertising.call_register_advertisement(f"{ROOT}/advertisement", {})  # type: ignore[attr-defined]
    print("advertising", flush=True)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for index in itertools.count():
        await asyncio.sleep(begin + index / RATE - loop.time())
        if samples.notifying:
            samples.notify(xiao(index, ear=ear))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="imuface L")
    parser.add_argument("--adapter", default="hci1")
    parser.add_argument("--ear", type=int, default=0, help="0: left, 1: right")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.name, f"/org/bluez/{arguments.adapter}", arguments.ear))
