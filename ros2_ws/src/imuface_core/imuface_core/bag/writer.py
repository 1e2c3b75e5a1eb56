"""Writes bags: rosbag2 folders (MCAP) that ``ros2 bag play`` plays."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from mcap.writer import CompressionType, Writer
from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinitionFormat,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2.metadata import dump_qos_v9

from imuface_core import topics
from imuface_core.bag.types import digest, typestore

METADATA = "metadata.yaml"
INFORMATION = "rosbag2_bagfile_information"
_VERSION = 9  # of the metadata, as Jazzy and later have it
_CHUNK = 1 << 20  # bytes, as long as nobody flushes
_DISTRIBUTION = "kilted"  # of the type definitions
_INFINITE = QosTime(9223372036, 854775807)


class BagWriter:
    """A new bag; a context manager.

    What was written before the last :meth:`flush` is on its way to the disk whatever happens to the process: only its
    index is missing then, and the reader does without. ``notes`` are the custom data of ``metadata.yaml``. Raises
    ``FileExistsError`` when ``path`` exists, and ``OSError`` when it cannot be written.
    """

    def __init__(self, path: str | Path, notes: Mapping[str, str] | None = None) -> None:
        self._path = Path(path)
        if self._path.exists():
            raise _exists(self._path)
        self._path.mkdir(parents=True)
        self._notes = dict(notes or {})
        self._file = self._path / f"{self._path.name}.mcap"
        self._topics: dict[int, dict[str, Any]] = {}
        self._channels: dict[tuple[str, str], int] = {}
        self._schemas: dict[tuple[str, str], int] = {}
        self._first_ns = (1 << 63) - 1
        self._last_ns = 0
        self.counts: dict[str, int] = {}
        """Messages by topic."""
        self._stream: io.BufferedWriter | None = self._file.open("xb")
        # Not compressed: of a chunk that is cut, the beginning can be read.
        self._mcap = Writer(self._stream, chunk_size=_CHUNK, compression=CompressionType.NONE)
        self._mcap.start(profile="ros2")
        self.flush()
        self._describe()

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        self.close() if kind is None else self.abort()

    def topic(self, name: str, kind: str, offered: Sequence[Qos] = (), like: Connection | None = None) -> int:
        """The channel of a topic of type ``kind`` (``sensor_msgs/msg/Imu``), which its publishers ``offered``.

        The definition of the type is that of ``like``, else the installed one.
        """
        if (name, kind) in self._channels:
            return self._channels[name, kind]
        encoding, text, hashed = _definition(kind, like)
        coding = like.ext.serialization_format if like and isinstance(like.ext, ConnectionExtRosbag2) else "cdr"
        if (kind, text) not in self._schemas:
            self._schemas[kind, text] = self._mcap.register_schema(kind, encoding, text.encode())
        profiles = dump_qos_v9(list(offered))
        channel = self._mcap.register_channel(
            name,
            coding,
            self._schemas[kind, text],
            {"offered_qos_profiles": yaml.safe_dump(profiles).strip(), "topic_type_hash": hashed},
        )
        self._channels[name, kind] = channel
        self._topics[channel] = {
            "topic_metadata": {
                "name": name,
                "type": kind,
                "serialization_format": coding,
                "offered_qos_profiles": profiles,
                "type_description_hash": hashed,
            },
            "message_count": 0,
        }
        self.counts[name] = 0
        return channel

    def topic_of_ours(self, name: str, topic: topics.Topic) -> int:
        """The channel of a topic of ours, called ``name`` in the bag, with the quality of service of the table."""
        return self.topic(name, topic.type, [_offered(topic)])

    def topic_like(self, source: Connection) -> int:
        """The channel of a topic as another bag has it: same name, type, definition and quality of service."""
        assert isinstance(source.ext, ConnectionExtRosbag2)
        return self.topic(source.topic, source.msgtype, source.ext.offered_qos_profiles, source)

    def write(self, channel: int, time_ns: int, data: bytes) -> None:
        """Write a message (CDR) that was received at ``time_ns``, ROS time in nanoseconds."""
        self._mcap.add_message(channel, log_time=time_ns, data=data, publish_time=time_ns)
        topic = self._topics[channel]
        topic["message_count"] += 1
        self.counts[topic["topic_metadata"]["name"]] += 1
        self._first_ns, self._last_ns = min(self._first_ns, time_ns), max(self._last_ns, time_ns)

    def flush(self) -> None:
        """Hand everything to the operating system: a process that is killed from now on has lost none of it."""
        self._mcap.flush()

    def close(self) -> None:
        """Complete index and ``metadata.yaml``."""
        if self._stream is None:
            return
        self._mcap.add_metadata("rosbag2", {"serialized_metadata": yaml.safe_dump(self._information()).strip()})
        self._mcap.finish()
        self._stream.close()
        self._stream = None
        self._describe()

    def abort(self) -> None:
        """Close without an index, as a kill would leave it: what was written can be read."""
        if self._stream is not None:
            with contextlib.suppress(OSError):  # a disk that is full takes no more
                self._stream.close()
            self._stream = None

    def _describe(self) -> None:
        """Write ``metadata.yaml``, which is whole at every moment."""
        temporary = self._path / f"{METADATA}.tmp"
        temporary.write_text(yaml.safe_dump({INFORMATION: self._information()}), encoding="utf-8")
        temporary.replace(self._path / METADATA)

    def _information(self) -> dict[str, Any]:
        count = sum(self.counts.values())
        start = {"nanoseconds_since_epoch": self._first_ns}
        duration = {"nanoseconds": max(0, self._last_ns - self._first_ns)}
        # PyYAML would write what occurs twice as a reference, which not every reader follows: hence the copies.
        return {
            "version": _VERSION,
            "storage_identifier": "mcap",
            "relative_file_paths": [self._file.name],
            "duration": duration,
            "starting_time": start,
            "message_count": count,
            "topics_with_message_count": list(self._topics.values()),
            "compression_format": "",
            "compression_mode": "",
            "files": [
                {
                    "path": self._file.name,
                    "starting_time": dict(start),
                    "duration": dict(duration),
                    "message_count": count,
                }
            ],
            "custom_data": self._notes or None,
            "ros_distro": _DISTRIBUTION,
        }


@contextlib.contextmanager
def new_bag(path: str | Path, notes: Mapping[str, str] | None = None) -> Iterator[BagWriter]:
    """Write a bag that appears whole or not at all. Raises as :class:`BagWriter`."""
    path = Path(path)
    if path.exists():
        raise _exists(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}_", dir=path.parent) as folder:
        with BagWriter(Path(folder) / path.name, notes) as writer:
            yield writer
        (Path(folder) / path.name).rename(path)


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(f"{path} exists already; recordings are not overwritten: name another folder")


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


def _definition(kind: str, like: Connection | None) -> tuple[str, str, str]:
    """Encoding, text and hash of a type's definition."""
    if like is None:
        store = typestore()
        return "ros2msg", store.generate_msgdef(kind, ros_version=2)[0], store.hash_rihs01(kind)
    form, text = like.msgdef
    if form == MessageDefinitionFormat.NONE and kind in typestore().types:
        return _definition(kind, None)  # an old sqlite3 bag tells no definition
    encodings = {MessageDefinitionFormat.MSG: "ros2msg", MessageDefinitionFormat.IDL: "ros2idl"}
    return encodings.get(form, ""), text, digest(like)
