"""Live Link Face: the UDP packets, version 6, that Epic's app sends to Unreal Engine.

Source: Epic's own code up to version 5 and the open decoders of version 6 (docs/avatars.md). All numbers big-endian:
version (1 byte), device id, subject name (each a length of 4 bytes and UTF-8), frame number (int32), sub-frame (float),
frame rate as numerator and denominator (int32 each), count (1 byte), and as many floats.
"""

from __future__ import annotations

import struct
import time
import uuid
from dataclasses import dataclass
from typing import ClassVar

from imuface_core.arkit import BLENDSHAPES
from imuface_core.stamps import SECOND

from imuface_avatar.blend import Blend, Sum
from imuface_avatar.frame import AvatarFrame
from imuface_avatar.protocols.protocol import option

_VERSION = 6
_DAY = 86_400
_LAST_PART = 1.0 - 2.0**-24  # the largest float of 4 bytes below 1: a whole frame is no part of one
# The packets have the left one of these pairs first; a Live Link CSV and our messages the right one.
_SWAPPED = {"jawRight": "jawLeft", "jawLeft": "jawRight", "mouthRight": "mouthLeft", "mouthLeft": "mouthRight"}
_ORDER = tuple(_SWAPPED.get(name, name) for name in BLENDSHAPES)
# Radians of an eye for a full look: a fit to two captures of the app (r > 0.99).
_YAW, _PITCH = 0.5, 0.6
_EYES: dict[str, Sum] = {
    "leftYaw": {"eyeLookInLeft": _YAW, "eyeLookOutLeft": -_YAW},
    "leftPitch": {"eyeLookDownLeft": _PITCH, "eyeLookUpLeft": -_PITCH},
    "leftRoll": {},
    "rightYaw": {"eyeLookOutRight": _YAW, "eyeLookInRight": -_YAW},
    "rightPitch": {"eyeLookDownRight": _PITCH, "eyeLookUpRight": -_PITCH},
    "rightRoll": {},
}
_HEAD = 3
COUNT = len(_ORDER) + _HEAD + len(_EYES)
"""Floats in a packet: 61."""


@dataclass
class LiveLinkFace:
    """One packet a frame. Nothing is sent while the face is not seen: the receiver keeps the last one."""

    TITLE: ClassVar[str] = "Live Link Face"
    PORT: ClassVar[int] = 11111

    subject: str = option("MyFace", "subject name in the receiver; VRCFaceTracking takes names of six letters only")
    rate: int = option(60, "frames a second that time is counted in", within=(1, 1000))

    def __post_init__(self) -> None:
        name = self.subject.encode()
        if not 0 < len(name) < 256:
            raise ValueError(f"live_link_face.subject is '{self.subject}', must have 1 to 255 bytes")
        # The same device for the same subject, whenever it starts. Decoders expect the length of a UUID.
        device = str(uuid.uuid5(uuid.NAMESPACE_OID, self.subject)).upper().encode()
        self._head = struct.pack(">Bi", _VERSION, len(device)) + device + struct.pack(">i", len(name)) + name
        self._body = struct.Struct(f">ifiiB{COUNT}f")
        self._shapes = Blend({name: {name: 1.0} for name in _ORDER})
        self._eyes = Blend(_EYES)

    def encode(self, frame: AvatarFrame) -> list[bytes]:
        if not frame.tracking:
            return []
        # Time code counts from local midnight.
        seconds, nanoseconds = divmod(frame.stamp_ns, SECOND)
        local = (seconds + time.localtime(seconds).tm_gmtoff) % _DAY
        number, rest = divmod(nanoseconds * self.rate, SECOND)
        left, down, right = frame.angles()
        head = left, -down, right
        values = (*self._shapes(frame.weights).tolist(), *head, *self._eyes(frame.weights).tolist())
        part = min(rest / SECOND, _LAST_PART)
        return [self._head + self._body.pack(local * self.rate + number, part, self.rate, 1, COUNT, *values)]


PROTOCOL = LiveLinkFace
