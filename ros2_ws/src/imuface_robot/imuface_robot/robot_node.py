"""The node of the reference robot: what it sees, hears, says and does goes to a page in the browser."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import imuface_node
import numpy as np
from empathy_agent.safety import Risk
from empathy_agent.telling import Sentence, State
from imuface_core import topics
from imuface_interfaces.msg import AffectState, Blendshapes, Cue, EmpathyReply, Utterance, Voice
from imuface_node import AutostartNode, Param, Status, StatusLevel, offered, qos
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from imuface_robot.avatar import vrm
from imuface_robot.avatar.viewer import VIEWER
from imuface_robot.cues import seconds_to_say
from imuface_robot.incoming import Incoming
from imuface_robot.mirror import Face, mirrored
from imuface_robot.page_server import Avatar, PageServer

_LAYERS = ("emotions_and_context", "causes_and_beliefs", "intention", "strategy")


class RobotNode(AutostartNode):
    """Shows a head that mirrors the person, moves by the cues, speaks in subtitles; what is typed is an utterance."""

    PARAMETERS = (
        Param("port", 8770, "port of the page, on this machine alone; 0: any that is free", within=(0, 65_535)),
        Param("mirror", True, "let the head show what the person's face shows, within limits", live=True),
        Param("whole_face", False, "mirror without those limits, as an avatar shows its wearer", live=True),
        Param("vrm", "", "VRM file of an avatar in the place of the drawn head; imuface vrm get fetches what draws it"),
        Param("session", "robot", "session_id of what is typed; empty: nothing is remembered", live=True),
        Param("locale", "", "BCP 47 tag of what is typed; empty: detected"),
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("robot_node", **kwargs)
        self._utterances = self.create_publisher(Utterance, topics.UTTERANCE, offered(topics.UTTERANCE))
        self._incoming = Incoming(self, self._on_utterance, self._on_sentence)
        self._page: PageServer | None = None
        self._taken: list[Subscription] = []
        self._timer: Timer | None = None

    def setup(self) -> None:
        model = self.get_parameter("vrm").value
        avatar = Avatar(vrm.read(Path(model).expanduser()).file, VIEWER.find()) if model else None
        self._page = PageServer(self.get_parameter("port").value, self._on_say, avatar)

    def start(self) -> None:
        assert self._page is not None
        self._face, self._calm, self._faces, self._dropped = Face(), False, 0, 0
        listeners: dict[topics.Topic, tuple[Any, Any]] = {
            topics.FACE_BLENDSHAPES: (Blendshapes, self._on_blendshapes),
            topics.AFFECT: (AffectState, self._on_affect),
            topics.REPLY: (EmpathyReply, self._on_reply),
            topics.CUE: (Cue, self._on_cue),
            topics.VOICE: (Voice, self._on_voice),
        }
        self._taken = [
            self.create_subscription(kind, topic, callback, qos(topic)) for topic, (kind, callback) in listeners.items()
        ]
        self._incoming.open()
        self._timer = self.create_timer(1.0, self._tell_who_is_there)
        self.get_logger().info(f"robot: {self._page.address}")

    def stop(self) -> None:
        self._incoming.close()
        for subscription in self._taken:
            self.destroy_subscription(subscription)
        self._taken = []
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None

    def teardown(self) -> None:
        if self._page is not None:
            self._page.close()
            self._page = None

    def status(self) -> list[tuple[str, Status]]:
        assert self._page is not None
        values = {
            "page": self._page.address,
            "browsers": str(self._page.browsers),
            "faces": str(self._faces),
            "dropped": str(self._dropped + self._incoming.dropped),
            "refused": str(self._page.refused),
        }
        return [("", Status(StatusLevel.OK, f"robot: {self._page.address}", values))]

    # From the page ------------------------------------------------------------------------------------------------

    def _on_say(self, text: str) -> None:
        message = Utterance(
            text=text,
            session_id=self.get_parameter("session").value,
            locale=self.get_parameter("locale").value,
            id=uuid.uuid4().hex,
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._utterances.publish(message)

    # To the page --------------------------------------------------------------------------------------------------

    def _send(self, kind: str, **content: Any) -> None:
        if self._page is not None:
            self._page.send(kind, **content)

    def _on_blendshapes(self, message: Blendshapes) -> None:
        weights = np.asarray(message.weights, dtype=np.float64)
        if not np.isfinite(weights).all():
            self._dropped += 1
            self.get_logger().warning(
                f"dropped {self._dropped} faces whose weights are not finite", throttle_duration_sec=5.0
            )
            return
        if not self.get_parameter("mirror").value:
            return
        self._faces += 1
        shown = mirrored(weights, self._face, self._calm, self.get_parameter("whole_face").value)
        self._send("face", weights=np.round(shown, 3).tolist())

    def _on_affect(self, message: AffectState) -> None:
        self._face = Face(message.expression, message.confidence, message.valence)

    def _on_utterance(self, message: Utterance) -> None:
        self._send("heard", text=message.text, partial=message.state == Utterance.PARTIAL, id=message.id)

    def _on_sentence(self, sentence: Sentence) -> None:
        if sentence.state is State.SAID:
            self._calm = sentence.risk is Risk.CRISIS
        self._send(
            "sentence",
            reply=sentence.reply_id,
            index=sentence.index,
            state=sentence.state.name,
            text=sentence.text,
            locale=sentence.locale,
            seconds=round(seconds_to_say(sentence.text), 2),
        )

    def _on_reply(self, message: EmpathyReply) -> None:
        layers = [getattr(message, name) for name in _LAYERS]
        self._send("reply", layers=layers, resources=list(message.resources), locale=message.locale)

    def _on_cue(self, message: Cue) -> None:
        amounts = (message.amount, message.delay, message.duration)
        if not np.isfinite(amounts).all():
            self._dropped += 1
            return
        amount, delay, duration = amounts
        self._send(
            "cue",
            reply=message.reply_id,
            index=message.index,
            what=message.kind,
            amount=amount,
            delay=delay,
            duration=duration,
        )

    def _on_voice(self, message: Voice) -> None:
        self._send("voice", reply=message.reply_id, index=message.index, state=message.state)

    def _tell_who_is_there(self) -> None:
        there = {
            name: self.count_publishers(self.resolve_topic_name(topic)) > 0
            for name, topic in (("face", topics.FACE_BLENDSHAPES), ("agent", topics.SENTENCE), ("voice", topics.VOICE))
        }
        self._send("there", **there)


def main(args: list[str] | None = None) -> None:
    imuface_node.main(RobotNode, args)
