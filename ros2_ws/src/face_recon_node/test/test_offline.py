"""Faces without nodes: the same as the node's, written as a session."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from face_recon_node import offline
from face_recon_node.commands.reconstruct import reconstruct
from face_recon_node.head import HeadModel
from face_recon_node.models.file import load
from face_recon_node.node import FaceReconNode
from face_recon_node.reconstructor import Reconstructor
from imuface_core import topics
from imuface_core.bag import Bag
from imuface_core.recording import Recording
from imuface_core.session import read_face_landmarks, read_session, write_session
from imuface_interfaces.msg import AffectState, Blendshapes, FacialLandmarks
from imuface_simulation import Participant, Performance, simulate
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Imu
from typer import Exit

KINDS = {topics.FACE_LANDMARKS: FacialLandmarks, topics.FACE_BLENDSHAPES: Blendshapes, topics.AFFECT: AffectState}


@pytest.fixture(scope="module")
def recording() -> Recording:
    return simulate(Performance.natural(3, 8.0), Participant.random(2), 8.0, seed=4, start_ns=1_700_000_000_000_000_000)


def by_node(recording: Recording) -> list[tuple[str, Any]]:
    """What the face node publishes for the samples, decoded."""
    published: list[tuple[str, Any]] = []
    with rclpy.init():
        node = FaceReconNode()
        node.autostart()

        class Listening:
            def __init__(self, topic: topics.Topic) -> None:
                self.topic = topic

            def publish(self, message: Any) -> None:
                decoded = deserialize_message(message, KINDS[self.topic]) if isinstance(message, bytes) else message
                published.append((self.topic, decoded))

        node._landmarks, node._blendshapes, node._affect = map(Listening, KINDS)  # type: ignore[assignment]
        for ear, stamp, force, rate in samples(recording):
            message = Imu()
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 1_000_000_000)
            for vector, values in ((message.linear_acceleration, force), (message.angular_velocity, rate)):
                vector.x, vector.y, vector.z = values.tolist()
            node._on_imu(ear, message)  # type: ignore[arg-type]
        node.close()
        node.destroy_node()
    return published


def samples(recording: Recording) -> list[tuple[str, int, Any, Any]]:
    """Ear, stamp, acceleration and angular velocity, as they come."""
    taken: list[tuple[str, int, Any, Any]] = []
    for ear, track in (("left", recording.left), ("right", recording.right)):
        assert track is not None
        rows = zip(track.stamps, track.acceleration, track.angular_velocity, strict=True)
        taken += [(ear, int(stamp), force, rate) for stamp, force, rate in rows]
    return sorted(taken, key=lambda sample: sample[1])


@pytest.mark.graph
def test_they_are_those_of_the_node(recording: Recording) -> None:
    steps: list[tuple[int, int]] = []
    reconstructor = Reconstructor(load(None), HeadModel.load())
    frames = offline.faces(recording, reconstructor, lambda what, done, of: steps.append((done, of)))
    alone = [(topic, deserialize_message(data, KINDS[topic])) for topic, _, data in offline.messages(frames, "/")]
    assert len(alone) > 600
    assert alone == by_node(recording)
    assert steps[-1][0] == steps[-1][1] == len(steps)


def test_a_session_is_written_with_its_faces(
    recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_session(tmp_path / "s", recording)
    reconstruct(tmp_path / "s", namespace="anna")
    written = tmp_path / "s_faces"
    again, faces = read_session(written), read_face_landmarks(written, "/anna")
    assert again.left is not None
    assert recording.left is not None
    assert faces is not None
    np.testing.assert_array_equal(again.left.acceleration, recording.left.acceleration)
    assert again.blendshapes is not None
    with Bag(written) as bag:
        counts = {topic: sum(1 for _ in bag.messages({topic})) for topic in KINDS}
        stamps = [message.time_ns for message in bag.messages({topics.IMU["left"], topics.FACE_LANDMARKS})]
    assert set(counts.values()) == {len(faces.stamps)}
    assert stamps == sorted(stamps)
    assert capsys.readouterr().out.endswith(f"{written}: {len(faces.stamps)} faces\n")
    with pytest.raises(Exit):
        reconstruct(tmp_path / "s")
    assert f"{written} exists already" in capsys.readouterr().err


def test_one_ear_is_enough(recording: Recording, tmp_path: Path) -> None:
    write_session(tmp_path / "s", dataclasses.replace(recording, right=None))
    reconstruct(tmp_path / "s", output=tmp_path / "o")
    assert read_face_landmarks(tmp_path / "o") is not None


def test_a_head_of_ones_own_gives_the_landmarks(recording: Recording, tmp_path: Path) -> None:
    write_session(tmp_path / "s", recording)
    shipped = HeadModel.load()
    shipped.with_neutral(1.1 * shipped.neutral, personal="true").save(tmp_path / "own.npz")
    reconstruct(tmp_path / "s", output=tmp_path / "o", head=tmp_path / "own.npz")
    reconstruct(tmp_path / "s", output=tmp_path / "p")
    own, plain = (read_face_landmarks(tmp_path / name) for name in "op")
    assert own is not None
    assert plain is not None
    np.testing.assert_allclose(own.points, 1.1 * plain.points, atol=2e-4)


@pytest.mark.parametrize(
    ("bag", "model", "head"),
    [("none", None, None), ("broken", None, None), ("s", "broken", None), ("s", None, "broken")],
)
def test_what_is_broken_is_one_line_and_leaves_nothing(
    recording: Recording,
    tmp_path: Path,
    bag: str,
    model: str | None,
    head: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_session(tmp_path / "s", recording)
    (tmp_path / "broken").write_bytes(b"\x89MCAP broken")
    model_file, head_file = (tmp_path / name if name else None for name in (model, head))
    with pytest.raises(Exit):
        reconstruct(tmp_path / bag, model=model_file, head=head_file, output=tmp_path / "o")
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"s", "broken"}
