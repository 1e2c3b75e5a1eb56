"""Packets as each device sends them, for tests and benchmarks: made from the documented layouts, not by a decoder."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

from fastcrc import crc16
from imuface_driver.devices import DEVICES

NINE_FLOAT_SCHEME_GROUPS = (("ACCELEROMETER", "m/s^2"), ("GYROSCOPE", "dps"), ("MAGNETOMETER", "uT"))


def xiao(index: int, samples: int = 4, ear: int = 0, battery: int = 80) -> bytes:
    """Packet ``index`` of a device at 104 Hz."""
    first = index * samples
    body = struct.pack("<BBHI", 0x10 | ear, battery, first % 2**16, first * 9615 % 2**32)
    for i in range(samples):
        body += struct.pack("<H6h", 9615 if i else 0, first % 1000, -i, 8192, 1, -2, 3)
    return body + struct.pack("<H", crc16.ibm_3740(body))


def openearable1(index: int) -> bytes:
    """Sample ``index`` at 50 Hz: 1 g on z, 90 °/s about x."""
    return struct.pack("<BBI9f", 0, 36, index * 20 % 2**32, 0.0, index % 8, 9.81, 90.0, 0.0, -1.0, 20.0, 0.0, -40.0)


def openearable2(index: int) -> bytes:
    """Sample ``index`` at 100 Hz: 1 g on z, 90 °/s about x."""
    return struct.pack("<BBQ9f", 0, 36, index * 10_000, 0.0, index % 8, 9.81, 90.0, 0.0, -1.0, 20.0, 0.0, -40.0)


def esense(index: int) -> bytes:
    """Sample ``index`` at 100 Hz: 1 g on z at ±4 g, 10 °/s about x at ±500 °/s."""
    data = bytes([12]) + struct.pack(">6h", 655, 0, -66, index % 1000, -200, 8192)
    return bytes([0x55, index % 256, sum(data) % 256]) + data


PACKETS: dict[str, Callable[[int], bytes]] = {
    "xiao": xiao,
    "openearable1": openearable1,
    "openearable2": openearable2,
    "esense": esense,
}


def scheme(groups: tuple[tuple[str, str], ...] = NINE_FLOAT_SCHEME_GROUPS, kind: int = 6, sensor: int = 0) -> bytes:
    """The scheme that OpenEarable 2 sends of its IMU, with the rates that follow the components."""

    def word(text: str) -> bytes:
        return bytes([len(text.encode())]) + text.encode()

    components = b"".join(
        bytes([kind]) + word(group) + word(axis) + word(unit) for group, unit in groups for axis in "XYZ"
    )
    rates = struct.pack("<BBBB3f", 0x13, 3, 1, 2, 25.0, 50.0, 100.0)
    return bytes([sensor]) + word("9-Axis IMU") + bytes([3 * len(groups)]) + components + rates


def recording(records: bytes, side: int = 0, version: int = 3) -> bytes:
    """An OpenEarable file with these records, which are packets of :func:`openearable2`."""
    if version != 3:
        return struct.pack("<HQ", version, 5) + records
    schemes = [scheme(), scheme((("TEMPERATURE_SENSOR", "°C"),), sensor=1)]
    info = bytes([2, 0, 1]) + b"".join(struct.pack("<H", len(each)) + each for each in schemes)
    return struct.pack("<HQIIQB", 3, 5, 27 + len(info), len(info), 42, side) + info + records


def valid(name: str, packet: bytes) -> bool:
    """Whether the documentation lets a decoder take a packet, written without the decoder."""
    if name == "xiao":
        count, rest = divmod(len(packet) - 10, 14)
        if count < 1 or rest or crc16.ibm_3740(packet[:-2]) != int.from_bytes(packet[-2:], "little"):
            return False
        return packet[0] in (0x10, 0x11) and (packet[1] <= 100 or packet[1] == 255)
    if name == "esense":
        return len(packet) == 16 and packet[0] == 0x55 and packet[3] == 12 and packet[2] == sum(packet[3:]) % 256
    head = 6 if name == "openearable1" else 10
    if len(packet) < head or packet[0] != 0 or len(packet) != head + packet[1] or packet[1] % 36 not in (0, 2):
        return False
    samples = [struct.unpack_from("<6f", packet, head + 36 * i) for i in range(packet[1] // 36)]
    return any(all(map(math.isfinite, values)) and max(map(abs, values[:3])) < 170 for values in samples)


def mutated(packet: bytes, generator: random.Random) -> bytes:
    """The packet with bits flipped, bytes replaced, inserted or removed, or with a tail."""
    data = bytearray(packet)
    for _ in range(generator.choice((1, 1, 1, 2, 3, 8))):
        kind = generator.randrange(6)
        at = generator.randrange(len(data) + 1)
        if kind <= 1 and data:
            data[at % len(data)] ^= 1 << generator.randrange(8)
        elif kind == 2 and data:
            data[at % len(data)] = generator.randrange(256)
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            data[at:at] = generator.randbytes(generator.randrange(1, 5))
        else:
            data += data[:at]
    return bytes(data)


def noisy(packet: bytes, generator: random.Random) -> bytes:
    """The packet of the same length, but random from some byte after its head on."""
    begin = generator.randrange(2, len(packet) - 4)
    return packet[:begin] + generator.randbytes(len(packet) - begin)


@dataclass
class Damage:
    """What became of damaged packets."""

    packets: int = 0
    taken: int = 0  # with readings
    invalid: int = 0  # of these, those that the documentation forbids to take
    wrong: int = 0  # of these, those whose readings are not those of the packet that was damaged


def damage(name: str, count: int, seed: int, how: Callable[[bytes, random.Random], bytes]) -> Damage:
    """Feed ``count`` damaged packets of a device to its decoder; whatever it raises escapes."""
    generator = random.Random(seed)
    device, result = DEVICES[name], Damage()
    decoder, reference = device.decoder(), device.decoder()
    for _ in range(count):
        packet = PACKETS[name](generator.randrange(10_000))
        broken = how(packet, generator)
        readings = decoder.feed(device.notify[0], broken)
        result.packets += 1
        if readings:
            result.taken += 1
            result.invalid += not valid(name, broken)
            result.wrong += list(readings) != list(reference.feed(device.notify[0], packet))
    return result
