"""What is compared: models of the catalogue, folders of the training, models behind a server.

A system is written ``LABEL=SPEC`` or ``SPEC``, and a spec is

- the name of a model of the catalogue, which llama.cpp runs just as for the agent;
- a folder with an adapter or a whole model, which Transformers runs;
- ``URL#MODEL`` of an OpenAI-compatible server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from empathy_agent.engines import Engine
from empathy_agent.engines.factory import open_engine

COUNSELLOR = "counsellor"
"""Label of the examples' own answers in tables."""


@dataclass(frozen=True)
class System:
    """One of the compared."""

    label: str
    spec: str

    def open(self) -> Engine:
        """Load it. Raises ``OSError`` or ``ValueError`` with the remedy."""
        if self.spec.startswith(("http://", "https://")):
            url, _, model = self.spec.partition("#")
            return open_engine(model, server_url=url)
        if Path(self.spec).is_dir():
            from empathy_agent.engines.hugging_face import HuggingFace

            return HuggingFace(Path(self.spec))
        return open_engine(self.spec)


def parse_systems(texts: Sequence[str]) -> list[System]:
    """The systems of a command line.

    Raises:
        ValueError: a label or spec is empty, or a label is taken.
    """
    systems = []
    for text in texts:
        # A server's address may hold an equals sign, too.
        label, equals, spec = text.partition("=")
        if not equals or "://" in label:
            label, spec = text, text
        systems.append(System(label.strip(), spec.strip()))
        if not (systems[-1].label and systems[-1].spec):
            raise ValueError(f"system {text!r} is not LABEL=SPEC")
    labels = [system.label for system in systems]
    if COUNSELLOR in labels:
        raise ValueError(f"the label {COUNSELLOR!r} stands for the examples' own answers; choose another")
    if twice := {label for label in labels if labels.count(label) > 1}:
        raise ValueError(f"the label {sorted(twice)[0]!r} stands twice; name each system LABEL=SPEC")
    return systems
