"""Stage 3: reinforcement learning by group relative policy optimisation (GRPO, Shao et al. 2024, arXiv:2402.03300).

Several replies to a post are drawn, and those that are rewarded above their group's mean become likelier. The
adapter of stage 1 is trained on; without one, a new adapter.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from empathy_agent.engines.base_model import DEFAULT_BASE, adapted, load_base, new_adapter
from empathy_agent.language import language_of
from empathy_agent.request import lesson
from trl import GRPOConfig, GRPOTrainer

from empathy_training.corpus.examples import Example
from empathy_training.learning.card import write_card
from empathy_training.learning.record import METRICS_FILE, plot, read_metrics
from empathy_training.learning.reward import RewardModel
from empathy_training.learning.rewards import answer_reward, format_reward, length_reward, repetition_reward
from empathy_training.learning.running import callbacks, run, shared_arguments
from empathy_training.learning.settings import keep_settings
from empathy_training.learning.sft import ADAPTER


@dataclass(frozen=True)
class GrpoSettings:
    """Everything that decides about a run but the data."""

    base: str = DEFAULT_BASE
    """Hugging Face name or folder."""
    adapter: str = ""
    """Folder of the adapter of stage 1."""
    reward: str = ""
    """Folder of the reward model of stage 2."""
    seed: int = 0
    max_steps: int = 200
    replies: int = 4
    """Drawn for each post."""
    posts: int = 1
    """To a step."""
    max_tokens: int = 900
    """Of a reply."""
    temperature: float = 1.0
    learning_rate: float = 1e-5
    rank: int = 16
    """Of a new adapter."""
    length_weight: float = 0.2
    least: int = 100
    """Words or Chinese characters of an answer; shorter and longer ones lose up to ``length_weight``."""
    most: int = 600
    repetition_weight: float = 0.5
    save_steps: int = 25

    def __post_init__(self) -> None:
        if min(self.posts, self.max_tokens, self.rank, self.save_steps, self.max_steps, self.least) < 1:
            raise ValueError("posts, max_tokens, rank, save_steps, max_steps and least are at least 1")
        if self.replies < 2 or self.most < self.least:
            raise ValueError("replies are at least 2, and most is not below least")
        if not (self.temperature > 0.0 and self.learning_rate > 0.0):
            raise ValueError("temperature and learning_rate are above 0")
        if not self.reward:
            raise ValueError("reward is missing: name the folder of a reward model (`imuface empathy reward`)")


def train(examples: Sequence[Example], settings: GrpoSettings, folder: Path) -> dict[str, Any]:
    """Train an adapter into ``folder/adapter``; a run that was killed goes on from its last checkpoint.

    Args:
        examples: whose posts are answered; the answers are not looked at.
        settings: of the run.
        folder: of the run.

    Returns:
        The card.

    Raises:
        OSError, ValueError: base, adapter or reward model cannot be loaded, or the folder holds another run.
    """
    if not examples:
        raise ValueError("no example is left to learn from")
    keep_settings(settings, folder)
    model, tokenizer = load_base(settings.base)
    rewards = RewardModel.load(Path(settings.reward))
    if settings.adapter:
        model = adapted(model, Path(settings.adapter))
    order = np.random.default_rng(settings.seed).permutation(len(examples))
    rows = [
        {
            "prompt": lesson(language_of(examples[index].locale), examples[index].post),
            "post": examples[index].post,
        }
        for index in order
    ]
    arguments = GRPOConfig(
        **shared_arguments(folder, settings.seed, settings.save_steps),
        max_steps=settings.max_steps,
        per_device_train_batch_size=settings.replies,
        gradient_accumulation_steps=settings.posts,
        num_generations=settings.replies,
        max_completion_length=settings.max_tokens,
        temperature=settings.temperature,
        learning_rate=settings.learning_rate,
        reward_weights=[1.0, 1.0, settings.length_weight, settings.repetition_weight],
        gradient_checkpointing=True,
        use_vllm=torch.cuda.is_available() and importlib.util.find_spec("vllm") is not None,
    )
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=_reward_functions(rewards, settings),
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=None if settings.adapter else new_adapter(settings.rank),
        callbacks=callbacks(folder),
    )
    run(trainer, folder)
    trainer.save_model(str(folder / ADAPTER))
    names = ("format", "answer", "length", "repetition")
    curves = [("reward", "total"), *((f"rewards/{name}/mean", name) for name in names)]
    plot(folder, f"Rewards of {Path(settings.base).name}", curves)
    reports = [report for report in read_metrics(folder / METRICS_FILE) if "reward" in report]
    tenth = max(1, len(reports) // 10)

    def mean(name: str, chosen: Sequence[dict[str, Any]]) -> float:
        return float(np.mean([report[name] for report in chosen if name in report]))

    figures = {
        "steps": trainer.state.global_step,
        "reward_first_tenth": {label: mean(name, reports[:tenth]) for name, label in curves},
        "reward_last_tenth": {label: mean(name, reports[-tenth:]) for name, label in curves},
    }
    return write_card(folder / ADAPTER, "reinforcement learning (GRPO)", asdict(settings), examples, figures, {})


def _reward_functions(rewards: RewardModel, settings: GrpoSettings) -> list[Any]:
    """In the trainer's form; their names are those of the curves."""

    def format(completions: list[Any], **_: Any) -> list[float]:
        return format_reward(_texts(completions))

    def answer(completions: list[Any], post: list[str], **_: Any) -> list[float]:
        return answer_reward(rewards, post, _texts(completions))

    def length(completions: list[Any], **_: Any) -> list[float]:
        return length_reward(_texts(completions), settings.least, settings.most)

    def repetition(completions: list[Any], **_: Any) -> list[float]:
        return repetition_reward(_texts(completions))

    return [format, answer, length, repetition]


def _texts(completions: list[Any]) -> list[str]:
    return [completion[0]["content"] for completion in completions]
