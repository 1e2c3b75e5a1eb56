"""Where utterances begin and end, with a detector and a recogniser that are scripts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from imuface_robot.hearing.ears import Ears, Said
from imuface_robot.hearing.recogniser import Transcript
from imuface_robot.hearing.sources import BLOCK, RATE, Sound

SPEECH, SILENCE = np.full(BLOCK, 0.5, np.float32), np.zeros(BLOCK, np.float32)
SECOND = RATE / BLOCK


class Loudness:
    """Takes loudness for speech."""

    resets = 0

    def __call__(self, block: Sound) -> float:
        return float(np.abs(block).max() * 2)

    def reset(self) -> None:
        self.resets += 1


class Counter:
    """Understands how many tenths of a second are loud."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.understands = True

    def __call__(self, sound: Sound) -> Transcript:
        assert self.free.wait(20.0)
        if not self.understands:
            raise RuntimeError("the secret words")
        loud = round(10 * np.count_nonzero(sound) / RATE)
        return Transcript(f"{loud} words" if loud else "", "en")


class Heard:
    """Ears, and what they told."""

    def __init__(self, **settings: Any) -> None:
        self.said: list[Said] = []
        self.faults: list[str] = []
        self.now = 0.0
        self.activity, self.recogniser = Loudness(), Counter()
        settings = {"partial_every": 0.0} | settings
        self.ears = Ears(
            self.activity, self.recogniser, self.said.append, self.faults.append, clock=lambda: self.now, **settings
        )

    def hear(self, block: Sound, seconds: float) -> None:
        for _ in range(round(seconds * SECOND)):
            self.ears.take(block)

    def settle(self) -> None:
        """Until all that was said is recognised."""
        with self.ears._state:
            assert self.ears._state.wait_for(
                lambda: not (self.ears._finals or self.ears._partial or self.ears._busy), 20.0
            )


@pytest.fixture
def heard() -> Iterator[Callable[..., Heard]]:
    made: list[Heard] = []

    def make(**settings: Any) -> Heard:
        made.append(Heard(**settings))
        return made[-1]

    yield make
    for each in made:
        each.recogniser.free.set()
        each.ears.close()


def test_a_pause_ends_an_utterance_and_a_breath_does_not(heard: Callable[..., Heard]) -> None:
    ears = heard(pause=0.8)
    ears.hear(SILENCE, 1.0)
    for _ in range(2):
        ears.hear(SPEECH, 0.5)
        ears.hear(SILENCE, 0.5)
    ears.hear(SILENCE, 1.0)
    ears.hear(SPEECH, 1.0)
    assert ears.ears.finish()
    first, second = ears.said
    assert (first.text, second.text) == ("10 words", "10 words")
    assert first.final
    assert second.final
    assert first.id != second.id


def test_who_begins_to_speak_is_told_of_once_and_a_click_is_not(heard: Callable[..., Heard]) -> None:
    begun: list[str] = []
    ears = heard(begin=begun.append)
    ears.hear(SPEECH, 0.1)
    ears.hear(SILENCE, 2.0)
    assert not begun
    ears.hear(SPEECH, 0.17)
    assert len(begun) == 1
    ears.hear(SPEECH, 1.0)
    ears.hear(SILENCE, 2.0)
    ears.settle()
    assert [said.id for said in ears.said] == begun


def test_partial_utterances_grow_and_share_the_id_of_the_final_one(heard: Callable[..., Heard]) -> None:
    ears = heard(partial_every=0.5)
    for _ in range(4):
        ears.hear(SPEECH, 0.5)
        ears.settle()
    ears.hear(SILENCE, 1.1)
    ears.settle()
    assert len({said.id for said in ears.said}) == 1
    assert [said.final for said in ears.said] == [False] * (len(ears.said) - 1) + [True]
    assert len(ears.said) >= 4
    assert len({said.text for said in ears.said[:-1]}) == len(ears.said) - 1  # none twice


def test_a_slow_recogniser_skips_what_is_out_of_date(heard: Callable[..., Heard]) -> None:
    ears = heard(partial_every=0.3)
    ears.recogniser.free.clear()
    ears.hear(SPEECH, 3.0)
    ears.hear(SILENCE, 1.1)  # the final one is here before the first partial one is understood
    ears.recogniser.free.set()
    assert ears.ears.finish()
    assert [(said.text, said.final) for said in ears.said] == [("30 words", True)]


def test_what_was_told_in_part_has_an_end_though_the_end_is_not_understood(heard: Callable[..., Heard]) -> None:
    ears = heard(partial_every=0.5)
    ears.hear(SPEECH, 1.0)
    ears.settle()
    ears.recogniser.understands = False
    ears.hear(SILENCE, 1.1)
    assert ears.ears.finish()
    *_, before, last = ears.said
    assert (before.final, last.final) == (False, True)
    assert (before.id, before.text, before.locale) == (last.id, last.text, last.locale)
    assert ears.faults[-1] == "RuntimeError in the recogniser"
    assert not any("secret" in fault for fault in ears.faults)


def test_a_cough_is_no_utterance(heard: Callable[..., Heard]) -> None:
    ears = heard(partial_every=0.1)
    ears.hear(SPEECH, 0.05)
    ears.hear(SILENCE, 2.0)
    ears.hear(SPEECH, 0.15)
    ears.hear(SILENCE, 2.0)
    assert ears.ears.finish()
    assert not ears.said


def test_somebody_who_never_pauses_is_answered_all_the_same(heard: Callable[..., Heard]) -> None:
    ears = heard()
    ears.hear(SPEECH, 61.0)
    ears.settle()
    assert [said.text for said in ears.said] == ["600 words"]


def test_it_is_deaf_while_the_robot_speaks_and_a_little_after(heard: Callable[..., Heard]) -> None:
    ears = heard()
    ears.ears.deafen()
    assert ears.ears.deaf
    ears.hear(SPEECH, 2.0)
    ears.ears.undeafen()
    ears.hear(SPEECH, 2.0)  # the echo
    ears.now += 0.5
    assert not ears.ears.deaf
    ears.hear(SILENCE, 2.0)
    assert ears.ears.finish()
    assert not ears.said
    assert ears.activity.resets
    ears.hear(SPEECH, 1.0)
    assert ears.ears.finish()
    assert [said.text for said in ears.said] == ["10 words"]


def test_what_the_robot_interrupts_is_an_utterance(heard: Callable[..., Heard]) -> None:
    ears = heard()
    ears.hear(SPEECH, 1.0)
    ears.ears.deafen()
    ears.settle()
    assert [(said.text, said.final) for said in ears.said] == [("10 words", True)]


def test_a_voice_whose_end_nobody_tells_does_not_deafen_for_ever(heard: Callable[..., Heard]) -> None:
    ears = heard()
    ears.ears.deafen()
    ears.now += 61.0
    ears.hear(SPEECH, 1.0)
    assert ears.ears.finish()
    assert len(ears.said) == 1


@pytest.mark.parametrize(
    "broken",
    [
        np.full(BLOCK, np.nan, np.float32),
        np.full(BLOCK, np.inf, np.float32),
        np.zeros(0, np.float32),
        np.zeros(BLOCK + 1, np.float32),
        np.zeros((BLOCK, 2), np.float32),
    ],
)
def test_broken_blocks_are_dropped_and_counted(heard: Callable[..., Heard], broken: Sound) -> None:
    ears = heard()
    for _ in range(40):
        ears.ears.take(broken)
        ears.ears.take(SPEECH)
    assert ears.ears.finish()
    assert ears.ears.broken == 40
    assert [said.text for said in ears.said] == ["13 words"]


def test_it_does_not_tell_anything_after_it_was_closed(heard: Callable[..., Heard]) -> None:
    ears = heard()
    ears.recogniser.free.clear()
    ears.hear(SPEECH, 1.0)
    ears.ears.deafen()
    threading.Timer(0.2, ears.recogniser.free.set).start()
    ears.ears.close()
    assert not ears.said
