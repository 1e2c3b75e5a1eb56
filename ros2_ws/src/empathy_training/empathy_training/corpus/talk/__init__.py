"""The project's own conversations, with a chain for each turn, all invented (docs/talk-set.md)."""

from __future__ import annotations

from pathlib import Path

TALK_FILES = tuple(Path(__file__).with_name(f"{language}.jsonl") for language in ("zh", "en"))
"""Chinese and English."""
