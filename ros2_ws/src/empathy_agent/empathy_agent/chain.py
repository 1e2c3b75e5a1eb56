"""The chain of empathy: its four layers and the answer (Empathy-R1, arXiv:2509.14851)."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

THINK = "empathy_think"


class Layer(enum.IntEnum):
    """Parts of a chain, in order, with the values of ``imuface_interfaces/action/Respond``."""

    EMOTIONS_AND_CONTEXT = 1
    CAUSES_AND_BELIEFS = 2
    INTENTION = 3
    STRATEGY = 4
    ANSWER = 5

    @property
    def tag(self) -> str:
        """Name of the tag that encloses the part: L1 .. L4, answer."""
        return "answer" if self is Layer.ANSWER else f"L{self.value}"


_FOREIGN = {False: re.compile(r"</?L\d>"), True: re.compile("</?answer>")}
"""Tags that a layer, or the answer, may not hold."""


def has_format(text: str) -> bool:
    """Whether a whole output is four filled layers in order, then a filled answer, and nothing else.

    The format reward of the paper, r_format. Takes time in proportion to the text's length.
    """
    rest = text.strip()
    for layer in Layer:
        for opening in (f"<{THINK}>",) * (layer is min(Layer)) + (f"<{layer.tag}>",):
            if not rest.startswith(opening):
                return False
            rest = rest[len(opening) :].lstrip()
        content, closing, rest = rest.partition(f"</{layer.tag}>")
        if not closing or not content.strip() or _FOREIGN[layer is Layer.ANSWER].search(content):
            return False
        rest = rest.lstrip()
        if layer is Layer.STRATEGY:
            if not rest.startswith(f"</{THINK}>"):
                return False
            rest = rest.removeprefix(f"</{THINK}>").lstrip()
    return not rest


@dataclass(frozen=True)
class Delta:
    """Text that was added to one part of the chain."""

    layer: Layer
    text: str


@dataclass(frozen=True)
class Chain:
    """The texts of a chain; ``valid`` is the paper's r_format of the output they came from."""

    texts: dict[Layer, str] = field(default_factory=dict)
    valid: bool = False

    def __getitem__(self, layer: Layer) -> str:
        return self.texts.get(layer, "")

    @property
    def missing(self) -> list[Layer]:
        """The parts without text."""
        return [layer for layer in Layer if not self[layer]]

    def serialise(self) -> str:
        """The chain as the model writes it."""
        layers = "".join(f"<{layer.tag}>{self[layer]}</{layer.tag}>" for layer in list(Layer)[:4])
        return f"<{THINK}>{layers}</{THINK}><answer>{self[Layer.ANSWER]}</answer>"
