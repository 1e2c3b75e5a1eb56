"""Readers' ratings of sentences in talks (docs/preference.md): a line of JSON for each message.

``messages`` of the person, the newest last; ``places``, each with ``offered`` (a sentence as the bank has it, and what
stands at its places in order) and ``ratings``, a digit for each: 2 gladly heard here, 1 passes, 0 wrong.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
RATED = tuple(FOLDER / f"{language}.jsonl" for language in ("zh", "en"))
"""Learned from: talks of the talk set."""
EXAM = FOLDER / "exam.jsonl"
"""Held out: talks by a hand that knew nothing of the project, rated by another reader."""
