"""A copy of a recorded session with another true face."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Mapping
from pathlib import Path

from imuface_core import topics
from imuface_core.bag import Bag, new_bag
from imuface_core.recording import BlendshapeTrack, LandmarkTrack, Recording
from imuface_core.session import encoded

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
    with Bag(session, namespace) as bag, new_bag(output, notes) as writer:
        replaced = {bag.topic(topic) for topic in _REFERENCE}
        kept = [connection for connection in bag.storage.connections if connection.topic not in replaced]
        old = ((writer.topic_like(source), time_ns, data) for source, time_ns, data in bag.storage.messages(kept))
        new = (
            (writer.topic_of_ours(bag.topic(topic), topic), stamp_ns, data)
            for topic, stamp_ns, data in encoded(Recording(None, None, blendshapes, landmarks), bag.namespace)
        )
        for channel, time_ns, data in heapq.merge(old, new, key=lambda message: message[1]):
            writer.write(channel, time_ns, data)


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
