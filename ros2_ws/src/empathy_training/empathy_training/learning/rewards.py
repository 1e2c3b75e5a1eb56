"""What GRPO rewards a reply for: ``r_total = r_format + r_answer`` (Empathy-R1, arXiv:2509.14851), and two brakes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from empathy_agent.chain import Layer, has_format
from empathy_agent.language import HAN
from empathy_agent.parser import ChainParser

from empathy_training.learning.reward import RewardModel

_PIECE = 4
"""Words, or Chinese characters, that count as repeated when they stand together twice."""
_WORD = re.compile(rf"[{HAN}]|[^\W\d_]+")


def format_reward(replies: Sequence[str]) -> list[float]:
    """1 for four filled layers in order and a filled answer, else 0."""
    return [float(has_format(reply)) for reply in replies]


def answer_reward(model: RewardModel, posts: Sequence[str], replies: Sequence[str]) -> list[float]:
    """How far the cosine of post and answer reaches up to the threshold, 0 to 1; 0 without an answer.

    The paper says "against a threshold" without saying how. A step would tell nothing between two answers on one side
    of it, so below the threshold the reward grows in proportion.
    """
    answers = [answer_of(reply) for reply in replies]
    cosines = model.cosines(posts, answers)
    reached = np.clip(cosines / max(model.threshold, 1e-3), 0.0, 1.0)
    return [float(value) if answer else 0.0 for value, answer in zip(reached, answers, strict=True)]


def length_reward(replies: Sequence[str], least: int, most: int) -> list[float]:
    """0 for an answer of ``least`` to ``most`` words or characters, down to -1 for none or twice the most."""
    found = []
    for reply in replies:
        count = len(words(answer_of(reply)))
        missing, surplus = max(0, least - count) / max(1, least), max(0, count - most) / max(1, most)
        found.append(-min(1.0, missing + surplus))
    return found


def repetition_reward(replies: Sequence[str]) -> list[float]:
    """Minus the share of a reply's pieces of four words that have been said before."""
    return [-repetition(reply) for reply in replies]


def repetition(text: str) -> float:
    """Share of the pieces of four words (Chinese: characters) that stand in the text already, 0 to 1."""
    found = pieces(text, _PIECE)
    return 1.0 - len(set(found)) / len(found) if found else 0.0


def pieces(text: str, size: int) -> list[tuple[str, ...]]:
    """All runs of ``size`` words, or Chinese characters."""
    units = words(text)
    return [tuple(units[start : start + size]) for start in range(len(units) - size + 1)]


def words(text: str) -> list[str]:
    """Words of a text in Latin letters, characters of a Chinese one, in lower case."""
    return _WORD.findall(text.lower())


def answer_of(reply: str) -> str:
    """The answer within a reply, whatever is wrong with the rest."""
    parser = ChainParser()
    parser.feed(reply)
    return parser.finish()[1][Layer.ANSWER]
