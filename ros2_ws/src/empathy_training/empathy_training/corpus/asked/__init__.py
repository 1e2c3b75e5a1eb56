"""The project's own questions of everyday trouble, with plain answers but no chains, invented (docs/talk-set.md)."""

from __future__ import annotations

from pathlib import Path

ASKED_FILES = tuple(Path(__file__).with_name(f"{language}.jsonl") for language in ("zh", "en"))
"""Chinese and English."""
