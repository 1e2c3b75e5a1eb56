"""The project's own open data: counselling posts with chains and answers, all invented (docs/seed-set.md)."""

from __future__ import annotations

from pathlib import Path

SEED_FILES = tuple(Path(__file__).with_name(f"{language}.jsonl") for language in ("zh", "en"))
"""Chinese and English."""
