"""The clock map against device clocks whose true sampling times are known (simulated delays and drift)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_driver.clock import MAX_DELAY_NS, DeviceClock

RATE = 30.0
HOST_NS = 1_700_000_000_000_000_000
LEAST_DELAY = 0.002  # s; the part that arrival times cannot reveal


def device_us(times: np.ndarray, ppm: float, boot: float) -> list[int]:
    return [int(t) % 2**32 for t in (boot + times * (1.0 + ppm * 1e-6)) * 1e6]


def delays(generator: np.random.Generator, times: np.ndarray, mean: float) -> np.ndarray:
    """Exponential delays, and a burst of up to 0.4 s that drains every 10 s on average; arrivals stay in order."""
    delay = LEAST_DELAY + generator.exponential(mean, len(times))
    for begin in generator.uniform(0.0, times[-1], int(times[-1] / 10.0)):
        late = (times > begin) & (times < begin + 0.4)
        delay[late] += begin + 0.4 - times[late]
    return np.maximum.accumulate(times + delay)


def stamp_all(clock: DeviceClock, device: list[int], arrivals: np.ndarray) -> np.ndarray:
    host = [HOST_NS + round(arrival * 1e9) for arrival in arrivals]
    return np.array([clock.stamp(time_us, arrival) - HOST_NS for time_us, arrival in zip(device, host, strict=True)])


@pytest.mark.parametrize("ppm", [-100.0, 0.0, 100.0])
@pytest.mark.parametrize(("mean", "tolerance"), [(0.0005, 0.1e-3), (0.003, 0.2e-3), (0.010, 0.5e-3)])
def test_stamps_are_sampling_times_in_spite_of_drift_jitter_and_bursts(
    ppm: float, mean: float, tolerance: float
) -> None:
    times = np.arange(0.0, 60.0, 1.0 / RATE)
    for seed in range(10):
        clock = DeviceClock()
        # The device clock wraps half way.
        stamps = stamp_all(
            clock, device_us(times, ppm, boot=4264.967), delays(np.random.default_rng(seed), times, mean)
        )
        error = stamps * 1e-9 - times - LEAST_DELAY
        assert np.abs(error[times >= 10.0]).max() < tolerance
        assert np.all(np.diff(stamps) > 0)
        assert clock.resyncs == 0
        assert clock.drift_ppm == pytest.approx(ppm, abs=5.0)


def test_no_stamp_is_later_than_its_arrival() -> None:
    times = np.arange(0.0, 30.0, 1.0 / RATE)
    arrivals = delays(np.random.default_rng(1), times, 0.01)
    stamps = stamp_all(DeviceClock(), device_us(times, -80.0, boot=1.0), arrivals)
    assert np.all(stamps <= np.round(arrivals * 1e9))


@pytest.mark.parametrize("boot", [300.0, 3000.0, 4000.0])
@pytest.mark.parametrize("off", [0.5, 20.0])
def test_a_reboot_starts_the_map_anew_and_keeps_the_stamps_right(boot: float, off: float) -> None:
    times = np.arange(0.0, 60.0, 1.0 / RATE)
    times = times[(times < 20.0) | (times > 20.0 + off)]
    device = [*device_us(times[times < 20.0], 50.0, boot), *device_us(times[times > 20.0] - 20.0 - off, 50.0, 0.3)]
    clock = DeviceClock()
    stamps = stamp_all(clock, device, delays(np.random.default_rng(2), times, 0.001))
    assert clock.resyncs == 1
    assert np.all(np.diff(stamps) > 0)
    error = np.abs(stamps * 1e-9 - times - LEAST_DELAY)
    assert times[-1] > 20.0 + off + 10.0
    assert error[(times > 20.0 + off + 2.0)].max() < 0.5e-3
    assert error.max() < 0.41  # one sample that came at the end of a burst


@pytest.mark.parametrize("jump", [-3600.0, -0.5, 0.3, 7.0])
def test_a_host_clock_that_is_set_is_followed(jump: float) -> None:
    times = np.arange(0.0, 40.0, 1.0 / RATE)
    arrivals = times + LEAST_DELAY + np.random.default_rng(3).exponential(0.001, len(times))
    host = arrivals + np.where(times < 20.0, 0.0, jump)
    clock = DeviceClock()
    stamps = stamp_all(clock, device_us(times, 0.0, boot=5.0), host)
    settled = times > 25.0
    assert np.abs(stamps * 1e-9 - times - LEAST_DELAY - jump)[settled].max() < 0.5e-3
    assert np.all(np.diff(stamps[settled]) > 0)
    assert clock.resyncs == 1


def test_a_long_silence_of_a_device_that_runs_on_needs_no_new_map() -> None:
    times = np.concatenate([np.arange(0.0, 30.0, 1.0 / RATE), np.arange(5000.0, 5010.0, 1.0 / RATE)])
    arrivals = times + LEAST_DELAY + np.random.default_rng(4).exponential(0.0005, len(times))
    clock = DeviceClock()
    stamps = stamp_all(clock, device_us(times, 20.0, boot=0.0), arrivals)
    assert clock.resyncs == 0
    assert np.abs(stamps * 1e-9 - times - LEAST_DELAY)[times > 5003.0].max() < 0.5e-3


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(-(10**9), 10**12)), max_size=300))
def test_whatever_the_clocks_do_stamps_are_near_the_arrival_and_increase(jumps: list[tuple[int, int]]) -> None:
    clock = DeviceClock()
    arrival, previous, previous_arrival = HOST_NS, 0, 0
    for time_us, elapsed in jumps:
        arrival += elapsed
        stamp = clock.stamp(time_us, arrival)
        assert arrival - MAX_DELAY_NS <= stamp
        if arrival > previous_arrival:
            assert stamp > previous or previous > arrival
        previous, previous_arrival = stamp, arrival
