from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_core.earphone import DeviceSample, Reading, Timing
from imuface_driver.ear import EarReceiver

PERIOD_US = 33_333
HOST_NS = 1_700_000_000_000_000_000


def sample(index: int, battery: int | None = None) -> DeviceSample:
    return DeviceSample("left", index % 2**16, index * PERIOD_US % 2**32, (index % 1000, 0, 0, 0, 0, 0), battery)


def arrival(index: int) -> int:
    return HOST_NS + index * PERIOD_US * 1000 + 2_000_000


def test_gaps_are_counted_across_the_wrap_of_the_sequence_number() -> None:
    receiver = EarReceiver("left")
    for index in (65_530, 65_533, 65_537, 65_538):
        assert receiver.receive(sample(index), arrival(index)) is not None
    assert (receiver.health.received, receiver.health.lost, receiver.health.resyncs) == (4, 5, 0)


def test_repeats_and_swapped_neighbours_are_dropped_and_counted() -> None:
    receiver = EarReceiver("left")
    delivered = [receiver.receive(sample(index), arrival(max(index, 3))) for index in (1, 2, 2, 4, 3, 5)]
    assert [measurement is not None for measurement in delivered] == [True, True, False, True, False, True]
    assert (receiver.health.out_of_order, receiver.health.lost) == (2, 1)


def test_a_reboot_is_no_loss() -> None:
    receiver = EarReceiver("left")
    receiver.receive(sample(50_000), arrival(50_000))
    receiver.receive(sample(0), arrival(50_100))
    receiver.receive(sample(1), arrival(50_101))
    assert (receiver.health.lost, receiver.health.resyncs, receiver.health.received) == (0, 1, 3)


def test_a_sequence_number_that_stands_still_is_no_loss() -> None:
    receiver = EarReceiver("left")
    for index in range(10):
        assert receiver.receive(sample(index)._replace(sequence=0), arrival(index)) is not None
    assert receiver.health.lost == 0


def test_health_says_rate_jitter_battery_and_when_last_seen() -> None:
    receiver = EarReceiver("left")
    assert all(map(math.isnan, receiver.health.rate_and_jitter()))
    for index in range(100):
        late = 4_000_000 if index % 2 else 0
        receiver.receive(sample(index, battery=80 - index // 50), arrival(index) + late)
    rate, jitter = receiver.health.rate_and_jitter()
    assert rate == pytest.approx(1e6 / PERIOD_US, rel=1e-3)
    assert jitter == pytest.approx(0.002, rel=0.05)
    assert receiver.health.battery == 79
    assert receiver.health.last_arrival_ns == arrival(99) + 4_000_000


@given(st.lists(st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(0, 10**10))))
def test_whatever_a_device_sends_each_sample_is_delivered_or_counted(steps: list[tuple[int, int, int]]) -> None:
    receiver = EarReceiver("left")
    now, stamps = HOST_NS, []
    for sequence, time_us, elapsed in steps:
        now += elapsed + 1
        measurement = receiver.receive(DeviceSample("left", sequence, time_us, (0,) * 6), now)
        if measurement is not None:
            stamps.append(measurement.stamp_ns)
    assert receiver.health.received == len(stamps)
    assert receiver.health.received + receiver.health.out_of_order == len(steps)
    assert receiver.health.lost >= 0
    assert all(a < b for a, b in itertools.pairwise(stamps))


# Other clocks -------------------------------------------------------------------------------------------------------

MILLISECONDS = Timing(time_period_us=1000 << 32, sequence_period=None)
LONG = Timing(time_period_us=1 << 64, sequence_period=None)
COUNTED = Timing(time_period_us=256 * 10_000, sequence_period=256, drift=0.05)


def run(timing: Timing, readings: list[tuple[int, int, float]], least: float = 0.004) -> tuple[EarReceiver, np.ndarray]:
    """Feed (device time, number, true time in s) with delays of a radio; the errors of the stamps in s."""
    generator = np.random.default_rng(0)
    receiver, errors, latest = EarReceiver("left"), [], 0.0
    for time_us, number, true in readings:
        latest = max(latest, true + least + generator.exponential(0.005))
        reading = Reading(None, (0.0, 0.0, 9.8), (0.0, 0.0, 0.0), time_us, number, timing)
        measurement = receiver.receive(reading, HOST_NS + round(latest * 1e9))
        assert measurement is not None
        errors.append((measurement.stamp_ns - HOST_NS) * 1e-9 - true - least)
    return receiver, np.array(errors)


def test_milliseconds_that_wrap_are_followed() -> None:
    first = 2**32 - 10_000  # ms; wraps after 10 s
    times = [i * 20 for i in range(3000)]
    receiver, errors = run(MILLISECONDS, [((first + t) % 2**32 * 1000, 0, t * 1e-3) for t in times])
    assert receiver.health.resyncs == receiver.health.out_of_order == receiver.health.lost == 0
    assert np.abs(errors[500:]).max() < 1e-3


@pytest.mark.parametrize("boot_us", [0, 1_700_000_000_000_000, 2**64 - 30_000_000])
def test_microseconds_of_64_bits_are_followed(boot_us: int) -> None:
    receiver, errors = run(LONG, [((boot_us + i * 10_000) % 2**64, 0, i * 0.01) for i in range(6000)])
    assert receiver.health.resyncs == receiver.health.lost == 0
    assert np.abs(errors[1000:]).max() < 0.5e-3


@pytest.mark.parametrize("rate", [97.0, 100.0, 103.0])
def test_a_device_without_a_clock_is_counted_at_its_true_rate(rate: float) -> None:
    kept = [i for i in range(6000) if i % 7 and not 3000 < i < 3090]  # each seventh lost, and 0.9 s in a row
    receiver, errors = run(COUNTED, [(i % 256 * 10_000, i % 256, i / rate) for i in kept])
    assert receiver.health.resyncs == receiver.health.out_of_order == 0
    assert np.abs(errors[1500:]).max() < 2e-3
    assert receiver.health.drift_ppm == pytest.approx((rate / 100 - 1) * 1e6, abs=300)
    assert receiver.health.rate_and_jitter()[0] == pytest.approx(rate * 6 / 7, rel=0.02)


@pytest.mark.parametrize("pause", [2.0, 60.0])
@pytest.mark.parametrize("restart", [0, 77, 200])
def test_a_count_that_begins_anew_after_a_pause_does_not_mislead(pause: float, restart: int) -> None:
    before = [(i % 256 * 10_000, i % 256, i / 100) for i in range(1500)]
    after = [((i + restart) % 256 * 10_000, (i + restart) % 256, 15.0 + pause + i / 100) for i in range(1500)]
    receiver, errors = run(COUNTED, before + after)
    assert receiver.health.resyncs == 1
    assert np.abs(errors[1500:]).max() < 0.05  # as late as the first one came
    assert np.abs(errors[1600:]).max() < 5e-3


def test_of_short_numbers_only_a_repeat_is_out_of_order() -> None:
    receiver = EarReceiver("left")
    reading = Reading(None, (0.0,) * 3, (0.0,) * 3, 1_000_000, 100, COUNTED)
    assert receiver.receive(reading, HOST_NS) is not None
    assert receiver.receive(reading, HOST_NS + 1_000_000) is None
    ahead = reading._replace(sequence=180, time_us=1_800_000)  # 79 lost
    assert receiver.receive(ahead, HOST_NS + 800_000_000) is not None
    assert (receiver.health.out_of_order, receiver.health.resyncs) == (1, 0)


def test_readings_without_a_charge_leave_the_last_one() -> None:
    receiver = EarReceiver("left")
    for index, battery in enumerate((70, None)):
        receiver.receive(sample(index, battery), arrival(index))
    assert receiver.health.battery == 70
