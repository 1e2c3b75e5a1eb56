"""Stage 2: the reward model, which says how well an answer meets a post (Empathy-R1, arXiv:2509.14851).

An embedding model is trained contrastively on triplets; the reward is the cosine of post and answer against a
threshold. The loss is the multiple negatives ranking loss (Henderson et al. 2017, arXiv:1705.00652) with the triplet's
worse answer among the negatives. Of a plain sentence and its empathetic rewriting, which fit any post or none, only the
order is learned (triplet loss, Schroff et al. 2015, CVPR).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from empathy_agent.engines.base_model import train_tokenizer
from empathy_agent.errors import first_line
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import (
    MultipleNegativesRankingLoss,
    TripletDistanceMetric,
    TripletLoss,
)
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from empathy_training.corpus.examples import Example
from empathy_training.corpus.importers import RatedReply
from empathy_training.learning.card import CARD_FILE, write_card
from empathy_training.learning.record import plot
from empathy_training.learning.running import callbacks, run, shared_arguments
from empathy_training.learning.settings import keep_settings
from empathy_training.learning.triplets import KINDS, RANDOM, Rewriting, Triplet, make_triplets

MODEL = "model"
"""Folder of the finished model within that of the run."""
STATIC = "static"
"""Base that is no model: the mean of word vectors, learned from nothing, in seconds on a processor."""
_WORDS, _WIDTH = 16_000, 256
_MARGIN = 0.2
"""Cosine by which an empathetic rewriting is to be nearer than the plain sentence."""
_LEARNED = 2.0 / 3.0
"""Share of the rated replies."""
_CLEARLY, _COMPARED = 0.6, 4
"""Difference of two ratings that is learned from, and with how many lower ones each reply is compared."""
_ANCHORS = 200
"""Posts against which a reply without a post is rated."""


@dataclass(frozen=True)
class RewardSettings:
    """Everything that decides about a run but the data."""

    base: str = STATIC
    """``static``, or a sentence encoder: Hugging Face name or folder."""
    seed: int = 0
    epochs: float = 3.0
    max_steps: int = 0
    """0: as many as the epochs take."""
    batch: int = 64
    learning_rate: float = 0.0
    """0: 0.02 for ``static``, 2e-5 for an encoder."""
    held_out: float = 0.1
    """Share of the examples, and of the rewritings, that the ranking is measured on."""
    save_steps: int = 200

    def __post_init__(self) -> None:
        if min(self.batch, self.save_steps) < 1 or self.max_steps < 0:
            raise ValueError("batch and save_steps are at least 1, max_steps at least 0")
        if not (self.epochs > 0.0 and self.learning_rate >= 0.0 and 0.0 < self.held_out < 1.0):
            raise ValueError("epochs is above 0, learning_rate at least 0, held_out between 0 and 1")


class RewardModel:
    """Rates answers."""

    def __init__(self, encoder: SentenceTransformer, threshold: float = 0.0) -> None:
        self._encoder = encoder
        self.threshold = threshold
        """Cosine that an answer has to exceed: the median of counsellors' answers that the model has not seen."""

    @classmethod
    def load(cls, folder: Path) -> RewardModel:
        """Load ``folder``, a finished model.

        Raises:
            ValueError: there is none, or its card is damaged.
        """
        try:
            card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
            return cls(SentenceTransformer(str(folder)), float(card["figures"]["threshold"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{folder} holds no reward model: {first_line(error)}") from None

    def cosines(self, posts: Sequence[str], answers: Sequence[str]) -> NDArray[np.float32]:
        """(n,) cosine of each post and its answer, -1 to 1."""
        return (self._embedded(posts) * self._embedded(answers)).sum(axis=1)

    def without_post(self, replies: Sequence[str], posts: Sequence[str]) -> NDArray[np.float32]:
        """(n,) mean cosine of each reply with all of some posts, for replies whose post is not known."""
        return self._embedded(replies) @ self._embedded(posts).mean(axis=0)

    def _embedded(self, texts: Sequence[str]) -> NDArray[np.float32]:
        # Triplets repeat their posts and answers.
        places: dict[str, int] = {}
        rows = [places.setdefault(text, len(places)) for text in texts]
        vectors = self._encoder.encode(list(places), batch_size=32, normalize_embeddings=True, show_progress_bar=False)
        return vectors[rows]


def train(
    examples: Sequence[Example],
    settings: RewardSettings,
    folder: Path,
    rewritings: Sequence[Rewriting] = (),
    rated: Sequence[RatedReply] = (),
) -> dict[str, Any]:
    """Train a reward model into ``folder/model``; a run that was killed goes on from its last checkpoint.

    Args:
        examples: posts and answers of counsellors, with or without chains.
        settings: the same on the same data give the same model on the same machine.
        folder: of the run.
        rewritings: empathetic and cool ones of the same sentences, for harder negatives.
        rated: replies that people rated. The model learns from two thirds of them which of two was rated higher; the
            rank correlation in the card is that of the others.

    Returns:
        The card.

    Raises:
        OSError, ValueError: the base cannot be loaded, there are too few examples, or the folder holds another run.
    """
    keep_settings(settings, folder)
    order = np.random.default_rng(settings.seed).permutation(len(examples))
    unseen = max(2, round(settings.held_out * len(examples)))
    if len(examples) < unseen + 2:
        raise ValueError(f"{len(examples)} examples are too few to train a reward model on; four are needed at least")
    cut = len(rewritings) - round(settings.held_out * len(rewritings))
    seen = [examples[index] for index in order[unseen:]]
    held_out = [examples[index] for index in order[:unseen]]
    learned = make_triplets(seen, False, settings.seed, rewritings[:cut])
    tested = make_triplets(held_out, True, settings.seed, rewritings[cut:])
    rows = [(one.post, one.answer, one.worse) for one in learned]
    compared, judged = _split(rated, settings.seed)
    pairs = [*rewritings[:cut], *_compared(compared, settings.seed)]
    posts = np.random.default_rng(settings.seed).permutation(len(seen))
    # Any post is met better by the empathetic one of two replies.
    manners = [(seen[posts[index % len(seen)]].post, pair.high, pair.low) for index, pair in enumerate(pairs)]
    encoder = _base(settings, [text for row in rows + manners for text in row[:2]])
    before = rank(RewardModel(encoder), tested)
    _fit(encoder, {"answers": rows, "manners": manners}, settings, folder)
    model = RewardModel(encoder)
    figures: dict[str, Any] = {
        "training_triplets": len(rows) + len(manners),
        "held_out_posts": len(held_out),
        "ranking_accuracy": rank(model, tested),
        "ranking_accuracy_before": before,
        "threshold": float(np.median(model.cosines(*_pairs(held_out)))),
    }
    if judged:
        anchors = [example.post for example in held_out if example.locale.startswith("zh")][:_ANCHORS]
        scores = model.without_post([one.reply for one in judged], anchors)
        figures["rank_correlation_with_people"] = float(spearmanr(scores, [one.empathy for one in judged]).statistic)
        figures["rated_replies_not_learned_from"] = len(judged)
    encoder.save(str(folder / MODEL))
    plot(folder, f"Reward model from {Path(settings.base).name}", [("loss", "training")])
    return write_card(folder / MODEL, "reward model", asdict(settings), examples, figures, {})


def rank(model: RewardModel, triplets: Sequence[Triplet]) -> dict[str, float]:
    """Share of the triplets whose answer is rated above the worse one: of each kind, and of all hard ones."""
    texts = [one.answer for one in triplets] + [one.worse for one in triplets]
    better, worse = np.split(model.cosines([one.post for one in triplets] * 2, texts), 2)
    right = better > worse
    kinds = np.array([one.kind for one in triplets])
    found = {kind: float(right[kinds == kind].mean()) for kind in KINDS if (kinds == kind).any()}
    return found | {"hard ones": float(right[kinds != RANDOM].mean())}


def _split(rated: Sequence[RatedReply], seed: int) -> tuple[list[RatedReply], list[RatedReply]]:
    """Two thirds and one; a reply that was rated twice is in one of them only."""
    texts = sorted({one.reply for one in rated})
    rng = np.random.default_rng(seed)
    learned = {texts[index] for index in rng.permutation(len(texts))[: round(len(texts) * _LEARNED)]}
    return [one for one in rated if one.reply in learned], [one for one in rated if one.reply not in learned]


def _compared(rated: Sequence[RatedReply], seed: int) -> list[Rewriting]:
    """Each reply with some that were rated clearly lower."""
    rng = np.random.default_rng(seed)
    pairs = []
    for one in rated:
        lower = [other for other in rated if other.empathy <= one.empathy - _CLEARLY]
        chosen = rng.permutation(len(lower))[:_COMPARED]
        pairs += [Rewriting(one.reply, lower[index].reply) for index in chosen]
    return pairs


def _pairs(examples: Sequence[Example]) -> tuple[list[str], list[str]]:
    return [example.post for example in examples], [example.answer for example in examples]


def _base(settings: RewardSettings, texts: Sequence[str]) -> SentenceTransformer:
    torch.manual_seed(settings.seed)
    if settings.base == STATIC:
        return SentenceTransformer(modules=[StaticEmbedding(train_tokenizer(texts, _WORDS), embedding_dim=_WIDTH)])
    try:
        return SentenceTransformer(settings.base)
    except (OSError, ValueError) as error:
        raise ValueError(f"base {settings.base} cannot be loaded: {first_line(error)}") from None


def _fit(
    encoder: SentenceTransformer,
    rows: Mapping[str, Sequence[tuple[str, str, str]]],
    settings: RewardSettings,
    folder: Path,
) -> None:
    columns = ("post", "answer", "worse")
    data = {
        name: Dataset.from_dict(dict(zip(columns, map(list, zip(*triplets, strict=True)), strict=True)))
        for name, triplets in rows.items()
        if triplets
    }
    losses = {
        "answers": MultipleNegativesRankingLoss(encoder),
        "manners": TripletLoss(encoder, TripletDistanceMetric.COSINE, _MARGIN),
    }
    arguments = SentenceTransformerTrainingArguments(
        **shared_arguments(folder, settings.seed, settings.save_steps, logging_steps=10),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.learning_rate or (0.02 if settings.base == STATIC else 2e-5),
        warmup_steps=10,
    )
    trainer = SentenceTransformerTrainer(
        model=encoder,
        args=arguments,
        train_dataset=data,
        loss={name: losses[name] for name in data},
        callbacks=callbacks(folder),
    )
    run(trainer, folder)
