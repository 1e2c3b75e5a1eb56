"""Mean rank, Win@K, intervals and agreement against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from empathy_training.evaluation.bootstrap import interval
from empathy_training.evaluation.ranking import agreement, standings
from hypothesis import given, settings
from hypothesis import strategies as st


def test_mean_rank_and_wins() -> None:
    found = standings([{"a": 3, "b": 2, "c": 1}, {"b": 9, "c": 0.5, "a": 0.25}, {"a": 1, "b": 0, "c": -1}])
    assert {system: one.mean_rank.value for system, one in found.items()} == {
        "a": pytest.approx(5 / 3),
        "b": pytest.approx(5 / 3),
        "c": pytest.approx(8 / 3),
    }
    wins = {system: [share.value for share in one.win_at] for system, one in found.items()}
    assert wins["a"] == pytest.approx([2 / 3, 2 / 3, 1])
    assert wins["b"] == pytest.approx([1 / 3, 1, 1])
    assert wins["c"] == pytest.approx([0, 1 / 3, 1])


def test_ties_share_their_places() -> None:
    found = standings([{"a": 1, "b": 1, "c": 1, "d": 0, "e": 5}])
    assert [found[system].mean_rank.value for system in "abcde"] == [3, 3, 3, 5, 1]
    # a, b and c are on the places 2 to 4.
    assert [share.value for share in found["b"].win_at] == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert [share.value for share in found["e"].win_at] == [1] * 5
    assert [share.value for share in found["d"].win_at] == [0, 0, 0, 0, 1]


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=6))
def test_places_are_neither_lost_nor_made(posts: list[list[int]]) -> None:
    found = standings([dict(zip("abcd", points, strict=True)) for points in posts])
    assert sum(one.mean_rank.value for one in found.values()) == pytest.approx(10)
    for k in range(4):
        assert sum(one.win_at[k].value for one in found.values()) == pytest.approx(k + 1)


@pytest.mark.parametrize(
    ("rankings", "message"),
    [
        ([], "there is no ranking"),
        ([{"a": 1, "b": 2}, {"a": 1, "c": 2}], "a ranking holds a, c instead of a, b"),
        ([{"a": 1, "b": 2}, {"a": 1}], "a ranking holds a instead of a, b"),
        ([{"a": 1, "b": math.nan}], "not a number"),
    ],
)
def test_rankings_that_cannot_be_compared_are_refused(rankings: list[dict[str, float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        standings(rankings)


def test_the_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    found = interval(values)
    assert found.value == pytest.approx(values.mean())
    # The standard error is 2 / sqrt(400) = 0.1.
    assert found.high - found.value == pytest.approx(0.196, abs=0.03)
    assert found.value - found.low == pytest.approx(0.196, abs=0.03)
    assert interval(values) == found != interval(values, seed=1)


def test_values_that_lack_are_left_out() -> None:
    found = interval(np.array([2.0, math.nan, 2.0]))
    assert (found.value, found.low, found.high) == (2, 2, 2)
    for values in ([], [math.nan]):
        nothing = interval(np.array(values, dtype=np.float64))
        assert all(math.isnan(value) for value in (nothing.value, nothing.low, nothing.high))


def ranks(*raters: str) -> list[dict[str, float]]:
    """One post's rankings, each written as ranks of a, b, c, and so on."""
    return [dict(zip("abcdef", map(float, rater.split()), strict=False)) for rater in raters]


def test_agreement_by_hand() -> None:
    # Sums 3, 8, 7, 12 about 7.5: S = 41; W = 12 * 41 / (9 * 60) = 0.9111.
    assert agreement([ranks("1 2 3 4", "1 3 2 4", "1 3 2 4")]) == pytest.approx(12 * 41 / 540)
    assert agreement([ranks("1 2 3", "1 2 3")]) == 1
    assert agreement([ranks("1 2 3", "3 2 1")]) == 0
    assert agreement([ranks("1 2 3", "1 2 3"), ranks("1 2 3", "3 2 1"), ranks("1 2 3")]) == 0.5


def test_agreement_with_ties_by_hand() -> None:
    # Sums 2.5, 3.5, 6, 8 about 5: S = 18.5; one pair is tied: T = 6; W = 12 * 18.5 / (4 * 60 - 2 * 6).
    assert agreement([ranks("1 2 3 4", "1.5 1.5 3 4")]) == pytest.approx(12 * 18.5 / 228)
    # Raters of the same ties agree fully; points say the same as ranks.
    assert agreement([ranks("1.5 1.5 3.5 3.5", "1.5 1.5 3.5 3.5")]) == 1
    assert agreement([ranks("9 9 2 2", "5 5 1 1")]) == 1


def test_agreement_of_nobody_is_unknown() -> None:
    assert math.isnan(agreement([]))
    assert math.isnan(agreement([ranks("1 2 3")]))
    assert math.isnan(agreement([ranks("2 2 2", "2 2 2")]))
    with pytest.raises(ValueError, match="a ranking holds"):
        agreement([[{"a": 1.0, "b": 2.0}, {"a": 1.0}]])
