"""Recorded sessions as they are replayed: raw messages of one person in the order of their recording. Free of ROS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from imuface_core import topics
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader


class RawMessage(NamedTuple):
    """One message as it was on the wire."""

    topic: str  # relative to the person's namespace, or absolute for a topic of the whole system
    time_ns: int  # when it was recorded
    data: bytes  # CDR


class Bag:
    """A rosbag2 folder that holds at least one ear; a context manager.

    ``namespace`` chooses a person when there are several. Raises ``FileNotFoundError`` when there is no such bag, and
    ``ValueError`` when it is damaged, has no IMU topic, or leaves the choice of a person open.
    """

    def __init__(self, path: str | Path, namespace: str = "") -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise FileNotFoundError(f"no bag at {self.path}")
        if not (self.path / "metadata.yaml").is_file():
            raise FileNotFoundError(
                f"{self.path} is not a finished bag: it has no metadata.yaml "
                "(if its recording was cut off, `ros2 bag reindex` writes one)"
            )
        self._reader: Any = self._guarded(Reader, self.path)
        self._guarded(self._reader.open)
        try:
            self.namespace = self._choose(namespace)
            self.connections = {
                name: connection
                for connection in self._reader.connections
                if (name := self._relative(connection.topic)) is not None
            }
            self._check_types()
        except BaseException:
            self.close()
            raise
        self.ears: list[str] = [topic for topic in topics.IMU.values() if self._count(topic)]
        if not self.ears:
            self.close()
            raise ValueError(f"{self.path} has no IMU sample of {self.namespace or '/'}")

    def __enter__(self) -> Bag:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; harmless when they are closed."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    @property
    def missing_ears(self) -> list[str]:
        """IMU topics without a sample: that ear was not worn or not recorded."""
        return [topic for topic in topics.IMU.values() if topic not in self.ears]

    def messages(self, names: set[str]) -> Iterator[RawMessage]:
        """The messages of topics ``names`` in the order of their recording. Raises ``ValueError`` when damaged."""
        chosen = [connection for name, connection in self.connections.items() if name in names]
        iterator = self._reader.messages(chosen) if chosen else iter(())
        while (item := self._guarded(next, iterator, None)) is not None:
            connection, time_ns, data = item
            yield RawMessage(self._relative(connection.topic) or "", time_ns, bytes(data))

    def _choose(self, wanted: str) -> str:
        people = sorted(
            {
                connection.topic.removesuffix(f"/{name}")
                for connection in self._reader.connections
                for name in topics.IMU.values()
                if connection.topic.endswith(f"/{name}")
            }
        )
        if not people:
            raise ValueError(
                f"{self.path} has no topic that ends in {' or '.join(topics.IMU.values())}: no session of earphones"
            )
        names = ", ".join(person or "/" for person in people)
        if wanted:
            normal = f"/{wanted.strip('/')}".rstrip("/")
            if normal not in people:
                raise ValueError(f"{self.path} has no person '{wanted}'; people: {names}")
            return normal
        if len(people) > 1:
            raise ValueError(f"{self.path} has several people; choose one: {names}")
        return people[0]

    def _relative(self, topic: str) -> str | None:
        if topic == topics.DIAGNOSTICS:
            return topic
        prefix = f"{self.namespace}/"
        return topic.removeprefix(prefix) if topic.startswith(prefix) else None

    def _check_types(self) -> None:
        for name, connection in self.connections.items():
            known = topics.KNOWN.get(name)
            if known is not None and connection.msgtype != known.type:
                raise ValueError(f"{connection.topic} in {self.path} is {connection.msgtype}, not {known.type}")

    def _count(self, name: str) -> int:
        connection: Connection | None = self.connections.get(name)
        return connection.msgcount if connection else 0

    def _guarded(self, function: Any, *arguments: Any) -> Any:
        """Call into rosbags, whose parsers raise whatever they trip over in a damaged file."""
        try:
            return function(*arguments)
        except Exception as error:
            raise ValueError(f"{self.path} is damaged or incomplete: {str(error) or repr(error)}") from error
