"""A copy of a recorded session with another true face."""

from __future__ import annotations

import heapq
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from imuface_core import topics
from imuface_core.recording import BlendshapeTrack, LandmarkTrack, Recording
from imuface_core.session import read_session, typestore, write_session
from rosbags.interfaces import Connection, ConnectionExtRosbag2
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

_REFERENCE = (topics.REFERENCE_LANDMARKS, topics.REFERENCE_BLENDSHAPES)


def copy_with_reference(
    session: Path,
    output: Path,
    landmarks: LandmarkTrack,
    blendshapes: BlendshapeTrack | None,
    namespace: str | None = None,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Copy every message of a session, byte for byte, but with this reference in place of its own.

    The copy appears whole or not at all. ``notes`` go into the copy's ``metadata.yaml`` as custom data.

    Raises:
        OSError: the session cannot be read, or ``output`` exists already.
        ValueError: the session is damaged, or holds several people and ``namespace`` does not choose one.
    """
    if output.exists():
        raise FileExistsError(f"{output} exists already; sessions are not overwritten: name another folder")
    read_session(session, namespace)  # says what is wrong with a session that is no session
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}_", dir=output.parent) as folder:
        reference, whole = Path(folder) / "reference", Path(folder) / "whole"
        person = _namespace(session, namespace)
        write_session(reference, Recording(None, None, blendshapes, landmarks), person)
        replaced = {f"{person}/{topic}" for topic in _REFERENCE}
        with (
            Reader(session) as old,
            Reader(reference) as new,
            Writer(whole, version=Writer.VERSION_LATEST, storage_plugin=StoragePlugin.MCAP) as writer,
        ):
            kept = [connection for connection in old.connections if connection.topic not in replaced]
            copies = {id(source): _like(writer, source) for source in (*kept, *new.connections)}
            for key, note in (notes or {}).items():
                writer.set_custom_data(key, note)
            messages = heapq.merge(old.messages(kept), new.messages(), key=lambda message: message[1])
            for connection, stamp, data in messages:
                writer.write(copies[id(connection)], stamp, data)
        whole.rename(output)


def replace_reference(
    session: Path,
    landmarks: LandmarkTrack,
    blendshapes: BlendshapeTrack | None,
    namespace: str | None = None,
    notes: Mapping[str, str] | None = None,
) -> None:
    """The same in the session's own place. Raises the same errors.

    The old session is removed last: were this interrupted, it would still lie beside the new one, with ``.old`` added.
    """
    new, old = session.with_name(f"{session.name}.new"), session.with_name(f"{session.name}.old")
    copy_with_reference(session, new, landmarks, blendshapes, namespace, notes)
    session.rename(old)
    new.rename(session)
    shutil.rmtree(old)


def _namespace(session: Path, namespace: str | None) -> str:
    """The person's namespace with a leading slash; empty for the root."""
    if namespace is not None:
        return f"/{namespace.strip('/')}".rstrip("/")
    with Reader(session) as reader:
        return next(
            connection.topic.removesuffix(f"/{topic}")
            for connection in reader.connections
            for topic in topics.IMU.values()
            if connection.topic.endswith(f"/{topic}")
        )


def _like(writer: Writer, source: Connection) -> Connection:
    """A connection of the same topic, type and quality of service."""
    assert isinstance(source.ext, ConnectionExtRosbag2)
    known = {"msgdef": source.msgdef.data, "rihs01": source.digest} if source.msgdef.data and source.digest else {}
    return writer.add_connection(
        source.topic,
        source.msgtype,
        typestore=typestore(),
        offered_qos_profiles=source.ext.offered_qos_profiles,
        serialization_format=source.ext.serialization_format,
        **known,
    )
