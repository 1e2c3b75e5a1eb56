"""Our own earphones: ``firmware/`` on a XIAO nRF52840 Sense (``docs/device-protocol.md``, "Bluetooth LE")."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from fastcrc import crc16
from imuface_core.earphone import EARS, SEQUENCE_PERIOD, TIME_PERIOD_US, DeviceSample

from imuface_driver.devices.device import ATT_HEADER, Device
from imuface_driver.protocol import BATTERY_UNKNOWN, VERSION

SERVICE = "80ad8b2a-a910-46cb-8866-903220f44211"
SAMPLES = "80ad8b2b-a910-46cb-8866-903220f44211"
BATCH = 4  # samples in a packet of the firmware

# Little-endian: version and ear, battery, sequence number and device microseconds of the first sample.
_HEADER = struct.Struct("<BBHI")
# Microseconds since the sample before (0 for the first), acceleration, angular velocity.
_SAMPLE = struct.Struct("<H6h")
_CRC = struct.Struct("<H")


def packet_size(samples: int) -> int:
    """Bytes of a packet with so many samples."""
    return _HEADER.size + samples * _SAMPLE.size + _CRC.size


@dataclass
class XiaoDecoder:
    """Packets of one or more samples, protected by the CRC of the serial frames."""

    crc_errors: int = 0
    malformed: int = 0  # wrong size, unknown version, impossible field

    def configure(self, characteristic: str, data: bytes) -> None:
        """Nothing is read from this device."""

    def feed(self, characteristic: str, data: bytes) -> list[DeviceSample]:
        count, rest = divmod(len(data) - packet_size(0), _SAMPLE.size)
        if count < 1 or rest:
            self.malformed += 1
            return []
        if crc16.ibm_3740(data[: -_CRC.size]) != _CRC.unpack_from(data, len(data) - _CRC.size)[0]:
            self.crc_errors += 1
            return []
        header, battery, sequence, time_us = _HEADER.unpack_from(data)
        version, ear = header >> 4, header & 0x0F
        if version != VERSION or ear >= len(EARS) or (battery > 100 and battery != BATTERY_UNKNOWN):
            self.malformed += 1
            return []
        charge = None if battery == BATTERY_UNKNOWN else battery
        samples: list[DeviceSample] = []
        for index, (elapsed_us, *raw) in enumerate(_SAMPLE.iter_unpack(data[_HEADER.size : -_CRC.size])):
            time_us = (time_us + elapsed_us) % TIME_PERIOD_US
            sample = DeviceSample(EARS[ear], (sequence + index) % SEQUENCE_PERIOD, time_us, tuple(raw), charge)
            samples.append(sample)
        return samples

    def counters(self) -> dict[str, int]:
        return {"crc_errors": self.crc_errors, "malformed_packets": self.malformed}


DEVICE = Device(
    name="xiao",
    title="XIAO nRF52840 Sense with the firmware of this repository",
    service=SERVICE,
    names=("imuface*",),
    notify=(SAMPLES,),
    decoder=XiaoDecoder,
    min_mtu=packet_size(BATCH) + ATT_HEADER,
    ear_by="packet",
)
