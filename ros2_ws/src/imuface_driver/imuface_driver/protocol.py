"""The binary frame between an earphone and the driver, for serial ports and UDP alike (``docs/device-protocol.md``).

One frame carries one IMU sample of one ear. The packet is protected by a CRC, stuffed with COBS (Cheshire and Baker,
"Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking 7(2), 1999) and ended by a zero byte, so that a
reader that starts anywhere, or loses bytes, is back in step at the next zero.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cobs import cobs
from fastcrc import crc16
from imuface_core.earphone import EARS, DeviceSample

VERSION = 1
BATTERY_UNKNOWN = 255

# Little-endian: version and ear, sequence number, device microseconds, acceleration, angular velocity, battery.
_PACKET = struct.Struct("<BHI6hB")
_CRC = struct.Struct("<H")
PACKET_SIZE = _PACKET.size + _CRC.size
FRAME_SIZE = PACKET_SIZE + 2  # one byte of COBS overhead, one delimiter


def encode(sample: DeviceSample) -> bytes:
    """Frame of ``sample``, delimiter included. Raises ``ValueError`` when a field does not fit the frame."""
    battery = BATTERY_UNKNOWN if sample.battery is None else sample.battery
    if battery != BATTERY_UNKNOWN and not 0 <= battery <= 100:
        raise ValueError(f"battery is {battery}, not a percentage")
    header = VERSION << 4 | EARS.index(sample.ear)
    try:
        packet = _PACKET.pack(header, sample.sequence, sample.time_us, *sample.raw, battery)
    except struct.error as error:
        raise ValueError(f"{sample} does not fit a frame: {error}") from error
    return cobs.encode(packet + _CRC.pack(crc16.ibm_3740(packet))) + b"\0"


@dataclass
class Decoder:
    """Bytes in, samples out: an incremental decoder that accepts any bytes, in pieces of any size, and never raises.

    The bytes before the first delimiter may be the tail of a frame that began before the port was opened: they are
    decoded when they are whole and counted as malformed when they are not.
    """

    crc_errors: int = 0  # frames of the right size whose CRC is wrong
    malformed: int = 0  # other things between two delimiters: wrong size, not COBS, unknown version, impossible field
    bytes_discarded: int = 0  # bytes in all of those, delimiters included

    def __post_init__(self) -> None:
        self._partial = b""
        self._overrun = False  # the bytes since the last delimiter are too many for a frame and are being skipped

    def feed(self, data: bytes) -> list[DeviceSample]:
        """Samples completed by ``data``, in order of arrival."""
        *frames, rest = (self._partial + data).split(b"\0")
        samples = []
        for frame in frames:
            sample = self._decode(frame)
            if sample is not None:
                samples.append(sample)
        if len(rest) >= FRAME_SIZE:
            self.bytes_discarded += len(rest)
            self._overrun = True
            rest = b""
        self._partial = rest
        return samples

    def reset(self) -> None:
        """Forget a frame begun on a connection that has been lost."""
        self.bytes_discarded += len(self._partial)
        self._partial = b""
        self._overrun = False

    def _decode(self, frame: bytes) -> DeviceSample | None:
        if self._overrun:
            self._overrun = False
            self.malformed += 1
            self.bytes_discarded += len(frame) + 1
            return None
        if not frame:
            return None  # two delimiters in a row: a sender may lead with one to end what noise began
        sample = self._parse(frame)
        if sample is None:
            self.bytes_discarded += len(frame) + 1
        return sample

    def _parse(self, frame: bytes) -> DeviceSample | None:
        try:
            packet = cobs.decode(frame)
        except cobs.DecodeError:
            packet = b""
        if len(packet) != PACKET_SIZE:
            self.malformed += 1
            return None
        if crc16.ibm_3740(packet[: _PACKET.size]) != _CRC.unpack_from(packet, _PACKET.size)[0]:
            self.crc_errors += 1
            return None
        header, sequence, time_us, *raw, battery = _PACKET.unpack_from(packet)
        version, ear = header >> 4, header & 0x0F
        if version != VERSION or ear >= len(EARS) or (battery > 100 and battery != BATTERY_UNKNOWN):
            self.malformed += 1
            return None
        return DeviceSample(EARS[ear], sequence, time_us, tuple(raw), None if battery == BATTERY_UNKNOWN else battery)
