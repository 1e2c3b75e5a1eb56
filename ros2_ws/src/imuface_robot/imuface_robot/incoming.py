"""Sentences as they arrive at a robot's nodes."""

from __future__ import annotations

from empathy_agent.messages import sentence_of
from empathy_agent.telling import Sentence
from imuface_interfaces.msg import Sentence as SentenceMessage
from rclpy.node import Node


class Incoming:
    """Reads the sentences of a node's topic; what is none is dropped, counted and logged."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.dropped = 0

    def read(self, message: SentenceMessage) -> Sentence | None:
        """The sentence in a message, None where it has a state or a risk that there is not."""
        try:
            return sentence_of(message)
        except ValueError as error:
            self.dropped += 1
            self._node.get_logger().warning(
                f"dropped {self.dropped} sentences: {error}; is the agent of another version?",
                throttle_duration_sec=5.0,
            )
            return None
