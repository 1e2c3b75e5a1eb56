"""The utterances that the classifier of the crisis gate is trained on (docs/screening.md)."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
UNSEEN = "unseen"
"""Files whose name begins so measure; nothing is trained or chosen on them."""
