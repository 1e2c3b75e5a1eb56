"""Fixed texts that the safety gate answers with."""

from __future__ import annotations

import functools
from typing import Any

from empathy_agent.chain import Chain, Layer
from empathy_agent.packaged import read_yaml
from empathy_agent.safety.patterns import Kind


@functools.cache
def _replies() -> dict[str, Any]:
    return read_yaml("safety/replies.yaml")


def crisis_chain(language: str, kind: Kind) -> Chain:
    """All four layers and the answer to a crisis, in ``"zh"`` or ``"en"``."""
    return _chain(language, kind.value)


def unanswered_chain(language: str) -> Chain:
    """What a person at risk is told when the model fails: help lines must not depend on a model."""
    return _chain(language, "unanswered")


def concern_lead(language: str) -> str:
    """The sentence that leads from an answer to the help lines."""
    return _replies()[language]["concern"]


def _chain(language: str, name: str) -> Chain:
    texts = _replies()[language][name]
    return Chain({layer: texts[layer.tag] for layer in Layer}, valid=True)
