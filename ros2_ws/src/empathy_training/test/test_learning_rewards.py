"""What a reply is rewarded for."""

from __future__ import annotations

import pytest

pytest.importorskip("sentence_transformers", reason="needs requirements-empathy.txt")

import numpy as np
from chat_server import GOOD, GOOD_ZH  # type: ignore[import-not-found]
from empathy_training.learning.reward import RewardModel
from empathy_training.learning.rewards import (
    answer_reward,
    format_reward,
    length_reward,
    repetition,
    repetition_reward,
    words,
)
from hypothesis import given
from hypothesis import strategies as st


class Fixed(RewardModel):
    """Knows its cosines."""

    def __init__(self, cosines: list[float], threshold: float) -> None:
        self._cosines, self.threshold = np.array(cosines, np.float32), threshold

    def cosines(self, posts: object, answers: object) -> np.ndarray:
        return self._cosines


def test_the_format_counts_whole_or_not() -> None:
    assert format_reward([GOOD, GOOD_ZH, GOOD.replace("<L3>", ""), "hello", ""]) == [1.0, 1.0, 0.0, 0.0, 0.0]


def test_the_answer_is_rewarded_up_to_the_threshold() -> None:
    replies = [GOOD, GOOD, GOOD, GOOD, "<L1>no answer</L1>"]
    found = answer_reward(Fixed([0.9, 0.4, 0.2, -0.3, 0.9], 0.4), ["post"] * 5, replies)
    assert found == pytest.approx([1.0, 1.0, 0.5, 0.0, 0.0])


@pytest.mark.parametrize(("count", "value"), [(0, -1.0), (5, -0.5), (10, 0.0), (20, 0.0), (30, -0.5), (90, -1.0)])
def test_too_short_and_too_long_answers_lose(count: int, value: float) -> None:
    assert length_reward([f"<answer>{'难' * count}</answer>"], 10, 20) == [pytest.approx(value)]


def test_words_are_characters_in_chinese() -> None:
    assert words("Hello, 你好 world2!") == ["hello", "你", "好", "world"]


def test_repetition_is_the_share_of_what_was_said_before() -> None:
    assert repetition("each word stands here only once, as it should") == 0.0
    assert repetition("好 " * 40) > 0.9
    assert repetition("") == 0.0
    assert repetition_reward(["too short"]) == [-0.0]


@given(st.text(max_size=200))
def test_any_reply_gets_rewards_within_their_bounds(reply: str) -> None:
    assert format_reward([reply])[0] in (0.0, 1.0)
    assert -1.0 <= length_reward([reply], 10, 20)[0] <= 0.0
    assert -1.0 <= repetition_reward([reply])[0] <= 0.0
    assert 0.0 <= answer_reward(Fixed([0.3], 0.5), ["post"], [reply])[0] <= 1.0
