"""How strongly an action is shown: earphones tell some actions weakly, and a weak smile may be shown as a full one."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np
from imuface_core.arkit import BLENDSHAPES, INDEX
from numpy.typing import NDArray

MOST = 10.0
"""The largest gain."""
_MOUTH = ("jaw", "mouth")

PRESETS: dict[str, dict[str, float]] = {
    "measured": {},
    "lively": {name: 1.6 if name.startswith(_MOUTH) else 1.3 for name in BLENDSHAPES},
    "mouth": {name: 1.0 if name.startswith((*_MOUTH, "cheek")) else 0.0 for name in BLENDSHAPES},
}
"""Gains by name, 1 where none is given: as measured; stronger; the lower face only, which ears tell best."""


def gains(preset: str, own: str) -> NDArray[np.float64]:
    """Gains (52,) of a preset, with one's own over it: ``jawOpen=1.5 mouthSmileLeft=2``.

    Raises:
        ValueError: a word is not of that form, or names no action; the message names it.
    """
    chosen = dict(PRESETS[preset])
    for word in own.split():
        name, _, number = word.partition("=")
        try:
            gain = float(number)
        except ValueError:
            gain = float("nan")
        if not 0.0 <= gain <= MOST:
            raise ValueError(f"gain '{word}' is not of the form jawOpen=1.5, with a number of 0 to {MOST:g}")
        if name not in INDEX:
            near = get_close_matches(name, BLENDSHAPES, 1)
            raise ValueError(f"gain '{word}': there is no action '{name}'" + (f", but {near[0]}" if near else ""))
        chosen[name] = gain
    return np.array([chosen.get(name, 1.0) for name in BLENDSHAPES])


def stronger(gain: NDArray[np.float64]) -> str:
    """In words, what is shown stronger than it was measured; empty when nothing is."""
    names = [name for name, factor in zip(BLENDSHAPES, gain, strict=True) if factor > 1.0]
    if not names:
        return ""
    which = ", ".join(names) if len(names) <= 3 else f"{len(names)} actions"
    return f"shown up to {gain.max():g} times as strong as measured ({which})"
