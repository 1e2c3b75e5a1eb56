"""Performances: generated ones are faces in motion, captures are read or refused with a clear reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_simulation import Performance
from imuface_simulation.expressions import NEUTRAL_START
from imuface_simulation.performance import CAPTURE_BLEND, CAPTURE_REST, FRAME_RATE

SHARED = Path(__file__).parents[4] / "../shared/data/facial_motion"


class TestNatural:
    def test_starts_neutral_and_then_moves(self) -> None:
        performance = Performance.natural(seed=3, duration=120.0)
        times = np.arange(0.0, 120.0, 1.0 / 30.0)
        weights = performance.weights(times)
        assert not weights[times < NEUTRAL_START - 0.1].any()
        moving = weights[times >= NEUTRAL_START]
        # Typical of range-of-motion captures: every region is used, most of the time at low strength.
        for name in ("jawOpen", "mouthSmileLeft", "browInnerUp", "browDownRight", "eyeBlinkLeft", "mouthPucker"):
            assert moving[:, INDEX[name]].max() > 0.3, name
        assert np.median(moving) < 0.1

    def test_many_seeds_use_every_action(self) -> None:
        peaks = np.max([Performance.natural(seed, 120.0).frames.max(axis=0) for seed in range(8)], axis=0)
        assert {name for name, peak in zip(BLENDSHAPES, peaks, strict=True) if peak < 0.3} == set()

    def test_faces_are_sometimes_one_sided(self) -> None:
        frames = np.concatenate([Performance.natural(seed, duration=120.0).frames for seed in range(8)])
        difference = frames[:, INDEX["mouthSmileLeft"]] - frames[:, INDEX["mouthSmileRight"]]
        assert difference.max() > 0.3
        assert difference.min() < -0.3

    def test_is_about_as_strong_and_as_fast_as_real_captures(self) -> None:
        captures = [SHARED / f"alex_rom_{take}.csv.gz" for take in (3, 4)]
        if not all(path.exists() for path in captures):
            pytest.skip(f"no captures in {SHARED}")

        def measure(performances: list[Performance]) -> np.ndarray:
            frames = np.concatenate([performance.frames[400:] for performance in performances])
            speed = np.abs(np.diff(frames, axis=0)) * FRAME_RATE
            return np.array([np.quantile(frames, 0.99, axis=0).mean(), np.quantile(speed, 0.99, axis=0).mean()])

        natural = measure([Performance.natural(seed, 120.0) for seed in range(6)])
        real = measure([Performance.from_capture(path) for path in captures])
        assert natural == pytest.approx(real, rel=0.35)

    def test_the_seed_decides(self) -> None:
        times = np.arange(0.0, 60.0, 0.1)
        first = Performance.natural(7, 60.0).weights(times)
        assert np.array_equal(first, Performance.natural(7, 60.0).weights(times))
        assert not np.array_equal(first, Performance.natural(8, 60.0).weights(times))

    @pytest.mark.parametrize("duration", [0.0, -1.0, float("nan")])
    def test_refuses_an_impossible_duration(self, duration: float) -> None:
        with pytest.raises(ValueError, match="duration is"):
            Performance.natural(0, duration)

    @pytest.mark.parametrize("duration", [0.001, 1.0, 6.0])
    def test_may_be_short(self, duration: float) -> None:
        assert Performance.natural(0, duration).weights([0.0, 0.5, 100.0]).shape == (3, 52)


class TestSpline:
    def test_is_smooth_enough_to_be_differentiated_twice(self) -> None:
        performance = Performance.natural(seed=1, duration=30.0)
        rate = 2400.0
        weights = performance.weights(np.arange(5.0, 25.0, 1.0 / rate)).astype(np.float64)
        # A kink in the slope would show as a second difference that does not shrink with the step.
        assert np.abs(np.diff(weights, 2, axis=0)).max() < 5e-3 / (rate / 240.0) ** 2 * 20.0

    def test_loops_without_a_jump(self) -> None:
        performance = Performance.natural(seed=1, duration=20.0)
        period = performance.duration
        times = np.arange(0.0, period, 0.05)
        assert np.allclose(performance.weights(times), performance.weights(times + 3 * period), atol=1e-5)
        seam = performance.weights(np.linspace(period - 0.02, period + 0.02, 41))
        assert np.abs(np.diff(seam, axis=0)).max() < 1e-3


class TestCapture:
    def test_rests_before_the_capture(self, tmp_path: Path) -> None:
        path = tmp_path / "take.csv"
        row = ",".join("0.5" if name == "jawOpen" else "0.0" for name in BLENDSHAPES)
        lines = [f"10:00:{i // 60:02d}:{i % 60:02d}.000,{row}" for i in range(600)]
        path.write_text("\n".join([",".join(("Timecode", *BLENDSHAPES)), *lines]))
        performance = Performance.from_capture(path)
        assert performance.notes == ("the time code counts 60 frames a second",)
        assert not performance.weights(np.arange(0.0, CAPTURE_REST - 0.1, 0.1)).any()
        later = performance.weights([CAPTURE_REST + CAPTURE_BLEND + 1.0])[0]
        assert later[INDEX["jawOpen"]] == pytest.approx(0.5)
        assert np.count_nonzero(later > 1e-6) == 1

    def test_is_refused_with_the_reason(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match=r"take\.csv"):
            Performance.from_capture(tmp_path / "take.csv")
        (tmp_path / "take.csv").write_text("a,b\n1,2\n")
        with pytest.raises(ValueError, match=r"take\.csv: no column 'Timecode'"):
            Performance.from_capture(tmp_path / "take.csv")
