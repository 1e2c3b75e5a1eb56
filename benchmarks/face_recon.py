"""Does the face keep up? Simulated earphones at 30 Hz -> face_recon_node -> a listener, against a bare pass-through.

    .venv/bin/python benchmarks/face_recon.py [--duration 60] [--json]

Real processes over DDS: the IMU publisher, the node, and this listener, which also subscribes to the mesh. The same is
then measured with a pass-through that answers each IMU sample of the left ear with messages of the same types and
sizes and computes nothing: what the messages themselves cost in rclpy. All figures are of simulated earphones.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from face_recon_node.head import HeadModel
from face_recon_node.messages import BlendshapesMessage, LandmarksMessage, MeshMessage, PointsMessage
from imuface_core import topics
from imuface_core.earphone import EARS
from imuface_interfaces.msg import AffectState, Blendshapes, FacialLandmarks
from imuface_node import qos
from imuface_simulation import Participant, Performance, simulate
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import Imu, PointCloud2
from visualization_msgs.msg import MarkerArray

SECOND = 1_000_000_000
WARM_UP = 6.0  # seconds before the measurement: calibration, caches
NAMESPACE = "benchmark"
# Limits from the acceptance criteria.
MAX_P99_MS = 15.0
MAX_CPU = 0.35

OUTPUTS: tuple[tuple[type, topics.Topic], ...] = (
    (FacialLandmarks, topics.FACE_LANDMARKS),
    (Blendshapes, topics.FACE_BLENDSHAPES),
    (AffectState, topics.AFFECT),
    (PointCloud2, topics.POINTS),
    (MarkerArray, topics.MESH),
)


# The processes ------------------------------------------------------------------------------------------------------


def publish_earphones(duration: float) -> None:
    """Publish both ears of a simulated person at 30 Hz, each sample the moment it is sampled."""
    recording = simulate(Performance.natural(1, duration), Participant.random(7), duration, seed=3)
    rclpy.init()
    node = rclpy.create_node("earphones", namespace=NAMESPACE)
    publishers = {ear: node.create_publisher(Imu, topic, qos(topic)) for ear, topic in topics.IMU.items()}
    samples = sorted(
        (int(track.stamps[i]), ear, i, track)
        for ear, track in zip(EARS, (recording.left, recording.right), strict=True)
        if track is not None
        for i in range(len(track.stamps))
    )
    start = time.time_ns() + SECOND
    message = Imu()
    for stamp, ear, i, track in samples:
        time.sleep(max(0.0, (start + stamp - time.time_ns()) / SECOND))
        # Clocks of the ears and of this machine agree: the stamp is the moment of sampling.
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(start + stamp, SECOND)
        acceleration, velocity = message.linear_acceleration, message.angular_velocity
        acceleration.x, acceleration.y, acceleration.z = track.acceleration[i].tolist()
        velocity.x, velocity.y, velocity.z = track.angular_velocity[i].tolist()
        publishers[ear].publish(message)
    time.sleep(1.0)


class PassThrough(Node):
    """Answers each sample of the left ear with every message of the face, always the same face."""

    def __init__(self) -> None:
        super().__init__("pass_through", namespace=NAMESPACE)
        head = HeadModel.load()
        self._outputs: list[Publisher] = [self.create_publisher(kind, topic, qos(topic)) for kind, topic in OUTPUTS]
        zeros = np.zeros(52, np.float32)
        affect = AffectState(expression=AffectState.NEUTRAL, action_units=[0] * 23, action_unit_intensities=[0.0] * 23)
        self._messages: list[Any] = [
            LandmarksMessage("face").build(0, head.landmark_neutral, np.zeros(51, np.float32)),
            BlendshapesMessage("face").build(0, zeros, zeros),
            affect,
            PointsMessage("face").build(0, head.landmark_neutral, np.zeros(51, np.float32)),
            MeshMessage(head.triangles, "face").build(0, head.neutral),
        ]
        self._landmarks, self._points = LandmarksMessage("face"), head.landmark_neutral
        for ear, topic in topics.IMU.items():
            self.create_subscription(Imu, topic, lambda message, ear=ear: self._on_imu(ear, message), qos(topic))

    def _on_imu(self, ear: str, message: Imu) -> None:
        if ear != "left":
            return
        stamp = message.header.stamp.sec * SECOND + message.header.stamp.nanosec
        # Only the landmarks carry the stamp: they are what latency is measured with.
        self._messages[0] = self._landmarks.build(stamp, self._points, 0.0)
        for publisher, output in zip(self._outputs, self._messages, strict=True):
            publisher.publish(output)


def pass_through() -> None:
    rclpy.init()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(PassThrough())


# The measurement ----------------------------------------------------------------------------------------------------


@dataclass
class Result:
    """What was seen of one process under test; seconds are wall-clock, the share is of one core."""

    name: str
    samples_in: int = 0  # of the left ear
    frames_out: int = 0
    lost: int = 0
    lost_mesh: int = 0
    latency_p50_ms: float = 0.0
    latency_p99_ms: float = 0.0
    latency_max_ms: float = 0.0
    cpu_share: float = 0.0
    diagnostics: dict[str, str] = field(default_factory=dict)


class Listener(Node):
    """Notes the stamps of the left ear, and of the landmarks with the time of their arrival."""

    def __init__(self) -> None:
        super().__init__("listener", namespace=NAMESPACE)
        self.samples: list[int] = []
        self.landmarks: list[tuple[int, int]] = []
        self.meshes: list[int] = []
        self.diagnostics: dict[str, str] = {}
        self.create_subscription(Imu, topics.IMU["left"], self._on_imu, qos(topics.IMU["left"], 100))
        for kind, topic in OUTPUTS:
            callback = {FacialLandmarks: self._on_landmarks, MarkerArray: self._on_mesh}.get(kind, lambda _: None)
            # As bytes: decoding the mesh in Python would keep the listener from noting arrivals.
            self.create_subscription(kind, topic, callback, qos(topic, max(topic.depth, 30)), raw=True)
        self.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, self._on_diagnostics, 10)

    def _on_imu(self, message: Imu) -> None:
        self.samples.append(message.header.stamp.sec * SECOND + message.header.stamp.nanosec)

    def _on_landmarks(self, data: bytes) -> None:
        arrival = time.time_ns()
        sec, nanosec = np.frombuffer(data, "<u4", 2, 4).tolist()  # the header's stamp is the first field
        self.landmarks.append((sec * SECOND + nanosec, arrival))

    def _on_mesh(self, data: bytes) -> None:
        self.meshes.append(time.time_ns())

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.endswith("face_recon_node"):
                self.diagnostics = {value.key: value.value for value in status.values}


@contextlib.contextmanager
def process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.send_signal(signal.SIGINT)
        started.wait(20)


def measure(name: str, command: list[str], duration: float) -> Result:
    """Run the earphones into a process under test and listen."""
    rclpy.init()
    listener = Listener()
    executor = SingleThreadedExecutor()
    executor.add_node(listener)

    def spin(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)

    with process(command) as tested:
        watched = psutil.Process(tested.pid)
        deadline = time.monotonic() + 60
        while not listener.count_publishers(f"/{NAMESPACE}/face/landmarks"):
            if time.monotonic() > deadline or tested.poll() is not None:
                raise SystemExit(f"{name} did not start")
            spin(0.1)
        earphones = [sys.executable, __file__, "--earphones", "--duration", str(duration + WARM_UP + 2)]
        with process(earphones):
            while not listener.samples:
                spin(0.1)
            spin(WARM_UP)
            begin, before, meshes = time.time_ns(), watched.cpu_times(), len(listener.meshes)
            spin(duration)
            end, after = time.time_ns(), watched.cpu_times()
            seen_meshes = len(listener.meshes) - meshes
            spin(0.5)  # for what is under way
    listener.destroy_node()
    rclpy.shutdown()
    samples = {stamp for stamp in listener.samples if begin <= stamp < end}
    frames = {stamp: arrival for stamp, arrival in listener.landmarks if stamp in samples}
    latency = np.array([arrival - stamp for stamp, arrival in frames.items()]) * 1e-6
    return Result(
        name,
        samples_in=len(samples),
        frames_out=len(frames),
        lost=len(samples) - len(frames),
        lost_mesh=max(0, len(samples) - seen_meshes),
        latency_p50_ms=float(np.percentile(latency, 50)),
        latency_p99_ms=float(np.percentile(latency, 99)),
        latency_max_ms=float(latency.max()),
        cpu_share=(after.user + after.system - before.user - before.system) / ((end - begin) / SECOND),
        diagnostics=listener.diagnostics,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration", type=float, default=60.0, help="seconds to measure each process; 600 to accept")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--earphones", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--pass-through", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    profile = Path(__file__).parents[1] / "launch" / "fastdds.xml"
    os.environ.setdefault("FASTDDS_DEFAULT_PROFILES_FILE", str(profile))
    if options.earphones:
        with contextlib.suppress(KeyboardInterrupt):
            publish_earphones(options.duration)
        return 0
    if options.pass_through:
        pass_through()
        return 0

    node = [sys.executable, "-c", "from face_recon_node.node import main; main()", "--ros-args"]
    face = measure("face_recon_node", [*node, "-r", f"__ns:=/{NAMESPACE}"], options.duration)
    bare = measure("bare pass-through", [sys.executable, __file__, "--pass-through"], options.duration)
    accepted = face.lost == 0 and face.latency_p99_ms < MAX_P99_MS and face.cpu_share < MAX_CPU
    ratios = {
        "cpu": face.cpu_share / bare.cpu_share,
        "latency_p50": face.latency_p50_ms / bare.latency_p50_ms,
        "latency_p99": face.latency_p99_ms / bare.latency_p99_ms,
    }
    if options.json:
        print(json.dumps({"results": [asdict(face), asdict(bare)], "ratios": ratios, "accepted": accepted}, indent=2))
    else:
        _print(face, bare, ratios, accepted, options.duration)
    return 0 if accepted else 1


def _print(face: Result, bare: Result, ratios: dict[str, float], accepted: bool, duration: float) -> None:
    print(f"{duration:.0f} s of simulated earphones at 30 Hz, every topic subscribed, load {os.getloadavg()[0]:.1f}")
    print(f"{'':22}{'face_recon_node':>18}{'bare pass-through':>20}{'ratio':>9}")
    rows = (
        ("samples of left ear", "samples_in", "d", None),
        ("faces", "frames_out", "d", None),
        ("faces lost", "lost", "d", None),
        ("meshes lost", "lost_mesh", "d", None),
        ("latency p50, ms", "latency_p50_ms", ".2f", "latency_p50"),
        ("latency p99, ms", "latency_p99_ms", ".2f", "latency_p99"),
        ("latency max, ms", "latency_max_ms", ".2f", None),
        ("share of one core", "cpu_share", ".1%", "cpu"),
    )
    for label, name, form, ratio in rows:
        values = "".join(format(format(getattr(r, name), form), f">{w}") for r, w in ((face, 18), (bare, 20)))
        print(f"{label:22}{values}{f'{ratios[ratio]:.1f}' if ratio else '':>9}")
    timing = face.diagnostics
    print(
        "per face: "
        + ", ".join(f"{part} {timing.get(f'{part}_p50_ms', '?')} ms" for part in ("inference", "mesh"))
        + " (medians)"
    )
    limits = f"no face lost, p99 < {MAX_P99_MS:.0f} ms, under {MAX_CPU:.0%} of one core"
    print(f"{limits}: {'met' if accepted else 'NOT met'}")


if __name__ == "__main__":
    sys.exit(main())
