"""Samples of simulated earphones in, faces out, with the shipped network and head."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from face_recon_node.data.segment import prepare
from face_recon_node.head import HeadModel
from face_recon_node.head.personal import PersonalFace
from face_recon_node.models.constant import MedianFace
from face_recon_node.models.file import load
from face_recon_node.models.model import FaceModel, Person
from face_recon_node.models.ridge import RidgeRegression
from face_recon_node.reconstructor import (
    UNSAID_LANDMARK_STD,
    UNSAID_STD,
    FaceFrame,
    Reconstructor,
    ReconstructorSettings,
)
from imuface_core.earphone import EARS
from imuface_core.recording import Recording
from imuface_simulation import Participant, Performance, simulate

Sample = tuple[int, str, np.ndarray, np.ndarray]


@cache
def recording() -> Recording:
    return simulate(Performance.natural(77, 30.0), Participant.random(77), 30.0, seed=77, start_ns=1_000_000_000)


def samples() -> list[Sample]:
    """Both ears' samples of 30 simulated seconds, in the order of their stamps."""
    ears = {"left": recording().left, "right": recording().right}
    return sorted(
        ((int(stamp), ear, track.acceleration[row], track.angular_velocity[row])
        for ear, track in ears.items() if track
        for row, stamp in enumerate(track.stamps)),
        key=lambda sample: sample[:2],
    )  # fmt: skip


@cache
def parts() -> tuple[FaceModel, HeadModel]:
    return load(), HeadModel.load()


def reconstructor(calibration_duration_s: float = 3.0) -> Reconstructor:
    return Reconstructor(*parts(), ReconstructorSettings(calibration_duration_s))


def run(stream: list[Sample], target: Reconstructor | None = None) -> list[FaceFrame]:
    target = target or reconstructor()
    return [frame for stamp, ear, a, w in stream for frame in target.push(ear, stamp, a, w)]


@cache
def reference() -> list[FaceFrame]:
    """The frames of all samples in the order of their stamps."""
    return run(samples())


def as_bytes(frames: list[FaceFrame]) -> bytes:
    return b"".join(
        np.int64(frame.stamp_ns).tobytes()
        + frame.blendshapes.tobytes() + frame.blendshapes_std.tobytes()
        + frame.landmarks.tobytes() + frame.landmarks_std.tobytes()
        for frame in frames
    )  # fmt: skip


def test_a_frame_for_every_left_sample() -> None:
    frames = reference()
    # An ear leads a moment after it appeared, and the right one may have appeared first.
    settled = samples()[0][0] + 200_000_000
    left = [stamp for stamp, ear, *_ in samples() if ear == "left" and stamp > settled]
    assert [frame.stamp_ns for frame in frames if frame.stamp_ns > settled] == left
    for frame in frames:
        assert frame.blendshapes.shape == frame.blendshapes_std.shape == (52,)
        assert frame.landmarks.shape == (51, 3)
        assert frame.landmarks.dtype == frame.blendshapes.dtype == np.float32
        assert frame.landmarks_std.shape == (51,)
        assert np.isfinite(frame.landmarks).all()


def test_before_the_calibration_frames_show_the_face_that_is_expected_unseen() -> None:
    model, head = parts()
    frames = reference()
    unseen = model.stream().push(np.zeros((1, 12)), np.zeros((1, 2), bool))
    np.testing.assert_array_equal(frames[0].blendshapes, unseen.weights[0])
    assert unseen.landmarks_std is not None
    np.testing.assert_array_equal(frames[0].landmarks_std, unseen.landmarks_std[0])
    assert frames[0].affect is not None
    assert not frames[0].present[0]
    assert frames[-1].present[0]
    assert frames[-1].present[1]
    np.testing.assert_allclose(frames[-1].landmarks, head.landmarks(frames[-1].blendshapes), atol=1e-7)


def test_the_same_samples_give_the_same_bytes() -> None:
    assert as_bytes(run(samples())) == as_bytes(reference())


def test_the_order_of_arrival_of_the_ears_changes_no_byte() -> None:
    late = sorted(samples(), key=lambda sample: sample[0] + (60_000_000 if sample[1] == "right" else 0))
    expected, got = reference(), run(late)
    assert len(expected) - len(got) <= 2
    assert as_bytes(got) == as_bytes(expected[: len(got)])


@pytest.mark.parametrize("whose", ["nobody's", "personal"])
def test_the_stream_is_what_training_sees(whose: str) -> None:
    model = parts()[0] if whose == "nobody's" else personal()
    (segment,) = prepare(recording())
    expected = model.stream().push(segment.readings, segment.present)
    frames = {frame.stamp_ns: frame for frame in run(samples(), Reconstructor(model, parts()[1]))}
    got = np.array([frames[int(stamp)].blendshapes for stamp in segment.stamps])
    np.testing.assert_allclose(got, expected.weights, atol=1e-3)


@pytest.mark.parametrize("ear", ["left", "right"])
def test_a_lost_ear_is_said_in_the_standard_deviation(ear: str) -> None:
    lost = [sample for sample in samples() if sample[1] != ear or sample[0] < 9_000_000_000]
    both, one = reference(), run(lost)
    assert np.diff([frame.stamp_ns for frame in one]).max() < 70_000_000
    late = [frame for frame in one if frame.stamp_ns > 10_000_000_000]
    assert not any(frame.present[EARS.index(ear)] for frame in late)
    assert not np.array_equal(late[0].blendshapes, late[-1].blendshapes)
    expected = [frame for frame in both if frame.stamp_ns > 10_000_000_000]
    one_std = np.mean([frame.landmarks_std for frame in late])
    assert one_std > np.mean([frame.landmarks_std for frame in expected])


def test_calibration_on_request_keeps_frames_coming() -> None:
    target = reconstructor()
    stream = samples()
    first = run(stream[:300], target)
    assert target.calibration.done
    target.calibrate(0.5)
    assert not target.calibration.has_samples
    second = run(stream[300:], target)
    assert not target.calibration.running
    stamps = [frame.stamp_ns for frame in first + second]
    assert np.diff(stamps).max() < 70_000_000


def test_a_replayed_bag_starts_anew_with_the_same_calibration() -> None:
    target = reconstructor()
    run(samples(), target)
    again = run(samples(), target)
    assert target.restarts >= 1
    assert target.calibration.done
    assert len(again) > 500


def test_counters_tell_what_was_dropped() -> None:
    target = reconstructor()
    stream = samples()[:60]
    run(stream, target)
    stamp, ear, a, w = stream[0]
    assert target.push(ear, stamp, a, w) == []
    assert target.push(ear, stream[-1][0] + 10**9, a * np.nan, w) == []
    assert target.counters[ear].backwards == 1
    assert target.counters[ear].invalid == 1


def test_a_model_that_takes_over_remembers_the_last_seconds() -> None:
    target = reconstructor()
    first = run(samples()[:700], target)
    target.use(load())
    frames = first + run(samples()[700:], target)
    for frame, expected in zip(frames, reference(), strict=True):
        assert frame.stamp_ns == expected.stamp_ns
        np.testing.assert_allclose(frame.blendshapes, expected.blendshapes, atol=1e-3)


@cache
def personal() -> FaceModel:
    """The ears of the recording and another face."""
    head = HeadModel.load()
    model = load().fit([Person(prepare(recording()), head.landmark_neutral)])
    model.face = PersonalFace(head.landmark_neutral + np.float32(0.01), 1.2 * head.landmark_deltas)
    return model


def test_a_model_that_knows_its_persons_face_gives_the_landmarks() -> None:
    model, head = parts()
    target = reconstructor()
    run(samples()[:300], target)
    target.use(personal())
    (frame,) = run(samples()[300:302], target)
    face = personal().face
    assert face is not None
    np.testing.assert_array_equal(frame.landmarks, face.landmarks(frame.blendshapes))
    target.use(model)
    (frame,) = run(samples()[302:304], target)
    np.testing.assert_allclose(frame.landmarks, head.landmarks(frame.blendshapes), atol=1e-7)


def test_a_scanned_head_gives_landmarks_and_mesh_alike() -> None:
    head = HeadModel.load()
    scanned = head.with_neutral(1.1 * head.neutral, personal="true")
    target = Reconstructor(personal(), scanned)
    frame = run(samples()[:300], target)[-1]
    mesh = scanned.vertices(frame.blendshapes)
    np.testing.assert_allclose(frame.landmarks, mesh[scanned.landmark_indices], atol=1e-6)


@pytest.mark.parametrize("model", [MedianFace, RidgeRegression])
def test_a_model_that_states_no_deviations_runs_too(model: Callable[[], FaceModel]) -> None:
    fitted = model().fit([Person(prepare(recording()), HeadModel.load().landmark_neutral)])
    frames = run(samples()[:400], Reconstructor(fitted, HeadModel.load()))
    assert frames[0].affect is None
    assert {frame.blendshapes_std.shape for frame in frames} == {(52,)}
    assert all((frame.blendshapes_std == np.float32(UNSAID_STD)).all() for frame in frames)
    assert all((frame.landmarks_std == np.float32(UNSAID_LANDMARK_STD)).all() for frame in frames)
