"""VMC (Virtual Motion Capture protocol): VSeeFace, VNyan, Warudo, Unity and Unreal with their receivers.

Source: the protocol's own pages (docs/avatars.md). Unity's axes: x right, y up, z ahead, left-handed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from imuface_core.arkit import BLENDSHAPES
from imuface_core.stamps import SECOND
from imuface_core.vrm import PRESETS

from imuface_avatar.blend import Blend
from imuface_avatar.frame import UPRIGHT, AvatarFrame
from imuface_avatar.osc import Element, bundles
from imuface_avatar.protocols.protocol import option

_CALIBRATED, _NORMAL_MODE = 3, 0
_ORIGIN = (0.0, 0.0, 0.0)


_NAMINGS: dict[str, Callable[[], Blend]] = {
    "perfect_sync": lambda: Blend({name[0].upper() + name[1:]: {name: 1.0} for name in BLENDSHAPES}),
    "arkit": lambda: Blend({name: {name: 1.0} for name in BLENDSHAPES}),
    "vrm0": lambda: Blend({old: weights for (old, _), weights in PRESETS.items()}),
    "vrm1": lambda: Blend({new: weights for (_, new), weights in PRESETS.items()}),
}


@dataclass
class Vmc:
    """One bundle a frame: state, time, root, head, all weights, and that they be applied."""

    TITLE: ClassVar[str] = "VMC"
    PORT: ClassVar[int] = 39539

    naming: str = option(
        "perfect_sync",
        "the receiver's names: perfect_sync BrowInnerUp, arkit browInnerUp, vrm0 A and Joy, vrm1 aa and happy",
        choices=tuple(_NAMINGS),
    )
    head: bool = option(True, "send the turn of the head bone")

    def __post_init__(self) -> None:
        self._blend = _NAMINGS[self.naming]()
        self._values = [Element("/VMC/Ext/Blend/Val", name, numbers="f") for name in self._blend.names]
        self._state = Element("/VMC/Ext/OK", numbers="iiii")
        self._time = Element("/VMC/Ext/T", numbers="f")
        self._root = Element("/VMC/Ext/Root/Pos", "root", numbers="fffffff")(*_ORIGIN, *UPRIGHT)
        self._bone = Element("/VMC/Ext/Bone/Pos", "Head", numbers="fffffff")
        self._apply = Element("/VMC/Ext/Blend/Apply")()
        self._start_ns: int | None = None

    def encode(self, frame: AvatarFrame) -> list[bytes]:
        if self._start_ns is None:
            self._start_ns = frame.stamp_ns
        elements = [
            self._state(1, _CALIBRATED, _NORMAL_MODE, int(frame.tracking)),
            self._time((frame.stamp_ns - self._start_ns) / SECOND),
            self._root,
        ]
        if self.head:
            x, y, z, w = frame.head
            elements.append(self._bone(*_ORIGIN, y, -z, -x, w))
        weights = self._blend(frame.weights).clip(min=0.0).tolist()
        elements += [element(weight) for element, weight in zip(self._values, weights, strict=True)]
        return bundles([*elements, self._apply])


PROTOCOL = Vmc
