"""One person between our topics and those below ``/humans``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from face_recon_node.affect import ACTION_UNITS
from imuface_core import topics
from imuface_core.topics import Topic
from imuface_interfaces.msg import AffectState, Blendshapes, FacialLandmarks, Utterance
from imuface_node import AutostartNode, message_class, offered, qos
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription
from rclpy.time import Time

from imuface_hri.faces import FIELD, facs, pictured
from imuface_hri.people import Human, Visits
from imuface_hri.speech import Speech
from imuface_hri.tables import LANDMARKS, PUPILS, UNITS

LOST = 1.0
"""s by the node's clock from the stamp of the newest landmarks after which a face counts as gone."""
LOG_PERIOD = 5.0
_PIXELS = 1000  # a side of the picture that nobody took


def humans_topic(name: str, kind: str, *, kept: bool = False) -> Topic:
    """A topic below ``/humans``; a plain ``kind`` is of hri_msgs."""
    kind = kind if "/" in kind else f"hri_msgs/msg/{kind}"
    return Topic(
        f"/humans/{name}", kind, 10 if "speech" in name else 1, "REP-155", "hri_node", reliable=True, kept=kept
    )


class Bridge:
    """What comes in of one person, and what goes out.

    Args:
        absence: s without a face after which somebody without a name is another one (:class:`Visits`).
        moved: told the frame of the face whenever landmarks come.

    Raises:
        ImportError: hri_msgs is not installed.
        ValueError: hri_msgs is not the one of ROS 2.
    """

    def __init__(self, node: AutostartNode, human: Human, absence: float, moved: Callable[[str, str], None]) -> None:
        self.human = human
        self._node, self._moved, self._visits = node, moved, Visits(human, absence)
        self._stamp: Time | None = None
        self.frames = self.dropped = self.utterances = 0
        self._taken: list[Subscription] = []
        self._publishers: list[Publisher] = []
        face = f"faces/{human.id}"
        self._landmarks, self._picture = self._publisher(humans_topic(f"{face}/landmarks", "FacialLandmarks"))
        self._facs, self._units = self._publisher(humans_topic(f"{face}/facs", "FacialActionUnits"))
        self._expression, self._shown = self._publisher(humans_topic(f"{face}/expression", "Expression"))
        self._said, _ = self._publisher(topics.UTTERANCE, self._own(topics.UTTERANCE))
        if not hasattr(self._units, "intensity") or not len(self._picture.landmarks):
            raise ValueError("hri_msgs is not the one of ROS 2: build its branch humble-devel (docs/ros4hri.md)")
        self._picture.height = self._picture.width = _PIXELS
        self._points = [self._picture.landmarks[getattr(self._picture, name)] for name in (*LANDMARKS, *PUPILS)]
        self._numbers = [getattr(self._units, UNITS[number]) for number in ACTION_UNITS]
        for name, value in (("face_id", human.id), ("voice_id", human.voice), ("anonymous", human.anonymous)):
            kind = "std_msgs/msg/Bool" if isinstance(value, bool) else "std_msgs/msg/String"
            publisher, message = self._publisher(humans_topic(f"persons/{human.id}/{name}", kind, kept=True))
            message.data = value
            publisher.publish(message)

    @property
    def age(self) -> float | None:
        """s since the stamp of the newest landmarks, by the node's clock; None: none came."""
        return None if self._stamp is None else (self._node.get_clock().now() - self._stamp).nanoseconds / 1e9

    @property
    def there(self) -> bool:
        """Whether there is a face now. One from the future is none: a clock was set back, or is another one."""
        return self.age is not None and abs(self.age) < LOST

    @property
    def session(self) -> str:
        """The session of what the person says now; empty: nobody's."""
        return self._visits.session(self._seconds()) if self._node.get_parameter("remember").value else ""

    @property
    def values(self) -> dict[str, str]:
        """For diagnostics."""
        return {
            "session": self.session,
            "frames": str(self.frames),
            "utterances": str(self.utterances),
            "dropped": str(self.dropped),
            "field_m": f"{FIELD:g}",
        }

    def start(self) -> None:
        self._speech = Speech()
        self._take(FacialLandmarks, topics.FACE_LANDMARKS, self._on_landmarks)
        self._take(Blendshapes, topics.FACE_BLENDSHAPES, self._on_blendshapes)
        self._take(AffectState, topics.AFFECT, self._on_affect)
        speech = humans_topic(f"voices/{self.human.voice}/speech", "LiveSpeech")
        self._take(message_class(speech.type), speech, self._on_speech)

    def stop(self) -> None:
        for subscription in self._taken:
            self._node.destroy_subscription(subscription)
        self._taken = []
        self._stamp = None

    def close(self) -> None:
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
        self._publishers = []

    def _seconds(self) -> float:
        return float(self._node.get_clock().now().nanoseconds * 1e-9)

    def _own(self, topic: Topic) -> str:
        return topic if topic.startswith("/") else f"/{self.human.namespace}/{topic}".replace("//", "/")

    def _publisher(self, topic: Topic, name: str = "") -> tuple[Publisher, Any]:
        kind = message_class(topic.type)
        self._publishers.append(self._node.create_publisher(kind, name or topic, offered(topic)))
        return self._publishers[-1], kind()

    def _take(self, kind: Any, topic: Topic, callback: Callable[[Any], None]) -> None:
        checked = partial(self._checked, callback)
        self._taken.append(self._node.create_subscription(kind, self._own(topic), checked, qos(topic)))

    def _checked(self, callback: Callable[[Any], None], message: Any) -> None:
        try:
            callback(message)
        except ValueError as error:
            self.dropped += 1
            self._node.get_logger().warning(
                f"dropped {self.dropped} messages of {self.human.id}: {error}", throttle_duration_sec=LOG_PERIOD
            )

    def _on_landmarks(self, message: FacialLandmarks) -> None:
        points = np.array([(point.x, point.y, point.z) for point in message.points])
        found = pictured(_finite(points, "landmarks"), _finite(message.standard_deviation, "deviations"))
        for point, (x, y, confidence) in zip(self._points, found.tolist(), strict=True):
            point.x, point.y, point.c = x, y, confidence
        self._publish(self._landmarks, self._picture, message)
        self._moved(message.header.frame_id, self.human.frame)
        self._stamp = Time.from_msg(message.header.stamp, self._node.get_clock().clock_type)
        if self.there:
            self._visits.see(self._seconds())
        self.frames += 1

    def _on_blendshapes(self, message: Blendshapes) -> None:
        intensity, confidence = facs(
            _finite(message.weights, "weights"), _finite(message.standard_deviation, "deviations")
        )
        self._units.intensity[self._numbers], self._units.confidence[self._numbers] = intensity, confidence
        self._publish(self._facs, self._units, message)

    def _on_affect(self, message: AffectState) -> None:
        _finite((message.valence, message.arousal, message.confidence), "affect")
        out = self._shown
        if getattr(out, message.expression.upper(), None) != message.expression:
            raise ValueError(f"expression '{message.expression[:40]}' is none of REP-155")
        out.expression = message.expression
        out.valence, out.arousal, out.confidence = message.valence, message.arousal, message.confidence
        self._publish(self._expression, out, message)

    def _publish(self, publisher: Publisher, out: Any, of: Any) -> None:
        out.header.stamp, out.header.frame_id = of.header.stamp, self.human.frame
        publisher.publish(out)

    def _on_speech(self, message: Any) -> None:
        heard = self._speech.hear(message.incremental, message.final, message.language)
        if heard is None:
            return
        state = Utterance.FINAL if heard.final else Utterance.PARTIAL
        said = Utterance(text=heard.text, locale=heard.locale, session_id=self.session, state=state, id=heard.id)
        said.header.stamp = message.header.stamp
        self._said.publish(said)
        self.utterances += heard.final


def _finite(values: Any, what: str) -> Any:
    if not np.isfinite(values).all():
        raise ValueError(f"{what} are not finite")
    return values
