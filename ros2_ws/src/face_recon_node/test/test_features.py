"""Feature channels: the same in a stream and in a batch, and what they are made to show."""

from __future__ import annotations

import numpy as np
import torch
from face_recon_node.stream.features import CHANNELS, SPECTRAL, STFT_FRAMES, FeatureExtractor, log_spectrum
from hypothesis import given, settings
from hypothesis import strategies as st

RATE, GRAVITY = 30.0, 9.80665


def stretch(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    present = np.ones((count, 2), bool)
    present[count // 2 : count // 2 + 10, 1] = False
    readings = rng.normal(0.0, 0.1, (count, 2, 6)) * present[..., None]
    return readings, present


def channel(features: np.ndarray, name: str) -> np.ndarray:
    return features[:, CHANNELS.index(name)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_any_cut_gives_the_same_bits_as_one_piece(cuts: list[int]) -> None:
    readings, present = stretch(200)
    whole = FeatureExtractor().push(readings, present)
    extractor, parts, begin = FeatureExtractor(), [], 0
    for length in [*cuts, 200]:
        if begin < 200:
            parts.append(extractor.push(readings[begin : begin + length], present[begin : begin + length]))
            begin += length
    assert np.array_equal(np.concatenate(parts), whole)
    assert whole.shape == (200, len(CHANNELS))
    assert whole.dtype == np.float32


def test_silence_and_an_absent_ear_stay_finite() -> None:
    features = FeatureExtractor().push(np.zeros((900, 2, 6)), np.zeros((900, 2), bool))
    assert np.isfinite(features).all()
    assert not channel(features, "left_present").any()


def test_a_held_tilt_of_one_ear_stays_visible() -> None:
    # The left ear rolls by 0.02 rad and stays there: only gravity tells, and only in that ear.
    readings = np.zeros((150, 2, 6))
    readings[30:, 0, 1] = GRAVITY * np.sin(0.02)
    features = FeatureExtractor().push(readings, np.ones((150, 2), bool))
    held = channel(features, "difference_tilt_x")[-1]
    np.testing.assert_allclose(held, np.arcsinh(1.0), rtol=0.05)
    np.testing.assert_allclose(channel(features, "common_tilt_x")[-1], np.arcsinh(0.5), rtol=0.05)


def test_gyroscope_and_gravity_agree_about_a_turn() -> None:
    # A consistent quick roll of both ears: the tilt follows at once and neither overshoots nor decays.
    angle = 0.02 * np.clip((np.arange(120) - 30) / 6.0, 0.0, 1.0)
    readings = np.zeros((120, 2, 6))
    readings[:, :, 1] = GRAVITY * np.sin(angle)[:, None]
    readings[1:, :, 3] = np.diff(angle)[:, None] * RATE
    tilt = np.sinh(channel(FeatureExtractor().push(readings, np.ones((120, 2), bool)), "common_tilt_x"))
    np.testing.assert_allclose(tilt, angle / 0.02, atol=0.12)


def test_the_ears_are_turned_alike_by_the_head_motion_that_they_share() -> None:
    rng = np.random.default_rng(1)
    turn = np.radians(35.0)
    count = int(60 * RATE)
    nod = np.cumsum(rng.normal(0.0, 0.02, (count, 2)), axis=0)
    nod = 0.1 * (nod - nod.mean(axis=0)) / nod.std()
    readings = np.zeros((count, 2, 6))
    readings[:, 0, 3:5] = nod
    readings[:, 1, 3:5] = nod @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    features = FeatureExtractor().push(readings, np.ones((count, 2), bool))
    late = slice(count // 2, None)
    for axis in "xy":
        difference = np.sinh(channel(features, f"difference_angular_velocity_{axis}"))[late]
        common = np.sinh(channel(features, f"common_angular_velocity_{axis}"))[late]
        assert difference.std() < 0.1 * common.std()


def test_relative_channels_do_not_depend_on_the_strength_of_an_ear() -> None:
    readings, present = stretch(3000)
    present[:] = True
    weak, strong = (FeatureExtractor().push(scale * readings, present)[-600:] for scale in (1.0, 4.0))
    relative = [channel(features, "difference_relative_acceleration_z").std() for features in (weak, strong)]
    np.testing.assert_allclose(relative[0], relative[1], rtol=0.05)
    magnitude = [channel(features, "difference_magnitude_acceleration_z").mean() for features in (weak, strong)]
    np.testing.assert_allclose(magnitude[1] - magnitude[0], np.log(4.0), rtol=0.1)


def test_an_absent_ear_leaves_no_difference() -> None:
    readings, present = stretch(100)
    features = FeatureExtractor().push(readings, present)
    gone = ~present[:, 1]
    for name in CHANNELS:
        if name.startswith("difference_acceleration") or name.startswith("difference_tilt"):
            assert not channel(features, name)[gone].any()
            assert channel(features, name)[~gone].any()


def test_spectrum_shows_the_frequency_and_looks_only_back() -> None:
    time = np.arange(STFT_FRAMES - 1 + 20) / RATE
    signal = torch.zeros(1, len(time), len(SPECTRAL))
    signal[0, :, 0] = torch.from_numpy(np.sin(2.0 * np.pi * 7.5 * time))
    spectrum = log_spectrum(signal).unflatten(2, (len(SPECTRAL), -1))
    assert spectrum.shape == (1, 20, len(SPECTRAL), STFT_FRAMES // 2 + 1)
    assert (spectrum[0, :, 0].argmax(dim=-1) == 8).all()
    changed = signal.clone()
    changed[0, -1] += 1.0
    assert torch.equal(log_spectrum(changed)[0, :-1], log_spectrum(signal)[0, :-1])
