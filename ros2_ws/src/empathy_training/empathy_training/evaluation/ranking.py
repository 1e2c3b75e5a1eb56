"""What rankings of replies say: mean rank and Win@K of each system (arXiv:2509.14851), and how far raters agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empathy_training.evaluation.bootstrap import Interval, interval


@dataclass(frozen=True)
class Standing:
    """How a system stands among ``n``."""

    mean_rank: Interval
    """1 is best."""
    win_at: tuple[Interval, ...]
    """Win@1 to Win@n: the share of posts where its rank is K or better."""


def standings(rankings: Sequence[Mapping[str, float]], seed: int = 0) -> dict[str, Standing]:
    """Mean rank and Win@K of every system, with intervals over posts.

    Systems of equal points share the mean of the places that they occupy; in Win@K each of them counts for the
    chance that it gets a place up to K when lots decide between them.

    Args:
        rankings: of each post, the points of every system; more is better.
        seed: of the bootstrap.

    Raises:
        ValueError: there is no ranking, posts differ in their systems, or points are no number.
    """
    systems, points = _table(rankings)
    first, last = _places(points)
    ranks = (first + last) / 2
    found = {}
    for column, system in enumerate(systems):
        begin, end = first[:, column], last[:, column]
        wins = [
            np.clip(np.minimum(k, end) - begin + 1, 0, None) / (end - begin + 1) for k in range(1, len(systems) + 1)
        ]
        found[system] = Standing(interval(ranks[:, column], seed), tuple(interval(share, seed) for share in wins))
    return found


def agreement(ranks: Sequence[Sequence[Mapping[str, float]]]) -> float:
    """Kendall's W with the correction for ties, from 0 (none) to 1; the mean over posts.

    Source: Kendall & Babington Smith 1939, "The problem of m rankings".

    Args:
        ranks: of each post, of each of its raters, the rank or the points of every system; which of the two makes no
            difference. Posts of fewer than two raters are left out, and those where every rater found all alike.

    Returns:
        NaN where no post is left.

    Raises:
        ValueError: raters of a post differ in their systems, or a rank is no number.
    """
    found = []
    for raters in ranks:
        if len(raters) < 2:
            continue
        systems, values = _table(raters)
        count, items = len(raters), len(systems)
        first, last = _places(values)
        sums = ((first + last) / 2).sum(axis=0)
        # Sum over tied groups of t^3 - t; each of the t members gives t^2 - 1.
        ties = ((last - first + 1) ** 2 - 1).sum()
        most = count**2 * (items**3 - items) - count * ties
        if most > 0:
            found.append(12 * ((sums - sums.mean()) ** 2).sum() / most)
    return float(np.mean(found)) if found else math.nan


def _table(rankings: Sequence[Mapping[str, float]]) -> tuple[list[str], NDArray[np.float64]]:
    """Systems in the order of the first ranking, and their points, shape (rankings, systems)."""
    if not rankings:
        raise ValueError("there is no ranking")
    systems = list(rankings[0])
    for ranking in rankings:
        if ranking.keys() != rankings[0].keys():
            raise ValueError(f"a ranking holds {', '.join(sorted(ranking))} instead of {', '.join(sorted(systems))}")
    points = np.array([[ranking[system] for system in systems] for ranking in rankings], dtype=np.float64)
    if np.isnan(points).any():
        raise ValueError("the points of a system are not a number")
    return systems, points


def _places(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and last place of the tied group that each system is in, from 1; most points come first."""
    others, own = points[:, np.newaxis, :], points[:, :, np.newaxis]
    return (others > own).sum(axis=2) + 1.0, (others >= own).sum(axis=2).astype(np.float64)
