"""The face of the last seconds in words."""

from __future__ import annotations

import pytest
from empathy_agent.affect_window import Affect, AffectWindow


def fill(window: AffectWindow, expressions: str, valence: float = -0.4, confidence: float = 0.8) -> None:
    """One reading every 0.1 s; s: sad, n: neutral."""
    for index, letter in enumerate(expressions):
        window.add(Affect(index * 0.1, valence, {"s": "sad", "n": "neutral"}[letter], confidence))


def test_most_of_the_time() -> None:
    window = AffectWindow(10.0)
    fill(window, "s" * 80 + "n" * 20)
    assert window.summary(10.0, "en") == "in the last 10 s the face looked sad most of the time, valence -0.4"
    assert "难过" in window.summary(10.0, "zh")


def test_at_times() -> None:
    window = AffectWindow(10.0)
    for index in range(60):
        window.add(Affect(index * 0.1, 0.1, ("sad", "neutral", "angry")[index % 3], 0.5 + 0.1 * (index % 3 == 2)))
    assert "angry at times, valence +0.1" in window.summary(6.0, "en")


def test_only_the_window_counts() -> None:
    window = AffectWindow(2.0)
    fill(window, "s" * 100 + "n" * 30)
    assert "neutral" in window.summary(13.0, "en")
    assert window.summary(60.0, "en") == ""


def test_nothing_to_say() -> None:
    window = AffectWindow(10.0)
    assert window.summary(0.0, "en") == ""
    fill(window, "sss")
    assert window.summary(0.3, "en") == ""
    window = AffectWindow(10.0)
    fill(window, "s" * 50, confidence=0.0)
    assert window.summary(5.0, "en") == ""


def test_a_face_that_the_ears_hardly_tell_is_not_told() -> None:
    window = AffectWindow(10.0)
    fill(window, "n" * 100, confidence=0.45)
    assert window.summary(10.0, "en") == ""
    for index in range(100, 140):
        window.add(Affect(index * 0.1, -0.4, "sad", 0.9))
    # What is told is told of itself: the doubtful readings neither vote nor dilute.
    assert window.summary(14.0, "en") == "in the last 10 s the face looked sad most of the time, valence -0.4"


def test_a_clock_that_jumps_back_starts_anew() -> None:
    window = AffectWindow(5.0)
    window.add(Affect(1000.0, 0.0, "happy", 1.0))
    fill(window, "s" * 30)
    assert "sad" in window.summary(3.0, "en")


def test_an_old_reading_is_dropped() -> None:
    window = AffectWindow(5.0)
    fill(window, "s" * 30)
    window.add(Affect(1.0, 1.0, "happy", 100.0))
    assert "sad" in window.summary(3.0, "en")


def test_duration_is_checked() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        AffectWindow(0.0)
