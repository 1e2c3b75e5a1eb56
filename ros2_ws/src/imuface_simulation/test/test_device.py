"""The simulated sensor and clock have the errors of the datasheet, no more and no fewer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from imuface_core.earphone import ACCELERATION_PER_LSB, ANGULAR_VELOCITY_PER_LSB, STANDARD_GRAVITY
from imuface_simulation.device import Crystal, Lsm6ds3trc, noise_deviation

RATE, MECHANICS_RATE = 30.0, 120.0
LSB = np.repeat([ACCELERATION_PER_LSB, ANGULAR_VELOCITY_PER_LSB], 3)


def sensor(seed: int = 0) -> Lsm6ds3trc:
    return Lsm6ds3trc(RATE, MECHANICS_RATE, *np.random.default_rng(seed).spawn(2))


def registers(motion: np.ndarray, seed: int = 0) -> np.ndarray:
    return sensor(seed).measure(motion, np.zeros(len(motion)))


def test_the_noise_floor_is_that_of_the_datasheet() -> None:
    count = 100_000
    noise = np.diff(registers(np.zeros((count, 6))) * LSB, axis=0).std(axis=0) / math.sqrt(2.0)
    # Typical densities of the datasheet over the bandwidth of the output filter: 0.35 mg and 19 mdps at 30 Hz.
    bandwidth = 1.11 * 0.45 * RATE
    density = np.repeat([90e-6 * STANDARD_GRAVITY, math.radians(5e-3)], 3)
    expected = np.sqrt(density**2 * bandwidth + LSB**2 / 12.0)
    assert noise == pytest.approx(expected, rel=0.02)


def test_the_noise_bandwidth_is_that_of_the_filter() -> None:
    density = 0.01
    white = np.random.default_rng(1).normal(0.0, density * math.sqrt(MECHANICS_RATE / 2.0), (200_000, 6))
    reference = density * noise_deviation(RATE)[0] / (90e-6 * STANDARD_GRAVITY)
    assert sensor().filter(white)[100:].std(axis=0) == pytest.approx(np.full(6, reference), rel=0.03)


def test_the_filter_passes_faces_and_stops_what_would_alias() -> None:
    times = np.arange(0.0, 20.0, 1.0 / MECHANICS_RATE)
    for frequency, low, high in ((0.0, 1.0, 1.0), (3.0, 0.98, 1.01), (45.0, 0.0, 0.1)):
        wave = np.repeat(np.cos(2.0 * np.pi * frequency * times)[:, None], 6, axis=1)
        gain = np.abs(sensor().filter(wave)[-600:]).max()
        assert low - 1e-9 <= gain <= high + 1e-9, frequency


def test_saturates_at_the_registers_and_does_not_wrap() -> None:
    motion = np.tile([10.0 * STANDARD_GRAVITY] * 3 + [-math.radians(2000.0)] * 3, (10, 1))
    raw = registers(motion)
    assert raw.dtype == np.int16
    assert np.all(raw[:, :3] == 32767)
    assert np.all(raw[:, 3:] == -32768)


def test_the_full_scale_is_at_least_4_g_and_500_dps() -> None:
    motion = np.tile([3.9 * STANDARD_GRAVITY] * 3 + [math.radians(490.0)] * 3, (10, 1))
    assert np.all(registers(motion) < 32767)


def test_offsets_and_sensitivity_spread_as_the_datasheet_says() -> None:
    still, moving = np.zeros((400, 6)), np.tile([10.0] * 3 + [1.0] * 3, (400, 1))
    offsets = np.array([registers(still, seed).mean(axis=0) * LSB for seed in range(200)])
    limit = np.repeat([40e-3 * STANDARD_GRAVITY, math.radians(3.0)], 3)
    inside = np.mean(np.abs(offsets) < limit, axis=0)
    assert np.all((inside > 0.75) & (inside < 0.97))
    scale = np.array(
        [((registers(moving, s) - registers(still, s)).mean(axis=0) * LSB) / moving[0] for s in range(100)]
    )
    assert np.abs(scale - 1.0).max() < 0.035
    assert scale.std(axis=0) == pytest.approx(np.full(6, 0.01 / 1.5), rel=0.3)


def test_the_bias_drifts_slowly() -> None:
    minutes = np.arange(0.0, 600.0, 1.0 / RATE)
    drift = []
    for seed in range(30):
        device = sensor(seed)
        values = device.measure(np.zeros((len(minutes), 6)), minutes) * LSB
        drift.append(values[-900:].mean(axis=0) - values[:900].mean(axis=0))
    spread = np.std(drift, axis=0)
    assert np.all((spread[:3] > 1e-3) & (spread[:3] < 0.03))
    assert np.all((spread[3:] > math.radians(0.03)) & (spread[3:] < math.radians(0.4)))


def test_the_clock_drifts_from_an_arbitrary_start_and_counts_every_sample() -> None:
    crystal = Crystal(RATE, np.random.default_rng(4))
    times = np.concatenate([crystal.tick(until) for until in (0.01, 0.5, 0.5, 300.0)])
    elapsed = np.diff(crystal.read(times)) % (1 << 32)
    # The device believes in its own rate.
    assert elapsed.mean() == pytest.approx(1e6 / RATE, rel=1e-6)
    assert elapsed.min() > 0
    assert len(times) == pytest.approx(300.0 * RATE, abs=2)
    slope = elapsed.sum() / ((times[-1] - times[0]) * 1e6)
    assert (slope - 1.0) * 1e6 == pytest.approx(crystal.drift_ppm, abs=0.1)
    drifts = [Crystal(RATE, np.random.default_rng(seed)).drift_ppm for seed in range(300)]
    assert np.std(drifts) == pytest.approx(20.0, rel=0.2)


def test_the_microseconds_wrap_at_32_bits() -> None:
    crystal = Crystal(RATE, np.random.default_rng(0))
    shown = crystal.read(np.array([0.0, 4294.967296 / (1.0 + crystal.drift_ppm * 1e-6)]))
    assert shown[0] == shown[1]
    assert 0 <= shown[0] < 1 << 32
