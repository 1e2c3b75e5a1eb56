"""MediaPipe on a video that is rendered from the head model; skipped where the camera extra is not installed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_recon_node.camera.capture import Live, VideoFile
from face_recon_node.camera.face_mesh import FaceMesh
from face_recon_node.camera.reference import add_video
from face_recon_node.camera.watcher import Watcher, watch
from face_recon_node.head import HeadModel
from face_recon_node.head.render import render_face
from imuface_core.session import read_session, write_session
from imuface_simulation import Participant, Performance, simulate

cv2: Any = pytest.importorskip("cv2", reason="OpenCV is not installed (make camera)")
pytest.importorskip("mediapipe", reason="mediapipe is not installed (make camera)")

HEAD = HeadModel.load()
RATE, SECONDS = 5, 8
START = 3.0  # s of the performance, which rests until 4.5 s
PERFORMANCE = Performance.natural(3, 32.0)
PUPILS = 0.0645  # m, of the head model


def write_video(path: Path, frames: list[np.ndarray]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), RATE, frames[0].shape[1::-1])
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of a face that turns and performs."""
    frames = []
    for index, weights in enumerate(PERFORMANCE.weights(START + np.arange(RATE * SECONDS) / RATE)):
        yaw = 8.0 * np.sin(index / RATE)
        frames.append(render_face(HEAD.vertices(weights), HEAD.triangles, (180, 225), colors=HEAD.colors, yaw=yaw))
    return write_video(tmp_path_factory.mktemp("video") / "face.mp4", frames)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    recording = simulate(PERFORMANCE, Participant.random(1), float(SECONDS), seed=1, start_ns=10**18)
    write_session(tmp_path / "session", dataclasses.replace(recording, blendshapes=None))
    return tmp_path / "session"


def test_landmarks_of_a_rendered_face_are_near_the_true_ones(video: Path) -> None:
    with VideoFile(video) as file, FaceMesh() as mesh:
        watcher = Watcher(mesh, PUPILS)
        track, blendshapes = watch(file, watcher)
    assert blendshapes is None
    assert watcher.without_face == 0
    np.testing.assert_allclose(track.stamps, np.arange(RATE * SECONDS) * 1e9 / RATE, atol=2e6)
    truth = HEAD.landmarks(PERFORMANCE.weights(START + track.stamps * 1e-9))
    error = track.points - truth
    assert np.linalg.norm(error, axis=2).mean() < 6e-3
    # Brows and nose of the two schemes lie in different places; what is left without that is noise and head pose.
    error -= np.median(error, axis=0)
    assert np.linalg.norm(error, axis=2).mean() < 2e-3
    # The mouth opens when it opens: the gap between the inner lips.
    gap, true_gap = (np.linalg.norm(points[:, 45] - points[:, 49], axis=1) for points in (track.points, truth))
    assert np.corrcoef(gap, true_gap)[0, 1] > 0.6


def test_a_video_plays_as_a_camera(video: Path) -> None:
    with Live(str(video)) as live:
        times = [picture.time for picture in live]
    assert len(times) + live.missed == RATE * SECONDS
    assert times[-1] - times[0] == pytest.approx(SECONDS, abs=0.5)


def test_a_video_becomes_the_reference_of_a_copy(video: Path, session: Path) -> None:
    output = session.with_name("with_face")
    added = add_video(video, session, output, pupil_distance=PUPILS, start=0.0)
    assert added.pictures == RATE * SECONDS
    assert added.without_face == 0
    copy = read_session(output)
    assert copy.landmarks is not None
    assert copy.landmarks.points.shape == (added.faces, 51, 3)
    # No picture is kept: nothing but the two sessions came into being.
    assert sorted(path.name for path in session.parent.iterdir()) == ["session", "with_face"]


def test_a_video_from_another_time_is_refused(video: Path, session: Path) -> None:
    with pytest.raises(ValueError, match="does not show any of its"):
        add_video(video, session, session.with_name("out"), pupil_distance=PUPILS, start=100.0)


def test_a_video_without_a_face_is_refused(session: Path) -> None:
    blank = write_video(session.with_name("blank.mp4"), [np.full((120, 160, 3), 90, np.uint8)] * 6)
    with pytest.raises(ValueError, match="none of 6 pictures shows a face"):
        add_video(blank, session, session.with_name("out"), pupil_distance=PUPILS, start=0.0)


def test_a_file_that_is_no_face_landmarker_is_refused(tmp_path: Path) -> None:
    (tmp_path / "face.task").write_bytes(b"no model" * 100)
    with pytest.raises(ValueError, match="is not a face landmarker"):
        FaceMesh(tmp_path / "face.task")
