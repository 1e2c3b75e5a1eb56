"""OpenEarable 1.x: an Arduino Nano 33 BLE with a BMX160 (``docs/device-protocol.md``, "OpenEarable")."""

from __future__ import annotations

import struct

from imuface_core.earphone import Timing

from imuface_driver.devices.device import ATT_HEADER, Device
from imuface_driver.devices.openearable import DATA, IMU, NINE_FLOATS, SERVICE, PacketDecoder

CONFIG = "34c2e3bd-34aa-11eb-adc1-0242ac120002"
RATE = 50.0  # Hz, the most that the firmware manages

_HEADER = struct.Struct("<BBI")  # sensor, size, milliseconds
_CONFIG = struct.Struct("<BfI")  # sensor, rate in Hz, latency (of no effect)
_MILLISECOND = 1000
_TIMING = Timing(time_period_us=_MILLISECOND << 32, sequence_period=None)


def decoder() -> PacketDecoder:
    """The scheme that the device could send calls its acceleration "g", but it is in m/s²: it is not read."""
    return PacketDecoder(_HEADER, _MILLISECOND, _TIMING)


DEVICE = Device(
    name="openearable1",
    title="OpenEarable 1.x",
    service=SERVICE,
    names=("OpenEarable-*",),
    notify=(DATA,),
    decoder=decoder,
    min_mtu=_HEADER.size + NINE_FLOATS.sample.size + ATT_HEADER,
    start=((CONFIG, _CONFIG.pack(IMU, RATE, 0)),),
)
