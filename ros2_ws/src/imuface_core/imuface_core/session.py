"""Recorded sessions: rosbag2 directories (MCAP) with the topics of one person, read and written without ROS.

A session holds ``left/imu/data_raw`` and ``right/imu/data_raw`` and, when there was a camera or a performance,
``reference/blendshapes`` and ``reference/landmarks``, all in one namespace. ``ros2 bag play`` plays it.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Connection, Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from imuface_core import topics
from imuface_core.earphone import EARS
from imuface_core.recording import BlendshapeTrack, ImuTrack, LandmarkTrack, Recording

# The same bytes as FacialLandmarks with the points as one array: fifty times fewer objects to make.
_FLAT_LANDMARKS_TYPE = "imuface_core/msg/FlatLandmarks"
_FLAT_LANDMARKS = "std_msgs/Header header\nfloat64[153] points\nfloat32[51] standard_deviation"
DEFAULT_NAMESPACE = "/imuface"

_INFINITE = QosTime(9223372036, 854775807)


def _offered(topic: topics.Topic) -> Qos:
    return Qos(
        QosHistory.KEEP_LAST,
        topic.depth,
        QosReliability.RELIABLE if topic.reliable else QosReliability.BEST_EFFORT,
        QosDurability.VOLATILE,
        _INFINITE,
        _INFINITE,
        QosLiveliness.AUTOMATIC,
        _INFINITE,
        False,
    )


@functools.cache
def typestore() -> Typestore:
    """The message types of ROS 2 and of ``imuface_interfaces``. Raises ``OSError`` when those are not installed."""
    store = get_typestore(Stores.ROS2_KILTED)
    folder = _interfaces_share()
    for path in sorted(folder.glob("msg/*.msg")):
        store.register(get_types_from_msg(path.read_text(encoding="utf-8"), f"{folder.name}/msg/{path.stem}"))
    store.register(get_types_from_msg(_FLAT_LANDMARKS, _FLAT_LANDMARKS_TYPE))
    return store


def _interfaces_share() -> Path:
    prefixes = [*filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    for prefix in prefixes:
        folder = Path(prefix) / "share" / "imuface_interfaces"
        if (folder / "msg").is_dir():
            return folder
    raise FileNotFoundError(f"imuface_interfaces is not installed in any of {', '.join(prefixes)}")


def read_session(path: str | Path, namespace: str | None = None) -> Recording:
    """Read the samples of one person.

    ``namespace`` may be None when the bag holds only one. Tracks that were not recorded are None; stamps are those of
    the message headers, ascending. Raises ``OSError`` when there is no such session, and ``ValueError`` when it is
    damaged, holds no IMU topic, holds other message types, or leaves the choice of a namespace open.
    """
    with _Bag(path, namespace) as bag:
        left, right = (bag.imu(topics.IMU[ear]) for ear in EARS)
        if left is None and right is None:
            raise ValueError(f"session {path} has no sample on {' or '.join(map(bag.topic, topics.IMU.values()))}")
        return Recording(
            left=left,
            right=right,
            blendshapes=bag.blendshapes(topics.REFERENCE_BLENDSHAPES),
            landmarks=bag.landmarks(topics.REFERENCE_LANDMARKS),
        )


def read_face_landmarks(path: str | Path, namespace: str | None = None) -> LandmarkTrack | None:
    """The reconstructed landmarks (``face/landmarks``) that were recorded along; raises as :func:`read_session`."""
    with _Bag(path, namespace) as bag:
        return bag.landmarks(topics.FACE_LANDMARKS)


def write_session(path: str | Path, recording: Recording, namespace: str = DEFAULT_NAMESPACE) -> None:
    """Write ``recording`` as a new session, messages in the order of their stamps.

    Raises ``FileExistsError`` when ``path`` exists, ``ValueError`` when there is nothing to write.
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(f"{path} exists already; sessions are not overwritten")
    store = typestore()
    tracks: list[tuple[topics.Topic, np.ndarray, Iterator[Any]]] = []
    for ear, track in zip(EARS, (recording.left, recording.right), strict=True):
        if track is not None:
            tracks.append((topics.IMU[ear], track.stamps, _imu_messages(track, topics.IMU_FRAMES[ear])))
    if recording.blendshapes is not None:
        messages = _blendshape_messages(recording.blendshapes)
        tracks.append((topics.REFERENCE_BLENDSHAPES, recording.blendshapes.stamps, messages))
    if recording.landmarks is not None:
        messages = _landmark_messages(recording.landmarks)
        tracks.append((topics.REFERENCE_LANDMARKS, recording.landmarks.stamps, messages))
    if not any(len(stamps) for _, stamps, _ in tracks):
        raise ValueError(f"nothing to write to {path}: the recording is empty")

    with Writer(path, version=Writer.VERSION_LATEST, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = [
            writer.add_connection(
                f"{_normal(namespace)}/{topic}", topic.type, typestore=store, offered_qos_profiles=[_offered(topic)]
            )
            for topic, _, _ in tracks
        ]
        stamps = np.concatenate([stamps for _, stamps, _ in tracks])
        owner = np.concatenate([np.full(len(stamps), index) for index, (_, stamps, _) in enumerate(tracks)])
        for index in owner[np.argsort(stamps, kind="stable")]:
            topic, _, messages = tracks[index]
            message = next(messages)
            writer.write(connections[index], _stamp(message), store.serialize_cdr(message, _coded_as(topic)))


class _Bag:
    """One person's part of an open bag. Damage of any kind leaves it as ``ValueError``."""

    def __init__(self, path: str | Path, namespace: str | None) -> None:
        self._path = Path(path)
        self._wanted = None if namespace is None else _normal(namespace)
        self.namespace = ""

    def __enter__(self) -> _Bag:
        if not self._path.exists():
            raise FileNotFoundError(f"there is no session at {self._path}")
        if self._path.is_dir() and not (self._path / "metadata.yaml").exists():
            raise FileNotFoundError(
                f"{self._path} is not a session: it has no metadata.yaml "
                "(if its recording was interrupted, `ros2 bag reindex` writes one)"
            )
        self._reader = self._guard(lambda: Reader(self._path))
        self._guard(self._reader.open)
        try:
            self.namespace = self._choose_namespace()
        except BaseException:
            self._reader.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._reader.close()

    def topic(self, name: str) -> str:
        return f"{self.namespace}/{name}"

    def imu(self, name: topics.Topic) -> ImuTrack | None:
        messages = self._messages(name)
        if not messages:
            return None
        return ImuTrack(
            *self._columns(
                name,
                np.float64,
                [_stamp(m) for m in messages],
                [_xyz(m.linear_acceleration) for m in messages],
                [_xyz(m.angular_velocity) for m in messages],
            )
        )

    def blendshapes(self, name: topics.Topic) -> BlendshapeTrack | None:
        messages = self._messages(name)
        if not messages:
            return None
        weights = [m.weights for m in messages]
        return BlendshapeTrack(*self._columns(name, np.float32, [_stamp(m) for m in messages], weights))

    def landmarks(self, name: topics.Topic) -> LandmarkTrack | None:
        messages = self._messages(name)
        if not messages:
            return None
        points = [m.points.reshape(-1, 3) for m in messages]
        return LandmarkTrack(*self._columns(name, np.float32, [_stamp(m) for m in messages], points))

    def _choose_namespace(self) -> str:
        found = sorted(
            {
                connection.topic.removesuffix(f"/{name}")
                for connection in self._reader.connections
                for name in topics.IMU.values()
                if connection.topic.endswith(f"/{name}")
            }
        )
        names = ", ".join(namespace or "/" for namespace in found)
        if not found:
            raise ValueError(f"session {self._path} has no topic that ends in {' or '.join(topics.IMU.values())}")
        if self._wanted is not None:
            if self._wanted not in found:
                raise ValueError(
                    f"session {self._path} has nobody in namespace {self._wanted or '/'}, only in: {names}"
                )
            return self._wanted
        if len(found) > 1:
            raise ValueError(f"session {self._path} has several people; choose a namespace: {names}")
        return found[0]

    def _messages(self, name: topics.Topic) -> list[Any]:
        topic = self.topic(name)
        connections = [connection for connection in self._reader.connections if connection.topic == topic]
        if not connections:
            return []
        store = typestore()
        for connection in connections:
            self._check_type(connection, name.type, store.hash_rihs01(name.type))
        return self._guard(
            lambda: [store.deserialize_cdr(data, _coded_as(name)) for *_, data in self._reader.messages(connections)]
        )

    def _check_type(self, connection: Connection, expected: str, digest: str) -> None:
        if connection.msgtype != expected:
            raise ValueError(f"{connection.topic} of session {self._path} is {connection.msgtype}, not {expected}")
        if connection.digest and connection.digest != digest:
            raise ValueError(
                f"{connection.topic} of session {self._path} was recorded with another version of {expected}; "
                "read it with the release that recorded it"
            )

    def _columns(self, name: str, dtype: type, stamps: list[int], *values: list[Any]) -> tuple[Any, ...]:
        """Stamps and arrays by ascending stamp, one row for each."""
        ascending, rows = np.unique(np.array(stamps, dtype=np.int64), return_index=True)
        with np.errstate(over="ignore"):  # what is too large for the type becomes infinite, and is refused below
            arrays: list[np.ndarray] = [np.array(value, dtype=dtype)[rows] for value in values]
        finite = np.all([np.isfinite(array).reshape(len(rows), -1).all(axis=1) for array in arrays], axis=0)
        if not finite.all():
            bad = f"{np.count_nonzero(~finite)} of {len(rows)} messages with values that are not finite"
            raise ValueError(f"{self.topic(name)} of session {self._path} has {bad}")
        return ascending, *arrays

    def _guard(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except Exception as error:  # the readers of damaged files raise whatever their parsers meet
            raise ValueError(f"session {self._path} is damaged or incomplete: {str(error) or repr(error)}") from error


def _coded_as(topic: topics.Topic) -> str:
    """The type that a topic's messages are read and written as."""
    return _FLAT_LANDMARKS_TYPE if topic.type == topics.FACE_LANDMARKS.type else topic.type


def _normal(namespace: str) -> str:
    """``imuface``, ``/imuface`` and ``/imuface/`` are one namespace; the root is empty."""
    stripped = namespace.strip("/")
    return f"/{stripped}" if stripped else ""


def _stamp(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _xyz(vector: Any) -> tuple[float, float, float]:
    return vector.x, vector.y, vector.z


def _header(store: Typestore, stamp_ns: int, frame_id: str) -> Any:
    time = store.types["builtin_interfaces/msg/Time"](*divmod(int(stamp_ns), 1_000_000_000))
    return store.types["std_msgs/msg/Header"](time, frame_id)


def _imu_messages(track: ImuTrack, frame_id: str) -> Iterator[Any]:
    store = typestore()
    imu, vector = store.types["sensor_msgs/msg/Imu"], store.types["geometry_msgs/msg/Vector3"]
    orientation = store.types["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0)
    covariances = [
        np.array(values)
        for values in (
            topics.ORIENTATION_COVARIANCE,
            topics.ANGULAR_VELOCITY_COVARIANCE,
            topics.ACCELERATION_COVARIANCE,
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


def _blendshape_messages(track: BlendshapeTrack) -> Iterator[Any]:
    store = typestore()
    blendshapes = store.types[topics.REFERENCE_BLENDSHAPES.type]
    certain = np.zeros(track.weights.shape[1], dtype=np.float32)
    for stamp_ns, weights in zip(track.stamps, track.weights, strict=True):
        yield blendshapes(_header(store, stamp_ns, topics.FACE_FRAME), weights.astype(np.float32), certain)


def _landmark_messages(track: LandmarkTrack) -> Iterator[Any]:
    store = typestore()
    landmarks = store.types[_FLAT_LANDMARKS_TYPE]
    certain = np.zeros(track.points.shape[1], dtype=np.float32)
    for stamp_ns, points in zip(track.stamps, track.points, strict=True):
        yield landmarks(_header(store, stamp_ns, topics.FACE_FRAME), points.reshape(-1).astype(np.float64), certain)
