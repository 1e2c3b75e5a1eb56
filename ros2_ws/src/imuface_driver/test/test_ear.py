from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_core.earphone import DeviceSample
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
