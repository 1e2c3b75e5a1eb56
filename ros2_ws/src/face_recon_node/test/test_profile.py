"""Who wears the earphones and how: profiles, their files, and warnings that do not flap."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from face_recon_node.data.segment import Segment, prepare
from face_recon_node.stream.profile import BLOCK, EarProfile, ProfileMonitor, Wearing
from imuface_simulation import Participant, Performance, simulate


@cache
def session(person: int, mount: int) -> tuple[Segment, ...]:
    """100 s of a simulated person who keeps the head calm."""
    recording = simulate(
        Performance.natural(mount, 100.0), Participant.arbitrary(person), 100.0, seed=mount, start_ns=1_000_000_000
    )
    return tuple(prepare(recording))


Change = Callable[[np.ndarray], None]


def watch(segments: tuple[Segment, ...], known: EarProfile | None = None, change: Change | None = None) -> list[Any]:
    """What held after each block, with the readings (n, 2, 6) changed in place before."""
    monitor = ProfileMonitor(known)
    seen = []
    for segment in segments:
        readings = segment.readings.reshape(-1, 2, 6).astype(float)
        if change:
            change(readings)
        for row in range(len(segment)):
            monitor.push(readings[row], segment.present[row])
            if row % BLOCK == BLOCK - 1:
                seen.append(monitor.judgement)
    return seen


def test_a_profile_survives_a_model_file() -> None:
    known = EarProfile.fitted(session(3, 1))
    assert known is not None
    assert known.seconds > 60
    read = EarProfile.from_dict(json.loads(json.dumps(known.to_dict())))
    assert read is not None
    np.testing.assert_array_equal(read.log_covariance, known.log_covariance)
    assert read.seconds == known.seconds


def test_damaged_profiles_are_refused_and_other_versions_left_alone() -> None:
    good = {"version": 1, "log_covariance": np.eye(3).tolist(), "seconds": 60.0}
    assert EarProfile.from_dict(good | {"version": 2}) is None
    for bad in (
        {"seconds": "long"}, {"log_covariance": [1.0]}, {"log_covariance": [[np.nan] * 3] * 3},
        {"log_covariance": "x"}, {"log_covariance": [[1.0], [1.0, 2.0]]}, {"seconds": None},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="ear profile is damaged"):
            EarProfile.from_dict(good | bad)
    with pytest.raises(ValueError, match="ear profile is damaged"):
        EarProfile.from_dict({})


def test_too_little_motion_gives_no_profile() -> None:
    (segment,) = session(3, 1)
    assert EarProfile.fitted([segment[:800]]) is None
    assert EarProfile.fitted([]) is None
    assert EarProfile.fitted([segment.without_ear(1)]) is None


def test_the_person_fits() -> None:
    seen = watch(session(3, 1), EarProfile.fitted(session(3, 1)))
    assert seen[-1].wearing == Wearing.FITS
    assert not any(judgement.wearing.is_warning for judgement in seen)


def test_a_face_that_moves_the_ears_otherwise_is_told_once() -> None:
    known = EarProfile.fitted(session(3, 1))
    assert known is not None
    turned = EarProfile(known.log_covariance + np.diag([6.0, -4.0, 2.0]), known.seconds)
    seen = [judgement.wearing for judgement in watch(session(3, 1), turned)]
    assert seen[-1] == Wearing.OTHER_PERSON
    changes = [wearing for before, wearing in zip([Wearing.UNKNOWN, *seen], seen, strict=False) if before != wearing]
    assert changes == [Wearing.FITS, Wearing.OTHER_PERSON]


def on_the_table(side: int) -> Change:
    def change(readings: np.ndarray) -> None:
        readings[:, side] = np.random.default_rng(0).normal(0.0, 5e-4, readings[:, side].shape)

    return change


def hanging(readings: np.ndarray) -> None:
    time = np.arange(len(readings))[:, None] / 30.0
    readings[:, 0, 3:] = 0.5 * np.sin(2 * np.pi * np.array([1.3, 1.7, 2.1]) * time)


def slipped(readings: np.ndarray) -> None:
    readings[:, 1, 0] += 5.0


@pytest.mark.parametrize(
    ("change", "wearing", "words"),
    [
        (on_the_table(0), Wearing.LEFT_LOOSE, "left earbud does not move with the head"),
        (on_the_table(1), Wearing.RIGHT_LOOSE, "right earbud does not move with the head"),
        (hanging, Wearing.LEFT_LOOSE, "left earbud swings by itself"),
        (slipped, Wearing.RIGHT_LOOSE, "right earbud leans"),
    ],
)
def test_a_loose_earbud_is_named(change: Change, wearing: Wearing, words: str) -> None:
    last = watch(session(3, 1), None, change)[-1]
    assert last.wearing == wearing
    assert words in last.message


def test_a_short_disturbance_is_no_warning_and_a_warning_ends() -> None:
    def nudged(readings: np.ndarray) -> None:
        on_the_table(0)(readings[300:400])

    assert not any(judgement.wearing.is_warning for judgement in watch(session(3, 1), None, nudged))

    def put_back(readings: np.ndarray) -> None:
        on_the_table(0)(readings[:1300])

    seen = [judgement.wearing for judgement in watch(session(3, 1), None, put_back)]
    assert Wearing.LEFT_LOOSE in seen
    assert seen[-1] == Wearing.FITS


def test_one_ear_and_a_resting_head_say_nothing() -> None:
    (segment,) = session(3, 1)
    assert watch((segment.without_ear(1),))[-1].wearing == Wearing.UNKNOWN

    def both_on_the_table(readings: np.ndarray) -> None:
        on_the_table(0)(readings)
        on_the_table(1)(readings)

    assert watch((segment,), None, both_on_the_table)[-1].wearing == Wearing.UNKNOWN
