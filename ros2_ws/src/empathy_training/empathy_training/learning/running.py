"""What the trainers of all stages share: the device, checkpoints and reports, and going on after a kill."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from empathy_agent.engines.base_model import has_bf16
from transformers import PrinterCallback, Trainer, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint

from empathy_training.learning.record import Bar, Record


def shared_arguments(folder: Path, seed: int, save_steps: int, logging_steps: int = 1) -> dict[str, Any]:
    """Arguments of a trainer: bf16 on a GPU that has it, two checkpoints, TensorBoard, nothing on stdout."""
    # Names that the trainers still use and Transformers would rather not: nothing that a user could change.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers\.")
    return {
        "output_dir": str(_checkpoints(folder)),
        "seed": seed,
        "use_cpu": not torch.cuda.is_available(),
        "bf16": has_bf16(),
        "logging_steps": logging_steps,
        "save_steps": save_steps,
        "save_total_limit": 2,
        "report_to": ["tensorboard"],
        "disable_tqdm": True,
    }


def callbacks(folder: Path) -> list[TrainerCallback]:
    """Metrics into the folder of the run, and a progress bar."""
    return [Record(folder), Bar()]


def run(trainer: Trainer, folder: Path) -> None:
    """Train; where the folder of the run holds a checkpoint, go on from the last one."""
    trainer.remove_callback(PrinterCallback)
    checkpoints = _checkpoints(folder)
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None)


def _checkpoints(folder: Path) -> Path:
    return folder / "checkpoints"
