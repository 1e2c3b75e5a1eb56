"""Model cards: what a model was made of, how, and how good it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from empathy_agent.engines.base_model import CARD_FILE

from empathy_training.corpus.examples import Example


def write_card(
    folder: Path,
    stage: str,
    settings: Mapping[str, Any],
    examples: Sequence[Example],
    figures: Mapping[str, Any],
    skipped: Mapping[str, int],
) -> dict[str, Any]:
    """Write ``card.json`` beside a model's weights, and return it."""
    card = {
        "stage": stage,
        "base": settings["base"],
        "data": {
            "examples": len(examples),
            "languages": dict(Counter(example.locale for example in examples)),
            "sources": dict(Counter(f"{example.source} ({example.licence})" for example in examples)),
            "skipped": dict(skipped),
        },
        "figures": dict(figures),
        "settings": dict(settings),
        "limits": "Not a therapist, not clinically tested. A crisis is handled by rules before any model.",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD_FILE).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return card
