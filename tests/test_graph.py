"""The launch files as running graphs."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from empathy_agent.chain import Delta, Layer
from empathy_agent.client import AgentClient
from empathy_agent.dialogue import Reply
from empathy_agent.models import TEST_MODEL, ModelError, Store
from imuface_bringup import report
from imuface_bringup.observer import Observer
from imuface_bringup.report import Window
from imuface_core import topics
from imuface_core.bag import Bag
from imuface_node import GraphClient, message_class, qos

pytestmark = pytest.mark.graph

Launch = Callable[..., AbstractContextManager[Any]]
IMUFACE = Path(sysconfig.get_path("scripts")) / "imuface"


@pytest.fixture(scope="module")
def small_model() -> str:
    try:
        Store().get(TEST_MODEL)
    except ModelError as error:
        pytest.skip(f"the small test model is not to be had: {error}")
    return TEST_MODEL


@pytest.mark.timing
def test_the_whole_loop(launch: Launch, tmp_path: Path, small_model: str) -> None:
    namespace = "whole_loop"
    with (
        Observer(namespace) as observer,
        launch("demo", out=str(tmp_path), namespace=namespace, model=small_model, calibration="1.0") as running,
    ):
        running.await_face(observer)
        with AgentClient(namespace) as agent:
            running.until(lambda: agent.is_there(0.1), "the agent")
            asked = observer.now_ns()
            items = list(agent.respond("I cannot sleep, and work wears me out."))
            window = Window(asked, observer.now_ns())
        # The faces of the window's last samples have yet to be recorded.
        running.until(lambda: observer.latencies[-1][0] > window.end_ns + 500_000_000, "faces after the window")
        running.graph.check()
    reply = items[-1]
    assert isinstance(reply, Reply)
    assert all(reply.chain[layer] for layer in Layer)
    assert [*dict.fromkeys(item.layer for item in items if isinstance(item, Delta))][:5] == list(Layer)

    session = report.load(tmp_path / "bag")
    losses = session.losses(window)
    assert losses.expected > 25 * window.seconds
    assert losses.missing == 0
    assert {"face/affect", "dialogue/heard", "dialogue/reply"} <= set(recorded_topics(tmp_path / "bag", namespace))


def recorded_topics(bag: Path, namespace: str) -> list[str]:
    with Bag(bag, namespace) as opened:
        return sorted({message.topic for message in opened.messages(opened.types)})


def test_a_missing_model_leaves_the_graph_up(launch: Launch) -> None:
    namespace = "no_model"
    with Observer(namespace) as observer, launch("full", namespace=namespace, model="no-such-model") as running:
        running.until(
            lambda: any(part.failed for part in observer.health("empathy_agent").values()), "the agent's complaint"
        )
        (complaint,) = {part.message for part in observer.health("empathy_agent").values()}
        assert "unknown model 'no-such-model'" in complaint
        running.await_face(observer)
        running.graph.check()


def test_two_people_side_by_side(launch: Launch) -> None:
    with (
        Observer("anna") as anna,
        Observer("bert") as bert,
        launch("face", namespace="anna", participant="1") as first,
        launch("face", namespace="bert", participant="2") as second,
    ):
        first.await_face(anna)
        second.await_face(bert)
        assert not anna.health("empathy_agent")
        assert {stamp for stamp, _ in anna.latencies}.isdisjoint(stamp for stamp, _ in bert.latencies)
        of_anna, of_bert = frames_seen("anna"), frames_seen("bert")
        assert of_anna == {"face_anna", "earphone_left_imu_link_anna", "earphone_right_imu_link_anna"}
        assert of_anna.isdisjoint(of_bert)
        assert len(of_bert) == 3


def frames_seen(namespace: str) -> set[str]:
    """The frames that a person's messages name, on every topic of a session and of the face."""
    seen: dict[topics.Topic, set[str]] = {topic: set() for topic in topics.SESSION | topics.FACE | {topics.MESH}}
    with GraphClient("frames", namespace) as client:
        for topic, names in seen.items():
            client.node.create_subscription(
                message_class(topic.type),
                topic,
                lambda message, names=names: names.update(_frames(message)),
                qos(topic),
            )
        assert client.until(lambda: all(seen.values()), 20.0), seen
    return set[str]().union(*seen.values())


def _frames(message: Any) -> set[str]:
    return {each.header.frame_id for each in getattr(message, "markers", [message])}


def test_up_ends_its_nodes_on_sigterm_and_record_leaves_a_valid_bag(tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    up = subprocess.Popen([IMUFACE, "up", "earphones", "namespace:=recorded"], stdout=subprocess.PIPE, text=True)
    record = subprocess.Popen([IMUFACE, "record", bag, "--namespace", "recorded"], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60.0
        while not (bag.is_dir() and any(path.stat().st_size > 30_000 for path in bag.iterdir())):
            assert time.monotonic() < deadline, "nothing was recorded"
            time.sleep(0.1)
    finally:
        record.send_signal(signal.SIGINT)
        up.send_signal(signal.SIGTERM)
    assert record.wait(30) == 0
    assert up.wait(30) == 0
    assert (bag / "metadata.yaml").is_file()
    assert set(recorded_topics(bag, "recorded")) >= {"left/imu/data_raw", "right/imu/data_raw"}
    again = subprocess.run([IMUFACE, "record", bag], capture_output=True, text=True, timeout=30)
    assert again.returncode == 1
    assert "exists already" in again.stderr


def test_this_run_has_a_ros_domain_of_its_own() -> None:
    assert 1 <= int(os.environ["ROS_DOMAIN_ID"]) <= 101
    assert os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
