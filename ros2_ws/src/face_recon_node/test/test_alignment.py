"""Both ears on one grid, whatever their clocks and their radio links do."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from face_recon_node.stream.alignment import LATENESS_NS, MAX_GAP_NS, PERIOD_NS, Aligner, GridPoint
from hypothesis import given, settings
from hypothesis import strategies as st

START = 1_000_000_000_000
Sample = tuple[int, str]


def reading(stamp: float, ear: str) -> tuple[np.ndarray, np.ndarray]:
    """A slow wave of time, so that interpolation can be checked against it; the ears differ in sign."""
    t, sign = (stamp - START) * 1e-9, 1.0 if ear == "left" else -1.0
    return sign * np.array([np.sin(t), np.cos(t), 9.8]), sign * np.array([np.sin(0.5 * t), t, 0.1])


def regular(ear: str, duration: float, period_ns: float = PERIOD_NS, phase_ns: int = 0) -> list[Sample]:
    """Stamps of a healthy ear."""
    return [(START + phase_ns + round(k * period_ns), ear) for k in range(round(duration * 1e9 / period_ns))]


def align(samples: list[Sample], aligner: Aligner | None = None) -> list[GridPoint]:
    """Push samples in the order given."""
    aligner = aligner or Aligner()
    return [point for stamp, ear in samples for point in aligner.push(ear, stamp, *reading(stamp, ear))]


def frames(points: list[GridPoint]) -> list[int]:
    return [point.stamp_ns for point in points if point.is_frame]


def without(samples: list[Sample], ear: str, begin: float, end: float) -> list[Sample]:
    """The samples without those of an ear between two times in seconds."""
    return [(stamp, e) for stamp, e in samples if e != ear or not begin <= (stamp - START) * 1e-9 < end]


def assert_true_readings(points: list[GridPoint], tolerance: float = 2e-3) -> None:
    for point in points:
        for side, ear in enumerate(("left", "right")):
            expected = np.concatenate(reading(point.stamp_ns - PERIOD_NS, ear)) if point.present[side] else np.zeros(6)
            np.testing.assert_allclose(point.readings[side], expected, atol=tolerance)


def test_a_frame_for_every_left_sample_with_both_ears_one_period_earlier() -> None:
    left, right = regular("left", 4.0), regular("right", 4.0, phase_ns=11_000_000)
    points = align(sorted(left + right))
    expected = [stamp for stamp, _ in left if stamp >= START + LATENESS_NS]
    assert frames(points) == expected
    assert all(point.present.all() for point in points[5:])
    assert_true_readings(points)
    assert [point.restart for point in points] == [True] + [False] * (len(points) - 1)


def test_a_healthy_frame_waits_for_nothing() -> None:
    aligner = Aligner()
    late = 0
    for stamp, ear in sorted(regular("left", 3.0) + regular("right", 3.0, phase_ns=20_000_000)):
        points = aligner.push(ear, stamp, *reading(stamp, ear))
        if stamp > START + 1_000_000_000:
            late += sum(point.stamp_ns != stamp for point in points)
            assert len(points) == (ear == "left")
    assert late == 0


def test_clocks_that_slip_through_a_whole_period_lose_no_frame() -> None:
    # 30.1 Hz beside 29.9 Hz: a minute slips twelve periods.
    left, right = regular("left", 60.0, 1e9 / 30.1), regular("right", 60.0, 1e9 / 29.9)
    points = align(sorted(left + right))
    last = points[-1].stamp_ns
    assert frames(points) == [stamp for stamp, _ in left if START + LATENESS_NS <= stamp <= last]
    assert len(points) == len(frames(points)) >= len(left) - 5
    assert all(point.present.all() for point in points[5:])
    assert_true_readings(points[:600])


def test_lost_samples_are_interpolated_and_keep_the_grid_regular() -> None:
    samples = sorted(regular("left", 4.0) + regular("right", 4.0, phase_ns=9_000_000))
    lost = without(without(samples, "left", 2.0, 2.07), "right", 3.0, 3.07)
    points = align(lost)
    assert frames(points) == [stamp for stamp, ear in lost if ear == "left" and stamp >= START + LATENESS_NS]
    filled = [point for point in points if not point.is_frame]
    assert len(filled) == 2
    assert all(point.present.all() for point in points[5:])
    steps = np.diff([point.stamp_ns for point in points])
    assert np.abs(steps - PERIOD_NS).max() < 0.1 * PERIOD_NS
    assert_true_readings(points, tolerance=1e-2)


def test_jittering_stamps_give_the_readings_of_their_instants() -> None:
    rng = np.random.default_rng(1)
    samples = [
        (stamp + int(rng.normal(0.0, 2e6)), ear)
        for stamp, ear in regular("left", 4.0) + regular("right", 4.0, phase_ns=5_000_000)
    ]
    points = align(sorted(samples))
    first = min(samples)[0] + LATENESS_NS
    assert frames(points) == [stamp for stamp, ear in samples if ear == "left" and stamp >= first]
    assert_true_readings(points)


@pytest.mark.parametrize("ear", ["left", "right"])
def test_one_ear_alone_makes_frames_at_once(ear: str) -> None:
    side = ("left", "right").index(ear)
    aligner = Aligner()
    for stamp, _ in regular(ear, 2.0):
        points = aligner.push(ear, stamp, *reading(stamp, ear))
        expected = stamp >= START + LATENESS_NS
        assert [point.stamp_ns for point in points] == [stamp] * expected
    assert points[0].present[side]
    assert not points[0].present[1 - side]


@pytest.mark.parametrize("ear", ["left", "right"])
def test_an_ear_stops_and_returns(ear: str) -> None:
    side = ("left", "right").index(ear)
    samples = sorted(regular("left", 8.0) + regular("right", 8.0, phase_ns=12_000_000))
    points = align(without(samples, ear, 3.0, 5.0))
    for point in points[5:]:
        instant = (point.stamp_ns - PERIOD_NS - START) * 1e-9
        assert point.present[1 - side]
        if instant < 2.96 or instant > 5.15:
            assert point.present[side]
        if 3.0 < instant < 5.1:
            assert not point.present[side]
    # It never freezes, and the grid stays regular through both changes.
    steps = np.diff([point.stamp_ns for point in points])
    assert steps.max() < 1.8 * PERIOD_NS
    assert steps.min() > 0.5 * PERIOD_NS
    assert not any(point.restart for point in points[1:])


def test_waiting_for_a_silent_ear_ends_after_the_allowed_time() -> None:
    samples = sorted(regular("left", 4.0) + regular("right", 4.0, phase_ns=12_000_000))
    aligner = Aligner()
    longest = 0
    for stamp, ear in without(samples, "right", 2.0, 9.0):
        for point in aligner.push(ear, stamp, *reading(stamp, ear)):
            longest = max(longest, stamp - point.stamp_ns)
    assert 0 < longest <= MAX_GAP_NS + LATENESS_NS + 2 * PERIOD_NS
    assert point.stamp_ns == stamp


def test_a_long_silence_of_both_ears_starts_the_grid_anew() -> None:
    samples = sorted(regular("left", 6.0) + regular("right", 6.0))
    points = align(without(without(samples, "left", 2.0, 4.0), "right", 2.0, 4.0))
    assert sum(point.restart for point in points) == 2
    assert sum(not point.is_frame for point in points) == 0


@pytest.mark.parametrize("rate", [52.0, 100.0, 104.0])
def test_a_faster_source_is_decimated_to_the_grid(rate: float) -> None:
    period = 1e9 / rate
    points = align(sorted(regular("left", 20.0, period) + regular("right", 20.0, period, phase_ns=3_000_000)))
    assert len(points) == pytest.approx(30.0 * 19.9, abs=6)
    assert all(point.is_frame for point in points)
    assert_true_readings(points[10:])


def test_decimation_averages_what_the_grid_cannot_carry() -> None:
    aligner = Aligner()
    rng = np.random.default_rng(0)
    points = [
        point
        for stamp, ear in regular("left", 20.0, 1e7)
        for point in aligner.push(ear, stamp, rng.normal(size=3), rng.normal(size=3))
    ]
    noise = np.std([point.readings[0] for point in points[20:]])
    assert noise < 0.75


def test_backward_and_broken_samples_are_counted_and_change_nothing() -> None:
    samples = sorted(regular("left", 3.0) + regular("right", 3.0, phase_ns=7_000_000))
    clean = align(samples)
    aligner = Aligner()
    points = []
    for row, (stamp, ear) in enumerate(samples):
        points += aligner.push(ear, stamp, *reading(stamp, ear))
        if row % 10 == 0:
            points += aligner.push(ear, stamp, *reading(stamp, ear))
            points += aligner.push(ear, stamp - 40_000_000, *reading(stamp, ear))
            points += aligner.push(ear, stamp + 1_000, [np.nan, 0.0, 9.8], [0.0, 0.0, 0.0])
            points += aligner.push(ear, stamp + 1_000, [0.0, 0.0, 9.8], [0.0, np.inf, 0.0])
            points += aligner.push(ear, -5, [0.0, 0.0, 9.8], [0.0, 0.0, 0.0])
    assert sum(counters.backwards for counters in aligner.counters.values()) == 36
    assert sum(counters.invalid for counters in aligner.counters.values()) == 36
    assert sum(counters.unstamped for counters in aligner.counters.values()) == 18
    assert len(points) == len(clean)
    for got, expected in zip(points, clean, strict=True):
        assert got.stamp_ns == expected.stamp_ns
        assert np.array_equal(got.readings, expected.readings)


def test_a_clock_that_is_set_back_starts_anew() -> None:
    samples = sorted(regular("left", 3.0) + regular("right", 3.0))
    aligner = Aligner()
    first, second = align(samples, aligner), align(samples, aligner)
    assert aligner.restarts >= 1
    assert frames(first) == frames(second)


def test_an_unknown_ear_is_refused() -> None:
    with pytest.raises(ValueError, match='ear is "middle"'):
        Aligner().push("middle", START, [0, 0, 9.8], [0, 0, 0])


def test_the_end_of_a_run_does_not_depend_on_whether_the_next_one_has_begun_to_arrive() -> None:
    left = regular("left", 1.5)
    right = without(regular("right", 1.5, PERIOD_NS // 3), "right", 0.7, 0.9)
    late = [(stamp + (90_000_000 if ear == "right" else 0), (stamp, ear)) for stamp, ear in left + right]
    at_once, delayed = align(sorted(left + right)), align([sample for _, sample in sorted(late)])
    for a, b in zip(at_once, delayed, strict=False):
        assert np.array_equal(a.present, b.present)
        assert np.array_equal(a.readings, b.readings)


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[list[Sample], list[Sample]]:
    """Samples of two ears with losses and pauses, and two orders of arrival within the allowed lateness."""
    ears = []
    for ear in ("left", "right"):
        period = draw(st.sampled_from([PERIOD_NS, PERIOD_NS // 3, round(PERIOD_NS * 1.02)]))
        samples = regular(ear, 3.0, period, draw(st.integers(0, PERIOD_NS)))
        begin, length = draw(st.floats(0.0, 3.0)), draw(st.sampled_from([0.0, 0.05, 0.12, 0.3, 1.0]))
        samples = without(samples, ear, begin, begin + length)
        lost = draw(st.sets(st.integers(0, max(0, len(samples) - 1)), max_size=8))
        ears.append([sample for row, sample in enumerate(samples) if row not in lost])
    seeds = draw(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)))
    orders = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        delayed = []
        for samples in ears:
            # Each ear arrives in its own order, up to the lateness (less a sample) after its stamps.
            delays = rng.uniform(0.0, LATENESS_NS - PERIOD_NS * 1.1, len(samples))
            arrivals = np.maximum.accumulate([stamp + delay for (stamp, _), delay in zip(samples, delays, strict=True)])
            delayed += list(zip(arrivals, samples, strict=True))
        orders.append([sample for _, sample in sorted(delayed)])
    return orders[0], orders[1]


@settings(max_examples=40)
@given(interleavings())
def test_the_grid_does_not_depend_on_the_order_of_arrival(orders: tuple[list[Sample], list[Sample]]) -> None:
    first, second = align(orders[0]), align(orders[1])
    # At the very end one order may still wait for a sample that the other has seen arrive.
    common = min(len(first), len(second))
    assert abs(len(first) - len(second)) <= 8
    for a, b in zip(first[:common], second[:common], strict=True):
        assert (a.stamp_ns, a.is_frame, a.restart) == (b.stamp_ns, b.is_frame, b.restart)
        assert np.array_equal(a.present, b.present)
        assert np.array_equal(a.readings, b.readings)
    assert all(a.stamp_ns < b.stamp_ns for a, b in pairwise(first))
