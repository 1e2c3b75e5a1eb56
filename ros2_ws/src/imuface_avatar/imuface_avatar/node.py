"""The node that shows the reconstructed face on an avatar: ``face/blendshapes`` in, datagrams out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import imuface_node
import numpy as np
from imuface_core import topics
from imuface_core.arkit import BLENDSHAPES
from imuface_core.stamps import SECOND, to_ns
from imuface_interfaces.msg import Blendshapes
from imuface_node import AutostartNode, Param, Status, StatusLevel, arrived, message_class, qos
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from imuface_avatar.frame import UPRIGHT, AvatarFrame
from imuface_avatar.gains import PRESETS, gains, stronger
from imuface_avatar.one_euro import OneEuro
from imuface_avatar.protocols import PROTOCOLS
from imuface_avatar.target import Target

LOST = 0.5
"""s without a face after which the receiver is told that it is not tracked."""
LOG_PERIOD = 5.0


@dataclass(frozen=True)
class _Head:
    """The latest turn of the head."""

    stamp_ns: int = 0
    rotation: tuple[float, float, float, float] = UPRIGHT


def _options() -> Iterator[Param]:
    """The options of all protocols, as parameters."""
    for name, protocol in PROTOCOLS.items():
        for field in fields(protocol):
            default: Any = field.default
            yield Param(f"{name}.{field.name}", default, **field.metadata)


class AvatarNode(AutostartNode):
    """Sends each face to one receiver, as the chosen protocol has it."""

    BY_EVENTS = True
    PARAMETERS = (
        Param("protocol", "vmc", "how the receiver is told", choices=tuple(PROTOCOLS)),
        Param("host", "127.0.0.1", "machine of the receiver; another one than this gets the face over the network"),
        Param("port", 0, "UDP port of the receiver; 0: the usual one of the protocol", within=(0, 65_535)),
        Param("allow_many", False, "allow a broadcast or multicast address: everybody there gets the face"),
        Param("preset", "measured", "how strongly actions are shown", choices=tuple(PRESETS), live=True),
        Param("gains", "", "gains over those of the preset, such as jawOpen=1.5 mouthSmileLeft=2", live=True),
        Param(
            "smoothing.min_cutoff", 1.5, "1€ filter: cutoff at rest, Hz; 0: no smoothing", within=(0, 100), live=True
        ),
        Param("smoothing.beta", 6.0, "1€ filter: Hz of cutoff for each weight per second", within=(0, 100), live=True),
        Param(
            "head",
            True,
            "turn the head as /tf says, which the face node does with parent_frame; otherwise it is straight",
        ),
        *_options(),
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("avatar_node", **kwargs)
        self._target: Target | None = None
        self._taken: list[Subscription] = []
        self._timer: Timer | None = None

    def setup(self) -> None:
        name = self.get_parameter("protocol").value
        protocol = PROTOCOLS[name]
        options = {field.name: self.get_parameter(f"{name}.{field.name}").value for field in fields(protocol)}
        self._protocol = protocol(**options)
        self._gains = gains(self.get_parameter("preset").value, self.get_parameter("gains").value)
        self._smooth = OneEuro(
            self.get_parameter("smoothing.min_cutoff").value, self.get_parameter("smoothing.beta").value
        )
        self._target = Target(
            self.get_parameter("host").value,
            self.get_parameter("port").value or protocol.PORT,
            self.get_parameter("allow_many").value,
        )

    def start(self) -> None:
        assert self._target is not None
        self._frames = self._dropped = 0
        self._reported = (0, 0)
        self._said = ""
        self._latest: AvatarFrame | None = None
        self._transforms: Subscription | None = None
        self._head = _Head()
        self._arrived = 0.0
        self._taken = [
            self.create_subscription(
                Blendshapes, topics.FACE_BLENDSHAPES, self._on_face, qos(topics.FACE_BLENDSHAPES, 1)
            )
        ]
        if self.get_parameter("head").value:
            self._follow_the_head()
        self._timer = self.create_timer(LOST, self._look_for_the_face, clock=Clock(clock_type=ClockType.STEADY_TIME))
        where = "" if self._target.local else ", over the network"
        self.get_logger().info(f"sending {self._protocol.TITLE} to {self._target.name}{where}")
        self._say_gains()

    def _follow_the_head(self) -> None:
        try:
            kind = message_class(topics.TF.type)
        except ImportError as error:
            self.get_logger().warning(f"the head looks straight ahead: {error}; make setup installs it")
            return
        self._transforms = self.create_unattended_subscription(kind, topics.TF, qos(topics.TF))
        self._taken.append(self._transforms)

    def stop(self) -> None:
        for subscription in self._taken:
            self.destroy_subscription(subscription)
        self._taken = []
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None

    def teardown(self) -> None:
        if self._target is not None:
            self._target.close()
            self._target = None

    def examine(self, values: dict[str, Any]) -> None:
        self._new_gains(values)

    def changed(self, values: dict[str, Any]) -> None:
        self._smooth.min_cutoff = values.get("smoothing.min_cutoff", self._smooth.min_cutoff)
        self._smooth.beta = values.get("smoothing.beta", self._smooth.beta)
        if values.keys() & {"preset", "gains"}:
            self._gains = self._new_gains(values)
            self._say_gains()

    def _new_gains(self, values: dict[str, Any]) -> np.ndarray:
        preset, own = (values.get(name, self.get_parameter(name).value) for name in ("preset", "gains"))
        return gains(preset, own)

    def _say_gains(self) -> None:
        if told := stronger(self._gains):
            self.get_logger().info(f"the face is {told}")

    # What arrives -------------------------------------------------------------------------------------------------

    def _follow(self, transforms: Subscription, frame: str) -> None:
        """Take down how the frame of the face is turned, of all the transforms that have arrived."""
        for transform in (each for message in arrived(transforms) for each in message.transforms):
            if transform.child_frame_id == frame:
                turn = transform.transform.rotation
                rotation = (turn.x, turn.y, turn.z, turn.w)
                if np.isfinite(rotation).all() and any(rotation):
                    self._head = _Head(to_ns(transform.header.stamp), rotation)

    def _on_face(self, message: Blendshapes) -> None:
        weights = np.asarray(message.weights, dtype=np.float64)
        if not np.isfinite(weights).all():
            self._dropped += 1
            names = [name for name, weight in zip(BLENDSHAPES, weights, strict=True) if not np.isfinite(weight)]
            self.get_logger().warning(
                f"dropped {self._dropped} faces whose weights are not finite: {', '.join(names[:3])}",
                throttle_duration_sec=LOG_PERIOD,
            )
            return
        stamp_ns = to_ns(message.header.stamp)
        if self._transforms is not None:
            self._follow(self._transforms, message.header.frame_id)
        shown = np.clip(self._smooth(weights, stamp_ns / SECOND) * self._gains, 0.0, 1.0)
        self._send(AvatarFrame(stamp_ns, shown, self._head.rotation if self._turns(stamp_ns) else UPRIGHT))
        self._frames += 1
        self._arrived = time.monotonic()

    def _turns(self, stamp_ns: int) -> bool:
        """Whether it is known how the head is turned."""
        return abs(stamp_ns - self._head.stamp_ns) < LOST * SECOND

    def _look_for_the_face(self) -> None:
        """Tell the receiver that the face is lost, over and over: what it last heard would stand otherwise."""
        if self._latest is not None and time.monotonic() - self._arrived > LOST:
            self._send(replace(self._latest, tracking=False))

    def _send(self, frame: AvatarFrame) -> None:
        assert self._target is not None
        self._latest = frame
        self._target.send(self._protocol.encode(frame))

    # Diagnostics --------------------------------------------------------------------------------------------------

    def status(self) -> list[tuple[str, Status]]:
        target = self._target
        assert target is not None
        refused, failed = (
            now - then for now, then in zip((target.refused, target.failed), self._reported, strict=True)
        )
        self._reported = (target.refused, target.failed)
        values = {
            "to": target.name,
            "protocol": self._protocol.TITLE,
            "frames": str(self._frames),
            "datagrams": str(target.sent),
            "refused": str(target.refused),
            "failed": str(target.failed),
            "dropped_not_finite": str(self._dropped),
            "head": "turns" if self._latest and self._turns(self._latest.stamp_ns) else "straight: /tf does not tell",
            "strength": stronger(self._gains) or "as measured",
        }
        if failed:
            level, message = StatusLevel.WARN, f"not sent to {target.name}: {target.fault}"
        elif refused:
            level = StatusLevel.WARN
            message = (
                f"nobody listens at {target.name}: start the avatar's program and let it receive {values['protocol']}"
            )
        elif self._latest is not None and self._latest.tracking:
            level, message = StatusLevel.OK, f"the face goes to {target.name}"
        else:
            level, message = StatusLevel.OK, "waiting for a face: imuface up face starts one"
        if message != self._said:
            self._said = message
            # Two lines: rclpy ends the process when one line logs at another level than before.
            if level is StatusLevel.OK:
                self.get_logger().info(message)
            else:
                self.get_logger().warning(message)
        return [("", Status(level, message, values))]


def main(args: list[str] | None = None) -> None:
    imuface_node.main(AvatarNode, args)
