"""The true face of a recorded session: from a video, another program's capture, or a camera node meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from imuface_core.captures import read_capture
from imuface_core.recording import BlendshapeTrack, LandmarkTrack, Recording
from imuface_core.session import read_session

from face_recon_node.camera.capture import Picture, VideoFile
from face_recon_node.camera.face_mesh import FaceMesh
from face_recon_node.camera.session_copy import copy_with_reference, replace_reference
from face_recon_node.camera.synchronise import Offset, find_offset
from face_recon_node.camera.watcher import Watcher, watch
from face_recon_node.head import HeadModel
from face_recon_node.progress import Progress

logger = logging.getLogger(__name__)

LIVE_LIMIT = 1.0
"""s: what the picture of a live camera takes from the moment to its arrival, at most."""


@dataclass(frozen=True)
class Added:
    """What came of a video, or of a capture."""

    start: float
    """s after the first sample of the earphones at which it starts."""
    offset: Offset | None
    """How that was found; None where it was given."""
    pictures: int
    without_face: int
    faces: int
    """Pictures with a face that fall into the session."""
    notes: tuple[str, ...] = ()
    """What is to be told of a capture."""


def add_video(
    video: Path,
    session: Path,
    output: Path,
    *,
    pupil_distance: float,
    face_model: Path | None = None,
    start: float | None = None,
    namespace: str | None = None,
    progress: Progress = lambda what, done, of: None,
) -> Added:
    """Copy a session with the face in a video as its reference.

    Args:
        pupil_distance: metres.
        start: s after the session's first sample at which the video starts; None: found by the motion.

    Raises:
        OSError, ValueError: a file is missing or unusable, there is no face, or the two do not belong together.
        ImportError: the camera extra is not installed.
    """
    recording = _opened(session, output, namespace)
    with VideoFile(video) as file, FaceMesh(face_model) as mesh:
        watcher = Watcher(mesh, pupil_distance)
        try:
            landmarks, blendshapes = watch(_told(file, progress), watcher)
        except ValueError as error:
            raise ValueError(f"{video}: {error}") from None
    where, offset, faces = _add("camera, video", recording, session, output, landmarks, blendshapes, start, namespace)
    return Added(where, offset, watcher.pictures, watcher.without_face, faces)


def add_capture(
    file: Path,
    session: Path,
    output: Path,
    *,
    rate: float | None = None,
    start: float | None = None,
    namespace: str | None = None,
) -> Added:
    """Copy a session with a face that another program captured (:mod:`imuface_core.captures`) as its reference.

    Args:
        rate: frames per second, for files that have frame numbers instead of times.
        start: s after the session's first sample at which the capture starts; None: found by the motion.

    Raises:
        OSError, ValueError: a file is missing or unusable, or the two do not belong together.
    """
    recording = _opened(session, output, namespace)
    capture = read_capture(file, rate)
    stamps = np.rint(capture.times * 1e9).astype(np.int64)
    landmarks = LandmarkTrack(stamps, HeadModel.load().landmarks(capture.weights))
    blendshapes = BlendshapeTrack(stamps, capture.weights.astype(np.float32))
    where, offset, faces = _add("capture", recording, session, output, landmarks, blendshapes, start, namespace)
    return Added(where, offset, len(stamps), 0, faces, capture.notes)


def _add(
    what: str,
    recording: Recording,
    session: Path,
    output: Path,
    landmarks: LandmarkTrack,
    blendshapes: BlendshapeTrack | None,
    start: float | None,
    namespace: str | None,
) -> tuple[float, Offset | None, int]:
    """Copy a session with these as its reference; where they start, s, how that was found, how many fall into it."""
    begin, end = _span(recording)
    offset = find_offset(recording, landmarks) if start is None else None
    shift = begin + round((start or 0.0) * 1e9) if offset is None else offset.nanoseconds
    inside = (landmarks.stamps + shift >= begin) & (landmarks.stamps + shift <= end)
    if not inside.any():
        raise ValueError(
            f"a {what.removeprefix('camera, ')} that starts {start} s after the session does not show any of its "
            f"{_length(recording)}"
        )
    landmarks = LandmarkTrack(landmarks.stamps[inside] + shift, landmarks.points[inside])
    if blendshapes is not None:
        blendshapes = BlendshapeTrack(landmarks.stamps, blendshapes.weights[inside])
    seconds = (shift - begin) * 1e-9
    how = "given" if offset is None else f"found by motion, {offset.certainty}"
    notes = {"reference": f"{what} starts {seconds:+.3f} s after the session ({how})"}
    copy_with_reference(session, output, landmarks, blendshapes, namespace, notes)
    return seconds, offset, int(inside.sum())


def align_live(session: Path, namespace: str | None = None) -> Offset:
    """Correct the stamps of what a camera node published while a session was recorded, in the session's place.

    Blendshapes that are not the camera's (simulated earphones publish true ones) are left out, with a warning: they
    would be another face.

    Raises:
        OSError, ValueError: the session cannot be read, shows no face, or its offset cannot be told. It stays as it is.
    """
    recording = read_session(session, namespace)
    if recording.landmarks is None:
        raise ValueError(f"{session} has no reference/landmarks: the camera saw no face")
    offset = find_offset(recording, recording.landmarks, LIVE_LIMIT)
    landmarks = LandmarkTrack(recording.landmarks.stamps + offset.nanoseconds, recording.landmarks.points)
    blendshapes = recording.blendshapes
    if blendshapes is not None and not np.isin(blendshapes.stamps, recording.landmarks.stamps).all():
        logger.warning("%s: reference/blendshapes are not the camera's and are left out", session)
        blendshapes = None
    if blendshapes is not None:
        blendshapes = BlendshapeTrack(blendshapes.stamps + offset.nanoseconds, blendshapes.weights)
    replace_reference(session, landmarks, blendshapes, namespace, {"reference": f"camera, moved by {offset}"})
    return offset


def _opened(session: Path, output: Path, namespace: str | None) -> Recording:
    if output.exists():
        raise FileExistsError(f"{output} exists already; sessions are not overwritten: name another folder")
    return read_session(session, namespace)


def _told(file: VideoFile, progress: Progress) -> Iterator[Picture]:
    for done, picture in enumerate(file, 1):
        progress("pictures", done, max(file.frames, done))
        yield picture


def _span(recording: Recording) -> tuple[int, int]:
    """First and last stamp of the earphones, ns."""
    stamps = np.concatenate([track.stamps for track in (recording.left, recording.right) if track is not None])
    return int(stamps.min()), int(stamps.max())


def _length(recording: Recording) -> str:
    begin, end = _span(recording)
    return f"{(end - begin) * 1e-9:.1f} s"
