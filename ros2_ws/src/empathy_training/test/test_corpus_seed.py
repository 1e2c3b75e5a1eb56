"""The seed set has the size and spread that it promises, and repeats itself nowhere."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise

import pytest
from empathy_agent.safety import Risk, assess
from empathy_training.corpus.cleaning import clean
from empathy_training.corpus.examples import Example
from empathy_training.corpus.seed import SEED_FILES
from sample import own_set  # type: ignore[import-not-found]

PARTS = ("post", "L1", "L2", "L3", "L4", "answer")


def examples(language: str) -> list[Example]:
    return own_set(SEED_FILES, language)


@pytest.mark.parametrize(("language", "count"), [("zh", 240), ("en", 60)])
def test_there_are_enough_with_chains_over_many_topics(language: str, count: int) -> None:
    assert len(examples(language)) >= count
    assert all(example.has_chain and example.licence == "Apache-2.0" for example in examples(language))
    assert len({example.topic for example in examples(language)}) >= 20


@pytest.mark.parametrize("language", ["zh", "en"])
def test_none_would_be_cleaned_away_or_is_a_crisis(language: str) -> None:
    cleaned = clean(examples(language))
    assert (cleaned.dropped, cleaned.crisis) == ({}, [])
    assert [example.id for example in examples(language) if assess(example.post).risk > Risk.NONE] == []


@pytest.mark.parametrize(("language", "longest"), [("zh", 14), ("en", 8)])
def test_no_two_share_a_phrase(language: str, longest: int) -> None:
    """Characters or words in a row; offices and papers have names that must be shared."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for example in examples(language):
        for part in PARTS:
            text = getattr(example, part).lower()
            words = re.findall(r"[\w’']+", text) if language == "en" else re.sub(r"\W", "", text)
            for start in range(len(words) - longest + 1):
                owners["".join(words[start : start + longest])].add(example.id)
    assert {phrase: ids for phrase, ids in owners.items() if len(ids) > 1} == {}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("part", PARTS)
def test_beginnings_differ(language: str, part: str) -> None:
    texts = sorted(getattr(example, part) for example in examples(language))
    size = 6 if language == "zh" else 18
    same = sum(one[:size] == other[:size] for one, other in pairwise(texts))
    assert same <= 0.05 * len(texts)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("part", ["post", "answer"])
def test_lengths_spread(language: str, part: str) -> None:
    lengths = sorted(len(getattr(example, part)) for example in examples(language))
    assert lengths[int(0.9 * len(lengths))] > 1.7 * lengths[int(0.1 * len(lengths))]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_answers_hold_no_telephone_numbers(language: str) -> None:
    number = re.compile(r"(?<![\d,.£$])(?:1?[1-9]\d{4}|120|110|119|999|911|988)(?![\d,]|.?(?:元|块|分|年|名|字))")
    assert {
        example.id: number.findall(example.answer) for example in examples(language) if number.search(example.answer)
    } == {}
