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
from empathy_agent.engines.base_model import DEFAULT_BASE, adapted, load_base, new_adapter
from empathy_agent.language import language_of
from empathy_agent.prompt import Message
from empathy_agent.request import lesson
from empathy_agent.session import Exchange, Memory
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer

from empathy_training.corpus.examples import Example, conversations, write_examples
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
    accumulation: int = 8
    """Conversations to a step."""
    learning_rate: float = 2e-4
    decay: bool = True
    """Let the learning rate fall to nothing along a cosine; off where another run goes on from this one."""
    rank: int = 16
    layers: int = 0
    """Blocks that are adapted, counted from the output; 0: all. The fewer, the less memory and time a step takes."""
    checkpointing: bool = True
    """Compute what the gradient needs a second time: a third slower, a fraction of the memory."""
    start: str = ""
    """Folder of an adapter to go on from, instead of a new one."""
    max_length: int = 2048
    """Tokens; longer examples are left out and counted."""
    held_out: float = 0.1
    """Share of the examples that the loss is measured on."""
    save_steps: int = 25
    """Steps between checkpoints."""
    eval_steps: int = 25
    """Steps between looks at the held-out loss."""

    def __post_init__(self) -> None:
        counts = (self.accumulation, self.rank, self.max_length, self.save_steps, self.eval_steps)
        if min(counts) < 1 or min(self.max_steps, self.layers) < 0:
            raise ValueError(
                "accumulation, rank, max_length, save_steps and eval_steps are at least 1, max_steps and layers at "
                "least 0"
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
    talks = conversations(usable)
    rows = [training_row(tokenizer, messages(turns, settings.chain)) for turns in talks]
    fitting = [index for index, row in enumerate(rows) if len(row["input_ids"]) <= settings.max_length]
    skipped[f"in conversations longer than {settings.max_length} tokens"] = len(usable) - sum(
        len(talks[index]) for index in fitting
    )
    for reason, count in (+skipped).items():
        logger.warning("left out %d examples %s", count, reason)
    if len(fitting) < 2:
        raise ValueError(f"{len(fitting)} examples are left to learn from; at least 2 are needed")
    if settings.start:
        model = adapted(model, Path(settings.start))
    order = np.random.default_rng(settings.seed).permutation(len(fitting))
    unseen = max(1, round(settings.held_out * len(fitting)))
    chosen = [fitting[place] for place in order]
    write_examples(folder / HELD_OUT_FILE, (turn for index in chosen[:unseen] for turn in talks[index]))
    seen = Dataset.from_list([rows[index] for index in chosen[unseen:]])
    held_out = Dataset.from_list([rows[index] for index in chosen[:unseen]])
    arguments = SFTConfig(
        **shared_arguments(folder, settings.seed, settings.save_steps),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=1,
        per_device_eval_batch_size=1,
        gradient_accumulation_steps=settings.accumulation,
        gradient_checkpointing=settings.checkpointing,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine" if settings.decay else "constant_with_warmup",
        warmup_steps=5,
        dataset_kwargs={"skip_prepare_dataset": True},
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
        peft_config=None if settings.start else _adapter(model, settings),
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
            "training_conversations": len(seen),
            "held_out_conversations": len(held_out),
            "steps": trainer.state.global_step,
            "held_out_loss_first": held_out_losses[0],
            "held_out_loss": held_out_losses[-1],
        },
        skipped=dict(+skipped),
    )


def messages(turns: Sequence[Example], chain: bool = True) -> list[Message]:
    """A conversation as the agent and the model hold it (``empathy_agent/prompt.py``)."""
    memory = Memory()
    result: list[Message] = []
    for turn in turns:
        written = turn.chain.serialise() if chain else f"<answer>{turn.answer}</answer>"
        prompt = lesson(language_of(turn.locale), turn.post, memory, turn.face)
        result = [*prompt, Message(role="assistant", content=written)]
        memory.turns.append(Exchange(turn.post, turn.answer, prompt[-1]["content"], written))
    return result


def training_row(tokenizer: Any, talk: Sequence[Message]) -> dict[str, list[int]]:
    """Token ids of a conversation, and the labels: the ids of what the model is to write, -100 elsewhere."""
    ids: list[int] = []
    labels: list[int] = []
    done = ""
    for index, message in enumerate(talk):
        if message["role"] != "assistant":
            continue
        asked = tokenizer.apply_chat_template(talk[:index], tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(talk[: index + 1], tokenize=False)
        for piece, learned in ((asked[len(done) :], False), (whole[len(asked) :], True)):
            tokens = tokenizer(piece, add_special_tokens=False).input_ids
            ids += tokens
            labels += tokens if learned else [-100] * len(tokens)
        done = whole
    return {"input_ids": ids, "labels": labels}


def _adapter(model: Any, settings: SftSettings) -> LoraConfig:
    blocks = model.config.num_hidden_layers
    return new_adapter(settings.rank, range(blocks - settings.layers, blocks) if settings.layers else None)
