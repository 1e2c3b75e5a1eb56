"""Performances: generated ones are faces in motion, captures are read or refused with a clear reason."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_simulation import Performance
from imuface_simulation.expressions import NEUTRAL_START
from imuface_simulation.live_link import read_live_link_csv
from imuface_simulation.performance import CSV_BLEND, CSV_REST, FRAME_RATE

SHARED = Path(__file__).parents[4] / "../shared/data/facial_motion"
HEADER = "Timecode,BlendShapeCount," + ",".join(name[0].upper() + name[1:] for name in BLENDSHAPES) + ",HeadYaw"


def csv_text(frames: int = 60, **weights: str) -> str:
    """A capture at 60 Hz whose weights are 0 except the given ones."""
    row = ",".join(weights.get(name, "0.0") for name in BLENDSHAPES)
    lines = [f"10:00:{i // 60:02d}:{i % 60:02d}.000,61,{row},0.0" for i in range(frames)]
    return "\n".join([HEADER, *lines, ""])


def written(folder: Path, content: str | bytes, name: str = "take.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


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
        real = measure([Performance.from_live_link_csv(path) for path in captures])
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


class TestLiveLinkCsv:
    @pytest.mark.parametrize("compress", [False, True])
    def test_reads_plain_and_gzip_whatever_the_name(self, tmp_path: Path, compress: bool) -> None:
        data = csv_text(120, jawOpen="0.5", mouthSmileLeft="1.02").encode()
        path = written(tmp_path, gzip.compress(data) if compress else data, "take.bin")
        times, weights = read_live_link_csv(path)
        assert times[[0, -1]] == pytest.approx([0.0, 119 / 60])
        assert weights[:, INDEX["jawOpen"]] == pytest.approx(np.full(120, 0.5))
        assert weights[:, INDEX["mouthSmileLeft"]].max() == 1.0

    def test_rests_before_the_capture(self, tmp_path: Path) -> None:
        performance = Performance.from_live_link_csv(written(tmp_path, csv_text(600, jawOpen="0.5")))
        assert not performance.weights(np.arange(0.0, CSV_REST - 0.1, 0.1)).any()
        later = performance.weights([CSV_REST + CSV_BLEND + 1.0])[0]
        assert later[INDEX["jawOpen"]] == pytest.approx(0.5)
        assert np.count_nonzero(later > 1e-6) == 1

    def test_crosses_midnight(self, tmp_path: Path) -> None:
        rows = csv_text(2).splitlines()
        rows[1] = rows[1].replace("10:00:00:00", "23:59:59:59")
        rows[2] = rows[2].replace("10:00:00:01", "00:00:00:00")
        times, _ = read_live_link_csv(written(tmp_path, "\n".join(rows)))
        assert times == pytest.approx([0.0, 1 / 60])

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ("", "no column 'Timecode'"),
            ("a,b,c\n1,2,3\n", "no column 'Timecode'"),
            (HEADER.replace("JawOpen,", "") + "\n", "1 of the 52 weights have no column, the first is 'jawOpen'"),
            (HEADER + "\n", "0 frames"),
            (csv_text(1), "1 frames"),
            (csv_text()[:-200], "line 61: .* the file is cut off"),
            (csv_text(jawOpen="nan"), "line 2: jawOpen is 'nan'"),
            (csv_text(jawOpen="inf"), "line 2: jawOpen is 'inf'"),
            (csv_text(jawOpen="7"), "line 2: jawOpen is '7'"),
            (csv_text(jawOpen=""), "line 2: jawOpen is ''"),
            (csv_text().replace("10:00:00:30.000", "half past"), "line 32: 'half past' is no timecode"),
            (csv_text().replace("10:00:00:30.000", "09:00:00:30.000"), "line 32: the timecode jumps"),
            (csv_text().replace("10:00:00:", "10:00:00:0").replace(":010", ":10"), "timecode"),
            (b"\x1f\x8b\x08\x00broken", "damaged gzip data"),
            (gzip.compress(csv_text().encode())[:-20], "damaged gzip data"),
            (b"\xff\xfe\x00T\x00i", "utf-8"),
            (HEADER + "\n" + '"' + "x" * 200_000, "line 2: "),
        ],
    )
    def test_refuses_broken_files_with_the_reason(self, tmp_path: Path, content: str | bytes, reason: str) -> None:
        path = written(tmp_path, content)
        with pytest.raises(ValueError, match=reason) as caught:
            Performance.from_live_link_csv(path)
        assert str(path) in str(caught.value)

    def test_a_missing_file_is_an_os_error(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match=r"take\.csv"):
            Performance.from_live_link_csv(tmp_path / "take.csv")

    @settings(max_examples=150, deadline=None)
    @given(data=st.data())
    def test_damage_is_refused_or_harmless(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        good = bytearray(csv_text(4, jawOpen="0.25").encode())
        for _ in range(data.draw(st.integers(0, 4))):
            at = data.draw(st.integers(0, len(good) - 1))
            good[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        path = written(tmp_path_factory.getbasetemp(), data.draw(st.sampled_from([bytes(good), gzip.compress(good)])))
        try:
            times, weights = read_live_link_csv(path)
        except ValueError:
            return
        assert np.all(np.diff(times) > 0.0)
        assert weights.shape == (len(times), 52)
        assert np.all((weights >= 0.0) & (weights <= 1.0))

    @settings(max_examples=100, deadline=None)
    @given(content=st.one_of(st.binary(max_size=400), st.text(max_size=400).map(lambda text: text.encode())))
    def test_anything_else_is_a_value_error(self, tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
        with pytest.raises(ValueError, match="expected a CSV written by Live Link Face"):
            read_live_link_csv(written(tmp_path_factory.getbasetemp(), content))

    @pytest.mark.parametrize("name", ["alex_rom_3.csv.gz", "alex_rom_4.csv.gz"])
    def test_reads_a_real_capture(self, name: str) -> None:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"{path} is not here")
        times, weights = read_live_link_csv(path)
        assert 1.0 / np.diff(times).mean() == pytest.approx(29.98, abs=0.05)
        assert weights[:, INDEX["jawOpen"]].max() > 0.8
        assert Performance.from_live_link_csv(path).duration > 120.0
