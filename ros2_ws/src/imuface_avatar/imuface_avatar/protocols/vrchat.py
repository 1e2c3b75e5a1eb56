"""VRChat over OSC: avatar parameters named by Unified Expressions (version 2), as VRCFaceTracking sends them.

Source: the documentation of VRCFaceTracking and of VRChat (docs/avatars.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from imuface_core.stamps import SECOND
from numpy.typing import NDArray

from imuface_avatar.blend import CONSTANT, SAD_LEFT, SAD_RIGHT, Blend, Sum
from imuface_avatar.frame import AvatarFrame
from imuface_avatar.osc import Element, bundles
from imuface_avatar.protocols.protocol import option

MAX_BITS = 6
REFRESH = 1.0  # s, after which everything is sent again: an avatar that was loaded meanwhile knows nothing
_STEP = 1.0 / 254.0  # half of what VRChat tells others of a float: multiples of 1/127
_SIDES = ("Left", "Right")
_LIMIT = 4096  # bytes of a bundle


def _mean(*names: str) -> dict[str, float]:
    return {name: 1.0 / len(names) for name in names}


def _sides(unified: str, arkit: str = "") -> dict[str, Sum]:
    """A parameter of each side, and one of both."""
    each = {side: f"{(arkit or unified[0].lower() + unified[1:])}{side}" for side in _SIDES}
    return {**{f"{unified}{side}": {name: 1.0} for side, name in each.items()}, unified: _mean(*each.values())}


def _same(arkit: str, *unified: str) -> dict[str, Sum]:
    """Several parameters for one action of ARKit, which does not tell left from right or upper from lower here."""
    return {name: {arkit: 1.0} for name in unified}


def _smile(sad: bool) -> dict[str, Sum]:
    name, corners = (
        ("SmileSad", (SAD_LEFT, SAD_RIGHT)) if sad else ("SmileFrown", ("mouthFrownLeft", "mouthFrownRight"))
    )
    sums: dict[str, Sum] = {
        f"{name}{side}": {f"mouthSmile{side}": 1.0, down: -1.0} for side, down in zip(_SIDES, corners, strict=True)
    }
    return {**sums, name: {**_mean("mouthSmileLeft", "mouthSmileRight"), **dict.fromkeys(corners, -0.5)}}


_FACE: dict[str, Sum] = {
    **_same("jawOpen", "JawOpen"),
    **_same("mouthClose", "MouthClosed"),
    **_same("jawForward", "JawForward", "JawZ"),
    **_same("jawLeft", "JawLeft"),
    **_same("jawRight", "JawRight"),
    "JawX": {"jawRight": 1.0, "jawLeft": -1.0},
    **_same("mouthLeft", "MouthUpperLeft", "MouthLowerLeft"),
    **_same("mouthRight", "MouthUpperRight", "MouthLowerRight"),
    **{f"Mouth{lip}X": {"mouthRight": 1.0, "mouthLeft": -1.0} for lip in ("", "Upper", "Lower")},
    **_same("mouthFunnel", "LipFunnel", "LipFunnelUpper", "LipFunnelLower"),
    **_same("mouthFunnel", *(f"LipFunnel{lip}{side}" for lip in ("Upper", "Lower") for side in _SIDES)),
    **_same("mouthPucker", "LipPucker", "LipPuckerUpper", "LipPuckerLower"),
    **_same("mouthPucker", *(f"LipPucker{lip}{side}" for lip in ("Upper", "Lower") for side in _SIDES)),
    **_same("mouthRollUpper", "LipSuckUpper", *(f"LipSuckUpper{side}" for side in _SIDES)),
    **_same("mouthRollLower", "LipSuckLower", *(f"LipSuckLower{side}" for side in _SIDES)),
    "LipSuck": _mean("mouthRollUpper", "mouthRollLower"),
    **_same("mouthShrugUpper", "MouthRaiserUpper"),
    **_same("mouthShrugLower", "MouthRaiserLower"),
    **_sides("MouthSmile"),
    **{f"Mouth{part}{side}": {f"mouthSmile{side}": 1.0} for part in ("CornerPull", "CornerSlant") for side in _SIDES},
    **_sides("MouthFrown"),
    "MouthSadLeft": {SAD_LEFT: 1.0},
    "MouthSadRight": {SAD_RIGHT: 1.0},
    **_smile(sad=False),
    **_smile(sad=True),
    **_sides("MouthStretch"),
    **_sides("MouthDimple"),
    **_sides("MouthPress"),
    **_sides("MouthUpperUp"),
    **{f"MouthUpperDeepen{side}": {f"mouthUpperUp{side}": 1.0} for side in _SIDES},
    **_sides("MouthLowerDown"),
    "MouthOpen": _mean(*(f"mouth{part}{side}" for part in ("UpperUp", "LowerDown") for side in _SIDES)),
    **_same("cheekPuff", "CheekPuffSuck", *(f"CheekPuff{suck}{side}" for suck in ("", "Suck") for side in _SIDES)),
    **_sides("CheekSquint"),
    **_sides("NoseSneer"),
    **_sides("BrowDown"),
    **{f"Brow{part}{side}": {f"browDown{side}": 1.0} for part in ("Lowerer", "Pinch") for side in _SIDES},
    **_same("browInnerUp", "BrowInnerUp", *(f"BrowInnerUp{side}" for side in _SIDES)),
    **_sides("BrowOuterUp"),
    **{f"BrowUp{side}": {f"browOuterUp{side}": 0.6, "browInnerUp": 0.4} for side in _SIDES},
    "BrowUp": {"browInnerUp": 0.4, "browOuterUpLeft": 0.3, "browOuterUpRight": 0.3},
    **{
        f"BrowExpression{side}": {"browInnerUp": 0.5, f"browOuterUp{side}": 0.5, f"browDown{side}": -1.0}
        for side in _SIDES
    },
    "BrowExpression": {
        "browInnerUp": 0.5,
        **{f"browOuterUp{side}": 0.25 for side in _SIDES},
        **{f"browDown{side}": -0.5 for side in _SIDES},
    },
    **_same("tongueOut", "TongueOut"),
}
_EYES: dict[str, Sum] = {
    "EyeLeftX": {"eyeLookInLeft": 1.0, "eyeLookOutLeft": -1.0},
    "EyeRightX": {"eyeLookOutRight": 1.0, "eyeLookInRight": -1.0},
    "EyeX": {"eyeLookInLeft": 0.5, "eyeLookOutLeft": -0.5, "eyeLookOutRight": 0.5, "eyeLookInRight": -0.5},
    **{f"Eye{side}Y": {f"eyeLookUp{side}": 1.0, f"eyeLookDown{side}": -1.0} for side in _SIDES},
    "EyeY": {**{f"eyeLookUp{side}": 0.5 for side in _SIDES}, **{f"eyeLookDown{side}": -0.5 for side in _SIDES}},
    **{f"EyeLid{side}": {CONSTANT: 0.75, f"eyeBlink{side}": -0.75, f"eyeWide{side}": 0.25} for side in _SIDES},
    "EyeLid": {
        CONSTANT: 0.75,
        **{f"eyeBlink{side}": -0.375 for side in _SIDES},
        **{f"eyeWide{side}": 0.125 for side in _SIDES},
    },
    **_sides("EyeSquint"),
}
_HEAD = ("Head/Yaw", "Head/Pitch", "Head/Roll")


@dataclass
class VrChat:
    """Bundles of the parameters that have changed, at most ``rate`` times a second, and of all once a second.

    The avatar decides which of them exist; VRChat drops the rest.
    """

    TITLE: ClassVar[str] = "VRChat OSC"
    PORT: ClassVar[int] = 9000

    prefix: str = option("", "what the avatar has before v2/JawOpen, such as FT/")
    bits: int = option(0, "binary parameters of so many bits instead of floats; 0: floats", within=(0, MAX_BITS))
    rate: float = option(30.0, "most frames a second", within=(1.0, 120.0))
    eyes: bool = option(False, "send gaze and lids, too, which ears hardly tell")
    head: bool = option(True, "send v2/Head/Yaw, Pitch and Roll, -1..1 for -90..90 degrees")

    def __post_init__(self) -> None:
        if any(character.isspace() or character in "#*,?[]{}" for character in self.prefix):
            raise ValueError(f"vrchat.prefix is '{self.prefix}', which no OSC address may hold")
        self._blend = Blend({**_FACE, **(_EYES if self.eyes else {})})
        names = [*self._blend.names, *(_HEAD if self.head else ())]
        addresses = [f"/avatar/parameters/{self.prefix}v2/{name}" for name in names]
        self._floats = [Element(address, numbers="f") for address in addresses]
        self._bits = [_Bits(address, self.bits) for address in addresses] if self.bits else []
        self._flags = {
            f"{what}TrackingActive": _Flag(f"/avatar/parameters/{self.prefix}{what}TrackingActive")
            for what in ("Expression", "Lip", "Eye")
        }
        self._sent = np.full(len(names), np.inf)
        self._tracked: bool | None = None
        self._due_ns = self._refresh_ns = self._latest_ns = 0

    def encode(self, frame: AvatarFrame) -> list[bytes]:
        now, period = frame.stamp_ns, round(SECOND / self.rate)
        if now < self._latest_ns:  # a replay began anew
            self._due_ns = self._refresh_ns = 0
        self._latest_ns = now
        if now < self._due_ns and frame.tracking == self._tracked:
            return []
        self._due_ns = max(self._due_ns, now - period) + period  # a late frame does not delay those after it
        everything = now >= self._refresh_ns
        if everything:
            self._refresh_ns = now + round(REFRESH * SECOND)
        return bundles(self._elements(frame, everything), _LIMIT)

    def _elements(self, frame: AvatarFrame, everything: bool) -> Iterator[bytes]:
        if everything or frame.tracking != self._tracked:
            self._tracked = frame.tracking
            for name, flag in self._flags.items():
                yield flag[frame.tracking and (self.eyes or name != "EyeTrackingActive")]
        values = self._values(frame)
        changed = np.abs(values - self._sent) >= _STEP
        if everything:
            changed[:] = True
        self._sent = np.where(changed, values, self._sent)
        for index in np.flatnonzero(changed).tolist():
            if self.bits:
                yield from self._bits[index](float(values[index]), everything)
            else:
                yield self._floats[index](float(values[index]))

    def _values(self, frame: AvatarFrame) -> NDArray[np.float64]:
        values = self._blend(frame.weights)
        if not self.head:
            return values
        left, down, right = frame.angles()
        return np.append(values, np.clip(np.array([-left, down, -right]) / (math.pi / 2.0), -1.0, 1.0))


class _Flag:
    """A bool parameter: its two elements."""

    def __init__(self, address: str) -> None:
        self._elements = Element(address, False)(), Element(address, True)()

    def __getitem__(self, value: bool) -> bytes:
        return self._elements[value]


class _Bits:
    """A value as bools: the bits of its size, by their worth, and its sign; only those that have changed."""

    def __init__(self, address: str, bits: int) -> None:
        self._most = (1 << bits) - 1
        self._flags = [_Flag(f"{address}{1 << bit}") for bit in range(bits)] + [_Flag(f"{address}Negative")]
        self._sent: list[bool] = []

    def __call__(self, value: float, everything: bool) -> Iterator[bytes]:
        size = int(abs(value) * self._most)
        now = [bool(size >> bit & 1) for bit in range(len(self._flags) - 1)] + [value < 0.0]
        before, self._sent = self._sent, now
        for index, flag in enumerate(self._flags):
            if everything or now[index] != before[index]:
                yield flag[now[index]]


PROTOCOL = VrChat
