"""The Bluetooth stack that is used, and what is around."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from bleak import BleakScanner
from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner
from imuface_core.earphone import EARS

from imuface_driver.bluetooth.choice import Choice
from imuface_driver.bluetooth.errors import FAILURES, explain


class Radio(NamedTuple):
    """The stack to use, as bleak's backends; None: that of the system. Tests put a simulated radio here."""

    scanner: type[BaseBleakScanner] | None = None
    client: type[BaseBleakClient] | None = None
    adapter: type[BaseBleakAdapter] | None = None


class Seen(NamedTuple):
    """A device around."""

    name: str
    address: str
    rssi: int  # dBm
    kind: str  # of earphone, or kinds that it may be; empty: none that is known
    ear: str  # left, right, or who tells


async def look(seconds: float, adapter: str = "", radio: Radio | None = None) -> list[Seen]:
    """What is around, earphones first, then the nearest. Raises ``OSError``, for people, without Bluetooth."""
    try:
        async with BleakScanner(
            bluez={"adapter": adapter} if adapter else {}, backend=(radio or Radio()).scanner
        ) as scanner:
            await asyncio.sleep(seconds)
            heard = list(scanner.discovered_devices_and_advertisement_data.values())
    except FAILURES as error:
        raise OSError(explain(error)) from error
    seen = []
    for device, advertisement in heard:
        name = advertisement.local_name or device.name or ""
        kind = ear = ""
        try:
            if identity := Choice().of(device.address, name, advertisement.service_uuids):
                kinds, ears = identity
                kind = " or ".join(each.name for each in kinds)
                ear = ears[0] if len(ears) < len(EARS) else "its packets tell"
        except ValueError:
            kind, ear = "earphone", "you tell"
        seen.append(Seen(name, device.address, advertisement.rssi, kind, ear))
    return sorted(seen, key=lambda each: (not each.kind, -each.rssi))
