"""Stage 2: triplets that are what they say, a model that learns to rank, files that are broken."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sentence_transformers", reason="needs requirements-empathy.txt")

from empathy_training.corpus.examples import Example
from empathy_training.corpus.importers import RatedReply
from empathy_training.corpus.seed import SEED_FILES
from empathy_training.learning.reward import RewardModel, RewardSettings, rank, train
from empathy_training.learning.triplets import KINDS, RANDOM, Rewriting, make_triplets, read_rewritings
from sample import own_set  # type: ignore[import-not-found]

REWRITINGS = [Rewriting(f"听你这么说，第{n}天一定很难熬。", f"第{n}天怎么了？") for n in range(20)]


def seed_set(language: str = "zh", count: int | None = None) -> list[Example]:
    return own_set(SEED_FILES, language)[:count]


def test_a_triplet_of_each_kind_for_every_example() -> None:
    examples = seed_set(count=12)
    triplets = make_triplets(examples, False, rewritings=REWRITINGS)
    assert [sum(one.kind == kind for one in triplets) for kind in KINDS] == [12] * 5
    answers = {example.post: example.answer for example in examples}
    for one in triplets:
        assert one.answer == answers[one.post] != one.worse
        if one.kind in (RANDOM, "a similar post's answer"):
            assert one.worse in answers.values()
        else:
            assert one.worse not in answers.values()


def test_answers_to_other_posts_are_of_the_same_language() -> None:
    english = {example.answer for example in seed_set("en", 6)}
    for one in make_triplets([*seed_set(count=6), *seed_set("en", 6)], False):
        assert one.kind not in (RANDOM, "a similar post's answer") or (one.worse in english) == (one.answer in english)


def test_the_test_does_not_use_the_sentences_of_the_training() -> None:
    learned, tested = (
        {one.worse for one in make_triplets(seed_set(count=30), test) if one.kind in ("comfort", "advice")}
        for test in (False, True)
    )
    sentences = {part for text in learned for part in text.split(" ")}
    assert sentences.isdisjoint(part for text in tested for part in text.split(" "))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A short run on the Chinese seed set."""
    folder = tmp_path_factory.mktemp("reward")
    rated = [RatedReply(pair.high, 2.0) for pair in REWRITINGS] + [RatedReply(pair.low, 0.0) for pair in REWRITINGS]
    card = train(seed_set(), RewardSettings(epochs=2.0, batch=32), folder, REWRITINGS, rated)
    return folder, card


def test_it_learns_to_rank(run: tuple[Path, dict]) -> None:
    folder, card = run
    after, before = card["figures"]["ranking_accuracy"], card["figures"]["ranking_accuracy_before"]
    assert after["hard ones"] > max(0.7, before["hard ones"])
    assert after[RANDOM] > 0.6
    assert card["figures"]["rank_correlation_with_people"] > 0.3
    assert card["data"]["sources"] == {"Earnest seed set (Apache-2.0)": 252}
    assert (folder / "loss.png").stat().st_size > 0


def test_a_finished_model_is_loaded_with_its_threshold(run: tuple[Path, dict]) -> None:
    folder, card = run
    model = RewardModel.load(folder / "model")
    assert model.threshold == card["figures"]["threshold"]
    examples = seed_set(count=20)
    cosines = model.cosines([example.post for example in examples], [example.answer for example in examples])
    assert cosines.shape == (20,)
    assert np.abs(cosines).max() <= 1.0 + 1e-5
    assert rank(model, make_triplets(examples, True))["comfort"] > 0.5


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no reward model"):
        RewardModel.load(tmp_path)


def test_too_few_examples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="3 examples are too few"):
        train(seed_set(count=3), RewardSettings(), tmp_path)


def test_rewritings_are_read_in_pairs(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["", "base", "rewriting", "transformation"])
        rows.writerows([[0, "怎么了？", "听起来很难。", "HIGH"], [1, "听起来很难。", "怎么了？", "LOW"]])
    assert read_rewritings(path) == [Rewriting("听起来很难。", "怎么了？")]
    path.write_text("base,rewriting\na,b\n")
    with pytest.raises(ValueError, match="expected the columns base, rewriting and transformation"):
        read_rewritings(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="not UTF-8"):
        read_rewritings(path)
