"""Every message of a bag, whichever way it is stored and however it ended; and a whole bag made of it."""

from __future__ import annotations

import contextlib
import heapq
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any, TypeVar

import yaml
import zstandard
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader

from imuface_core.bag.salvage import Salvage, StoredMessage
from imuface_core.bag.writer import INFORMATION, METADATA, BagWriter, new_bag

_STORED = (".mcap", ".db3", ".mcap.zstd", ".db3.zstd")
# Begins what rosbag2 has compressed message by message; a message in CDR begins with a zero.
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"

_T = TypeVar("_T")


class Storage:
    """All messages of a bag; a context manager.

    A bag is a rosbag2 folder, with or without its ``metadata.yaml``, or one of its files: MCAP or sqlite3, compressed
    by chunk, message or file (zstd), in one file or several. A file that breaks off is read up to there, as ``damage``
    tells. With ``thorough``, MCAP files are read record by record, past what is damaged, even if their index is sound.
    Raises ``OSError`` when there is no such bag, ``ValueError`` when nothing in it can be read.
    """

    def __init__(self, path: str | Path, *, thorough: bool = False) -> None:
        self.path = Path(path)
        self.damage: list[str] = []
        """What is not whole, one sentence each."""
        files, self._information = _contents(self.path)
        self._thorough = thorough
        self._stack = contextlib.ExitStack()
        try:
            self._readers = [reader for file in files if (reader := self._open(file)) is not None]
            if not self._readers:
                raise ValueError(f"session {self.path} is damaged or incomplete: {'; '.join(self.damage)}")
            self.connections: list[Connection] = [each for reader in self._readers for each in reader.connections]
            """One for each topic of each file."""
            self._compare(files)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Storage:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; harmless when they are closed."""
        self._stack.close()

    @property
    def notes(self) -> dict[str, str]:
        """The custom data of ``metadata.yaml``."""
        return dict((self._information or {}).get("custom_data") or {})

    @property
    def span(self) -> tuple[int, int]:
        """Recording times of the first and the last message, ns; equal when there is none."""
        filled = [reader for reader in self._readers if reader.message_count]
        return min((r.start_time for r in filled), default=0), max((r.end_time - 1 for r in filled), default=0)

    def messages(self, connections: Collection[Connection]) -> Iterator[StoredMessage]:
        """Messages in the order of their recording. Raises ``ValueError`` when they are damaged."""
        chosen = [(r, mine) for r in self._readers if (mine := [c for c in connections if c.owner is r.storage])]
        stored = heapq.merge(*(reader.messages(mine) for reader, mine in chosen), key=lambda item: item[1])
        while (item := self._guarded(next, stored, None)) is not None:
            connection, time_ns, data = item
            if data[:4] == _ZSTD_MAGIC:
                data = self._guarded(zstandard.ZstdDecompressor().decompressobj().decompress, data)
            yield StoredMessage(connection, time_ns, bytes(data))

    def _open(self, file: Path) -> Reader | None:
        """Open a file, or what is left of it; None when nothing is."""
        file = self._unpacked(file)
        reader = None
        try:
            reader = self._entered(file)
        except Exception as error:  # the readers of damaged files raise whatever their parsers meet
            if file.suffix != ".mcap":
                self.damage.append(f"{file.name}: {error} (`sqlite3 {file.name} .recover` may save some of it)")
                return None
        if reader is not None and not (self._thorough and file.suffix == ".mcap"):
            return reader
        rescued = self._scratch() / "rescued"
        salvage = Salvage(file)
        with BagWriter(rescued) as writer:
            for connection, time_ns, data in salvage:
                writer.write(writer.topic_like(connection), time_ns, data)
        count = sum(writer.counts.values())
        if not salvage.whole or reader is None:
            self.damage.append(f"{file.name} {salvage.ending}{count} messages are read{salvage.extent}")
        return self._entered(rescued / "rescued.mcap") if count else None

    def _entered(self, file: Path) -> Reader:
        reader = Reader(file)
        reader.open()
        self._stack.callback(reader.close)
        return reader

    def _scratch(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="imuface_bag_")))

    def _unpacked(self, file: Path) -> Path:
        """The file as its reader wants it: not compressed, nothing left in the journal of an interrupted writer."""
        if file.suffix == ".zstd":
            target = self._scratch() / file.stem
            with file.open("rb") as packed, target.open("wb") as plain, contextlib.suppress(zstandard.ZstdError):
                zstandard.ZstdDecompressor().copy_stream(packed, plain)
            return target
        journals = [journal for kind in ("wal", "journal") if (journal := Path(f"{file}-{kind}")).exists()]
        if file.suffix != ".db3" or not journals:
            return file
        folder = self._scratch()
        for part in (file, *journals):
            shutil.copy(part, folder)
        with (
            contextlib.suppress(sqlite3.DatabaseError),
            contextlib.closing(sqlite3.connect(folder / file.name)) as base,
        ):
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return folder / file.name

    def _compare(self, files: list[Path]) -> None:
        """Notice what ``metadata.yaml`` does not tell, or tells and is not there."""
        if self.path.is_file() or self.damage:
            return
        if self._information is None:
            self.damage.append(f"no {METADATA}, or a damaged one; all messages are read")
            return
        missing = {PurePath(name).name for name in _listed(self._information)} - {file.name for file in files}
        if missing:
            self.damage.append(f"{', '.join(sorted(missing))} is missing; the rest is read")
        elif _counted(self._information) != _summed((c.topic, c.msgtype, c.msgcount) for c in self.connections):
            self.damage.append(f"{METADATA} does not tell what is in the files; all messages are read")

    def _guarded(self, function: Callable[..., _T], *arguments: Any) -> _T:
        try:
            return function(*arguments)
        except Exception as error:  # the readers of damaged files raise whatever their parsers meet
            what, remedy = str(error) or repr(error), f"`imuface bag repair {self.path}` saves the rest"
            raise ValueError(f"session {self.path} is damaged or incomplete: {what}; {remedy}") from error


def repair(path: str | Path, output: str | Path) -> tuple[int, list[str]]:
    """Write everything that can be read of a bag as a new, whole one, in one MCAP file.

    Returns the number of messages saved, and what was not whole. Raises as :class:`Storage`, and ``FileExistsError``
    when ``output`` exists.
    """
    with Storage(path, thorough=True) as storage, new_bag(output, storage.notes) as writer:
        for connection in storage.connections:
            writer.topic_like(connection)
        for connection, time_ns, data in storage.messages(storage.connections):
            writer.write(writer.topic_like(connection), time_ns, data)
        return sum(writer.counts.values()), storage.damage


def beside(path: Path, what: str) -> Path:
    """Where a bag that is made of the one at ``path`` goes by default: beside it, ``anna_faces`` for ``anna.mcap``."""
    named = path.resolve() if path.name in ("", "..") else path
    return named.with_name(f"{named.name.split('.')[0] if path.is_file() else named.name}_{what}")


def _contents(path: Path) -> tuple[list[Path], dict[str, Any] | None]:
    """The files of a bag in the order of their recording, and its ``metadata.yaml`` unless missing or damaged."""
    if not path.exists():
        raise FileNotFoundError(f"there is no session at {path}")
    if path.is_file():
        if not path.name.endswith(_STORED):
            raise ValueError(f"{path} is no session: neither a folder nor a file {', '.join(_STORED)}")
        return [path], None
    information = None
    with contextlib.suppress(OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError):
        content = yaml.safe_load((path / METADATA).read_text(encoding="utf-8"))[INFORMATION]
        _listed(content), _counted(content), dict(content.get("custom_data") or {})
        information = content
    listed = [path / PurePath(name).name for name in _listed(information)] if information else []
    files = [file for file in listed if file.is_file()] or sorted(
        (
            file
            for file in path.iterdir()
            # What was being compressed lies there twice.
            if file.name.endswith(_STORED) and not (file.suffix == ".zstd" and file.with_suffix("").exists())
        ),
        key=lambda file: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", file.name)],
    )
    if not files:
        raise FileNotFoundError(f"{path} is not a session: it has no {METADATA} and no file {', '.join(_STORED)}")
    return files, information


def _listed(information: dict[str, Any]) -> list[str]:
    return [str(name) for name in information["relative_file_paths"]]


def _counted(information: dict[str, Any]) -> Counter[tuple[str, str]]:
    entries = ((entry["topic_metadata"], entry["message_count"]) for entry in information["topics_with_message_count"])
    return _summed((topic["name"], topic["type"], count) for topic, count in entries)


def _summed(entries: Iterable[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
    """Messages by topic and type, without those that have none."""
    counts: Counter[tuple[str, str]] = Counter()
    for topic, kind, count in entries:
        counts[topic, kind] += count
    return +counts
