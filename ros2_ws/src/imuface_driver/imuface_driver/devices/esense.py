"""eSense: the left bud holds the IMU and the Bluetooth LE radio (``docs/device-protocol.md``, "eSense")."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from imuface_core.earphone import STANDARD_GRAVITY, Reading, Timing, Vector

from imuface_driver.devices.device import Device

SERVICE = "0000ff06-0000-1000-8000-00805f9b34fb"
SAMPLING = "0000ff07-0000-1000-8000-00805f9b34fb"
DATA = "0000ff08-0000-1000-8000-00805f9b34fb"
RANGES = "0000ff0e-0000-1000-8000-00805f9b34fb"
RATE = 100  # Hz, the most that the firmware manages

_PACKET = struct.Struct(">4B6h")  # head, index, checksum, size, angular velocity, acceleration
_HEAD = 0x55
_SIZE = 12
_RANGES_HEAD = 0x59
_INDICES = 256  # packets are numbered modulo that
_PERIOD_US = 1_000_000 // RATE
# The device has no clock: its samples are counted. How exact its rate is, is not documented.
_TIMING = Timing(time_period_us=_INDICES * _PERIOD_US, sequence_period=_INDICES, drift=0.05)
# LSB per g and per °/s of the ranges ±2, 4, 8, 16 g and ±250, 500, 1000, 2000 °/s.
LSB_PER_G = (16384.0, 8192.0, 4096.0, 2048.0)
LSB_PER_DEGREE = (131.0, 65.5, 32.8, 16.4)


def command(head: int, *data: int) -> bytes:
    """A command with its checksum, which covers the size and the data."""
    return bytes([head, sum(data, len(data)) & 0xFF, len(data), *data])


# ±500 °/s and ±4 g, both behind the low-pass filter of 41 Hz; out of the box it is the one of 5 Hz.
START_RANGES = command(_RANGES_HEAD, 0x03, 0x08, 0x08, 0x03)
START_SAMPLING = command(0x53, 1, RATE)


@dataclass
class ESenseDecoder:
    """One sample a packet, with a checksum of one byte that lets one damaged packet in 256 pass."""

    checksum_errors: int = 0
    malformed: int = 0  # wrong size or head
    acceleration_per_lsb: float = STANDARD_GRAVITY / LSB_PER_G[1]  # m/s²
    angular_velocity_per_lsb: float = math.radians(1.0) / LSB_PER_DEGREE[1]  # rad/s

    def configure(self, characteristic: str, data: bytes) -> None:
        """Take the ranges that the device says it has."""
        if characteristic != RANGES:
            return
        if len(data) != 7 or data[0] != _RANGES_HEAD or data[1] != sum(data[2:]) & 0xFF:
            raise ValueError(f"eSense answers {data.hex(' ') or 'nothing'} when asked for its ranges")
        self.angular_velocity_per_lsb = math.radians(1.0) / LSB_PER_DEGREE[data[4] >> 3 & 3]
        self.acceleration_per_lsb = STANDARD_GRAVITY / LSB_PER_G[data[5] >> 3 & 3]

    def scale(self, gyroscope: Vector, accelerometer: Vector) -> tuple[Vector, Vector]:
        """Acceleration (m/s²) and angular velocity (rad/s) of what the chip reads, in LSB."""
        a, w = self.acceleration_per_lsb, self.angular_velocity_per_lsb
        (x, y, z), (p, q, r) = accelerometer, gyroscope
        return (x * a, y * a, z * a), (p * w, q * w, r * w)

    def feed(self, characteristic: str, data: bytes) -> list[Reading]:
        if len(data) != _PACKET.size or data[0] != _HEAD or data[3] != _SIZE:
            self.malformed += 1
            return []
        _, index, checksum, _, p, q, r, x, y, z = _PACKET.unpack(data)
        if checksum != sum(data[3:]) & 0xFF:
            self.checksum_errors += 1
            return []
        return [Reading("left", *self.scale((p, q, r), (x, y, z)), index * _PERIOD_US, index, _TIMING)]

    def counters(self) -> dict[str, int]:
        return {"checksum_errors": self.checksum_errors, "malformed_packets": self.malformed}


DEVICE = Device(
    name="esense",
    title="eSense (left bud)",
    service=SERVICE,
    names=("eSense-*",),
    notify=(DATA,),
    decoder=ESenseDecoder,
    min_mtu=23,
    start=((RANGES, START_RANGES), (RANGES, None), (SAMPLING, START_SAMPLING)),
    battery=None,  # it tells volts only, by a characteristic of its own
    ears=("left",),
)
