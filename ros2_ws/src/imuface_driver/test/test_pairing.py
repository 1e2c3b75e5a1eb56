"""Nods and taps of simulated people, who put their buds in as they please."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from imuface_core.earphone import EARS, Ear
from imuface_core.recording import ImuTrack
from imuface_driver.pairing import nod_fault, tapped
from imuface_simulation import PEOPLE, Performance, simulate

PEOPLE_TRIED = 8
Tracks = dict[Ear, ImuTrack]


def tracks(person: int, activity: str, rate: float = 104.0, seconds: float = 5.0) -> Tracks:
    performance = Performance.study(person, 1, seconds)
    made = simulate(performance, PEOPLE["anatomical"](person), seconds, rate=rate, seed=person, activity=activity)
    assert made.left is not None
    assert made.right is not None
    return {"left": made.left, "right": made.right}


def nod(person: int) -> Tracks:
    """The six seconds in which somebody nods most, who nods now and then."""
    made = tracks(person, "nodding", seconds=30.0)
    size = 6 * 104
    turning = np.linalg.norm(made["left"].angular_velocity, axis=1) ** 2
    begin = int(np.argmax(np.convolve(turning, np.ones(size), "valid")[: len(made["right"].stamps) - size]))
    return {ear: part(track, begin, size) for ear, track in made.items()}


def part(track: ImuTrack, begin: int, size: int) -> ImuTrack:
    cut = slice(begin, begin + size)
    return ImuTrack(track.stamps[cut], track.acceleration[cut], track.angular_velocity[cut])


def tap(both: Tracks, ear: Ear, strength: float, seed: int = 0) -> Tracks:
    """Five taps of a finger, which the other bud feels a quarter of, through the head; strength in m/s²."""
    generator = np.random.default_rng(seed)
    shaken = {}
    for each, track in both.items():
        acceleration = track.acceleration.copy()
        felt = strength if each == ear else 0.25 * strength
        for at in np.linspace(0.15, 0.85, 5) * len(acceleration):
            direction = generator.normal(size=3)
            for ring, share in enumerate((1.0, -0.5, 0.2)):
                acceleration[int(at) + ring] += felt * share * direction / np.linalg.norm(direction)
        shaken[each] = replace(track, acceleration=acceleration)
    return shaken


@pytest.mark.parametrize("person", range(PEOPLE_TRIED))
def test_two_buds_on_a_nodding_head_move_together(person: int) -> None:
    assert nod_fault(nod(person)) == ""


def test_buds_that_are_not_on_one_nodding_head_are_told() -> None:
    still, nodding = tracks(1, "still"), nod(1)
    assert nod_fault(still).startswith("neither bud saw a nod")
    assert nod_fault({"left": still["left"], "right": nodding["right"]}).startswith("the left bud does not move")
    other = replace(nod(2)["left"], stamps=nodding["left"].stamps)
    assert "not move together" in nod_fault({"left": other, "right": nodding["right"]})


@pytest.mark.parametrize("rate", [50.0, 104.0])
@pytest.mark.parametrize("ear", EARS)
def test_the_tapped_ear_is_found_in_everybody(ear: Ear, rate: float) -> None:
    for person in range(PEOPLE_TRIED):
        assert tapped(tap(tracks(person, "still", rate), ear, 25.0, person)) == ear


def test_no_taps_and_taps_at_both_are_not_guessed() -> None:
    for person in range(PEOPLE_TRIED):
        assert tapped(nod(person)) is None
        both = tracks(person, "still")
        assert tapped(tap(tap(both, "left", 25.0), "right", 25.0)) is None
