"""A robot lab's day: somebody sits down, speaks, is answered and leaves; another one comes; the first one comes back.

One seat, with one pair of simulated earphones, one face node, one agent and one robot, as processes over DDS; a chat
server stands in for the language model and keeps what it was asked. The robot's side is played on our own topics, and
by ROS4HRI where hri_msgs is installed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from chat_server import GOOD, ChatServer, events, serve  # type: ignore[import-not-found]
from empathy_agent.topics import FORGET
from imuface_bringup.client import Client
from imuface_bringup.observer import Health, Observer
from imuface_bringup.parameter_commands import RemoteNode
from imuface_core import topics
from imuface_interfaces.msg import EmpathyReply, Sentence, Utterance, Voice
from imuface_interfaces.srv import Forget
from imuface_node import message_class, offered, qos
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_system_default

pytestmark = pytest.mark.graph

SEAT = "imuface"
PATIENCE = 60.0
KEPT = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# Each is said once: no sentence comes twice in a session.
ANSWERS = [
    events(GOOD.replace("It sounds hard. No wonder you are tired.", f"I hear you. {words}"))
    for words in ("She is far.", "Sundays are long.", "You care.", "Welcome.", "Go on.", "Hello.", "Tell me.", "Yes?")
]
TALK = (topics.SENTENCE, topics.REPLY, topics.VOICE, topics.CUE)
PARAMETERS = """
/**/imuface_driver: {ros__parameters: {autostart: false}}
/**/empathy_agent: {ros__parameters: {warm_up: false}}
/**/speech_node: {ros__parameters: {program: PROGRAM}}
/**/hri_node: {ros__parameters: {absence: 2.0}}
"""


class Lab:
    """The robot's side on our own topics. Its recogniser knows who speaks, and says so by the session."""

    def __init__(self, client: Client, observer: Observer, server: ChatServer) -> None:
        self.client, self.observer, self.server = client, observer, server
        self.person = ""
        self.heard: dict[str, list[Any]] = {}
        for topic in TALK:
            self.listen(topic, topic.type, qos(topic))
        self._said = client.node.create_publisher(Utterance, topics.UTTERANCE, offered(topics.UTTERANCE))
        self._utterances = 0

    def listen(self, name: str, kind: str, profile: QoSProfile = qos_profile_system_default) -> None:
        self.heard[name] = []
        self.client.node.create_subscription(message_class(kind), name, self.heard[name].append, profile)

    def until(self, condition: Callable[[], object], what: str) -> None:
        counts = {name: len(messages) for name, messages in self.heard.items()}
        assert self.client.until(condition, PATIENCE), f"{what}: not within {PATIENCE:g} s; heard {counts}"

    def opens(self) -> None:
        """A sound check: on a busy machine it takes a while until all nodes have found each other."""
        self.until(lambda: self._said.get_subscription_count() == 4, "the agent, the cues, the voice and the page")
        for _ in range(10):
            self.clear()
            self.publish("Hello.", final=True)
            if self.client.until(self.answered, PATIENCE / 10):
                break
        else:
            pytest.fail("nobody answers")
        self.server.requests.clear()

    def expects(self, person: str) -> None:
        """Somebody is about to come; empty: who does not say who they are."""
        self.person = person

    def sits_down(self, participant: int) -> None:
        """The one who came puts the earphones on."""
        count = len(self.observer.latencies)
        RemoteNode(self.client, "imuface_driver").set_anew("simulated.participant", participant)
        self.until(lambda: len(self.observer.latencies) > count, "a face")

    def leaves(self) -> None:
        """The earphones fall silent."""
        request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))
        self._call(ChangeState, "imuface_driver/change_state", request)
        self.until(lambda: self.health("face_recon_node").message.startswith("no faces"), "no more faces")

    def speak(self, text: str) -> None:
        """The recogniser hears it word by word."""
        words = text.split()
        self._utterances += 1
        for count in range(1, len(words)):
            self.publish(" ".join(words[:count]), final=False)
        self.publish(text, final=True)

    def publish(self, text: str, *, final: bool) -> None:
        state = Utterance.FINAL if final else Utterance.PARTIAL
        self._said.publish(Utterance(text=text, session_id=self.person, state=state, id=str(self._utterances)))

    def talk(self, text: str) -> EmpathyReply:
        """The answer to what somebody says, once the robot has said all of it."""
        self.clear()
        self.speak(text)
        self.until(self.answered, "the answer, its voice and its cues")
        reply, said = self.heard[topics.REPLY][0], self.heard[topics.SENTENCE]
        assert " ".join(each.text for each in said[:-1]) == reply.answer
        assert {each.session_id for each in said} == {reply.session_id}
        return reply

    def clear(self) -> None:
        for topic in TALK:
            self.heard[topic].clear()

    def answered(self) -> bool:
        """Whether an answer is complete, and was heard up to its last sentence."""
        said, replies, voice, cues = (self.heard[topic] for topic in TALK)
        if not replies or not said or said[-1].state != Sentence.END:
            return False
        last = said[-2].reply_id, said[-2].index
        ended = [(each.reply_id, each.index) for each in voice if each.state == Voice.ENDS]
        return last in ended and last in [(each.reply_id, each.index) for each in cues]

    def forgets(self, session: str) -> None:
        """As ``imuface forget`` asks."""
        assert self._call(Forget, FORGET, Forget.Request(session_id=session)).success

    def health(self, node: str, part: str = "") -> Health:
        """What a part of a node said last of itself."""
        return self.observer.health(node).get(part, Health(True, False, "", {}))

    @property
    def asked(self) -> str:
        """All that the model was given for the last answer."""
        return json.dumps(self.server.requests[-1]["messages"])

    def _call(self, kind: Any, service: str, request: Any) -> Any:
        return self.client.call(kind, service, request, service, partial(self.client.absence, service), PATIENCE)


class HumansLab(Lab):
    """The robot's side by ROS4HRI. Its recogniser tells no voices apart: the bridge is told who sits there."""

    voice = "anonymous_speaker"

    def __init__(self, client: Client, observer: Observer, server: ChatServer) -> None:
        super().__init__(client, observer, server)
        self._kind = message_class("hri_msgs/msg/LiveSpeech")
        self._speech = client.node.create_publisher(
            self._kind, f"/humans/voices/{self.voice}/speech", qos_profile_system_default
        )

    @property
    def id(self) -> str:
        return self.person or SEAT

    def opens(self) -> None:
        self.until(lambda: self._speech.get_subscription_count() == 1, "the bridge")
        super().opens()
        for name in ("faces/tracked", "persons/tracked", "persons/known"):
            self.listen(f"/humans/{name}", "hri_msgs/msg/IdsList")
        self.until(lambda: self.listed("persons/known") == [SEAT] and self.listed("faces/tracked") == [], "empty lists")

    def expects(self, person: str) -> None:
        before = self.id
        RemoteNode(self.client, "hri_node").set("person_id", person)
        self.person = person
        self.until(lambda: self.listed("persons/known") == [self.id], "the new id")
        if before != self.id:
            self.until(lambda: not self.client.node.count_publishers(f"/humans/faces/{before}/landmarks"), "the old id")

    def sits_down(self, participant: int) -> None:
        super().sits_down(participant)
        self.until(lambda: self.listed("faces/tracked") == [self.id] == self.listed("persons/tracked"), self.id)
        for name, told in (("face_id", self.id), ("voice_id", self.voice)):
            topic = f"/humans/persons/{self.id}/{name}"
            self.listen(topic, "std_msgs/msg/String", KEPT)
            self.until(partial(self.heard.__getitem__, topic), topic)
            assert self.heard[topic][-1].data == told
        self.until(lambda: self._speech.get_subscription_count() == 1, "who takes what is said")

    def leaves(self) -> None:
        super().leaves()
        self.until(lambda: self.listed("faces/tracked") == [] == self.listed("persons/tracked"), "empty lists")
        self.until(lambda: self.health("hri_node", self.id).values.get("session") == self.person, "the visit's end")

    def publish(self, text: str, *, final: bool) -> None:
        self._speech.publish(self._kind(**{"final" if final else "incremental": text}))

    def listed(self, name: str) -> list[str] | None:
        lists = self.heard[f"/humans/{name}"]
        return list(lists[-1].ids) if lists else None


@pytest.fixture(params=[Lab, HumansLab])
def lab(
    request: pytest.FixtureRequest, launch: Callable[..., AbstractContextManager[Any]], tmp_path: Path
) -> Iterator[Lab]:
    """A lab that has opened; nobody sits there yet."""
    if request.param is HumansLab:
        message = pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed (docs/ros4hri.md)")
        if len(message.FacialLandmarks().landmarks) != 70:
            pytest.skip("hri_msgs is not the one of ROS 2 (docs/ros4hri.md)")
    program, parameters = tmp_path / "voice", tmp_path / "parameters.yaml"
    program.write_text("#!/bin/sh\ncat > /dev/null\n")
    program.chmod(0o755)
    parameters.write_text(PARAMETERS.replace("PROGRAM", str(program)))
    robot = {"robot": "true", "robot_port": "0", "speech": "true"}
    with ExitStack() as stack:
        server = stack.enter_context(serve(*ANSWERS))
        observer, client = stack.enter_context(Observer(SEAT)), stack.enter_context(Client(SEAT))
        stack.enter_context(launch("full", server_url=server.url, model="m", params_file=str(parameters), **robot))
        if request.param is HumansLab:
            stack.enter_context(launch("hri", voices=HumansLab.voice, params_file=str(parameters)))
        lab = request.param(client, observer, server)
        lab.opens()
        yield lab


def test_ids_sessions_and_memory_follow_who_sits_there(lab: Lab) -> None:
    lab.expects("anna")
    lab.sits_down(1)
    assert lab.talk("My sister Katharina moved to Lisbon.").session_id == "anna"
    assert lab.talk("It is worst on Sundays, when we used to cook.").session_id == "anna"
    assert "Lisbon" in lab.asked
    lab.leaves()

    lab.expects("ben")
    lab.sits_down(2)
    assert lab.talk("I have an exam tomorrow and cannot sleep.").session_id == "ben"
    assert "exam" in lab.asked
    assert "Lisbon" not in lab.asked
    assert "Sundays" not in lab.asked
    lab.leaves()

    lab.expects("anna")
    lab.sits_down(1)
    assert lab.talk("Here I am again.").session_id == "anna"
    assert "Lisbon" in lab.asked
    assert "exam" not in lab.asked

    # She asks to be forgotten while she is answered: the answer ends, too, and nothing of it is remembered.
    count, lab.server.pause = len(lab.server.requests), 0.5
    lab.speak("And Lisbon is so far away.")
    lab.until(lambda: len(lab.server.requests) > count, "the model to be asked")
    lab.forgets("anna")
    lab.until(lambda: lab.heard[topics.SENTENCE][-1].state == Sentence.CANCELED, "the end of the answer")
    lab.server.pause = 0.0
    lab.talk("What did I say?")
    assert "Lisbon" not in lab.asked
    lab.leaves()

    # Who does not say who they are is another one each time.
    lab.expects("")
    lab.sits_down(3)
    first = lab.talk("My cat Tilly has died.").session_id
    lab.leaves()
    lab.sits_down(4)
    second = lab.talk("Good morning, robot.").session_id
    assert "Tilly" not in lab.asked
    assert first == second == "" or len({first, second, "", SEAT, "anna", "ben"}) == 6
