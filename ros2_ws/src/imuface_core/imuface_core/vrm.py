"""The expressions that every VRM model has, as sums of ARKit's actions: what they are made of is a choice of ours."""

from __future__ import annotations

from collections.abc import Mapping


def _both(action: str, factor: float) -> dict[str, float]:
    return {f"{action}Left": factor, f"{action}Right": factor}


PRESETS: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("A", "aa"): {"jawOpen": 1.0, "mouthFunnel": -0.5, "mouthPucker": -0.5},
    ("I", "ih"): _both("mouthStretch", 0.5),
    ("U", "ou"): {"mouthPucker": 1.0},
    ("E", "ee"): {**_both("mouthUpperUp", 0.25), **_both("mouthLowerDown", 0.25)},
    ("O", "oh"): {"mouthFunnel": 1.0},
    ("Blink_L", "blinkLeft"): {"eyeBlinkLeft": 1.0},
    ("Blink_R", "blinkRight"): {"eyeBlinkRight": 1.0},
    ("Joy", "happy"): _both("mouthSmile", 0.5),
    ("Angry", "angry"): _both("browDown", 0.5),
    ("Sorrow", "sad"): _both("mouthFrown", 0.5),
}
"""By their names in VRM 0 and in VRM 1; a sum is clipped to 0..1."""
