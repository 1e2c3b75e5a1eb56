"""The bridge over DDS, where hri_msgs is installed, heard as libhri 2.3 hears; without it, what the node says."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import Point
from imuface_interfaces.msg import AffectState, Blendshapes, FacialLandmarks, Utterance
from imuface_node import message_class
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParameters
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_profile_system_default
from std_msgs.msg import Bool, String

pytestmark = pytest.mark.graph
MAIN = "from imuface_hri.node import main; main()"
HIDDEN = "import sys; sys.modules['hri_msgs'] = sys.modules['hri_msgs.msg'] = None; "


@pytest.fixture
def node() -> Iterator[Node]:
    context = rclpy.Context()
    context.init()
    node = rclpy.create_node("faces", context=context)
    yield node
    node.destroy_node()
    context.shutdown()


KEPT = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE)


class Person:
    """Publishes a face in a namespace."""

    def __init__(self, node: Node, name: str, frame: str) -> None:
        self._node, self._frame = node, frame
        self._publishers = {
            kind: node.create_publisher(kind, f"/{name}/face/{topic}".replace("//", "/"), 5)
            for kind, topic in ((FacialLandmarks, "landmarks"), (Blendshapes, "blendshapes"), (AffectState, "affect"))
        }

    def show(self, weight: float = 0.5, expression: str = "happy", age: float = 0.0) -> None:
        messages = (
            FacialLandmarks(points=[Point(y=0.01)] * 51),
            Blendshapes(weights=np.full(52, weight, np.float32)),
            AffectState(valence=weight, arousal=0.25, expression=expression, confidence=0.75),
        )
        for message in messages:
            stamp = self._node.get_clock().now() - Duration(seconds=age)
            message.header.stamp, message.header.frame_id = stamp.to_msg(), self._frame
            self._publishers[type(message)].publish(message)


class Listener:
    """Hears what is below ``/humans`` with the topics and qualities of service of libhri 2.3 (hri.cpp and others)."""

    def __init__(self, node: Node, *ids: str) -> None:
        hri = importlib.import_module("hri_msgs.msg")
        self.heard: dict[str, list[Any]] = {}
        self._node = node
        for name in ("faces/tracked", "persons/tracked", "persons/known"):
            self._listen(hri.IdsList, name)
        for name in ids:
            self._listen(hri.FacialLandmarks, f"faces/{name}/landmarks")
            self._listen(hri.FacialActionUnits, f"faces/{name}/facs")
            self._listen(hri.Expression, f"faces/{name}/expression")
            self._listen(String, f"persons/{name}/face_id", KEPT)
            self._listen(String, f"persons/{name}/voice_id", KEPT)
            self._listen(Bool, f"persons/{name}/anonymous", KEPT)

    def _listen(self, kind: Any, name: str, qos: QoSProfile = qos_profile_system_default) -> None:
        self.heard[name] = []
        self._node.create_subscription(kind, f"/humans/{name}", self.heard[name].append, qos)

    def last(self, name: str) -> Any:
        return self.heard[name][-1]

    def ids(self, name: str) -> list[str] | None:
        return list(self.last(name).ids) if self.heard[name] else None


def until(node: Node, condition: Callable[[], bool], *show: Callable[[], None]) -> None:
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        for each in show:
            each()
        executor.spin_once(timeout_sec=0.05)
    executor.remove_node(node)
    executor.shutdown()


@contextmanager
def bridge(*parameters: str) -> Iterator[subprocess.Popen[str]]:
    message = pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed (docs/ros4hri.md)").FacialLandmarks
    if len(message().landmarks) != 70:
        pytest.skip("hri_msgs is not the one of ROS 2 (docs/ros4hri.md)")
    command = [sys.executable, "-c", MAIN, "--ros-args", *(word for each in parameters for word in ("-p", each))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_one_who_comes_late_finds_the_people_and_their_faces(node: Node) -> None:
    with bridge("people:=anna /lab/ben") as process:
        anna, ben = Person(node, "anna", "face_anna"), Person(node, "lab/ben", "face_lab/ben")
        first = Listener(node)
        faces = (anna.show, partial(ben.show, 0.25))
        until(node, lambda: first.ids("faces/tracked") == ["anna", "lab_ben"], *faces)

        late = Listener(node, "anna", "lab_ben")
        transforms: list[Any] = []
        node.create_subscription(message_class("tf2_msgs/msg/TFMessage"), "/tf_static", transforms.append, KEPT)
        until(node, lambda: all(late.heard.values()) and bool(transforms), *faces)
        for name in ("faces/tracked", "persons/tracked", "persons/known"):
            assert late.ids(name) == ["anna", "lab_ben"]
        assert late.last("faces/anna/expression").expression == "happy"
        assert late.last("faces/anna/expression").valence == 0.5
        assert late.last("faces/lab_ben/expression").valence == 0.25
        assert late.last("faces/anna/facs").intensity[26] == pytest.approx(0.5)
        assert late.last("faces/anna/facs").confidence[27] == 0.0  # not told
        landmarks = late.last("faces/lab_ben/landmarks")
        assert landmarks.header.frame_id == "face_lab_ben"
        nose = landmarks.landmarks[30]
        assert (nose.x, nose.y, nose.c) == pytest.approx((0.5 + 0.01 / 0.3, 0.35, 1.0))
        assert landmarks.landmarks[8].c == 0.0  # the jaw's outline: nothing is known of it
        for name in ("anna", "lab_ben"):
            assert late.last(f"persons/{name}/face_id").data == late.last(f"persons/{name}/voice_id").data == name
            assert not late.last(f"persons/{name}/anonymous").data
        # Only the frame that is called otherwise than its face needs another name.
        (same,) = transforms[-1].transforms
        assert (same.header.frame_id, same.child_frame_id) == ("face_lab/ben", "face_lab_ben")

        # An old face is none, however lately it came.
        old = partial(ben.show, age=10.0)
        until(node, lambda: late.ids("faces/tracked") == ["anna"], partial(anna.show, expression="smug"), old)
        until(node, lambda: late.ids("persons/tracked") == [], partial(anna.show, float("nan"), age=10.0))
        assert late.ids("persons/known") == ["anna", "lab_ben"]
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0, output
    assert "messages of anna: expression 'smug' is none of REP-155" in output
    assert "Traceback" not in output


def test_nobody_is_there_once_the_bridge_is_deactivated(node: Node) -> None:
    with bridge("people:=anna"):
        anna, listener = Person(node, "anna", "face_anna"), Listener(node)
        until(node, lambda: listener.ids("faces/tracked") == ["anna"], anna.show)
        client: Any = node.create_client(ChangeState, "/hri_node/change_state")
        assert client.wait_for_service(20.0)
        client.call_async(ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE)))
        until(node, lambda: listener.ids("faces/tracked") == [] == listener.ids("persons/tracked"), anna.show)


def test_speech_becomes_utterances_of_the_one_person(node: Node) -> None:
    with bridge("voices:=anonymous_speaker", "person_id:=a7"):
        kind = importlib.import_module("hri_msgs.msg").LiveSpeech
        said: list[Utterance] = []
        node.create_subscription(Utterance, "/dialogue/utterance", said.append, 10)
        speech = node.create_publisher(kind, "/humans/voices/anonymous_speaker/speech", qos_profile_system_default)
        results = [kind(), kind(incremental="I am", language="en-GB"), kind(final="I am tired.", language="en-GB")]

        def speak() -> None:
            for result in results:
                speech.publish(result)

        until(node, lambda: len(said) > 1, speak)
        listener = Listener(node, "a7")
        until(node, lambda: bool(listener.heard["persons/a7/voice_id"]))
        assert listener.last("persons/a7/voice_id").data == "anonymous_speaker"
    final = next(message for message in said if message.state == Utterance.FINAL)
    partial_one = next(message for message in said if message.state == Utterance.PARTIAL)
    assert (partial_one.text, final.text, final.locale) == ("I am", "I am tired.", "en-GB")
    assert final.session_id == "a7"


def test_another_one_takes_the_seat_while_the_bridge_runs(node: Node) -> None:
    with bridge("people:=left=anna right=ben"):
        faces = Person(node, "left", "face_left"), Person(node, "right", "face_right")
        show = [face.show for face in faces]
        listener = Listener(node, "anna", "carl")
        until(node, lambda: listener.ids("faces/tracked") == ["anna", "ben"], *show)
        client: Any = node.create_client(SetParameters, "/hri_node/set_parameters")
        assert client.wait_for_service(20.0)

        def ask(people: str) -> Any:
            asked = client.call_async(
                SetParameters.Request(parameters=[Parameter("people", value=people).to_parameter_msg()])
            )
            until(node, asked.done, *show)
            return asked.result().results[0]

        listener.heard["persons/known"].clear()
        assert "people holds 'ben' 2 times" in ask("left=ben right=ben").reason
        assert ask("left=carl right=ben").successful
        until(node, lambda: listener.ids("faces/tracked") == ["carl", "ben"], *show)
        until(node, lambda: listener.ids("persons/known") == ["carl", "ben"], *show)
        assert all("ben" in each.ids for each in listener.heard["faces/tracked"][1:])  # who stays is there all the time
        until(node, lambda: bool(listener.heard["faces/carl/landmarks"] and listener.heard["persons/carl/face_id"]))
        assert node.count_publishers("/humans/faces/anna/landmarks") == 0


def test_somebody_anonymous_has_a_session_of_their_own_and_nobody_has_none(node: Node) -> None:
    with bridge("absence:=1.0"):
        kind = importlib.import_module("hri_msgs.msg").LiveSpeech
        said: list[Utterance] = []
        node.create_subscription(Utterance, "/dialogue/utterance", said.append, 10)
        speech = node.create_publisher(kind, "/humans/voices/imuface/speech", qos_profile_system_default)
        face = Person(node, "", "face")
        speak = partial(speech.publish, kind(final="I am tired."))
        sessions: list[str] = []
        for show in ((face.show,), (), (face.show,)):
            before = {*sessions, ""} if show else set()

            def another(before: set[str] = before) -> bool:
                return bool(said) and said[-1].session_id not in before and (bool(before) or not said[-1].session_id)

            until(node, another, speak, *show)
            sessions.append(said[-1].session_id)
    assert sessions[1] == ""
    assert len(set(sessions)) == 3


@pytest.mark.parametrize(
    ("code", "parameter", "reason"),
    [
        (HIDDEN, "people:=anna", "or install ros-$ROS_DISTRO-hri-msgs"),
        ("", "people:='a-b'", "people holds 'a-b', which is no id"),
    ],
)
def test_what_is_missing_is_said_in_one_line(code: str, parameter: str, reason: str) -> None:
    command = [sys.executable, "-c", code + MAIN, "--ros-args", "-p", parameter, "-p", "required:=true"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert reason in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
