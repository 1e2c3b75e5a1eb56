"""The face reconstruction node: two IMU topics in, every ``face/...`` topic out."""

from __future__ import annotations

import collections
import math
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import imuface_node
import numpy as np
from imuface_core import topics
from imuface_core.earphone import EARS, Ear
from imuface_core.frames import Frames
from imuface_core.stamps import to_ns
from imuface_interfaces.action import Calibrate
from imuface_interfaces.msg import AffectState, Blendshapes, FacialLandmarks
from imuface_node import PERSON_ID, AutostartNode, Param, Status, StatusLevel, arrived, frames_of_node, offered, qos
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription
from sensor_msgs.msg import Imu, PointCloud2
from visualization_msgs.msg import MarkerArray

from face_recon_node.affect import AffectEstimator
from face_recon_node.head import HeadModel
from face_recon_node.messages import BlendshapesMessage, LandmarksMessage, MeshMessage, PointsMessage, affect_message
from face_recon_node.models.file import SHIPPED, load
from face_recon_node.models.model import FaceModel
from face_recon_node.parameters import HEAD_PARAMETERS, load_head
from face_recon_node.reconstructor import MEMORY, FaceFrame, Reconstructor, ReconstructorSettings, shown_affect
from face_recon_node.stream.calibration import DURATIONS
from face_recon_node.stream.profile import Wearing
from face_recon_node.stream.units import LiveUnits
from face_recon_node.transforms import PARAMETERS as TRANSFORM_PARAMETERS
from face_recon_node.transforms import Transforms

SILENCE = 1.0  # seconds without a sample after which an ear counts as silent
CALIBRATION_GRACE = 2.0  # seconds that a calibration may take longer than its samples
FEEDBACK_PERIOD = 0.1  # seconds between two words about a calibration that somebody asked for
POLL_PERIOD = 0.001  # seconds between two looks at a model that is being loaded
LOG_PERIOD = 5.0  # seconds between two warnings about the samples of an ear


class FaceReconNode(AutostartNode):
    """Reconstructs the face at the rate of the earphones."""

    PARAMETERS = (
        Param("model", "", "model file, such as a personal one; empty: the shipped one", live=True),
        Param(
            "calibration_duration",
            3.0,
            "seconds of a relaxed face to average, at the start and by default on request",
            within=DURATIONS,
            live=True,
        ),
        Param("publish_mesh", True, "whether to publish face/mesh when somebody subscribes to it", live=True),
        *HEAD_PARAMETERS,
        PERSON_ID,
        *TRANSFORM_PARAMETERS,
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("face_recon_node", **kwargs)
        self._publishers_of_face: list[Publisher] = []
        self._samples: dict[Ear, Subscription] = {}
        self._server: ActionServer | None = None
        self._goal: ServerGoalHandle | None = None  # of the calibration that somebody asked for
        self._loaded: FaceModel | None = None  # what a parameter that is being set names
        self._transforms: Transforms | None = None

    def setup(self) -> None:
        frames = frames_of_node(self)
        self._frame = frames.face
        head = load_head(self)
        settings = ReconstructorSettings(self.get_parameter("calibration_duration").value)
        self._head = head
        self._reconstructor = Reconstructor(_load(self.get_parameter("model").value), head, settings)
        self._landmarks_message = LandmarksMessage(self._frame)
        self._blendshapes_message = BlendshapesMessage(self._frame)
        self._points_message = PointsMessage(self._frame)
        self._mesh_message = MeshMessage(head.triangles, self._frame)
        self._publishes_mesh = self.get_parameter("publish_mesh").value
        self._landmarks = self._publisher(FacialLandmarks, topics.FACE_LANDMARKS)
        self._blendshapes = self._publisher(Blendshapes, topics.FACE_BLENDSHAPES)
        self._affect = self._publisher(AffectState, topics.AFFECT)
        self._points = self._publisher(PointCloud2, topics.POINTS)
        self._mesh = self._publisher(MarkerArray, topics.MESH)
        self._transforms = self._make_transforms(frames, head)
        # A goal stays in the state ACCEPTED while it runs and is executed when its outcome is known: a callback that
        # waited for samples would stop the executor, which takes them.
        self._server = ActionServer(
            self,
            Calibrate,
            "calibrate",
            execute_callback=_no_outcome,
            handle_accepted_callback=self._on_goal,
            cancel_callback=self._on_cancel,
        )
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._follower = self.create_timer(FEEDBACK_PERIOD, self._follow_goal, clock=steady, autostart=False)

    def start(self) -> None:
        self._estimator = AffectEstimator()
        self._units = LiveUnits()
        self._frames = 0
        self._reported = (0, time.monotonic())
        self._last_seen: dict[Ear, float] = dict.fromkeys(EARS, -math.inf)
        self._warned: dict[Ear, tuple[int, float]] = dict.fromkeys(EARS, (0, -math.inf))
        self._calibration_message = ""
        self._wearing = Wearing.UNKNOWN
        self._inference_ms: collections.deque[float] = collections.deque(maxlen=300)
        self._mesh_ms: collections.deque[float] = collections.deque(maxlen=300)
        for ear, topic in topics.IMU.items():
            self._samples[ear] = self.create_subscription(
                Imu, topic, lambda message, ear=ear: self._on_imu(ear, message), qos(topic)
            )

    def stop(self) -> None:
        self._finish_goal(Calibrate.Result.NOT_ACTIVE, "the node was deactivated during the calibration")
        for subscription in self._samples.values():
            self.destroy_subscription(subscription)
        self._samples = {}

    def teardown(self) -> None:
        if self._server is not None:
            self.destroy_timer(self._follower)
            self._server.destroy()
            self._server = None
        for publisher in self._publishers_of_face:
            self.destroy_publisher(publisher)
        self._publishers_of_face = []
        if self._transforms is not None:
            self._transforms.close()
            self._transforms = None

    def _publisher(self, message_type: Any, topic: topics.Topic) -> Publisher:
        publisher = self.create_publisher(message_type, topic, offered(topic))
        self._publishers_of_face.append(publisher)
        return publisher

    def _make_transforms(self, frames: Frames, head: HeadModel) -> Transforms | None:
        try:
            return Transforms(self, frames, head.neutral)
        except ImportError as error:
            remedy = "make setup, or on an apt ROS 2: sudo apt install ros-$ROS_DISTRO-tf2-msgs"
            self.get_logger().warning(f"no /tf and /tf_static: {error}; get it with: {remedy}")
            return None

    # Samples in, faces out ------------------------------------------------------------------------------------------

    def _on_imu(self, ear: Ear, message: Imu) -> None:
        acceleration, angular_velocity = message.linear_acceleration, message.angular_velocity
        sample = (
            ear,
            to_ns(message.header.stamp),
            (acceleration.x, acceleration.y, acceleration.z),
            (angular_velocity.x, angular_velocity.y, angular_velocity.z),
        )
        started = time.perf_counter()
        frames = self._reconstructor.push(*sample)
        if frames:
            self._inference_ms.append((time.perf_counter() - started) * 1e3 / len(frames))
        for frame in frames:
            self._publish(frame)
        self._units.push(*sample)
        self._last_seen[ear] = time.monotonic()
        if self._transforms is not None:
            baseline = self._reconstructor.calibration.baselines[EARS.index(ear)]
            self._transforms.place(ear, message.header.frame_id, baseline)
        self._warn_about_drops(ear)
        self._follow_calibration()
        self._follow_wearing()

    def _publish(self, frame: FaceFrame) -> None:
        """The landmarks first: they are what latency is promised for."""
        stamp = frame.stamp_ns
        self._landmarks.publish(self._landmarks_message.build(stamp, frame.landmarks, frame.landmarks_std))
        self._blendshapes.publish(self._blendshapes_message.build(stamp, frame.blendshapes, frame.blendshapes_std))
        self._affect.publish(affect_message(stamp, shown_affect(frame, self._estimator), self._frame))
        if self._transforms is not None:  # before what RViz turns by them
            self._transforms.turn(frame)
        if self._points.get_subscription_count():
            self._points.publish(self._points_message.build(stamp, frame.landmarks, frame.landmarks_std))
        if self._publishes_mesh and self._mesh.get_subscription_count():
            started = time.perf_counter()
            self._mesh.publish(self._mesh_message.build(stamp, self._head.vertices(frame.blendshapes)))
            self._mesh_ms.append((time.perf_counter() - started) * 1e3)
        self._frames += 1

    def _warn_about_drops(self, ear: Ear) -> None:
        counters = self._reconstructor.counters[ear]
        dropped = counters.backwards + counters.invalid + counters.unstamped
        before, warned = self._warned[ear]
        now = time.monotonic()
        if dropped > before and now - warned > LOG_PERIOD:
            self._warned[ear] = dropped, now
            self.get_logger().warning(
                f"{ear} ear: dropped {dropped - before} samples "
                f"(in all {counters.backwards} out of order, {counters.invalid} not finite, "
                f"{counters.unstamped} without a time stamp)"
            )

    def _follow_wearing(self) -> None:
        """Log when a warning begins, changes or ends; it changes nothing about the faces."""
        judgement = self._reconstructor.monitor.judgement
        if judgement.wearing == self._wearing:
            return
        worried, self._wearing = self._wearing.is_warning, judgement.wearing
        # rclpy ties a severity to each calling line.
        if judgement.wearing.is_warning:
            self.get_logger().warning(judgement.message)
        elif worried:
            self.get_logger().info(judgement.message)

    # Parameters that change -----------------------------------------------------------------------------------------

    def examine(self, values: dict[str, Any]) -> None:
        """Refuse a model that cannot be loaded."""
        if "model" in values:
            self._loaded = self._load_aside(values["model"])

    def changed(self, values: dict[str, Any]) -> None:
        self._publishes_mesh = values.get("publish_mesh", self._publishes_mesh)
        if "model" in values and self._loaded is not None:
            self._reconstructor.use(self._loaded)
            self._loaded = None
            self.get_logger().info(f"model in use: {self._model_name()}")

    def _load_aside(self, path: str) -> FaceModel:
        """Load a model in a thread and take samples meanwhile: whoever sets a parameter waits for the outcome, and
        the executor with them.

        Raises:
            ValueError, OSError, ImportError: as :func:`~face_recon_node.models.file.load`.
        """
        outcome: list[FaceModel | Exception] = []

        def attempt() -> None:
            try:
                outcome.append(_load(path))
            except Exception as error:
                outcome.append(error)

        thread = threading.Thread(target=attempt)
        thread.start()
        while thread.is_alive():
            thread.join(POLL_PERIOD)
            self._take_samples()
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    def _take_samples(self) -> None:
        """Do what the executor does for the samples that have arrived."""
        for ear, subscription in self._samples.items():
            for message in arrived(subscription):
                self._on_imu(ear, message)

    def _model_name(self) -> str:
        path = self.get_parameter("model").value
        return Path(path).name if path else "the shipped model"

    # Calibration ----------------------------------------------------------------------------------------------------

    def _on_goal(self, goal: ServerGoalHandle) -> None:
        if not self.active:
            _conclude(goal, Calibrate.Result.NOT_ACTIVE, "the node is not active: activate it first")
            return
        if self._goal is not None:
            _conclude(goal, Calibrate.Result.BUSY, "another calibration is running: wait for it")
            return
        duration = goal.request.duration or self.get_parameter("calibration_duration").value
        try:
            self._reconstructor.calibrate(duration)
        except ValueError as error:
            _conclude(goal, Calibrate.Result.INVALID_DURATION, str(error))
            return
        self._goal = goal
        self._deadline = time.monotonic() + duration + CALIBRATION_GRACE
        self._follower.reset()

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        return CancelResponse.ACCEPT if goal == self._goal else CancelResponse.REJECT

    def _follow_goal(self) -> None:
        """Say how far a requested calibration is, and end it when it was cancelled or samples stay away."""
        if self._goal is None:
            return
        calibration = self._reconstructor.calibration
        if self._goal.is_cancel_requested:
            self._finish_goal(Calibrate.Result.CANCELED, "cancelled: the earlier calibration stays")
        elif time.monotonic() < self._deadline:
            self._goal.publish_feedback(Calibrate.Feedback(progress=calibration.progress, message=calibration.message))
        elif calibration.has_samples:
            message = f"too few samples for a calibration ({calibration.message}): check the earphones"
            self._finish_goal(Calibrate.Result.NO_DATA, message)
        else:
            self._finish_goal(Calibrate.Result.NO_DATA, "no IMU samples arrived: check the earphones and the driver")

    def _follow_calibration(self) -> None:
        calibration = self._reconstructor.calibration
        if calibration.running or not calibration.has_samples:
            return
        if calibration.message != self._calibration_message:
            self._calibration_message = calibration.message
            # rclpy ties a severity to each calling line.
            if calibration.failed:
                self.get_logger().warning(calibration.message)
            else:
                self.get_logger().info(calibration.message)
        code = Calibrate.Result.NOT_STILL if calibration.failed else Calibrate.Result.SUCCESS
        self._finish_goal(code, calibration.message)

    def _finish_goal(self, code: int, message: str) -> None:
        if self._goal is None:
            return
        self._reconstructor.calibration.cancel()
        self._follower.cancel()
        goal, self._goal = self._goal, None
        _conclude(goal, code, message)

    # Health ---------------------------------------------------------------------------------------------------------

    def status(self) -> list[tuple[str, Status]]:
        return [
            ("", self._frame_status()),
            *((f"{ear} ear", self._ear_status(ear)) for ear in EARS),
            ("calibration", self._calibration_status()),
            ("model", self._model_status()),
            ("wearing", self._wearing_status()),
        ]

    def _frame_status(self) -> Status:
        now = time.monotonic()
        frames, since = self._reported
        rate = (self._frames - frames) / (now - since)
        self._reported = self._frames, now
        values = {
            "rate_hz": f"{rate:.2f}",
            "frames": str(self._frames),
            **_percentiles("inference", self._inference_ms),
            **_percentiles("mesh", self._mesh_ms),
            "clock_restarts": str(self._reconstructor.restarts),
        }
        if not self._frames:
            return Status(StatusLevel.WARN, "no face yet: waiting for both the samples and the calibration", values)
        if rate == 0:
            return Status(StatusLevel.WARN, "no faces: no ear sends samples", values)
        sending = [ear for ear in EARS if now - self._last_seen[ear] < SILENCE]
        said = f"{rate:.1f} faces per second"
        if len(sending) == 1:  # what is left: docs/training.md, "one earbud lost"
            said += f" from the {sending[0]} ear alone: it tells the jaw, little of smiles and nothing of brows"
        return Status(StatusLevel.OK, said, values)

    def _ear_status(self, ear: Ear) -> Status:
        counters = self._reconstructor.counters[ear]
        age = time.monotonic() - self._last_seen[ear]
        values = {
            "accepted": str(counters.accepted),
            "dropped_out_of_order": str(counters.backwards),
            "dropped_not_finite": str(counters.invalid),
            "dropped_without_stamp": str(counters.unstamped),
            "gaps": str(counters.gaps),
            "last_seen_s": f"{age:.3f}",
        }
        if age > SILENCE:
            message = f"silent for {age:.1f} s" if counters.accepted else "nothing received yet"
            return Status(StatusLevel.WARN, message, values)
        if counters.unstamped and not counters.accepted:
            return Status(StatusLevel.ERROR, "its samples have no time stamp: the driver must stamp them", values)
        fault = self._units.fault(ear) or self._clock_fault()
        return Status(StatusLevel.ERROR if fault else StatusLevel.OK, fault or "sending", values)

    def _clock_fault(self) -> str:
        now = time.monotonic()
        return self._units.clock_fault(ear for ear in EARS if now - self._last_seen[ear] < SILENCE)

    def _calibration_status(self) -> Status:
        calibration = self._reconstructor.calibration
        values = {"progress": f"{calibration.progress:.2f}", "calibrated": str(calibration.ready)}
        healthy = calibration.ready and not calibration.failed
        return Status(StatusLevel.OK if healthy else StatusLevel.WARN, calibration.message, values)

    def _model_status(self) -> Status:
        model = self._reconstructor.model
        values = {
            "file": Path(self.get_parameter("model").value or SHIPPED).name,
            "model": model.name,
            "simulated": str(bool(model.card.get("base", model.card).get("simulated"))),
            "personal": str(model.face is not None),
            "profile": str(model.profile is not None),
        }
        return Status(StatusLevel.OK, self._model_name(), values)

    def _wearing_status(self) -> Status:
        monitor = self._reconstructor.monitor
        values = {"wearing": monitor.judgement.wearing.value}
        if math.isfinite(monitor.deviation):
            values["deviation"] = f"{monitor.deviation:.2f}"
        level = StatusLevel.WARN if monitor.judgement.wearing.is_warning else StatusLevel.OK
        return Status(level, monitor.judgement.message, values)


def _load(path: str) -> FaceModel:
    """Load a model file (empty: the shipped one) and predict a few frames: the first ones take so long that samples
    would be lost.

    Raises:
        ValueError, OSError, ImportError: as :func:`~face_recon_node.models.file.load`.
    """
    model = load(path or None)
    stream = model.stream()
    for frames in (MEMORY, 1, 1):
        stream.push(np.zeros((frames, 12)), np.ones((frames, 2), dtype=bool))
    return model


def _percentiles(name: str, values: Collection[float]) -> dict[str, str]:
    if not values:
        return {}
    p50, p99 = np.percentile(list(values), [50, 99])
    return {f"{name}_p50_ms": f"{p50:.2f}", f"{name}_p99_ms": f"{p99:.2f}"}


def _conclude(goal: ServerGoalHandle, code: int, message: str) -> None:
    def outcome(goal: ServerGoalHandle) -> Calibrate.Result:
        if code == Calibrate.Result.SUCCESS:
            goal.succeed()
        elif code == Calibrate.Result.CANCELED:
            goal.canceled()
        else:
            goal.abort()
        return Calibrate.Result(error_code=code, message=message)

    goal.execute(outcome)


def _no_outcome(goal: ServerGoalHandle) -> Calibrate.Result:
    """rclpy wants a default execute callback; goals are always executed with their own."""
    raise AssertionError("a goal was executed without an outcome")


def main(args: list[str] | None = None) -> None:
    imuface_node.main(FaceReconNode, args)
