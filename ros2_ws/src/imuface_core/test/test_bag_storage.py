"""Bags as rosbags and ``ros2 bag record`` write them, whole, cut anywhere, and made whole again."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imuface_core.bag import Bag, Storage, repair
from imuface_core.bag.salvage import Salvage
from imuface_core.recording import Recording
from imuface_core.session import read_session, typestore, write_session
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

Messages = list[tuple[str, int, bytes]]
CUTS = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def content(bag: Path) -> Messages:
    with Storage(bag) as storage:
        return [(m.connection.topic, m.time_ns, m.data) for m in storage.messages(storage.connections)]


@pytest.fixture
def session(tmp_path: Path, recording: Recording) -> Path:
    write_session(tmp_path / "session", recording)
    return tmp_path / "session"


@pytest.fixture
def messages(session: Path) -> Messages:
    with Reader(session) as reader:
        return [(connection.topic, time_ns, bytes(data)) for connection, time_ns, data in reader.messages()]


def by_rosbags(
    source: Path, path: Path, plugin: StoragePlugin, compression: CompressionMode, piece: slice = slice(None)
) -> Path:
    """The same bag, or a piece of it, written by rosbags."""
    writer: Any = Writer(path, version=Writer.VERSION_LATEST, storage_plugin=plugin)
    writer.set_compression(compression, CompressionFormat.ZSTD)
    with Reader(source) as reader, writer:
        channels = {
            each.topic: writer.add_connection(each.topic, each.msgtype, typestore=typestore())
            for each in reader.connections
        }
        for connection, time_ns, data in list(reader.messages())[piece]:
            writer.write(channels[connection.topic], time_ns, data)
    return path


def in_chunks(source: Path, path: Path, compression: CompressionType, *, chunked: bool = True) -> Path:
    """The same bag as a lone file of small chunks."""
    with path.open("wb") as stream, Reader(source) as reader:
        writer = McapWriter(stream, chunk_size=20_000, compression=compression, use_chunking=chunked)
        writer.start(profile="ros2")
        channels = {}
        for each in reader.connections:
            schema = writer.register_schema(each.msgtype, "ros2msg", each.msgdef.data.encode())
            channels[each.topic] = writer.register_channel(each.topic, "cdr", schema)
        for connection, time_ns, data in reader.messages():
            writer.add_message(channels[connection.topic], time_ns, bytes(data), time_ns)
        writer.finish()
    return path


@pytest.mark.parametrize(
    ("plugin", "compression"),
    # Chunks, which may be compressed each by itself, there are in MCAP only.
    sorted({*itertools.product(StoragePlugin, CompressionMode)} - {(StoragePlugin.SQLITE3, CompressionMode.STORAGE)}),
)
@pytest.mark.parametrize("form", ["whole", "lone file", "without metadata"])
def test_every_form_of_a_bag_holds_the_same(
    session: Path, messages: Messages, tmp_path: Path, plugin: StoragePlugin, compression: CompressionMode, form: str
) -> None:
    bag = by_rosbags(session, tmp_path / "bag", plugin, compression)
    if form == "lone file":
        (bag,) = (file for file in bag.iterdir() if file.name != "metadata.yaml")
    elif form == "without metadata":
        (bag / "metadata.yaml").unlink()
    assert content(bag) == messages
    with Storage(bag) as storage:
        assert bool(storage.damage) == (form == "without metadata")
    with Bag(bag) as person:
        assert [(person.topic(m.topic), m.time_ns, m.data) for m in person.messages(person.types)] == messages
    assert read_session(bag).left is not None


def test_several_files_are_one_bag(session: Path, messages: Messages, tmp_path: Path) -> None:
    plugin, none = StoragePlugin.MCAP, CompressionMode.NONE
    (tmp_path / "bag").mkdir()
    for number in range(12):
        part = by_rosbags(session, tmp_path / f"part_{number}", plugin, none, slice(number * 30, number * 30 + 30))
        shutil.move(part / f"part_{number}.mcap", tmp_path / "bag" / f"bag_{number}.mcap")
    assert content(tmp_path / "bag") == messages
    metadata = (session / "metadata.yaml").read_text()
    for files, damage in ((12, []), (13, ["bag_12.mcap is missing; the rest is read"])):
        listed = "".join(f"\n  - bag_{number}.mcap" for number in range(files))
        (tmp_path / "bag" / "metadata.yaml").write_text(metadata.replace("\n  - session.mcap", listed))
        assert content(tmp_path / "bag") == messages
        with Storage(tmp_path / "bag") as storage:
            assert storage.damage == damage
    last = tmp_path / "bag" / "bag_11.mcap"
    last.write_bytes(last.read_bytes()[:10_000])
    found = content(tmp_path / "bag")
    assert 330 < len(found) < len(messages)
    assert found == messages[: len(found)]


def test_a_cut_within_the_metadata_of_a_killed_recorder(session: Path, messages: Messages) -> None:
    (session / "metadata.yaml").write_text("rosbag2_bagfile_information: {version: 9, relative_file_paths: [session")
    assert content(session) == messages
    told = "{relative_file_paths: [session.mcap], topics_with_message_count: []}"
    (session / "metadata.yaml").write_text(f"rosbag2_bagfile_information: {told}")
    with Storage(session) as storage:
        assert storage.damage == ["metadata.yaml does not tell what is in the files; all messages are read"]


@pytest.mark.parametrize("compression", list(CompressionType))
@pytest.mark.parametrize("chunked", [True, False])
def test_a_file_cut_anywhere_is_read_up_to_there(
    session: Path, messages: Messages, tmp_path: Path, compression: CompressionType, chunked: bool
) -> None:
    whole = in_chunks(session, tmp_path / "whole.mcap", compression, chunked=chunked).read_bytes()
    assert content(tmp_path / "whole.mcap") == messages
    lengths = [len(data) + 40 for *_, data in messages]
    cut = tmp_path / "cut.mcap"

    @CUTS
    @given(st.integers(0, len(whole)))
    def check(size: int) -> None:
        cut.write_bytes(whole[:size])
        try:
            found = content(cut)
        except ValueError as error:
            assert "cut.mcap is damaged or incomplete: cut.mcap breaks off at byte" in str(error)  # noqa: PT017
            found = []
        assert found == messages[: len(found)]
        if compression == CompressionType.NONE:  # to the very last message before the cut
            assert sum(lengths[: len(found) + 1]) + 8000 > min(size, sum(lengths))

    check()


@CUTS
@given(data=st.data())
def test_damage_is_read_past_or_named(session: Path, tmp_path: Path, data: st.DataObject) -> None:
    damaged = tmp_path / "damaged"
    shutil.rmtree(damaged, ignore_errors=True)
    shutil.copytree(session, damaged)
    victim = data.draw(st.sampled_from(sorted(damaged.iterdir())))
    bytes_ = bytearray(victim.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        bytes_[data.draw(st.integers(0, len(bytes_) - 1))] = data.draw(st.integers(0, 255))
    victim.write_bytes(bytes_)
    for attempt in (lambda: content(damaged), lambda: repair(damaged, tmp_path / "whole")):
        try:
            attempt()
        except (ValueError, OSError) as error:
            assert str(damaged) in str(error)  # noqa: PT017
    shutil.rmtree(tmp_path / "whole", ignore_errors=True)


@CUTS
@given(st.binary(max_size=300))
def test_any_bytes_are_no_more_than_damage(tmp_path: Path, junk: bytes) -> None:
    file = tmp_path / "junk.mcap"
    for begin in (b"", b"\x89MCAP0\r\n"):
        file.write_bytes(begin + junk)
        assert list(Salvage(file)) == []


def test_repair_gives_a_whole_bag_and_leaves_the_old_one(session: Path, messages: Messages, tmp_path: Path) -> None:
    file = session / "session.mcap"
    file.write_bytes(file.read_bytes()[:100_000])
    before = {path.name: path.read_bytes() for path in session.iterdir()}
    count, damage = repair(session, tmp_path / "whole")
    assert {path.name: path.read_bytes() for path in session.iterdir()} == before
    assert damage == [damage[0]]
    assert damage[0].startswith(f"session.mcap breaks off at byte 100000: {count} messages are read, up to ")
    with Reader(tmp_path / "whole") as reader:  # which wants an index and the metadata
        assert [(c.topic, t, bytes(d)) for c, t, d in reader.messages()] == messages[:count]
        assert reader.message_count == count > 50
    assert repair(tmp_path / "whole", tmp_path / "again") == (count, [])
    with pytest.raises(FileExistsError, match="not overwritten"):
        repair(session, tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "session", "whole"]


def test_repair_reads_past_a_damaged_chunk(session: Path, messages: Messages, tmp_path: Path) -> None:
    file = in_chunks(session, tmp_path / "bag.mcap", CompressionType.NONE)
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    file.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"Chunk checksum mismatch\.; `imuface bag repair .*` saves the rest"):
        content(file)
    count, damage = repair(file, tmp_path / "whole")
    assert len(messages) - 60 < count < len(messages)
    (sentence,) = damage
    assert sentence.startswith(f"bag.mcap is damaged: {count} messages are read, up to ")
    assert sentence.endswith(" s after the first; 1 damaged chunks or messages are lost")


def test_repair_tells_of_an_index_that_is_cut(session: Path, messages: Messages, tmp_path: Path) -> None:
    file = session / "session.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    count, damage = repair(session, tmp_path / "whole")
    assert count == len(messages)
    assert damage[0].startswith(f"session.mcap has no sound index: all {count} messages are read")


def test_a_file_that_was_compressed_and_cut(session: Path, messages: Messages, tmp_path: Path) -> None:
    bag = by_rosbags(session, tmp_path / "bag", StoragePlugin.MCAP, CompressionMode.FILE)
    (bag / "metadata.yaml").unlink()
    packed = bag / "bag.mcap.zstd"
    packed.write_bytes(packed.read_bytes()[: packed.stat().st_size * 9 // 10])
    found = content(bag)
    assert 0 < len(found) < len(messages)
    assert found == messages[: len(found)]
    plain = in_chunks(session, bag / "bag.mcap", CompressionType.NONE)  # what was being compressed when it happened
    assert content(bag) == messages
    assert plain.exists()


def test_a_killed_sqlite3_recorder_leaves_its_journal(session: Path, messages: Messages, tmp_path: Path) -> None:
    bag = by_rosbags(session, tmp_path / "bag", StoragePlugin.SQLITE3, CompressionMode.NONE)
    (bag / "metadata.yaml").unlink()
    script = f"""
import os, sqlite3
base = sqlite3.connect({str(bag / "bag.db3")!r})
base.execute("PRAGMA journal_mode=WAL")
base.execute("INSERT INTO messages (topic_id, timestamp, data) SELECT topic_id, timestamp + 1, data FROM messages")
base.commit()
os._exit(9)
"""
    subprocess.run(["python3", "-c", script], check=False)
    assert (bag / "bag.db3-wal").stat().st_size > 0
    assert len(content(bag)) == 2 * len(messages)
    (bag / "bag.db3").write_bytes(b"SQLite format 3\0" + bytes(500))
    with pytest.raises(ValueError, match=r"bag is damaged or incomplete: bag\.db3: .*`sqlite3 bag\.db3 \.recover`"):
        content(bag)


def test_what_is_no_bag_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "zero.mcap").touch()
    (tmp_path / "zero.mcap.zstd").touch()
    (tmp_path / "a.bag").touch()
    expected: list[tuple[str, type[Exception], str]] = [
        ("nowhere", FileNotFoundError, "there is no session at"),
        ("empty", FileNotFoundError, "no metadata.yaml and no file .mcap, .db3"),
        ("a.bag", ValueError, "neither a folder nor a file .mcap, .db3"),
        ("zero.mcap", ValueError, "zero.mcap breaks off at byte 0: 0 messages are read"),
        ("zero.mcap.zstd", ValueError, "zero.mcap breaks off at byte 0: 0 messages are read"),
    ]
    attempts: list[Callable[[Path], object]] = [content, lambda bag: repair(bag, tmp_path / "out")]
    for name, kind, message in expected:
        for attempt in attempts:
            with pytest.raises(kind, match=message):
                attempt(tmp_path / name)
    assert not (tmp_path / "out").exists()
