"""The node that tells robots what to do beside the words: ``robot/cue``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import imuface_node
from empathy_agent.telling import Sentence, State
from imuface_core import topics
from imuface_interfaces.msg import AffectState, Utterance
from imuface_interfaces.msg import Cue as CueMessage
from imuface_node import AutostartNode, Param, Status, StatusLevel, offered, qos
from rclpy.subscription import Subscription

from imuface_robot.cues import Cue, Listener, beside
from imuface_robot.incoming import Incoming
from imuface_robot.mirror import Face

_FACE_IS_OLD = 2.0  # s


class CueNode(AutostartNode):
    """Gives cues for what the person says and for each sentence of the answer."""

    PARAMETERS = (Param("mirror", True, "take over something of the person's face, within limits", live=True),)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("cue_node", **kwargs)
        self._cues = self.create_publisher(CueMessage, topics.CUE, offered(topics.CUE))
        self._incoming = Incoming(self, self._on_utterance, self._on_sentence)
        self._affect: Subscription | None = None

    def start(self) -> None:
        self._listener, self._face, self._seen, self._count = Listener(), Face(), 0.0, 0
        self._incoming.open()
        self._affect = self.create_subscription(AffectState, topics.AFFECT, self._on_affect, qos(topics.AFFECT))

    def stop(self) -> None:
        self._incoming.close()
        if self._affect is not None:
            self.destroy_subscription(self._affect)
            self._affect = None

    def status(self) -> list[tuple[str, Status]]:
        return [
            ("", Status(StatusLevel.OK, "ready", {"cues": str(self._count), "dropped": str(self._incoming.dropped)}))
        ]

    def _on_utterance(self, message: Utterance) -> None:
        if message.state == Utterance.PARTIAL:
            self._tell(self._listener.partial(message.id, self._now()))
        elif message.text.strip():
            self._tell(self._listener.final())

    def _on_sentence(self, sentence: Sentence) -> None:
        seen = self.get_parameter("mirror").value and self._now() - self._seen < _FACE_IS_OLD
        face = self._face if seen else Face()
        named = sentence.state is State.SAID
        self._tell(beside(sentence, face), sentence.reply_id if named else "", sentence.index if named else 0)

    def _on_affect(self, message: AffectState) -> None:
        self._face = Face(message.expression, message.confidence, message.valence)
        self._seen = self._now()

    def _tell(self, cues: Iterable[Cue], reply_id: str = "", index: int = 0) -> None:
        for cue in cues:
            message = CueMessage(reply_id=reply_id, index=index, **{**vars(cue), "kind": int(cue.kind)})
            message.header.stamp = self.get_clock().now().to_msg()
            self._cues.publish(message)
            self._count += 1

    def _now(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9


def main(args: list[str] | None = None) -> None:
    imuface_node.main(CueNode, args)
