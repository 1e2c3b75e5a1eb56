from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from face_recon_node.head import HeadModel
from imuface_bringup import report
from imuface_bringup.report import Session, Window
from imuface_core.recording import Recording

STAMPS = np.arange(0, 100, dtype=np.int64) * 33_000_000
NEUTRAL = np.zeros((51, 3))


def session(**changes: object) -> Session:
    moving = np.zeros((100, 51, 3), dtype=np.float32)
    moving[50:, :, 2] = 0.002  # every landmark 2 mm up in the second half
    parts = {
        "left_stamps": STAMPS,
        "right_stamps": STAMPS,
        "face_stamps": STAMPS,
        "face_landmarks": moving,
        "true_stamps": STAMPS,
        "true_landmarks": moving,
    }
    return Session(**(parts | changes))  # type: ignore[arg-type]


def test_rates_and_losses_within_a_window() -> None:
    window = Window(0, int(STAMPS[60]))
    some = session(face_stamps=np.delete(STAMPS, [3, 40, 90]))
    assert some.rate(STAMPS, window) == pytest.approx(61 / (60 * 0.033))
    assert some.losses(window) == report.Losses(expected=61, missing=2)


def test_landmark_error_is_in_millimetres_beside_constant_faces() -> None:
    whole = Window(0, int(STAMPS[-1]))
    perfect = session().landmark_error(whole, NEUTRAL)
    assert perfect.reconstructed == 0.0
    assert perfect.mean_face == pytest.approx(1.0, rel=1e-4)
    assert perfect.neutral_face == pytest.approx(1.0, rel=1e-4)
    assert perfect.frames == 100
    still = session(face_landmarks=np.zeros((100, 51, 3), dtype=np.float32)).landmark_error(whole, NEUTRAL)
    assert still.reconstructed == pytest.approx(still.neutral_face)


def test_without_a_common_stamp_there_is_no_error() -> None:
    with pytest.raises(ValueError, match="same stamp"):
        session(true_stamps=STAMPS + 1).landmark_error(Window(0, int(STAMPS[-1])), NEUTRAL)


def test_expressive_moments_differ_and_are_in_order() -> None:
    landmarks = np.zeros((300, 51, 3))
    landmarks[40:60, :, 2] = 0.01
    landmarks[250, :, 1] = 0.02
    chosen = report.expressive_moments(landmarks, NEUTRAL, 2)
    assert chosen == [40, 250]
    assert len(report.expressive_moments(landmarks[:3], NEUTRAL, 50)) <= 3


def test_a_recording_without_a_reconstructed_face_is_refused(bag: Path) -> None:
    with pytest.raises(ValueError, match="holds no reconstructed face"):
        report.load(bag)


def test_weights_are_read_back(bag: Path, recording: Recording) -> None:
    assert recording.blendshapes is not None
    stamps, weights = report.weights(bag, "reference/blendshapes")
    np.testing.assert_array_equal(stamps, recording.blendshapes.stamps)
    np.testing.assert_array_equal(weights, recording.blendshapes.weights)


def test_fidelity_is_of_the_frames_that_both_faces_have(monkeypatch: pytest.MonkeyPatch, recording: Recording) -> None:
    assert recording.blendshapes is not None
    stamps, truth = recording.blendshapes.stamps, recording.blendshapes.weights
    told = {"face/blendshapes": (stamps[5:], 0.5 * truth[5:]), "reference/blendshapes": (stamps, truth)}
    monkeypatch.setattr(report, "weights", lambda bag, topic: told[topic])
    whole, head = Window(int(stamps[0]), int(stamps[-1])), HeadModel.load()
    found = report.face_fidelity(Path("bag"), whole, head)
    assert found.median_r == pytest.approx(1.0)
    assert all(action.gain == pytest.approx(0.5) for action in found.actions.values())
    with pytest.raises(ValueError, match="no moment at which both"):
        report.face_fidelity(Path("bag"), Window(0, 1), head)
