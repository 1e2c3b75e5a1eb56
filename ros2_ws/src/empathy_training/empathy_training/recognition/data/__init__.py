"""Messages with what they do and mean (docs/recognition.md): a line of JSON for each.

``talk`` that it is of, empty where it stands alone; ``before``: the person's message before it, or empty; ``text``;
``kind``, of :data:`~empathy_training.recognition.training.KINDS`, empty for a message that was written for a meaning;
``meanings``, the best first, of ``moves/meanings_*.yaml``, empty where none fits; of some questions ``question``, the
type of ``moves/*.yaml``. The probabilities from which the agent is sure were chosen on ``dev.jsonl``.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
LABELLED = tuple(FOLDER / f"{language}.jsonl" for language in ("zh", "en"))
"""Learned from."""
EXAM = FOLDER / "exam.jsonl"
"""Held out: talks by a hand that knew nothing of the project, labelled by another one."""
