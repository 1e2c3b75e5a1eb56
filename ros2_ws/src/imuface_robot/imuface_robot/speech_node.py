"""The node that says the answers aloud: ``dialogue/sentence`` in, a voice and ``robot/voice`` out."""

from __future__ import annotations

from typing import Any

import imuface_node
from empathy_agent.telling import Sentence
from imuface_core import topics
from imuface_interfaces.msg import Utterance
from imuface_interfaces.msg import Voice as VoiceMessage
from imuface_node import AutostartNode, Param, Status, StatusLevel, offered

from imuface_robot.incoming import Incoming
from imuface_robot.speaker import Heard, Speaker
from imuface_robot.tts_voice import TtsVoice
from imuface_robot.voices import Program, Voice


class SpeechNode(AutostartNode):
    """Says sentences in order, and stops when the person speaks or the reply is cancelled."""

    PARAMETERS = (
        Param(
            "voice",
            "program",
            "what speaks: a program of this machine, or the action of tts_msgs/TTS",
            choices=("program", "tts_msgs"),
        ),
        Param(
            "program", "espeak-ng", "program that says what it reads from its standard input, with espeak-ng's options"
        ),
        Param("rate", 160, "words a minute of the program", within=(80, 450)),
        Param("wav_folder", "", "folder for a WAV file of each sentence instead of sound; empty: sound"),
        Param("tts_action", "tts_engine/tts", "name of the action with voice:=tts_msgs"),
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("speech_node", **kwargs)
        self._heard = self.create_publisher(VoiceMessage, topics.VOICE, offered(topics.VOICE))
        self._incoming = Incoming(self, self._on_utterance, self._on_sentence)
        self._said = self._stopped = self._failed = 0
        self._fault = ""
        self._speaker: Speaker | None = None

    def setup(self) -> None:
        value = {row.name: self.get_parameter(row.name).value for row in self.PARAMETERS}
        self._voice: Voice
        if value["voice"] == "tts_msgs":
            self._voice = TtsVoice(self, value["tts_action"])
        else:
            self._voice = Program(value["program"], value["rate"], value["wav_folder"])

    def start(self) -> None:
        self._speaker = Speaker(self._voice, self._tell, self._fail)
        self._incoming.open()

    def stop(self) -> None:
        self._incoming.close()
        if self._speaker is not None:
            self._speaker.close()
            self._speaker = None

    def status(self) -> list[tuple[str, Status]]:
        assert self._speaker is not None
        values = {
            "said": str(self._said),
            "stopped": str(self._stopped),
            "failed": str(self._failed),
            "waiting": str(self._speaker.waiting),
            "dropped": str(self._incoming.dropped),
        }
        fault, self._fault = self._fault, ""
        return [("", Status(StatusLevel.WARN, fault, values) if fault else Status(StatusLevel.OK, "ready", values))]

    def _on_utterance(self, message: Utterance) -> None:
        # One without words, so far, says that somebody begins to speak.
        if self._speaker is not None and (message.text.strip() or message.state == Utterance.PARTIAL):
            self._speaker.interrupt(message.id)

    def _on_sentence(self, sentence: Sentence) -> None:
        if self._speaker is not None:
            self._speaker.take(sentence)

    def _tell(self, sentence: Sentence, heard: Heard) -> None:
        self._said += heard is Heard.ENDS
        self._stopped += heard is Heard.STOPS
        message = VoiceMessage(reply_id=sentence.reply_id, index=sentence.index, state=int(heard))
        message.header.stamp = self.get_clock().now().to_msg()
        self._heard.publish(message)

    def _fail(self, fault: str) -> None:
        self._failed += 1
        self._fault = fault
        self.get_logger().warning(f"a sentence was not heard: {fault}", throttle_duration_sec=30.0)


def main(args: list[str] | None = None) -> None:
    imuface_node.main(SpeechNode, args)
