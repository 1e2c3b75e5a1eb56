"""The faces of a recorded session without nodes: the messages that the face node would publish for its samples."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import repeat
from operator import itemgetter
from pathlib import Path

from imuface_core import topics
from imuface_core.bag import new_bag, normal
from imuface_core.earphone import EARS
from imuface_core.frames import frames_of
from imuface_core.recording import Recording
from imuface_core.session import encoded
from rclpy.serialization import serialize_message

from face_recon_node.affect import AffectEstimator
from face_recon_node.messages import BlendshapesMessage, LandmarksMessage, affect_message
from face_recon_node.progress import Progress
from face_recon_node.reconstructor import FaceFrame, Reconstructor, shown_affect

Message = tuple[topics.Topic, int, bytes]
"""Topic, stamp in ns and CDR."""


def faces(recording: Recording, reconstructor: Reconstructor, progress: Progress) -> Iterator[FaceFrame]:
    """The frames of both ears' samples, taken in the order of their stamps."""
    tracks = [
        zip(track.stamps.tolist(), repeat(ear), track.acceleration, track.angular_velocity, strict=False)
        for ear, track in zip(EARS, (recording.left, recording.right), strict=True)
        if track is not None
    ]
    total = sum(len(track.stamps) for track in (recording.left, recording.right) if track is not None)
    for done, (stamp, ear, *reading) in enumerate(heapq.merge(*tracks, key=lambda sample: sample[:2]), 1):
        yield from reconstructor.push(ear, stamp, *reading)
        progress("reconstructing", done, total)


def messages(frames: Iterator[FaceFrame], namespace: str) -> Iterator[Message]:
    """What the face node of a namespace publishes of frames, but for what follows from it (points and mesh)."""
    frame_id = frames_of(namespace).face
    landmarks, blendshapes, affect = LandmarksMessage(frame_id), BlendshapesMessage(frame_id), AffectEstimator()
    for frame in frames:
        stamp = frame.stamp_ns
        yield topics.FACE_LANDMARKS, stamp, landmarks.build(stamp, frame.landmarks, frame.landmarks_std)
        yield topics.FACE_BLENDSHAPES, stamp, blendshapes.build(stamp, frame.blendshapes, frame.blendshapes_std)
        yield topics.AFFECT, stamp, serialize_message(affect_message(stamp, shown_affect(frame, affect), frame_id))


def write(path: Path, recording: Recording, frames: Iterator[FaceFrame], namespace: str) -> int:
    """Write a session with its faces, by ascending stamp; it appears whole or not at all. The number of faces.

    Raises:
        FileExistsError: there is something at ``path``.
    """
    with new_bag(path) as writer:
        for topic, stamp, data in heapq.merge(
            encoded(recording, namespace), messages(frames, namespace), key=itemgetter(1)
        ):
            writer.write(writer.topic_of_ours(f"{normal(namespace)}/{topic}", topic), stamp, data)
        return writer.counts.get(f"{normal(namespace)}/{topics.FACE_LANDMARKS}", 0)
