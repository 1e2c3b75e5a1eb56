from __future__ import annotations

import threading
import time

import pytest
from imuface_bringup.pacing import BLIND_RATE, IN_FLIGHT, ClockPace, FacePace

PERIOD = 33_333_333


@pytest.mark.parametrize("rate", [1.0, 4.0])
def test_the_clock_keeps_the_distances_in_time(rate: float) -> None:
    pace = ClockPace(rate, threading.Event())
    start = time.monotonic()
    for index in range(5):
        pace.wait("t", index * 50_000_000, 0)
        assert time.monotonic() - start >= index * 0.05 / rate - 1e-3
    assert time.monotonic() - start < 0.2 / rate + 0.1


def test_rate_zero_does_not_wait_and_a_stop_ends_waiting() -> None:
    stopping = threading.Event()
    start = time.monotonic()
    pace = ClockPace(0.0, stopping)
    for index in range(1000):
        pace.wait("t", index * 1_000_000_000, 0)
    pace = ClockPace(1.0, stopping)
    pace.wait("t", 0, 0)
    stopping.set()
    pace.wait("t", 60_000_000_000, 0)
    assert time.monotonic() - start < 1.0


def test_no_more_samples_are_sent_than_frames_allow() -> None:
    pace = FacePace(["left"], threading.Event())
    sent: list[int] = []
    done = threading.Event()

    def play() -> None:
        for index in range(100):
            pace.wait("left", 0, index * PERIOD)
            sent.append(index * PERIOD)
        done.set()

    thread = threading.Thread(target=play)
    thread.start()
    frames = 0
    while not done.is_set():
        if frames < len(sent):
            assert len(sent) - frames <= IN_FLIGHT + 1
            pace.on_frame(sent[frames])
            frames += 1
    thread.join()
    assert len(sent) == 100


def test_without_frames_it_goes_on_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imuface_bringup.pacing.FRAME_PATIENCE", 0.1)
    pace = FacePace(["left"], threading.Event())
    for index in range(IN_FLIGHT + 1):
        pace.wait("left", 0, index * PERIOD)
    start = time.monotonic()
    for index in range(IN_FLIGHT + 1, IN_FLIGHT + 13):
        pace.wait("left", 0, index * PERIOD)
    elapsed = time.monotonic() - start
    expected = 12 * PERIOD * 1e-9 / BLIND_RATE
    assert expected * 0.9 <= elapsed < expected + 0.5


def test_topics_that_are_no_ears_are_not_held_back() -> None:
    pace = FacePace(["left"], threading.Event())
    start = time.monotonic()
    for index in range(200):
        pace.wait("reference/landmarks", 0, index * PERIOD)
    assert time.monotonic() - start < 0.2
