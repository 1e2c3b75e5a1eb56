"""The agent's node over real DDS, with a scripted chat server as its model."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import rclpy
from builtin_interfaces.msg import Time
from chat_server import GOOD, ChatServer, events, serve  # type: ignore[import-not-found]
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from empathy_agent import topics
from empathy_agent.chain import Delta, Layer
from empathy_agent.client import AgentClient
from empathy_agent.dialogue import DialogueError, ErrorCode, Reply
from empathy_agent.engines import Cancelled
from empathy_agent.safety import Risk
from imuface_interfaces.action import Respond
from imuface_interfaces.msg import AffectState, EmpathyReply, Sentence, Utterance
from imuface_interfaces.srv import Forget
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile

pytestmark = pytest.mark.graph

POST = "I am so tired of my job."


@contextmanager
def agent(namespace: str, **parameters: object) -> Iterator[subprocess.Popen[str]]:
    """A running agent process."""
    command = [
        sys.executable,
        "-c",
        "from empathy_agent.node import main; main()",
        "--ros-args",
        "-r",
        f"__ns:=/{namespace}",
    ]
    for name, value in ({"warm_up": False} | parameters).items():
        command += ["-p", f"{name}:={json.dumps(value)}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def connected(namespace: str, server: ChatServer, **parameters: object) -> Iterator[AgentClient]:
    with (
        agent(namespace, server_url=server.url, model="m", **parameters),
        AgentClient(namespace) as client,
    ):
        assert client.is_there(timeout=20.0)
        yield client


class Listener:
    """Collects messages of one topic and publishes to others."""

    speak: Any

    def __init__(self, namespace: str, message_type: Any, topic: str, depth: QoSProfile | int = 10) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, args=[])
        self.node = rclpy.create_node("listener", namespace=namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.messages: list[Any] = []
        self.node.create_subscription(message_type, topic, self.messages.append, depth)

    def until(self, condition: Callable[[], bool], timeout: float = 15.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "nothing came in time"
            self.executor.spin_once(timeout_sec=0.05)

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()


def test_the_action_streams_layers_and_publishes_the_reply() -> None:
    with serve(events(GOOD), pause=0.01) as server, connected("t_action", server) as client:
        listener = Listener("t_action", EmpathyReply, topics.REPLY)
        listener.until(lambda: listener.node.count_publishers("/t_action/" + topics.REPLY) > 0)
        *deltas, reply = client.respond(POST, session_id="s", locale="en-US")
        listener.until(lambda: bool(listener.messages))
        listener.close()
    assert isinstance(reply, Reply)
    texts = {layer: "".join(delta.text for delta in deltas if delta.layer is layer) for layer in Layer}  # type: ignore[union-attr]
    assert texts == reply.chain.texts
    assert all(texts.values())
    (message,) = listener.messages
    assert (message.session_id, message.locale, message.risk, message.model) == ("s", "en-US", 0, "m")
    assert message.answer == reply.chain[Layer.ANSWER]
    assert message.header.stamp != Time()
    assert 0 < message.seconds_to_first_token <= message.seconds_total


def test_the_sentences_go_out_in_order_before_the_reply_and_a_cancelled_reply_is_told() -> None:
    cancelled = threading.Event()
    slow = GOOD.replace("</answer>", " You do much." * 60 + "</answer>")
    with serve(events(GOOD), events(slow)) as server, connected("t_sentence", server) as client:
        listener = Listener("t_sentence", Sentence, topics.SENTENCE, 100)
        listener.until(lambda: listener.node.count_publishers("/t_sentence/" + topics.SENTENCE) > 0)
        *_, reply = client.respond(POST, session_id="s", locale="en-US")
        listener.until(lambda: len(listener.messages) == 3)
        server.pause = 0.02
        stream = client.respond(POST, session_id="s", cancelled=cancelled)
        while next(stream).layer is not Layer.ANSWER:  # type: ignore[union-attr]
            pass
        cancelled.set()
        with pytest.raises(Cancelled):
            list(stream)
        listener.until(lambda: listener.messages[-1].state == Sentence.CANCELED)
        listener.close()
    assert isinstance(reply, Reply)
    said, end = listener.messages[:2], listener.messages[2]
    assert " ".join(message.text for message in said) == reply.chain[Layer.ANSWER]
    assert [(message.index, message.state) for message in (*said, end)] == [(0, 0), (1, 0), (2, Sentence.END)]
    assert {(message.session_id, message.locale, message.risk) for message in said} == {("s", "en-US", 0)}
    assert listener.messages[-1].index == len(listener.messages) - 4 >= 1
    assert {message.reply_id for message in (*said, end)}.isdisjoint({listener.messages[-1].reply_id})


def test_errors_come_with_their_code_and_the_agent_stays_up() -> None:
    with serve(events(GOOD)) as server, connected("t_errors", server, max_characters=100) as client:
        for text, code in (("  ", ErrorCode.EMPTY_TEXT), ("长" * 100_000, ErrorCode.TEXT_TOO_LONG)):
            with pytest.raises(DialogueError) as caught:
                list(client.respond(text))
            assert caught.value.code is code
        *_, reply = client.respond("我不想活了")
        assert isinstance(reply, Reply)
        assert reply.risk is Risk.CRISIS
        assert server.requests == []
        *_, reply = client.respond(POST, session_id="another")
        assert isinstance(reply, Reply)
        assert reply.risk is Risk.NONE


def test_a_goal_is_cancelled_within_a_second_and_the_next_one_answered() -> None:
    cancelled = threading.Event()
    with serve(events(GOOD, size=1), events(GOOD), pause=0.05) as server, connected("t_cancel", server) as client:
        stream = client.respond(POST, cancelled=cancelled)
        assert isinstance(next(stream), Delta)
        cancelled.set()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            list(stream)
        assert time.monotonic() - started < 1.0
        assert server.disconnected.wait(2.0)
        server.pause = 0.0
        *_, reply = client.respond(POST)
        assert isinstance(reply, Reply)


def test_a_client_is_patient_as_long_as_words_come() -> None:
    with serve(events(GOOD, size=1), pause=0.02) as server, connected("t_patient", server) as client:
        started = time.monotonic()
        *_, reply = client.respond(POST, patience=2.0)
        assert isinstance(reply, Reply)
        assert time.monotonic() - started > 2.0
        server.pause = 5.0
        with pytest.raises(Cancelled):
            list(client.respond(POST, patience=1.0))


def test_a_full_queue_is_busy() -> None:
    with (
        serve(events(GOOD, size=1), pause=0.1) as server,
        connected("t_busy", server, queue_size=1, parallel=1) as first,
    ):
        clients = [AgentClient("t_busy") for _ in range(2)]
        streams = [iter(client.respond(POST)) for client in (first, *clients)]
        next(streams[0])
        waiting = threading.Thread(target=lambda: next(streams[1], None), daemon=True)
        waiting.start()
        time.sleep(1.0)
        with pytest.raises(DialogueError, match="queue_size") as caught:
            list(streams[2])
        assert caught.value.code is ErrorCode.BUSY
        server.pause = 0.0
        waiting.join(timeout=10)
        for client in clients:
            client.__exit__()


@contextmanager
def listening(namespace: str, message_type: Any = EmpathyReply, topic: str = topics.REPLY) -> Iterator[Listener]:
    """A listener with a publisher of utterances (``speak``) that the agent hears."""
    listener = Listener(namespace, message_type, topic)
    listener.speak = listener.node.create_publisher(Utterance, topics.UTTERANCE, 10)
    name = f"/{namespace}/{topic}"
    listener.until(lambda: bool(listener.speak.get_subscription_count() and listener.node.count_publishers(name)))
    try:
        yield listener
    finally:
        listener.close()


def test_a_crisis_is_answered_while_the_model_talks_and_the_queue_is_full() -> None:
    with (
        serve(events(GOOD, size=1), pause=0.5) as server,
        connected("t_crisis", server, queue_size=1, parallel=1),
        listening("t_crisis") as listener,
    ):
        for person in "ab":
            listener.speak.publish(Utterance(text=POST, session_id=person))
        while not server.requests:
            time.sleep(0.05)
        listener.speak.publish(Utterance(text="I want to kill myself", session_id="c", locale="en-US"))
        listener.until(lambda: bool(listener.messages), timeout=2.0)
        (reply,) = listener.messages
    assert reply.session_id == "c"
    assert reply.risk == EmpathyReply.RISK_CRISIS
    assert "988" in "".join(reply.resources)


def test_partial_utterances_are_screened_and_only_the_final_one_is_answered() -> None:
    with serve(events(GOOD)) as server, connected("t_partial", server), listening("t_partial") as listener:
        for text in ("I am", "I am so tired", "I am so tired of my"):
            listener.speak.publish(Utterance(text=text, session_id="s", id="1", state=Utterance.PARTIAL))
        listener.speak.publish(Utterance(text=POST, session_id="s", id="1"))
        listener.until(lambda: bool(listener.messages))
        assert [request["messages"][-1]["content"].startswith(POST) for request in server.requests] == [True]
        for text in ("I want to die", "I want to die tonight", "I want to die tonight, nobody"):
            listener.speak.publish(Utterance(text=text, session_id="s", id="2", state=Utterance.PARTIAL))
        listener.speak.publish(Utterance(text="I want to die tonight, nobody cares.", session_id="s", id="2"))
        listener.until(lambda: len(listener.messages) == 2)
        listener.speak.publish(Utterance(text=POST, session_id="other"))
        listener.until(lambda: len(listener.messages) == 3)
    assert [message.risk for message in listener.messages] == [0, EmpathyReply.RISK_CRISIS, 0]


def test_what_was_said_is_forgotten_on_request(tmp_path: Any) -> None:
    with serve(events(GOOD)) as server, connected("t_forget", server, transcripts=str(tmp_path)) as client:
        list(client.respond("My cat Tilly has died.", session_id="anna"))
        list(client.respond(POST, session_id="anna"))
        assert "Tilly" in str(server.requests[1]["messages"])
        assert "Tilly" in next(tmp_path.glob("anna.*")).read_text()
        listener = Listener("t_forget", EmpathyReply, topics.REPLY)
        forget: Any = listener.node.create_client(Forget, topics.FORGET)
        assert forget.wait_for_service(10.0)
        future = forget.call_async(Forget.Request(session_id="anna"))
        listener.until(future.done)
        listener.close()
        list(client.respond(POST, session_id="anna"))
    answer: Any = future.result()
    assert (answer.success, answer.sessions, answer.message) == (True, 1, "forgot 1 sessions and 1 transcripts")
    assert "Tilly" not in str(server.requests[-1]["messages"])


def test_a_short_sentence_is_said_at_once_if_asked_to() -> None:
    with (
        serve(events(GOOD), pause=0.1) as server,
        connected("t_ack", server, acknowledge=True),
        listening("t_ack", Utterance, topics.ACKNOWLEDGEMENT) as listener,
    ):
        listener.speak.publish(Utterance(text="我工作好累。", session_id="s"))
        listener.until(lambda: bool(listener.messages))
    (message,) = listener.messages
    assert (message.session_id, message.locale) == ("s", "zh-CN")
    assert message.text


def test_what_is_refused_is_not_acknowledged() -> None:
    with (
        serve(events(GOOD, size=1), pause=0.2) as server,
        connected("t_refused", server, acknowledge=True, parallel=1, queue_size=1) as client,
        listening("t_refused", Utterance, topics.ACKNOWLEDGEMENT) as listener,
    ):
        for number, session in enumerate(("answered", "waits"), 1):
            listener.speak.publish(Utterance(text=POST, session_id=session))
            listener.until(lambda number=number: bool(len(listener.messages) == number and server.requests))  # type: ignore[misc]
        with pytest.raises(DialogueError, match="queue_size"):
            list(client.respond(POST, session_id="refused"))
        listener.speak.publish(Utterance(text=POST, session_id="refused"))
        later = time.monotonic() + 1.0
        listener.until(lambda: time.monotonic() > later)
    assert [message.session_id for message in listener.messages] == ["answered", "waits"]


def test_no_word_of_a_person_gets_into_the_log() -> None:
    planted = "Zanzibar"
    broken = (400, f"cannot read the prompt: I dream of {planted}".encode())
    with (
        serve(broken, broken, events("<answer>" + planted)) as server,
        agent("t_log", server_url=server.url, model="m", max_characters=200) as process,
        AgentClient("t_log") as client,
    ):
        assert client.is_there(timeout=20.0)
        *_, reply = client.respond(f"I dream of {planted}.", session_id=planted.lower())
        assert reply.model == ""  # type: ignore[union-attr]
        list(client.respond(f"I dream of {planted} again."))
        with pytest.raises(DialogueError):
            list(client.respond(planted * 100))
        process.terminate()
        assert process.stdout is not None
        log = process.stdout.read()
    assert "failed" in log
    assert planted not in log


def test_an_engine_that_fails_shows_in_the_diagnostics() -> None:
    with serve((500, b"boom")) as server, connected("t_fail", server) as client:
        listener = Listener("t_fail", DiagnosticArray, "/diagnostics")
        list(client.respond(POST))

        def levels() -> list[bytes]:
            found = [status for message in listener.messages for status in message.status if "t_fail" in status.name]
            return [status.level for status in found if "model m failed" in status.message]

        listener.until(lambda: bool(levels()))
        listener.close()
    assert levels()[-1] == DiagnosticStatus.WARN


def test_in_a_crowd_every_utterance_and_every_goal_has_an_outcome() -> None:
    deep, count = QoSProfile(depth=4000), 150
    with serve(events(GOOD), pause=0.01) as server, connected("t_crowd", server, queue_size=1):
        listener = Listener("t_crowd", EmpathyReply, topics.REPLY, deep)
        health: list[DiagnosticArray] = []
        listener.node.create_subscription(DiagnosticArray, "/diagnostics", health.append, 10)
        speak = listener.node.create_publisher(Utterance, topics.UTTERANCE, deep)
        listener.until(
            lambda: bool(speak.get_subscription_count() and listener.node.count_publishers(speak.topic_name))
        )
        for number in range(count):
            text = "我不想活了" if number == count // 2 else POST
            speak.publish(Utterance(text=text, session_id=str(number)))
        listener.until(lambda: any(reply.risk == 2 for reply in listener.messages))

        def refused() -> int:
            failures = [
                int(entry.value)
                for message in health
                for status in message.status
                for entry in status.values
                if "t_crowd" in status.name and entry.key == "failures"
            ]
            return max(failures, default=0)

        listener.until(lambda: len(listener.messages) + refused() == count)
        goals: ActionClient = ActionClient(
            listener.node, Respond, topics.RESPOND, goal_service_qos_profile=deep, result_service_qos_profile=deep
        )
        assert goals.wait_for_server(10.0)
        outcomes: list[int] = []

        def accepted(sent: Any) -> None:
            sent.result().get_result_async().add_done_callback(ended)

        def ended(result: Any) -> None:
            outcomes.append(result.result().result.error_code)

        for number in range(count):
            goal = Respond.Goal(utterance=Utterance(text=POST, session_id=str(number)))
            goals.send_goal_async(goal).add_done_callback(accepted)
        listener.until(lambda: len(outcomes) == count)
        listener.close()
    assert set(outcomes) == {Respond.Result.SUCCESS, ErrorCode.BUSY}


def test_an_utterance_is_answered_with_what_the_face_showed() -> None:
    with serve(events(GOOD)) as server, connected("t_topic", server):
        listener = Listener("t_topic", EmpathyReply, topics.REPLY)
        affect = listener.node.create_publisher(AffectState, topics.AFFECT, 10)
        speak = listener.node.create_publisher(Utterance, topics.UTTERANCE, 10)
        listener.until(lambda: bool(affect.get_subscription_count() and speak.get_subscription_count()))
        for _ in range(15):
            message = AffectState(valence=-0.5, expression=AffectState.SAD, confidence=0.9)
            message.header.stamp = listener.node.get_clock().now().to_msg()
            affect.publish(message)
            time.sleep(0.1)
        speak.publish(Utterance(text=POST, session_id="spoken"))
        listener.until(lambda: bool(listener.messages))
        listener.close()
        sent = server.requests[0]["messages"][-1]["content"]
    assert listener.messages[0].session_id == "spoken"
    assert "the face looked sad most of the time, valence -0.5" in sent


def test_diagnostics_keep_coming_while_a_reply_is_made() -> None:
    with serve(events(GOOD, size=1), pause=0.02) as server, connected("t_health", server) as client:
        listener = Listener("t_health", DiagnosticArray, "/diagnostics")
        thread = threading.Thread(target=lambda: list(client.respond(POST)))
        thread.start()

        def answering() -> list[dict[str, str]]:
            found = [status for message in listener.messages for status in message.status if "t_health" in status.name]
            return [{entry.key: entry.value for entry in status.values} for status in found]

        listener.until(lambda: sum(values.get("answering") == "1" for values in answering()) >= 2)
        thread.join()
        listener.messages.clear()
        listener.until(lambda: any(values.get("last_seconds_total") for values in answering()))
        values = answering()[-1]
        listener.close()
    assert values["model"] == "m"
    assert values["queue"] == "0"
    assert float(values["characters_per_second"]) > 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"model": "nope"}, "unknown model 'nope'; known:"),
        ({"model": "m", "server_url": "nonsense"}, "server_url 'nonsense' is not"),
        ({"hotlines": "/nowhere.yaml"}, "/nowhere.yaml"),
        (
            {"model": "m", "server_url": "http://127.0.0.1:1", "max_characters": 100000},
            "max_characters 100000 does not fit",
        ),
        ({"affect_window": -1.0}, "affect_window is -1.0, must be 0.001 to 3600"),
        (
            {"model": "m", "server_url": "http://127.0.0.1:1", "server_timeout": 0.0},
            "server_timeout is 0.0, must be 0.001 to 3600",
        ),
    ],
    ids=["model", "server", "hotlines", "characters", "window", "timeout"],
)
def test_bad_parameters_fail_to_configure_with_a_clear_message(parameters: dict[str, object], message: str) -> None:
    with agent("t_bad", **parameters) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "cannot be configured" in line:
                break
        assert message in line
        assert process.poll() is None  # it stays up


def test_a_server_that_is_silent_for_too_long_is_given_up() -> None:
    with (
        serve(events(GOOD), pause=30.0) as server,
        connected("t_silent", server, server_timeout=0.3) as client,
    ):
        started = time.monotonic()
        *_, reply = client.respond(POST)
        assert time.monotonic() - started < 5.0
    assert isinstance(reply, Reply)
    assert reply.model == ""


def test_a_model_that_is_not_there_names_the_command(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARNEST_MODELS", str(tmp_path))
    with agent("t_missing", model="smollm2-135m") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "cannot be configured" in line:
                break
    assert "imuface models get smollm2-135m" in line
