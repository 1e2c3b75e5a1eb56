"""The node that hears the person by a recogniser of this machine: a microphone in, ``dialogue/utterance`` out."""

from __future__ import annotations

import threading
from typing import Any

import imuface_node
from imuface_core import topics
from imuface_interfaces.msg import Utterance, Voice
from imuface_node import AutostartNode, Param, Status, StatusLevel, offered, qos
from rclpy.subscription import Subscription

from imuface_robot.hearing.activity import Silero
from imuface_robot.hearing.ears import Ears, Said
from imuface_robot.hearing.model import find
from imuface_robot.hearing.recogniser import Recogniser, Whisper
from imuface_robot.hearing.sources import MICROPHONE, Source, open_source


class ListenNode(AutostartNode):
    """Publishes what the person says while they say it. Sound is neither kept nor sent.

    It is deaf while the robot speaks, unless the person has headphones on: then who begins to speak breaks it off, by a
    partial utterance without words.
    """

    PARAMETERS = (
        Param("audio", MICROPHONE, "what is heard: microphone, a WAV file, or a pipe; 16 kHz, one channel, 16 bits"),
        Param("device", "", "number or part of the name of the microphone; empty: the system's"),
        Param("model", "", "folder of a Whisper model of CTranslate2; empty: the one of imuface hearing get"),
        Param("locale", "", "BCP 47 tag of what is said; empty: English or Chinese, heard from each utterance"),
        Param("session", "robot", "session_id of what is said; empty: nothing is remembered", live=True),
        Param(
            "headphones",
            False,
            "whether the robot's voice goes to headphones: it is listened on, and who speaks breaks it off",
            live=True,
        ),
        Param("pause", 1.0, "seconds of silence that end an utterance", within=(0.2, 10.0)),
        Param("partial_every", 1.5, "seconds between partial utterances; 0: none", within=(0.0, 60.0)),
        Param("threads", 2, "threads of the recogniser", within=(1, 64)),
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("listen_node", **kwargs)
        self._utterances = self.create_publisher(Utterance, topics.UTTERANCE, offered(topics.UTTERANCE))
        self._recogniser: Recogniser | None = None
        self._source: Source | None = None
        self._voice: Subscription | None = None
        self._hearing: threading.Thread | None = None
        self._said = self._failed = 0
        self._fault = self._ended = ""
        self._robot_speaks = False

    def setup(self) -> None:
        self._recogniser = self.make_recogniser()

    def make_recogniser(self) -> Recogniser:
        """The recogniser that the parameters name. Raises ``OSError``, ``ValueError`` or ``ImportError``."""
        value = self._values()
        return Whisper(find(value["model"]), value["locale"], value["threads"])

    def start(self) -> None:
        assert self._recogniser is not None
        value = self._values()
        activity = Silero()
        self._ended = ""
        self._source = open_source(value["audio"], value["device"])
        self._robot_speaks = False
        self._ears = Ears(
            activity,
            self._recogniser,
            self._tell,
            self._fail,
            self._on_begin,
            value["pause"],
            value["partial_every"],
        )
        self._voice = self.create_subscription(Voice, topics.VOICE, self._on_voice, qos(topics.VOICE))
        self._hearing = threading.Thread(target=self._hear, args=(self._source, self._ears), daemon=True)
        self._hearing.start()

    def stop(self) -> None:
        if self._voice is not None:
            self.destroy_subscription(self._voice)
            self._voice = None
        if self._source is not None:
            self._source.close()
            self._source = None
        if self._hearing is not None:
            self._ears.close()
            self._hearing.join(timeout=10.0)
            self._hearing = None

    def teardown(self) -> None:
        self._recogniser = None

    def status(self) -> list[tuple[str, Status]]:
        values = {
            "said": str(self._said),
            "failed": str(self._failed),
            "broken": str(self._ears.broken),
            "deaf": str(self._ears.deaf).lower(),
        }
        fault, self._fault = self._fault or self._ended, ""
        return [("", Status(StatusLevel.WARN, fault, values) if fault else Status(StatusLevel.OK, "listens", values))]

    def _values(self) -> dict[str, Any]:
        return {row.name: self.get_parameter(row.name).value for row in self.PARAMETERS}

    def _hear(self, source: Source, ears: Ears) -> None:
        try:
            for block in source.blocks():
                ears.take(block)
            ears.finish()
            self._ended = "the sound is over"
        except OSError as error:
            self._ended = str(error)
            self.get_logger().error(self._ended)

    def _on_voice(self, message: Voice) -> None:
        self._robot_speaks = message.state == Voice.BEGINS
        headphones = self.get_parameter("headphones").value
        if self._robot_speaks and not headphones:
            self._ears.deafen()
        elif self._ears.deaf or not headphones:
            self._ears.undeafen()

    def _on_begin(self, utterance_id: str) -> None:
        if self._robot_speaks:
            self._publish(Said(utterance_id, "", self.get_parameter("locale").value, final=False))

    def _tell(self, said: Said) -> None:
        self._said += said.final
        self._publish(said)

    def _publish(self, said: Said) -> None:
        message = Utterance(
            text=said.text,
            locale=said.locale,
            session_id=self.get_parameter("session").value,
            state=Utterance.FINAL if said.final else Utterance.PARTIAL,
            id=said.id,
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._utterances.publish(message)

    def _fail(self, fault: str) -> None:
        self._failed += 1
        self._fault = fault
        self.get_logger().warning(f"an utterance was not recognised: {fault}", throttle_duration_sec=30.0)


def main(args: list[str] | None = None) -> None:
    imuface_node.main(ListenNode, args)
