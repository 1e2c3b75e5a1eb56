"""Stage 1: supervised fine-tuning on chains and answers (Empathy-R1, arXiv:2509.14851): it gives the structure.

What is trained is a low-rank adapter; the loss counts the reply only.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, disable_progress_bars
from empathy_agent.engines.base_model import DEFAULT_BASE, load_base, new_adapter
from empathy_agent.language import language_of
from empathy_agent.request import lesson
from trl import SFTConfig, SFTTrainer

from empathy_training.corpus.examples import Example, write_examples
from empathy_training.learning.card import write_card
from empathy_training.learning.record import METRICS_FILE, plot, read_metrics
from empathy_training.learning.running import callbacks, run, shared_arguments
from empathy_training.learning.settings import keep_settings

logger = logging.getLogger(__name__)

ADAPTER = "adapter"
"""Folder of the finished adapter within that of the run."""
HELD_OUT_FILE = "held_out.jsonl"
"""The examples that a run did not learn from, for its evaluation."""


@dataclass(frozen=True)
class SftSettings:
    """Everything that decides about a run but the data."""

    base: str = DEFAULT_BASE
    """Hugging Face name or folder."""
    chain: bool = True
    """Learn the four layers; off for the ablation without a chain."""
    seed: int = 0
    epochs: float = 3.0
    max_steps: int = 0
    """0: as many as the epochs take."""
    batch: int = 1
    accumulation: int = 8
    """Batches to a step."""
    learning_rate: float = 2e-4
    rank: int = 16
    max_length: int = 2048
    """Tokens; longer examples are left out and counted."""
    held_out: float = 0.1
    """Share of the examples that the loss is measured on."""
    save_steps: int = 25
    """Steps between checkpoints."""
    eval_steps: int = 25
    """Steps between looks at the held-out loss."""

    def __post_init__(self) -> None:
        counts = (self.batch, self.accumulation, self.rank, self.max_length, self.save_steps, self.eval_steps)
        if min(counts) < 1 or self.max_steps < 0:
            raise ValueError(
                "batch, accumulation, rank, max_length, save_steps and eval_steps are at least 1, max_steps at least 0"
            )
        if not (self.epochs > 0.0 and self.learning_rate > 0.0 and 0.0 < self.held_out < 1.0):
            raise ValueError("epochs and learning_rate are above 0, held_out between 0 and 1")


def train(examples: Sequence[Example], settings: SftSettings, folder: Path) -> dict[str, Any]:
    """Train an adapter into ``folder/adapter``; a run that was killed goes on from its last checkpoint.

    Args:
        examples: with chains, unless the settings do without.
        settings: the same on the same data give the same adapter on the same machine.
        folder: of the run: settings, metrics, picture, checkpoints, TensorBoard, held-out examples, adapter and its
            card.

    Returns:
        The card.

    Raises:
        OSError, ValueError: the base cannot be loaded, no example is left, or the folder holds another run.
    """
    usable = [example for example in examples if example.has_chain or not settings.chain]
    skipped: Counter[str] = Counter({"without a chain": len(examples) - len(usable)})
    keep_settings(settings, folder)
    model, tokenizer = load_base(settings.base)
    rows = [training_row(example, settings.chain) for example in usable]
    lengths = [_tokens(tokenizer, row) for row in rows]
    fitting = [index for index, length in enumerate(lengths) if length <= settings.max_length]
    skipped[f"longer than {settings.max_length} tokens"] = len(rows) - len(fitting)
    for reason, count in (+skipped).items():
        logger.warning("left out %d examples %s", count, reason)
    if len(fitting) < 2:
        raise ValueError(f"{len(fitting)} examples are left to learn from; at least 2 are needed")
    order = np.random.default_rng(settings.seed).permutation(len(fitting))
    unseen = max(1, round(settings.held_out * len(fitting)))
    chosen = [fitting[place] for place in order]
    write_examples(folder / HELD_OUT_FILE, (usable[index] for index in chosen[:unseen]))
    seen = Dataset.from_list([rows[index] for index in chosen[unseen:]])
    held_out = Dataset.from_list([rows[index] for index in chosen[:unseen]])
    arguments = SFTConfig(
        **shared_arguments(folder, settings.seed, settings.save_steps),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=settings.batch,
        gradient_accumulation_steps=settings.accumulation,
        gradient_checkpointing=True,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=5,
        max_length=settings.max_length,
        completion_only_loss=True,
        eval_strategy="steps",
        eval_steps=settings.eval_steps,
        eval_on_start=True,
    )
    disable_progress_bars()  # of preparations that take seconds
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=seen,
        eval_dataset=held_out,
        processing_class=tokenizer,
        peft_config=new_adapter(settings.rank),
        callbacks=callbacks(folder),
    )
    run(trainer, folder)
    if trainer.state.global_step % settings.eval_steps:
        trainer.evaluate()
    trainer.save_model(str(folder / ADAPTER))
    plot(
        folder,
        f"Supervised fine-tuning of {Path(settings.base).name}",
        [("loss", "training"), ("eval_loss", "held out")],
    )
    held_out_losses = [report["eval_loss"] for report in read_metrics(folder / METRICS_FILE) if "eval_loss" in report]
    return write_card(
        folder / ADAPTER,
        stage="supervised fine-tuning on chains and answers" if settings.chain else "supervised fine-tuning on answers",
        settings=asdict(settings),
        examples=usable,
        figures={
            "training_examples": len(seen),
            "held_out_examples": len(held_out),
            "steps": trainer.state.global_step,
            "held_out_loss_first": held_out_losses[0],
            "held_out_loss": held_out_losses[-1],
        },
        skipped=dict(+skipped),
    )


def training_row(example: Example, chain: bool = True) -> dict[str, Any]:
    """What the trainer takes of an example: prompt and completion as chat messages."""
    text = example.chain.serialise() if chain else f"<answer>{example.answer}</answer>"
    return {
        "prompt": lesson(language_of(example.locale), example.post),
        "completion": [{"role": "assistant", "content": text}],
    }


def _tokens(tokenizer: Any, row: dict[str, Any]) -> int:
    return len(tokenizer(tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=False)).input_ids)
