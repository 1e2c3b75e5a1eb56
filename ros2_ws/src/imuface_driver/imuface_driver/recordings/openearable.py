"""OpenEarable's own recordings (``.oe``): a header, then packets as it would send them.

Layout and its source: ``docs/device-protocol.md``, "Recordings".
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from imuface_core.earphone import EARS
from imuface_core.recording import ImuTrack

from imuface_driver.devices.openearable import DATA, IMU, ImuLayout
from imuface_driver.devices.openearable2 import HEADER, OpenEarable2Decoder
from imuface_driver.recordings.track import Import, increasing

_FIXED = struct.Struct("<HQ")  # version, microseconds when it was begun
_REST = struct.Struct("<IIQB")  # of version 3: size of the header, of the schemes, device, side
_SENSORS = frozenset({IMU, 1, 2, 4, 5, 6, 7})  # of versions 1 and 2, which do not tell


def read_openearable(path: str | Path) -> Import:
    """The IMU of a recording; stamps are the device's microseconds.

    What is damaged is left out and told. Raises ``OSError`` when the file cannot be read, ``ValueError`` when it is
    none of OpenEarable's or holds no IMU sample.
    """
    data = Path(path).read_bytes()
    decoder = OpenEarable2Decoder()
    at, sensors = _header(path, data, decoder)
    readings, skipped = [], 0
    while at + HEADER.size <= len(data):
        end = _end(data, at, sensors, decoder.layout)
        if end > len(data):
            break
        if not end or (end + HEADER.size <= len(data) and not _end(data, end, sensors, decoder.layout)):
            at, skipped = at + 1, skipped + 1  # no record begins here, or none follows it
            continue
        readings += decoder.feed(DATA, data[at:end])
        at = end
    notes = [] if at == len(data) else [f"the file breaks off in a record of {len(data) - at} bytes"]
    if skipped:
        notes.append(f"{skipped} bytes are no record and were skipped")
    if decoder.impossible:
        notes.append(f"{decoder.impossible} samples that no IMU could have measured were left out")
    if not readings:
        raise ValueError(f"{path} holds no sample of the IMU: was it switched on in the recording?")
    stamps = np.array([min(reading.time_us, 1 << 53) * 1000 for reading in readings], dtype=np.int64)
    kept = increasing(stamps)
    if not kept.all():
        notes.append(f"{np.count_nonzero(~kept)} samples whose time does not follow the one before were left out")
    track = ImuTrack(
        stamps[kept],
        np.array([reading.acceleration for reading in readings])[kept],
        np.array([reading.angular_velocity for reading in readings])[kept],
    )
    return Import(decoder.ear, track, tuple(notes))


def _header(path: str | Path, data: bytes, decoder: OpenEarable2Decoder) -> tuple[int, frozenset[int]]:
    """Where the records begin and which sensors they are of; the decoder learns layout and ear."""
    version = _FIXED.unpack_from(data)[0] if len(data) >= _FIXED.size else 0
    if version in (1, 2):
        return _FIXED.size, _SENSORS
    if version != 3:
        raise ValueError(f"{path} is no recording of OpenEarable 2")
    begin = _FIXED.size + _REST.size
    size, schemes, _, side = _REST.unpack_from(data, _FIXED.size) if len(data) >= begin else (0, 0, 0, 0)
    count = data[begin] if len(data) > begin else 0
    if not begin + 1 + count <= begin + schemes == size <= len(data):
        raise ValueError(f"the header of {path} is damaged")
    decoder.ear = EARS[side] if side < len(EARS) else None
    sensors = data[begin + 1 : begin + 1 + count]
    at = begin + 1 + count
    for sensor in sensors:
        length = int.from_bytes(data[at : at + 2], "little")
        if at + 2 + length > size:
            raise ValueError(f"the header of {path} is damaged: a scheme is cut")
        if sensor == IMU:
            decoder.layout = ImuLayout.parse(data[at + 2 : at + 2 + length])
        at += 2 + length
    return size, frozenset(sensors)


def _end(data: bytes, at: int, sensors: frozenset[int], layout: ImuLayout) -> int:
    """Where a record that begins at ``at`` would end; 0: none can begin there."""
    sensor, size = data[at], data[at + 1]
    possible = sensor in sensors and size > 0 and (sensor != IMU or size % layout.sample.size in (0, 2))
    return at + HEADER.size + size if possible else 0
