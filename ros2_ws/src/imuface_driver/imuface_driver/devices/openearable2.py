"""OpenEarable 2.x: an nRF5340 with a BMX160 (``docs/device-protocol.md``, "OpenEarable")."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from imuface_core.earphone import EARS, Timing

from imuface_driver.devices.device import ATT_HEADER, Device
from imuface_driver.devices.openearable import DATA, IMU, NINE_FLOATS, SERVICE, ImuLayout, PacketDecoder

CONFIG = "34c2e3be-34aa-11eb-adc1-0242ac120002"
SCHEME_REQUEST = "caa25cba-7e1b-44f2-adc9-e8c06c9ced43"
SCHEME = "caa25cbb-7e1b-44f2-adc9-e8c06c9ced43"
SIDE = "1410df98-5f68-4ebb-a7c7-5e0fb9ae7557"
RATE_INDEX = 2  # 100 Hz, the most that the firmware offers for streaming
STREAM = 1

HEADER = struct.Struct("<BBQ")  # sensor, size, microseconds
TIMING = Timing(time_period_us=1 << 64, sequence_period=None)


@dataclass
class OpenEarable2Decoder(PacketDecoder):
    """Learns the layout of its packets and its ear from the device."""

    header: struct.Struct = HEADER
    tick_us: int = 1
    timing: Timing = TIMING

    def configure(self, characteristic: str, data: bytes) -> None:
        if characteristic == SCHEME:
            self.layout = ImuLayout.parse(data)
        elif characteristic == SIDE and data:
            self.ear = EARS[data[0]] if data[0] < len(EARS) else None


DEVICE = Device(
    name="openearable2",
    title="OpenEarable 2.x",
    service=SERVICE,
    names=("OpenEarable-*",),
    notify=(DATA,),
    decoder=OpenEarable2Decoder,
    min_mtu=HEADER.size + NINE_FLOATS.sample.size + ATT_HEADER,
    start=(
        (SCHEME_REQUEST, bytes([IMU])),
        (SCHEME, None),
        (SIDE, None),
        (CONFIG, bytes([IMU, RATE_INDEX, STREAM])),
    ),
    ear_by="packet",
)
