"""What is left of an MCAP file that ends anywhere: every message up to there, read record by record.

The format: https://mcap.dev/spec. The index at the end of a whole file is not needed.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Schema
from mcap.stream_reader import MAGIC_SIZE
from mcap.writer import MCAP0_MAGIC
from rosbags.interfaces import Connection, ConnectionExtRosbag2, MessageDefinition, MessageDefinitionFormat
from rosbags.rosbag2.metadata import parse_qos

_RECORD = struct.Struct("<BQ")  # opcode, length of the content
_MESSAGE = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time
_LAST_OPCODE, _FIRST_PRIVATE_OPCODE = Opcode.DATA_END, 0x80

_FORMS = {"ros2msg": MessageDefinitionFormat.MSG, "ros2idl": MessageDefinitionFormat.IDL}

# Each gives what can be decompressed of data that ends early.
_DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "lz4": lambda data: lz4.frame.LZ4FrameDecompressor().decompress(data),
}


class StoredMessage(NamedTuple):
    """One message as it was on the wire."""

    connection: Connection
    time_ns: int  # when it was recorded, ROS time
    data: bytes


class Salvage:
    """Iterates over the messages of an MCAP file in the order of their writing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._schemas: dict[int, Schema] = {}
        self._connections: dict[int, Connection] = {}
        self._complete = False
        self._damaged = 0  # chunks and messages before the end
        self._position = 0  # bytes up to where no record could be read any more
        self._first_ns = self._last_ns = 0

    @property
    def whole(self) -> bool:
        """Whether all messages could be read; known after the iteration."""
        return self._complete and not self._damaged

    @property
    def ending(self) -> str:
        """What is wrong with the file, for the beginning of a sentence."""
        if not self._complete:
            return f"breaks off at byte {self._position}: "
        return "is damaged: " if self._damaged else "has no sound index: all "

    @property
    def extent(self) -> str:
        """What could be read, for the end of a sentence."""
        until = f", up to {(self._last_ns - self._first_ns) * 1e-9:.1f} s after the first" if self._last_ns else ""
        return until + (f"; {self._damaged} damaged chunks or messages are lost" if self._damaged else "")

    def __iter__(self) -> Iterator[StoredMessage]:
        size = self._path.stat().st_size
        with self._path.open("rb") as file:
            if file.read(MAGIC_SIZE) != MCAP0_MAGIC:
                return
            for opcode, content, whole in _records(file, size):
                if opcode == Opcode.DATA_END or opcode == Opcode.FOOTER:
                    self._complete = True
                    return
                if opcode == Opcode.CHUNK:
                    yield from self._chunk(content, whole)
                elif whole:
                    yield from self._record(opcode, content)
                self._position = file.tell()

    def _chunk(self, content: bytes, whole: bool) -> Iterator[StoredMessage]:
        try:
            chunk = Chunk.read(ReadDataStream(io.BytesIO(content)))
            data = _DECOMPRESS[chunk.compression](chunk.data)
            if whole and chunk.uncompressed_crc not in (0, zlib.crc32(data)):
                raise ValueError("checksum")
        except Exception:  # parsers raise whatever they meet in bytes that are not what they seem
            self._damaged += whole
            return
        for opcode, record, complete in _records(io.BytesIO(data), len(data)):
            if complete:
                yield from self._record(opcode, record)

    def _record(self, opcode: int, content: bytes) -> Iterator[StoredMessage]:
        try:
            if opcode == Opcode.SCHEMA:
                schema = Schema.read(ReadDataStream(io.BytesIO(content)))
                self._schemas[schema.id] = schema
            elif opcode == Opcode.CHANNEL:
                channel = Channel.read(ReadDataStream(io.BytesIO(content)))
                self._connections[channel.id] = _connection(channel, self._schemas.get(channel.schema_id))
            elif opcode == Opcode.MESSAGE:
                number, _, time_ns, _ = _MESSAGE.unpack_from(content)
                message = StoredMessage(self._connections[number], time_ns, content[_MESSAGE.size :])
                self._first_ns, self._last_ns = self._first_ns or time_ns, time_ns
                yield message
        except Exception:
            self._damaged += 1


def _connection(channel: Channel, schema: Schema | None) -> Connection:
    form = _FORMS.get(schema.encoding if schema else "", MessageDefinitionFormat.NONE)
    return Connection(
        id=channel.id,
        topic=channel.topic,
        msgtype=schema.name if schema else "",
        msgdef=MessageDefinition(form, schema.data.decode() if schema and form != MessageDefinitionFormat.NONE else ""),
        digest=channel.metadata.get("topic_type_hash", ""),
        msgcount=0,
        ext=ConnectionExtRosbag2(channel.message_encoding, parse_qos(channel.metadata.get("offered_qos_profiles", ""))),
        owner=None,
    )


def _records(stream: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Opcode and content of each record, and whether it is whole; ends where no record can follow."""
    while len(head := stream.read(_RECORD.size)) == _RECORD.size:
        opcode, length = _RECORD.unpack(head)
        if opcode == 0 or _LAST_OPCODE < opcode < _FIRST_PRIVATE_OPCODE:
            return
        content = stream.read(min(length, size))
        yield opcode, content, len(content) == length
