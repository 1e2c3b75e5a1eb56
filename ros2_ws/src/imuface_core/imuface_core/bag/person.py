"""One person's part of a bag, under the names of :mod:`imuface_core.topics`, whatever the bag calls them."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from rosbags.interfaces import Connection, ConnectionExtRosbag2

from imuface_core import topics
from imuface_core.bag.storage import Storage
from imuface_core.bag.types import digest, typestore
from imuface_core.earphone import EARS
from imuface_core.stamps import SECOND

_SHORT: dict[str, str] = {ear: topics.IMU[ear] for ear in EARS}


class RawMessage(NamedTuple):
    """One message as it was on the wire."""

    topic: str  # relative to the person's namespace, or absolute for a topic of the whole system
    time_ns: int  # when it was recorded, ROS time
    data: bytes  # CDR


class Bag:
    """The topics of one person in a bag (:class:`Storage`) that holds at least one ear; a context manager.

    ``namespace`` may be None when there is only one person; ``names`` tells what the bag calls topics of ours, see
    :func:`named_topics`. What is not whole is read as far as it goes, see ``warnings``. Raises ``OSError`` when there
    is no such bag, and ``ValueError`` when it is damaged, has no sample of an ear, holds other message types, or leaves
    the choice of a person open.
    """

    def __init__(self, path: str | Path, namespace: str | None = None, names: Mapping[str, str] | None = None) -> None:
        self.storage = Storage(path)
        self.path = self.storage.path
        try:
            self._named = dict(names or {})  # theirs by ours
            self._require(self._named.values())
            self.namespace = self._choose(namespace)
            self._ours = {topic: name for topic in self._topics() if (name := self._relative(topic)) is not None}
            self._ours |= {theirs: ours for ours, theirs in self._named.items()}
            self._connections: dict[str, list[Connection]] = {}
            for connection in self.storage.connections:
                if connection.topic in self._ours:
                    self._connections.setdefault(self._ours[connection.topic], []).append(connection)
            self.ears: list[str] = [
                topic
                for topic in topics.IMU.values()
                if any(each.msgcount for each in self._connections.get(topic, ()))
            ]
            """IMU topics with a sample."""
            if not self.ears:
                raise ValueError(f"session {path} has no sample on {' or '.join(map(self.topic, topics.IMU.values()))}")
            self.check(self.ears)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Bag:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; harmless when they are closed."""
        self.storage.close()

    @property
    def missing_ears(self) -> list[str]:
        """IMU topics without a sample: that ear was not worn or not recorded."""
        return [topic for topic in topics.IMU.values() if topic not in self.ears]

    @property
    def warnings(self) -> list[str]:
        """What is not whole, with the remedy; at most one sentence."""
        damage = "; ".join(self.storage.damage)
        return [f"session {self.path} is not whole: {damage} (`imuface bag repair` mends it)"] if damage else []

    def seconds_between_ears(self) -> float:
        """What lies between the stamps of the one ear and those of the other, s; 0 where both were there at a time."""
        stamps: dict[str, list[int]] = {ear: [] for ear in self.ears}
        for message in self.messages(self.ears):
            stamps[message.topic].append(header_stamp(message.data))
        latest_start, earliest_end = max(map(min, stamps.values())), min(map(max, stamps.values()))
        return max(0.0, (latest_start - earliest_end) * 1e-9)

    @property
    def types(self) -> dict[str, str]:
        """The person's topics, by relative name, with their message types."""
        return {name: connections[0].msgtype for name, connections in self._connections.items()}

    def topic(self, name: str) -> str:
        """What the bag calls a topic of ours."""
        return self._named.get(name) or (name if name.startswith("/") else f"{self.namespace}/{name}")

    def messages(self, names: Collection[str]) -> Iterator[RawMessage]:
        """The messages of topics ``names`` in the order of their recording.

        Raises ``ValueError`` when they are damaged, or of another type than ours.
        """
        self.check(names)
        chosen = [each for name in names for each in self._connections.get(name, ())]
        for connection, time_ns, data in self.storage.messages(chosen):
            yield RawMessage(self._ours[connection.topic], time_ns, data)

    def check(self, names: Iterable[str]) -> None:
        """Raises ``ValueError`` when one of the topics ``names`` is of another type, or version of it, than ours."""
        for connection in (each for name in names if name in topics.KNOWN for each in self._connections.get(name, ())):
            expected = topics.KNOWN[self._ours[connection.topic]].type
            where = f"{connection.topic} of session {self.path}"
            if connection.msgtype != expected:
                raise ValueError(f"{where} is {connection.msgtype}, not {expected}")
            if digest(connection) not in ("", typestore().hash_rihs01(expected)):
                remedy = "read it with the release that recorded it"
                raise ValueError(f"{where} was recorded with another version of {expected}; {remedy}")
            assert isinstance(connection.ext, ConnectionExtRosbag2)
            if connection.ext.serialization_format != "cdr":
                raise ValueError(f"{where} is coded as '{connection.ext.serialization_format}'; convert the bag to CDR")

    def _topics(self, kind: str | None = None) -> list[str]:
        return sorted({each.topic for each in self.storage.connections if kind in (None, each.msgtype)})

    def _require(self, named: Iterable[str]) -> None:
        for topic in sorted(set(named) - set(self._topics())):
            raise ValueError(f"session {self.path} has no topic {topic}{self._imu_topics()}")

    def _choose(self, wanted: str | None) -> str:
        found = people(self.storage.connections)
        names = ", ".join(namespace or "/" for namespace in found)
        if wanted is not None and normal(wanted) in found:
            return normal(wanted)
        if set(self._named) & set(topics.IMU.values()):  # whoever wears the ear that was named
            found = found or people(self.storage.connections, topics.KNOWN.keys() - {topics.DIAGNOSTICS})
            return normal(wanted) if wanted is not None else found[0] if len(found) == 1 else ""
        if not found:
            endings = " or ".join(topics.IMU.values())
            raise ValueError(f"session {self.path} has no topic that ends in {endings}{self._imu_topics()}")
        if wanted is not None:
            raise ValueError(f"session {self.path} has nobody in namespace {normal(wanted) or '/'}, only in: {names}")
        if len(found) > 1:
            raise ValueError(f"session {self.path} has several people; choose a namespace: {names}")
        return found[0]

    def _imu_topics(self) -> str:
        """What an ear might be, for a message."""
        kind = topics.IMU["left"].type
        found = self._topics(kind)
        if not found:
            return f", and none of type {kind}"
        return f"; of type {kind}: {', '.join(found)} (name the ears with --topic left={found[0]})"

    def _relative(self, topic: str) -> str | None:
        """Our name of a topic in the person's namespace; None when it is not the person's, or goes by another name."""
        if topic == topics.DIAGNOSTICS:
            return topic
        name = topic.removeprefix(f"{self.namespace}/")
        return None if name == topic or name in self._named else name


def stamp_layout(data: bytes) -> str:
    """How :mod:`struct` finds seconds and nanoseconds at byte 4 of a CDR message that begins with a header."""
    return "<iI" if data[1] & 1 else ">iI"  # bit 0 of the encapsulation identifier: little endian


def header_stamp(data: bytes) -> int:
    """Stamp of a CDR message that begins with a ``std_msgs/Header``, ns."""
    seconds, nanoseconds = struct.unpack_from(stamp_layout(data), data, 4)
    return int(seconds * SECOND + nanoseconds)


def people(connections: Iterable[Connection], names: Iterable[str] = topics.IMU.values()) -> list[str]:
    """Namespaces in which there is an ear, or one of the topics ``names``."""
    found = {(connection.topic, f"/{name}") for connection in connections for name in names}
    return sorted({topic.removesuffix(name) for topic, name in found if topic.endswith(name)})


def named_topics(assignments: Iterable[str]) -> dict[str, str]:
    """Topics of a bag by our names, from assignments such as ``left=/ear_l/imu`` or ``face/affect=/mood``.

    Raises ``ValueError`` when there is no such topic of ours, or one is named twice.
    """
    names: dict[str, str] = {}
    for assignment in assignments:
        short, _, topic = assignment.partition("=")
        name = _SHORT.get(short, short)
        if name not in topics.KNOWN or not topic.startswith("/"):
            known = ", ".join([*_SHORT, *sorted(topics.KNOWN)])
            raise ValueError(f"--topic '{assignment}' is not of the form NAME=/topic; NAME is one of {known}")
        if name in names or topic in names.values():
            raise ValueError(f"--topic '{assignment}' names a topic for the second time")
        names[name] = topic
    return names


def normal(namespace: str) -> str:
    """``imuface``, ``/imuface`` and ``/imuface/`` are one namespace; the root is empty."""
    stripped = namespace.strip("/")
    return f"/{stripped}" if stripped else ""
