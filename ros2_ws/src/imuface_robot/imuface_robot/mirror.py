"""What a robot may take over of a person's face: some of it, never anger, and in a crisis nothing but attention."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from imuface_core.arkit import BLENDSHAPES, INDEX

HOSTILE = frozenset({"angry", "furious", "annoyed", "disgusted", "skeptical", "suspicious"})
"""Expressions (``imuface_interfaces/AffectState``) that a robot does not give back."""
CERTAIN = 0.5
"""Confidence from which an expression is heeded."""
_STRENGTH = 0.7  # of what the person shows: a mirror that overdoes it mocks
_LIMITS = {
    **dict.fromkeys(("browDownLeft", "browDownRight", "noseSneerLeft", "noseSneerRight", "jawForward"), 0.0),
    **dict.fromkeys(("mouthPressLeft", "mouthPressRight", "mouthFrownLeft", "mouthFrownRight"), 0.3),
    **dict.fromkeys(("tongueOut", "cheekPuff", "mouthUpperUpLeft", "mouthUpperUpRight"), 0.3),
    "jawOpen": 0.4,  # whoever shouts is not shouted at
}
_HIGHEST = np.array([_LIMITS.get(name, 0.7) for name in BLENDSHAPES])
_CALM = np.array([name.startswith("eyeBlink") or name == "browInnerUp" for name in BLENDSHAPES])
_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]


@dataclass(frozen=True)
class Face:
    """What the person's face shows: the expression's label and its confidence (0 .. 1), valence (-1 .. 1)."""

    expression: str = "neutral"
    confidence: float = 0.0
    valence: float = 0.0

    @property
    def certain(self) -> bool:
        """Whether it is heeded at all."""
        return self.confidence >= CERTAIN

    @property
    def hostile(self) -> bool:
        """Whether it may be anger; then it is no less so for being uncertain."""
        return self.expression in HOSTILE


def mirrored(weights: np.ndarray, face: Face, calm: bool = False, whole: bool = False) -> np.ndarray:
    """The 52 ARKit weights of the robot's face for those of the person's, shape (52,), 0 .. 1.

    A hostile face, and with ``calm`` any face, is answered with a resting one that blinks and may lift its inner brows.
    With ``whole``, and without ``calm``, it is the person's face as it is: an avatar's.
    """
    if whole and not calm:
        return np.clip(weights, 0.0, 1.0)
    shown = np.minimum(np.clip(weights, 0.0, 1.0) * _STRENGTH, _HIGHEST)
    shown[_BLINKS] = np.clip(weights[_BLINKS], 0.0, 1.0)
    return np.where(_CALM, shown, 0.0) if calm or face.hostile else shown
