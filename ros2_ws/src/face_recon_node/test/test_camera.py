"""The true face from a camera, without mediapipe: what is done with its mesh."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
from face_recon_node.camera import extra
from face_recon_node.camera.capture import Live, Picture, VideoFile
from face_recon_node.camera.face_mesh import POINTS, FaceMesh, Mesh
from face_recon_node.camera.metric import LANDMARKS, MetricFace, similar
from face_recon_node.camera.reference import align_live
from face_recon_node.camera.session_copy import copy_with_reference
from face_recon_node.camera.synchronise import find_offset
from face_recon_node.camera.watcher import Watcher, watch
from face_recon_node.head import HeadModel
from imuface_core.recording import LandmarkTrack, Recording
from imuface_core.session import read_session, write_session
from imuface_simulation import Participant, Performance, simulate
from scipy.spatial.transform import Rotation

HEAD = HeadModel.load()
PUPILS = 0.0645
START_NS = 1_700_000_000_000_000_000


def mesh_of(landmarks: np.ndarray) -> np.ndarray:
    """A mesh whose 51 landmarks are these, metres in the face frame; the rest is a skull that does not move."""
    points = np.random.default_rng(0).uniform(-0.06, 0.06, (POINTS, 3))
    points[LANDMARKS] = landmarks
    points[[468, 473]] = [[-0.0085, -PUPILS / 2, 0.0], [-0.0085, PUPILS / 2, 0.0]]
    return points


def pictured(points: np.ndarray, turn: tuple[float, float, float], scale: float) -> np.ndarray:
    """The same in a picture: turned (degrees), in pixels, x right, y down, z away."""
    turned = Rotation.from_euler("xyz", turn, degrees=True).apply(points) * scale
    return np.column_stack([turned[:, 1] + 320.0, 240.0 - turned[:, 2], -turned[:, 0]])


def test_the_landmark_vertices_are_distinct() -> None:
    assert len(set(LANDMARKS.tolist())) == 51
    assert LANDMARKS.max() < 468


def test_landmarks_come_out_in_metres_without_the_head_pose() -> None:
    mesh = mesh_of(HEAD.landmark_neutral)
    face = MetricFace([pictured(mesh, (0, 0, 0), 3000.0)] * 3, PUPILS)
    for turn, scale in (((0, 0, 0), 3000.0), ((4, -12, 20), 3000.0), ((-8, 5, -15), 1700.0)):
        np.testing.assert_allclose(face.landmarks(pictured(mesh, turn, scale)), HEAD.landmark_neutral, atol=1e-5)


def test_size_follows_from_the_pupils() -> None:
    picture = pictured(mesh_of(HEAD.landmark_neutral), (0, 0, 0), 3000.0)
    small, large = (MetricFace([picture], distance).landmarks(picture) for distance in (0.05, 0.075))
    assert np.ptp(large[:, 1]) / np.ptp(small[:, 1]) == pytest.approx(1.5)


@pytest.mark.parametrize("distance", [0.0, 0.0063, 63.0, float("nan")])
def test_a_pupil_distance_in_another_unit_is_refused(distance: float) -> None:
    with pytest.raises(ValueError, match=r"pupil distance of .* mm is no adult's: expected 45 to 80 mm"):
        MetricFace.check(distance)


def test_meshes_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(n, 478, 3\)"):
        MetricFace(np.zeros((4, 468, 3)), PUPILS)


def test_a_similarity_is_found() -> None:
    source = np.random.default_rng(1).normal(size=(10, 3))
    rotation = Rotation.from_euler("xyz", (20, 30, -40), degrees=True)
    np.testing.assert_allclose(
        similar(source, 2.5 * rotation.apply(source) + 7.0)(source[:3]),
        2.5 * rotation.apply(source[:3]) + 7.0,
        atol=1e-9,
    )


class Meshes:
    """Stands for mediapipe: a face in every picture but those that are black."""

    def __init__(self) -> None:
        self.points = pictured(mesh_of(HEAD.landmark_neutral), (0, 0, 0), 3000.0)

    def find(self, rgb: np.ndarray, time: float) -> Mesh | None:
        return Mesh(self.points, np.full(52, 0.25, np.float32)) if rgb.any() else None


def pictures(shown: list[bool]) -> list[Picture]:
    return [Picture(i / 10, np.full((4, 4, 3), 255 * face, np.uint8)) for i, face in enumerate(shown)]


def test_a_face_is_followed_and_missing_ones_are_counted() -> None:
    watcher = Watcher(Meshes(), PUPILS)  # type: ignore[arg-type]
    landmarks, blendshapes = watch(pictures([False] * 3 + [True] * 40 + [False] * 2), watcher)
    assert watcher.pictures == 45
    assert watcher.without_face == 5
    np.testing.assert_array_equal(landmarks.stamps, np.arange(3, 43) * 100_000_000)
    assert blendshapes is not None
    assert blendshapes.weights.shape == (40, 52)


def test_a_video_without_a_face_is_refused() -> None:
    with pytest.raises(ValueError, match="none of 5 pictures shows a face"):
        watch(pictures([False] * 5), Watcher(Meshes(), PUPILS))  # type: ignore[arg-type]


def session(seed: int, activity: str = "talking", seconds: float = 60.0) -> tuple[Recording, Performance]:
    performance = Performance.natural(seed, seconds + 2)
    participant = Participant.random(seed)
    recording = simulate(performance, participant, seconds, seed=seed, activity=activity, start_ns=START_NS)
    return dataclasses.replace(recording, blendshapes=None), performance


def seen(performance: Performance, late: float, seconds: float = 58.0) -> LandmarkTrack:
    """What a camera of 29.3 Hz whose stamps are late sees, with noise like a face mesh's."""
    times = np.arange(0.3, 0.3 + seconds, 1 / 29.3)
    points = HEAD.landmarks(performance.weights(times)).astype(np.float64)
    points += np.random.default_rng(5).normal(0.0, 4e-4, points.shape)
    return LandmarkTrack(START_NS + np.rint((times + late) * 1e9).astype(np.int64), points.astype(np.float32))


@pytest.mark.parametrize(("late", "limit"), [(0.25, 1.0), (-0.4, 1.0), (12.3, None)])
def test_a_known_offset_is_found(late: float, limit: float | None) -> None:
    recording, performance = session(200)
    offset = find_offset(recording, seen(performance, late), limit)
    # Simulated ears feel the face some 40 ms after it moves (docs/camera.md).
    assert offset.nanoseconds * 1e-9 + late == pytest.approx(0.04, abs=0.05)


@pytest.mark.parametrize("limit", [1.0, None])
def test_the_face_of_somebody_else_is_refused(limit: float | None) -> None:
    recording, _ = session(200)
    with pytest.raises(ValueError, match="do not move together: the best offset has correlation"):
        find_offset(recording, seen(Performance.natural(1200, 62.0), 0.0), limit)


def test_what_cannot_be_compared_is_refused() -> None:
    recording, performance = session(200, seconds=20.0)
    with pytest.raises(ValueError, match="have to last at least 15 s"):
        find_offset(recording, seen(performance, 0.0, 5.0))
    with pytest.raises(ValueError, match="in common"):
        find_offset(recording, seen(performance, 500.0, 18.0), 1.0)
    still = LandmarkTrack(START_NS + np.arange(600) * 33_000_000, np.zeros((600, 51, 3), np.float32))
    with pytest.raises(ValueError, match="nothing moves"):
        find_offset(recording, still)
    with pytest.raises(ValueError, match="saw a face in 2 pictures only"):
        find_offset(recording, LandmarkTrack(still.stamps[:2], still.points[:2]))


def test_a_live_recording_is_corrected_in_its_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recording, performance = session(200)
    late = seen(performance, 0.25)
    truth = simulate(performance, Participant.random(200), 60.0, start_ns=START_NS).blendshapes  # of another source
    write_session(tmp_path / "s", dataclasses.replace(recording, landmarks=late, blendshapes=truth))
    offset = align_live(tmp_path / "s")
    corrected = read_session(tmp_path / "s")
    assert corrected.landmarks is not None
    assert corrected.left is not None
    assert recording.left is not None
    np.testing.assert_array_equal(corrected.landmarks.stamps, late.stamps + offset.nanoseconds)
    np.testing.assert_array_equal(corrected.left.angular_velocity, recording.left.angular_velocity)
    assert corrected.blendshapes is None
    assert "are not the camera's and are left out" in caplog.text
    assert "camera, moved by" in (tmp_path / "s" / "metadata.yaml").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_recording_that_cannot_be_aligned_stays_as_it_is(tmp_path: Path) -> None:
    recording, _ = session(200)
    write_session(tmp_path / "s", dataclasses.replace(recording, landmarks=seen(Performance.natural(1200, 62.0), 0.0)))
    before = {path.name: path.read_bytes() for path in (tmp_path / "s").iterdir()}
    with pytest.raises(ValueError, match="do not move together"):
        align_live(tmp_path / "s")
    assert {path.name: path.read_bytes() for path in (tmp_path / "s").iterdir()} == before
    write_session(tmp_path / "faceless", recording)
    with pytest.raises(ValueError, match="the camera saw no face"):
        align_live(tmp_path / "faceless")


def test_copies_do_not_overwrite_and_damage_is_named(tmp_path: Path) -> None:
    recording, performance = session(200, seconds=20.0)
    write_session(tmp_path / "s", recording)
    track = seen(performance, 0.0, 15.0)
    with pytest.raises(FileExistsError, match="sessions are not overwritten"):
        copy_with_reference(tmp_path / "s", tmp_path / "s", track, None)
    with pytest.raises(FileNotFoundError, match="there is no session at"):
        copy_with_reference(tmp_path / "none", tmp_path / "copy", track, None)
    (tmp_path / "s" / "s.mcap").write_bytes(b"")
    with pytest.raises(ValueError, match="damaged"):
        copy_with_reference(tmp_path / "s", tmp_path / "copy", track, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s"]


def test_a_missing_extra_names_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(ImportError, match=r"needs mediapipe .* install it with: make camera"):
        FaceMesh()
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match=r"needs cv2 .* install it with: make camera"):
        Live("0")
    assert "requirements-camera.txt" in extra.INSTALL


def test_missing_files_need_no_extra_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no video at"):
        VideoFile(tmp_path / "none.mp4")
    with pytest.raises(FileNotFoundError, match="no face model at"):
        FaceMesh(tmp_path / "none.task")
