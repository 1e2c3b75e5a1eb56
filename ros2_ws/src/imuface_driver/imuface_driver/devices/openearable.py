"""What both generations of OpenEarable have in common: the sensor service, its packets, and the scheme of an IMU.

Facts and their sources: ``docs/device-protocol.md``, "OpenEarable".
"""

from __future__ import annotations

import logging
import math
import struct
from dataclasses import dataclass

from imuface_core.earphone import STANDARD_GRAVITY, Ear, Reading, Timing, Vector

log = logging.getLogger(__name__)

SERVICE = "34c2e3bb-34aa-11eb-adc1-0242ac120002"
DATA = "34c2e3bc-34aa-11eb-adc1-0242ac120002"
IMU = 0  # identifier of the sensor with accelerometer and gyroscope

_TYPES = "bBhHiIfd"  # struct characters of the scheme's component types 0 to 7
_UNITS = {"m/s^2": 1.0, "g": STANDARD_GRAVITY, "rad/s": 1.0, "dps": math.radians(1.0), "°/s": math.radians(1.0)}
# The widest ranges of any IMU that such a device can hold, with a margin for offsets; packets have no checksum.
_MOST_ACCELERATION = 16.5 * STANDARD_GRAVITY  # m/s²
_MOST_ANGULAR_VELOCITY = math.radians(2050.0)  # rad/s


@dataclass(frozen=True)
class ImuLayout:
    """How the sensor lays out one sample: numbers, which of them are meant, and their factors to SI units."""

    sample: struct.Struct
    acceleration: tuple[int, int, int]  # positions of x, y, z among the numbers
    angular_velocity: tuple[int, int, int]
    to_metres: float  # m/s² per unit
    to_radians: float  # rad/s per unit

    @classmethod
    def parse(cls, scheme: bytes) -> ImuLayout:
        """From the scheme that a device sends of its IMU, or writes into a file.

        Raises ``ValueError`` when it is cut, of another sensor, or has no accelerometer and gyroscope in known units.
        """
        at = 2 + scheme[1] if len(scheme) > 1 else 1
        if len(scheme) <= at or scheme[0] != IMU:
            raise ValueError("the device's scheme is not that of an IMU")
        count, at = scheme[at], at + 1
        types, names, units = "", [], []
        for _ in range(count):
            if at >= len(scheme) or scheme[at] >= len(_TYPES):
                raise ValueError("the device's scheme of its IMU is cut or names an unknown type")
            types += _TYPES[scheme[at]]
            at += 1
            words = []
            for _ in range(3):  # group, component, unit
                size = scheme[at] if at < len(scheme) else len(scheme)
                if at + 1 + size > len(scheme):
                    raise ValueError("the device's scheme of its IMU is cut")
                words.append(scheme[at + 1 : at + 1 + size].decode("utf-8", "replace"))
                at += 1 + size
            names.append((words[0].upper(), words[1].upper()))
            units.append(words[2])
        places, factors = [], []
        for group in ("ACC", "GYR"):
            place = [i for axis in "XYZ" for i, (g, c) in enumerate(names) if g.startswith(group) and c == axis]
            unit = {units[i] for i in place}
            if len(place) != 3 or len(unit) != 1 or not unit <= _UNITS.keys():
                raise ValueError(f"the device's scheme of its IMU has no {group} x, y, z in a unit of {list(_UNITS)}")
            places.append((place[0], place[1], place[2]))
            factors.append(_UNITS[unit.pop()])
        return cls(struct.Struct("<" + types), places[0], places[1], factors[0], factors[1])

    def read(self, data: bytes, offset: int) -> tuple[Vector, Vector] | None:
        """Acceleration (m/s²) and angular velocity (rad/s); None: no IMU could have measured that."""
        values = self.sample.unpack_from(data, offset)
        i, j, k = self.acceleration
        x, y, z = values[i] * self.to_metres, values[j] * self.to_metres, values[k] * self.to_metres
        i, j, k = self.angular_velocity
        p, q, r = values[i] * self.to_radians, values[j] * self.to_radians, values[k] * self.to_radians
        # Written so that a value that is not a number fails it.
        if not (abs(x) <= _MOST_ACCELERATION and abs(y) <= _MOST_ACCELERATION and abs(z) <= _MOST_ACCELERATION):
            return None
        limit = _MOST_ANGULAR_VELOCITY
        if not (abs(p) <= limit and abs(q) <= limit and abs(r) <= limit):
            return None
        return (x, y, z), (p, q, r)


# Accelerometer, gyroscope, magnetometer as float32; the firmware of both generations sends m/s² and °/s.
NINE_FLOATS = ImuLayout(struct.Struct("<9f"), (0, 1, 2), (3, 4, 5), 1.0, math.radians(1.0))


@dataclass
class PacketDecoder:
    """Packets of sensor, size, device time and samples: the notifications, and the records of a file."""

    header: struct.Struct  # sensor, size, time
    tick_us: int  # microseconds per unit of the time
    timing: Timing
    layout: ImuLayout = NINE_FLOATS
    ear: Ear | None = None
    cut: int = 0  # fewer bytes than the packet says it has: the ATT MTU is too small
    malformed: int = 0  # no header, more bytes than announced, or a size that is no number of samples
    impossible: int = 0  # samples that no IMU could have measured
    others: int = 0  # packets of other sensors

    def configure(self, characteristic: str, data: bytes) -> None:
        """Nothing is read from this device."""

    def feed(self, characteristic: str, data: bytes) -> list[Reading]:
        head = self.header.size
        if len(data) < head:
            self.malformed += 1
            return []
        sensor, size, time = self.header.unpack_from(data)
        if sensor != IMU:
            self.others += 1
            return []
        if len(data) < head + size:
            if not self.cut:
                log.warning("packets of %d bytes come cut to %d: the ATT MTU is too small", head + size, len(data))
            self.cut += 1
            return []
        count, rest = divmod(size, self.layout.sample.size)
        # Several samples are followed by the time between them, a single one may be: uint16 microseconds.
        if len(data) > head + size or not count or rest not in (0, 2) or (count > 1 and not rest):
            self.malformed += 1
            return []
        step = int.from_bytes(data[-2:], "little") if count > 1 else 0
        readings = []
        for index in range(count):
            sample = self.layout.read(data, head + index * self.layout.sample.size)
            if sample is None:
                self.impossible += 1
                continue
            time_us = (time * self.tick_us + index * step) % self.timing.time_period_us
            readings.append(Reading(self.ear, *sample, time_us, timing=self.timing))
        return readings

    def counters(self) -> dict[str, int]:
        return {
            "cut_packets": self.cut,
            "malformed_packets": self.malformed,
            "impossible_samples": self.impossible,
            "packets_of_other_sensors": self.others,
        }
