"""The face reconstruction node as a process of its own, fed with samples over DDS."""

from __future__ import annotations

import math
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from face_recon_node.affect import EXPRESSIONS
from face_recon_node.head import HeadModel, Identity
from face_recon_node.models.file import load, save
from face_recon_node.models.signature.model import SignatureModel
from face_recon_node.node import FaceReconNode
from imuface_core import topics
from imuface_core.recording import ImuTrack, Recording
from imuface_interfaces.action import Calibrate
from imuface_interfaces.msg import AffectState, Blendshapes, FacialLandmarks
from imuface_node import StatusLevel
from imuface_simulation import Participant, Performance, simulate
from rcl_interfaces.srv import SetParameters
from rclpy.action import ActionClient
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Imu, PointCloud2
from visualization_msgs.msg import MarkerArray

pytestmark = pytest.mark.graph

SECOND = 1_000_000_000
SPEED = 3.0  # times real time
HEAD = HeadModel.load()
OK, WARN = DiagnosticStatus.OK[0], DiagnosticStatus.WARN[0]
NODE = "/face_recon_node"


def stamp_of(message: Any) -> int:
    return int(message.header.stamp.sec * SECOND + message.header.stamp.nanosec)


def wait_for(condition: Callable[[], object], timeout: float = 30.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


class Graph:
    """A node process, a feeder of IMU samples and a listener to everything it says."""

    def __init__(self, name: str, *arguments: str) -> None:
        self.context = rclpy.Context()
        self.context.init()
        self.node = rclpy.create_node("feeder", namespace=name, context=self.context)
        best_effort = QoSProfile(depth=30, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.imu = {ear: self.node.create_publisher(Imu, topics.IMU[ear], best_effort) for ear in ("left", "right")}
        self.messages: dict[type, list[Any]] = {}
        for kind, topic, qos in (
            # Nothing is lost between the node and a listener who asks for that.
            (FacialLandmarks, "face/landmarks", QoSProfile(depth=1000)),
            (Blendshapes, "face/blendshapes", QoSProfile(depth=1000)),
            (AffectState, "face/affect", QoSProfile(depth=1000)),
            (PointCloud2, "face/points", best_effort),
            (MarkerArray, "face/mesh", QoSProfile(depth=1)),
        ):
            self.messages[kind] = []
            # A mesh takes longer to decode than to make: as bytes.
            self.node.create_subscription(kind, topic, self.messages[kind].append, qos, raw=kind is MarkerArray)
        self.reports: dict[str, DiagnosticStatus] = {}
        self.node.create_subscription(
            DiagnosticArray, "/diagnostics", lambda m: self.reports.update({s.name: s for s in m.status}), 10
        )
        self.calibrate: ActionClient = ActionClient(self.node, Calibrate, "calibrate")
        self.set_parameters: Client = self.node.create_client(SetParameters, f"/{name}{NODE}/set_parameters")
        self.prefix = f"/{name}{NODE}"
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()
        command = [sys.executable, "-c", "from face_recon_node.node import main; main()", "--ros-args"]
        command += ["-r", f"__ns:=/{name}", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.calibrate.wait_for_server(60)
        wait_for(lambda: all(publisher.get_subscription_count() for publisher in self.imu.values()))
        # Its publishers are found last.
        wait_for(lambda: all(self.node.count_publishers(f"/{name}/face/{t}") for t in ("landmarks", "mesh")))

    def close(self) -> str:
        """End the node as Ctrl-C does; what it printed."""
        self._stop.set()
        self._thread.join()
        self.node.destroy_node()
        self.context.shutdown()
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=20)
        return output

    def report(self, part: str = "") -> DiagnosticStatus:
        name = f"{self.prefix}: {part}" if part else self.prefix
        wait_for(lambda: name in self.reports)
        return self.reports[name]

    def values(self, part: str = "") -> dict[str, str]:
        return {value.key: value.value for value in self.report(part).values}

    def send(self, ear: str, stamp_ns: int, acceleration: Any, angular_velocity: Any) -> None:
        message = Imu()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(int(stamp_ns), SECOND)
        for vector, values in (
            (message.linear_acceleration, acceleration),
            (message.angular_velocity, angular_velocity),
        ):
            vector.x, vector.y, vector.z = map(float, values)
        self.imu[ear].publish(message)

    def play(self, recording: Recording, start_s: float, end_s: float, speed: float = SPEED) -> list[int]:
        """Send the samples of a segment at ``speed`` times real time; the stamps of the left ear."""
        samples = []
        for ear, track in (("left", recording.left), ("right", recording.right)):
            if track is not None:
                inside = (track.stamps >= start_s * SECOND) & (track.stamps < end_s * SECOND)
                samples += [(track.stamps[i], ear, i, track) for i in np.flatnonzero(inside)]
        samples.sort(key=lambda sample: sample[0])
        began = time.monotonic()
        for stamp, ear, i, track in samples:
            time.sleep(max(0.0, began + (stamp / SECOND - start_s) / speed - time.monotonic()))
            self.send(ear, stamp, track.acceleration[i], track.angular_velocity[i])
        return [int(stamp) for stamp, ear, _, _ in samples if ear == "left"]

    def _spin(self) -> None:
        while not self._stop.is_set():
            self._executor.spin_once(timeout_sec=0.1)


@pytest.fixture(scope="module")
def recording() -> Recording:
    """40 s of one simulated person, from stamp 0; the face rests for the first 4 s."""
    return simulate(Performance.natural(1, 40.0), Participant.random(5), 40.0, seed=2)


@pytest.fixture
def start() -> Iterator[Callable[..., Graph]]:
    graphs: list[Graph] = []

    def run(name: str, *arguments: str) -> Graph:
        graphs.append(Graph(name, *arguments))
        return graphs[-1]

    yield run
    for graph in graphs:
        if graph.process.returncode is None:
            print(graph.close())


def test_every_topic_tells_of_the_same_face(start: Callable[..., Graph], recording: Recording) -> None:
    graph = start("whole", "-p", "identity.age:=0.3")
    stamps = graph.play(recording, 0.0, 9.0, speed=1.0)
    landmarks = graph.messages[FacialLandmarks]
    wait_for(lambda: landmarks and stamp_of(landmarks[-1]) >= stamps[-5])
    wait_for(lambda: int(graph.values()["frames"]) == len(landmarks))
    # One face per sample of the left ear, after the first moments in which no ear leads yet; samples go by best effort.
    faces = list(map(stamp_of, landmarks))
    assert faces == sorted(set(faces))
    assert set(faces) <= set(stamps)
    expected = [stamp for stamp in stamps if stamp > stamps[0] + 0.3 * SECOND]
    assert len(set(expected) - set(faces)) <= 0.02 * len(expected)
    head = HEAD.with_identity(Identity(age=0.3))
    # They are published after the landmarks.
    wait_for(lambda: len(graph.messages[Blendshapes]) == len(landmarks))
    blendshapes = {stamp_of(m): m for m in graph.messages[Blendshapes]}
    for message in landmarks:
        weights = blendshapes[stamp_of(message)].weights
        assert message.header.frame_id == "face_whole"
        points = [(p.x, p.y, p.z) for p in message.points]
        np.testing.assert_allclose(points, head.landmarks(weights), atol=1e-6)
        assert all(deviation > 0 for deviation in message.standard_deviation)
        assert np.all((weights >= 0) & (weights <= 1))

    wait_for(lambda: len(graph.messages[AffectState]) == len(landmarks))
    assert all(m.expression in EXPRESSIONS and 0 <= m.confidence <= 1 for m in graph.messages[AffectState])
    clouds = {stamp_of(m): m for m in graph.messages[PointCloud2]}
    assert len(clouds) > 0.9 * len(landmarks)
    by_stamp = {stamp_of(m): m for m in landmarks}
    for stamp, cloud in clouds.items():
        xyz = np.frombuffer(cloud.data, np.float32).reshape(51, 4)[:, :3]
        np.testing.assert_allclose(xyz, [(p.x, p.y, p.z) for p in by_stamp[stamp].points], atol=1e-7)
    meshes = graph.messages[MarkerArray]
    assert len(meshes) > 0.9 * len(landmarks)
    assert len({len(mesh) for mesh in meshes}) == 1
    last = deserialize_message(meshes[-1], MarkerArray).markers[0]
    vertices = head.vertices(blendshapes[stamp_of(last)].weights)[HEAD.triangles.ravel()]
    np.testing.assert_allclose([(p.x, p.y, p.z) for p in last.points], vertices, atol=1e-6)

    assert float(graph.values()["inference_p50_ms"]) > 0
    assert len(stamps) - int(graph.values("left ear")["accepted"]) < 15
    assert graph.values("calibration")["calibrated"] == "True"
    assert "calibrated" in graph.close()
    assert graph.process.returncode == 0


def test_broken_samples_are_counted_and_the_face_goes_on(start: Callable[..., Graph], recording: Recording) -> None:
    graph = start("broken", "-p", "publish_mesh:=false")
    assert recording.left is not None
    graph.play(recording, 0.0, 5.0)
    for bad in (math.nan, math.inf, -math.inf):
        graph.send("left", 5 * SECOND, (bad, 0, 9.81), (0, 0, 0))
        graph.send("right", 5 * SECOND, (0, 0, 9.81), (0, bad, 0))
    graph.send("left", 4 * SECOND, (0, 0, 9.81), (0, 0, 0))
    # Then the left ear stops, and the right one carries on alone.
    alone = Recording(left=None, right=recording.right, blendshapes=None, landmarks=None)
    graph.play(alone, 5.0, 14.0)
    assert "from the right ear alone" in graph.report().message  # at most a second ago
    landmarks = graph.messages[FacialLandmarks]
    wait_for(lambda: stamp_of(landmarks[-1]) > 13.8 * SECOND)
    for message in landmarks:
        assert all(math.isfinite(v) for p in message.points for v in (p.x, p.y, p.z))
    stamps = np.array([stamp_of(m) for m in landmarks])
    assert np.all(np.diff(stamps) > 0)
    assert np.diff(stamps).max() < 0.5 * SECOND
    wait_for(lambda: graph.report("left ear").level[0] == WARN and "silent" in graph.report("left ear").message)
    left, right = graph.values("left ear"), graph.values("right ear")
    assert (left["dropped_not_finite"], left["dropped_out_of_order"]) == ("3", "1")
    assert right["dropped_not_finite"] == "3"
    assert graph.messages[MarkerArray] == []
    output = graph.close()
    assert re.search(r"left ear: dropped \d samples", output)
    assert "Traceback" not in output


def test_what_is_wrong_with_the_readings_is_said_while_they_come(
    start: Callable[..., Graph], recording: Recording
) -> None:
    graph = start("wrong", "-p", "publish_mesh:=false")
    assert recording.left is not None
    said = ""
    for i in range(300):  # a left ear in g, a right one without stamps
        graph.send("left", recording.left.stamps[i] + 1, recording.left.acceleration[i] / 9.80665, (0, 0, 0))
        graph.send("right", 0, recording.left.acceleration[i], (0, 0, 0))
        time.sleep(0.02)
        reports = (graph.reports.get(f"{graph.prefix}: {part}") for part in ("left ear", "right ear", "calibration"))
        said = " | ".join(report.message for report in reports if report is not None)
        if said.count("it is in g: multiply by 9.80665") == 2 and "no time stamp" in said:
            break
    else:
        pytest.fail(said)


def test_calibration_on_request(start: Callable[..., Graph], recording: Recording) -> None:
    graph = start("calibrating")

    feedback: list[Any] = []

    def sent(duration: float) -> Any:
        goal = graph.calibrate.send_goal_async(
            Calibrate.Goal(duration=duration), feedback_callback=lambda message: feedback.append(message.feedback)
        )
        wait_for(goal.done)
        return goal.result()

    def ask(duration: float) -> Any:
        return sent(duration).get_result_async()

    def outcome(answer: Any) -> Any:
        wait_for(answer.done)
        return answer.result().result

    assert outcome(ask(0.5)).error_code == Calibrate.Result.NO_DATA
    for duration in (-1.0, 1e6, math.nan):
        refused = outcome(ask(duration))
        assert refused.error_code == Calibrate.Result.INVALID_DURATION
        assert "duration" in refused.message

    graph.play(recording, 0.0, 1.0)
    first, second = ask(2.0), ask(2.0)
    graph.play(recording, 1.0, 4.0)
    codes = [outcome(first).error_code, outcome(second).error_code]
    assert codes == [Calibrate.Result.SUCCESS, Calibrate.Result.BUSY]
    assert 0.4 < max(message.progress for message in feedback) <= 1.0
    assert "keep a relaxed face" in feedback[-1].message
    # Faces kept coming while it ran.
    wait_for(
        lambda: sum(1.1 * SECOND < stamp_of(m) < 3.9 * SECOND for m in list(graph.messages[FacialLandmarks])) >= 80
    )

    def shaken(track: ImuTrack | None) -> ImuTrack:
        assert track is not None
        turn = 3.0 * np.sin(np.arange(len(track.stamps)))[:, None]
        return ImuTrack(track.stamps, track.acceleration, track.angular_velocity + turn)

    moving = Recording(left=shaken(recording.left), right=shaken(recording.right), blendshapes=None, landmarks=None)
    answer = ask(1.0)
    graph.play(moving, 4.0, 6.0)
    assert outcome(answer).error_code == Calibrate.Result.NOT_STILL

    goal = sent(60.0)
    answer = goal.get_result_async()
    graph.play(recording, 6.0, 7.0)
    goal.cancel_goal_async()
    assert outcome(answer).error_code == Calibrate.Result.CANCELED
    assert answer.result().status == GoalStatus.STATUS_CANCELED
    graph.play(recording, 7.0, 7.5)
    wait_for(lambda: "the earlier calibration stays" in graph.report("calibration").message)
    assert graph.values("calibration")["calibrated"] == "True"
    assert graph.close()


@pytest.mark.timing
def test_another_model_takes_over_without_losing_a_frame(
    start: Callable[..., Graph], recording: Recording, tmp_path: Path
) -> None:
    doubtful, damaged = tmp_path / "anna.npz", tmp_path / "damaged.npz"
    model = load()
    assert isinstance(model, SignatureModel)
    model.confidence = replace(model.confidence, weights_scale=50.0 * model.confidence.weights_scale)
    save(model, doubtful)
    damaged.write_bytes(doubtful.read_bytes()[:5000])
    graph = start("loading", "-p", "publish_mesh:=false")
    stamps = graph.play(recording, 0.0, 5.0)

    def set_model(path: str, seconds: float = 1.5) -> Any:
        parameter = Parameter("model", value=path).to_parameter_msg()
        answer: Any = graph.set_parameters.call_async(SetParameters.Request(parameters=[parameter]))
        start_s = stamps[-1] / SECOND + 0.001
        stamps.extend(graph.play(recording, start_s, start_s + seconds, speed=1.0))
        wait_for(answer.done)
        # Loading may have outlasted the stream: what comes now is certainly after it.
        start_s = stamps[-1] / SECOND + 0.001
        stamps.extend(graph.play(recording, start_s, start_s + 0.2, speed=1.0))
        return answer.result().results[0]

    assert set_model(str(doubtful)).successful
    doubted_from = stamps[-1]
    missing = set_model("/no/model.npz")
    assert not missing.successful
    assert "/no/model.npz does not exist" in missing.reason
    refused = set_model(str(damaged))
    assert not refused.successful
    assert "damaged.npz" in refused.reason
    doubted_until = stamps[-1]
    assert graph.values("model")["file"] == "anna.npz"
    assert set_model("").successful

    landmarks = graph.messages[FacialLandmarks]
    wait_for(lambda: stamp_of(landmarks[-1]) == stamps[-1])
    first = stamps[0] + 0.3 * SECOND
    assert [s for s in map(stamp_of, landmarks) if s > first] == [s for s in stamps if s > first]
    for message in landmarks:
        assert all(math.isfinite(v) for p in message.points for v in (p.x, p.y, p.z))
    doubt = {stamp_of(m): max(m.standard_deviation) for m in landmarks}
    before, after = doubt[stamps[140]], doubt[stamps[-1]]
    assert all(doubt[s] > 10 * before for s in stamps if doubted_from <= s <= doubted_until)
    assert after < 10 * before
    wait_for(lambda: graph.values("model")["file"] == "signature.npz")
    assert graph.values("model")["personal"] == "False"
    assert "not set: " in graph.close()


@pytest.fixture
def ros() -> Iterator[None]:
    rclpy.init()
    yield
    rclpy.shutdown()


@pytest.mark.usefixtures("ros")
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model", "/no/model.npz", "/no/model.npz"),
        ("head", "/no/head.npz", "cannot read head model /no/head.npz"),
        ("head", str(Path(__file__)), "is not a head model"),
        ("identity.age", 1.5, "identity.age is 1.5, must be 0 to 1 or nan"),
        ("calibration_duration", -3.0, "calibration_duration is -3.0, must be 0.5 to 60"),
    ],
)
def test_a_wrong_parameter_is_explained_and_can_be_mended(name: str, value: Any, message: str) -> None:
    node = FaceReconNode(parameter_overrides=[Parameter(name, value=value)])
    try:
        assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
        assert message in node._failure
        assert "\n" not in node._failure
        default = FaceReconNode(parameter_overrides=[])
        node.set_parameters([default.get_parameter(name)])
        default.destroy_node()
        assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
        assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
        assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
        node.close()
    finally:
        node.destroy_node()


@pytest.mark.usefixtures("ros")
def test_a_loose_earbud_is_said_in_the_diagnostics_and_the_face_goes_on(recording: Recording) -> None:
    node = FaceReconNode()
    try:
        node.trigger_configure()
        node.trigger_activate()
        assert recording.left is not None
        assert recording.right is not None
        message = Imu()
        for row, (stamp, force, rate) in enumerate(
            zip(recording.left.stamps, recording.left.acceleration, recording.left.angular_velocity, strict=True)
        ):
            for ear, (vector, turn) in {
                "left": (force, rate),
                "right": ((0.0, 0.0, 9.81), (1e-5 * (row % 2),) * 3),
            }.items():
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(int(stamp) + SECOND, SECOND)
                for field, values in ((message.linear_acceleration, vector), (message.angular_velocity, turn)):
                    field.x, field.y, field.z = map(float, values)
                node._on_imu(ear, message)  # type: ignore[arg-type]
        wearing = dict(node.status())["wearing"]
        assert wearing.level == StatusLevel.WARN
        assert "right earbud does not move with the head" in wearing.message
        assert node._frames > 1000
    finally:
        node.close()
        node.destroy_node()
