"""The dialogue as it arrives at a robot's nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from empathy_agent.messages import sentence_of
from empathy_agent.telling import Sentence, State
from imuface_core import topics
from imuface_interfaces.msg import Sentence as SentenceMessage
from imuface_interfaces.msg import Utterance
from imuface_node import arrived, qos
from rclpy.node import Node
from rclpy.subscription import Subscription


class Incoming:
    """What the person says and what is answered, to two callbacks, while open.

    An acknowledgement is a reply of one sentence. A sentence comes after every utterance that has arrived: the one that
    it answers would break it off otherwise. What is no sentence is dropped, counted and logged.
    """

    def __init__(
        self, node: Node, on_utterance: Callable[[Utterance], Any], on_sentence: Callable[[Sentence], Any]
    ) -> None:
        self._node = node
        self._on_utterance, self._on_sentence = on_utterance, on_sentence
        self._utterances: list[Subscription] = []
        self._answers: list[Subscription] = []
        self.dropped = 0

    def open(self) -> None:
        """Begin to listen."""
        subscribe = self._node.create_subscription
        self._utterances = [
            subscribe(Utterance, topic, self._on_utterance, qos(topic)) for topic in (topics.UTTERANCE, topics.HEARD)
        ]
        self._answers = [
            subscribe(SentenceMessage, topics.SENTENCE, self._take, qos(topics.SENTENCE)),
            subscribe(Utterance, topics.ACKNOWLEDGEMENT, self._acknowledge, qos(topics.ACKNOWLEDGEMENT)),
        ]

    def close(self) -> None:
        """Listen no more; harmless when it does not."""
        for subscription in (*self._utterances, *self._answers):
            self._node.destroy_subscription(subscription)
        self._utterances, self._answers = [], []

    def _take_utterances(self) -> None:
        for subscription in self._utterances:
            for utterance in arrived(subscription):
                self._on_utterance(utterance)

    def _acknowledge(self, message: Utterance) -> None:
        self._take_utterances()
        said = Sentence(message.id, message.session_id, text=message.text, locale=message.locale)
        self._on_sentence(said)
        self._on_sentence(replace(said, index=1, state=State.END, text=""))

    def _take(self, message: SentenceMessage) -> None:
        self._take_utterances()
        try:
            sentence = sentence_of(message)
        except ValueError as error:
            self.dropped += 1
            self._node.get_logger().warning(
                f"dropped {self.dropped} sentences: {error}; is the agent of another version?",
                throttle_duration_sec=5.0,
            )
            return
        self._on_sentence(sentence)
