"""Recorded sessions: rosbag2 directories (MCAP) with the topics of one person, read and written without ROS.

A session holds ``left/imu/data_raw`` and ``right/imu/data_raw`` and, when there was a camera or a performance,
``reference/blendshapes`` and ``reference/landmarks``, all in one namespace. ``ros2 bag play`` plays it.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.typesys.store import Typestore

from imuface_core import topics
from imuface_core.bag import Bag, new_bag, normal, typestore
from imuface_core.bag.types import FLAT_LANDMARKS
from imuface_core.earphone import EARS
from imuface_core.frames import frames_of
from imuface_core.recording import BlendshapeTrack, ImuTrack, LandmarkTrack, Recording
from imuface_core.stamps import SECOND, to_ns

log = logging.getLogger(__name__)

DEFAULT_NAMESPACE = "/imuface"


def read_session(path: str | Path, namespace: str | None = None, names: Mapping[str, str] | None = None) -> Recording:
    """Read the samples of one person.

    ``namespace`` and ``names`` are those of :class:`imuface_core.bag.Bag`. Tracks that were not recorded are None;
    stamps are those of the message headers, ascending. A session that breaks off is read up to there, with a warning.
    Raises ``OSError`` when there is no such session, and ``ValueError`` when it is damaged, holds no IMU sample, holds
    other message types, or leaves the choice of a namespace open.
    """
    with Bag(path, namespace, names) as bag:
        for warning in bag.warnings:
            log.warning("%s", warning)
        return Recording(
            left=_imu(bag, topics.IMU["left"]),
            right=_imu(bag, topics.IMU["right"]),
            blendshapes=_blendshapes(bag, topics.REFERENCE_BLENDSHAPES),
            landmarks=_landmarks(bag, topics.REFERENCE_LANDMARKS),
        )


def read_face_landmarks(path: str | Path, namespace: str | None = None) -> LandmarkTrack | None:
    """The reconstructed landmarks (``face/landmarks``) that were recorded along; raises as :func:`read_session`."""
    with Bag(path, namespace) as bag:
        return _landmarks(bag, topics.FACE_LANDMARKS)


def write_session(path: str | Path, recording: Recording, namespace: str = DEFAULT_NAMESPACE) -> None:
    """Write ``recording`` as a new session, messages in the order of their stamps; it appears whole or not at all.

    Raises ``FileExistsError`` when ``path`` exists, ``ValueError`` when there is nothing to write.
    """
    messages = encoded(recording, namespace)
    with new_bag(path) as writer:
        for topic, stamp_ns, data in messages:
            writer.write(writer.topic_of_ours(f"{normal(namespace)}/{topic}", topic), stamp_ns, data)
        if not writer.counts:
            raise ValueError(f"nothing to write to {path}: the recording is empty")


def encoded(recording: Recording, namespace: str) -> Iterator[tuple[topics.Topic, int, bytes]]:
    """The messages of a recording as topic, stamp in ns and CDR, by ascending stamp, in the frames of a namespace."""
    frames = frames_of(namespace)
    tracks: list[Iterator[tuple[topics.Topic, Any]]] = []
    for ear, track in zip(EARS, (recording.left, recording.right), strict=True):
        if track is not None:
            tracks.append(zip(repeat(topics.IMU[ear]), _imu_messages(track, frames.imu[ear]), strict=False))
    if recording.blendshapes is not None:
        messages = _blendshape_messages(recording.blendshapes, frames.face)
        tracks.append(zip(repeat(topics.REFERENCE_BLENDSHAPES), messages, strict=False))
    if recording.landmarks is not None:
        messages = _landmark_messages(recording.landmarks, frames.face)
        tracks.append(zip(repeat(topics.REFERENCE_LANDMARKS), messages, strict=False))
    for topic, message in heapq.merge(*tracks, key=lambda item: to_ns(item[1].header.stamp)):
        yield topic, to_ns(message.header.stamp), bytes(typestore().serialize_cdr(message, _coded_as(topic)))


def _read(bag: Bag, topic: topics.Topic) -> list[Any]:
    """The messages of a topic. Raises ``ValueError`` when they cannot be read."""
    raw = list(bag.messages({topic}))
    try:
        return [typestore().deserialize_cdr(message.data, _coded_as(topic)) for message in raw]
    except Exception as error:  # the parsers of damaged messages raise whatever they meet
        raise ValueError(f"session {bag.path} is damaged or incomplete: {str(error) or repr(error)}") from error


def _imu(bag: Bag, topic: topics.Topic) -> ImuTrack | None:
    messages = _read(bag, topic)
    forces, rates = [_xyz(m.linear_acceleration) for m in messages], [_xyz(m.angular_velocity) for m in messages]
    return ImuTrack(*_columns(bag, topic, np.float64, messages, forces, rates)) if messages else None


def _blendshapes(bag: Bag, topic: topics.Topic) -> BlendshapeTrack | None:
    messages = _read(bag, topic)
    weights = [m.weights for m in messages]
    return BlendshapeTrack(*_columns(bag, topic, np.float32, messages, weights)) if messages else None


def _landmarks(bag: Bag, topic: topics.Topic) -> LandmarkTrack | None:
    messages = _read(bag, topic)
    points = [m.points.reshape(-1, 3) for m in messages]
    return LandmarkTrack(*_columns(bag, topic, np.float32, messages, points)) if messages else None


def _columns(bag: Bag, topic: str, dtype: type, messages: list[Any], *values: list[Any]) -> tuple[Any, ...]:
    """Stamps and arrays by ascending stamp, one row for each."""
    ascending, rows = np.unique(np.array([to_ns(m.header.stamp) for m in messages], dtype=np.int64), return_index=True)
    with np.errstate(over="ignore"):  # what is too large for the type becomes infinite, and is refused below
        arrays: list[np.ndarray] = [np.array(value, dtype=dtype)[rows] for value in values]
    finite = np.all([np.isfinite(array).reshape(len(rows), -1).all(axis=1) for array in arrays], axis=0)
    if not finite.all():
        bad = f"{np.count_nonzero(~finite)} of {len(rows)} messages with values that are not finite"
        raise ValueError(f"{bag.topic(topic)} of session {bag.path} has {bad}")
    return ascending, *arrays


def _coded_as(topic: topics.Topic) -> str:
    """The type that a topic's messages are read and written as."""
    return FLAT_LANDMARKS if topic.type == topics.FACE_LANDMARKS.type else topic.type


def _xyz(vector: Any) -> tuple[float, float, float]:
    return vector.x, vector.y, vector.z


def _header(store: Typestore, stamp_ns: int, frame_id: str) -> Any:
    time = store.types["builtin_interfaces/msg/Time"](*divmod(int(stamp_ns), SECOND))
    return store.types["std_msgs/msg/Header"](time, frame_id)


def _imu_messages(track: ImuTrack, frame_id: str) -> Iterator[Any]:
    store = typestore()
    imu, vector = store.types["sensor_msgs/msg/Imu"], store.types["geometry_msgs/msg/Vector3"]
    orientation = store.types["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0)
    covariances = [
        np.array(values)
        for values in (
            topics.ORIENTATION_COVARIANCE,
            topics.covariance(topics.ANGULAR_VELOCITY_STDEV),
            topics.covariance(topics.ACCELERATION_STDEV),
        )
    ]
    rows: Iterable[tuple[Any, Any, Any]] = zip(track.stamps, track.angular_velocity, track.acceleration, strict=True)
    for stamp_ns, rate, force in rows:
        yield imu(
            _header(store, stamp_ns, frame_id),
            orientation,
            covariances[0],
            vector(*map(float, rate)),
            covariances[1],
            vector(*map(float, force)),
            covariances[2],
        )


def _blendshape_messages(track: BlendshapeTrack, frame_id: str) -> Iterator[Any]:
    store = typestore()
    blendshapes = store.types[topics.REFERENCE_BLENDSHAPES.type]
    certain = np.zeros(track.weights.shape[1], dtype=np.float32)
    for stamp_ns, weights in zip(track.stamps, track.weights, strict=True):
        yield blendshapes(_header(store, stamp_ns, frame_id), weights.astype(np.float32), certain)


def _landmark_messages(track: LandmarkTrack, frame_id: str) -> Iterator[Any]:
    store = typestore()
    landmarks = store.types[FLAT_LANDMARKS]
    certain = np.zeros(track.points.shape[1], dtype=np.float32)
    for stamp_ns, points in zip(track.stamps, track.points, strict=True):
        yield landmarks(_header(store, stamp_ns, frame_id), points.reshape(-1).astype(np.float64), certain)
