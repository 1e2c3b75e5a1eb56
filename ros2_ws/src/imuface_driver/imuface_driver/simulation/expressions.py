"""Generates what a face does in a recording session: expressions, single actions, speech, blinks, glances and rests.

The vocabulary follows the prototypes of Ekman and Friesen's Facial Action Coding System (FACS, 1978) written in ARKit
weights. Strength, timing, side and habits vary with the seed, so that co-activations are frequent but never fixed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imuface_driver.arkit import BLENDSHAPES, INDEX

NEUTRAL_START = 4.5  # s

_SIDES = ("Left", "Right")
# Weights at full strength. A name without a side stands for both sides.
_EXPRESSIONS: dict[str, dict[str, float]] = {
    "smile": {"mouthSmile": 0.8, "cheekSquint": 0.35, "eyeSquint": 0.25, "mouthUpperUp": 0.3, "mouthDimple": 0.2},
    "laugh": {
        "mouthSmile": 0.9, "jawOpen": 0.45, "cheekSquint": 0.6, "eyeSquint": 0.5, "mouthUpperUp": 0.6,
        "mouthLowerDown": 0.5, "mouthStretch": 0.3, "eyeBlink": 0.3,
    },
    "anger": {
        "browDown": 0.9, "eyeSquint": 0.5, "noseSneer": 0.5, "mouthPress": 0.5, "mouthFrown": 0.35,
        "mouthShrugLower": 0.3, "jawForward": 0.15, "cheekSquint": 0.3,
    },
    "sadness": {
        "browInnerUp": 0.8, "mouthFrown": 0.7, "mouthShrugLower": 0.6, "eyeSquint": 0.2, "eyeLookDown": 0.4,
        "mouthPress": 0.25, "eyeBlink": 0.2,
    },
    "surprise": {
        "browInnerUp": 0.9, "browOuterUp": 0.9, "eyeWide": 0.8, "jawOpen": 0.65, "mouthFunnel": 0.3,
        "mouthStretch": 0.2,
    },
    "fear": {
        "browInnerUp": 0.9, "browOuterUp": 0.5, "browDown": 0.25, "eyeWide": 0.8, "mouthStretch": 0.75,
        "jawOpen": 0.3, "mouthLowerDown": 0.45,
    },
    "disgust": {
        "noseSneer": 0.9, "mouthUpperUp": 0.6, "browDown": 0.6, "cheekSquint": 0.6, "eyeSquint": 0.5,
        "mouthFrown": 0.35, "mouthShrugUpper": 0.4,
    },
    "pain": {
        "browDown": 0.8, "cheekSquint": 0.8, "eyeSquint": 0.7, "eyeBlink": 0.7, "noseSneer": 0.6,
        "mouthStretch": 0.6, "mouthUpperUp": 0.4, "jawOpen": 0.2,
    },
    "doubt": {"browDown": 0.4, "mouthShrugLower": 0.6, "mouthShrugUpper": 0.4, "mouthFrown": 0.4, "mouthPress": 0.3},
    "yawn": {
        "jawOpen": 1.0, "eyeBlink": 0.9, "eyeSquint": 0.6, "cheekSquint": 0.3, "browInnerUp": 0.4,
        "mouthStretch": 0.4, "mouthLowerDown": 0.4, "mouthFunnel": 0.2,
    },
}  # fmt: skip
_ACTIONS: dict[str, dict[str, float]] = {
    "jaw drop": {"jawOpen": 0.9, "mouthLowerDown": 0.4, "mouthStretch": 0.4},
    "jaw ajar": {"jawOpen": 0.6, "mouthClose": 0.5, "mouthRollLower": 0.15},
    "jaw left": {"jawLeft": 0.8, "mouthLeft": 0.5},
    "jaw right": {"jawRight": 0.8, "mouthRight": 0.5},
    "jaw forward": {"jawForward": 0.8, "mouthShrugLower": 0.2},
    "mouth left": {"mouthLeft": 0.8, "mouthDimpleLeft": 0.3},
    "mouth right": {"mouthRight": 0.8, "mouthDimpleRight": 0.3},
    "kiss": {"mouthPucker": 0.9, "mouthFunnel": 0.2},
    "funnel": {"mouthFunnel": 0.8, "jawOpen": 0.25, "mouthPucker": 0.2},
    "puff": {"cheekPuff": 0.8, "mouthPucker": 0.35, "mouthPress": 0.2},
    "press": {"mouthPress": 0.8, "mouthRollLower": 0.4, "mouthRollUpper": 0.4},
    "roll": {"mouthRollLower": 0.8, "mouthRollUpper": 0.7, "mouthPress": 0.2},
    "dimple": {"mouthDimple": 0.8, "mouthSmile": 0.2},
    "grin": {"mouthSmile": 0.6, "mouthUpperUp": 0.6, "mouthLowerDown": 0.7, "mouthStretch": 0.4},
    "sneer": {"noseSneer": 0.9, "mouthUpperUp": 0.5, "cheekSquint": 0.4},
    "brow raise": {"browInnerUp": 0.8, "browOuterUp": 0.9, "eyeWide": 0.3},
    "brow lower": {"browDown": 0.9, "eyeSquint": 0.3},
    "squint": {"eyeSquint": 0.8, "cheekSquint": 0.5, "browDown": 0.2},
    "wide": {"eyeWide": 0.9, "browOuterUp": 0.3, "browInnerUp": 0.3},
    "close": {"eyeBlink": 1.0, "eyeSquint": 0.1},
    "look left": {"eyeLookOutLeft": 0.8, "eyeLookInRight": 0.8},
    "look right": {"eyeLookOutRight": 0.8, "eyeLookInLeft": 0.8},
    "look up": {"eyeLookUp": 0.7, "browInnerUp": 0.1, "eyeWide": 0.2},
    "look down": {"eyeLookDown": 0.7, "eyeBlink": 0.3},
    "tongue": {"tongueOut": 1.0, "jawOpen": 0.3},
}
_ONE_SIDED: dict[str, dict[str, float]] = {
    "smirk": {"mouthSmile": 0.8, "mouthDimple": 0.4, "cheekSquint": 0.3},
    "wink": {"eyeBlink": 1.0, "cheekSquint": 0.6, "mouthSmile": 0.3, "eyeSquint": 0.4},
    "brow": {"browOuterUp": 0.9, "browInnerUp": 0.3},
    "snarl": {"noseSneer": 0.9, "mouthUpperUp": 0.7, "cheekSquint": 0.4},
    "stretch": {"mouthStretch": 0.8, "mouthLowerDown": 0.5},
    "corner": {"mouthFrown": 0.8, "mouthPress": 0.2},
}
# Mouth shapes of speech sounds, grouped as in the usual viseme sets (open, spread, round, labial, ...).
_VISEMES: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.45, "mouthLowerDown": 0.35, "mouthStretch": 0.15},
    {"jawOpen": 0.25, "mouthStretch": 0.35, "mouthSmile": 0.15, "mouthLowerDown": 0.35, "mouthUpperUp": 0.15},
    {"jawOpen": 0.12, "mouthStretch": 0.3, "mouthDimple": 0.2, "mouthLowerDown": 0.3},
    {"jawOpen": 0.3, "mouthFunnel": 0.5, "mouthPucker": 0.25},
    {"jawOpen": 0.12, "mouthPucker": 0.65, "mouthFunnel": 0.25},
    {"jawOpen": 0.04, "mouthClose": 0.05, "mouthPress": 0.4, "mouthRollLower": 0.3, "mouthRollUpper": 0.25},
    {"jawOpen": 0.08, "mouthRollLower": 0.35, "mouthUpperUp": 0.25},
    {"jawOpen": 0.1, "mouthFunnel": 0.3, "mouthShrugUpper": 0.2, "mouthLowerDown": 0.25},
    {"jawOpen": 0.18, "mouthLowerDown": 0.25, "mouthUpperUp": 0.1},
)
# Actions that come along with others, because muscles overlap and because face trackers see skin, not muscles:
# (leading action, following one): share. Shaped after the correlations in real captures.
_COMPANIONS: dict[tuple[str, str], float] = {
    ("jawOpen", "mouthLowerDown"): 0.35,
    ("jawOpen", "mouthStretch"): 0.3,
    ("mouthSmile", "mouthUpperUp"): 0.15,
    ("mouthSmile", "cheekSquint"): 0.1,
    ("noseSneer", "cheekSquint"): 0.15,
    ("noseSneer", "browDown"): 0.2,
    ("browDown", "noseSneer"): 0.2,
    ("browDown", "eyeSquint"): 0.2,
    ("browOuterUp", "browInnerUp"): 0.3,
    ("browOuterUp", "eyeWide"): 0.25,
    ("cheekSquint", "eyeSquint"): 0.15,
    ("mouthPress", "mouthShrugLower"): 0.3,
    ("mouthPucker", "cheekPuff"): 0.15,
    ("jawLeft", "mouthLeft"): 0.4,
    ("jawRight", "mouthRight"): 0.4,
    ("eyeLookDown", "eyeBlink"): 0.3,
}


def minimum_jerk(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quintic from 0 (x <= 0) to 1 (x >= 1), at rest at both ends (Flash and Hogan 1985, J. Neurosci. 5:1688)."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))


def compose(seed: int, duration: float, rate: float) -> NDArray[np.float64]:
    """Frames (K, 52) of weights 0..1 at ``rate`` Hz for ``duration`` seconds; zero for the first NEUTRAL_START."""
    if not duration > 0.0:
        raise ValueError(f"duration is {duration} s, must be positive")
    composer = _Composer(np.random.default_rng(seed), np.zeros((max(round(duration * rate), 2), 52)), rate)
    composer.fill()
    composer.frames += composer.frames @ (_COUPLED * composer.companionship)
    composer.frames[: round(NEUTRAL_START * rate)] = 0.0
    # Muscles that pull together reach their end softly.
    return composer.frames * (1.0 + composer.frames**8) ** -0.125


def _vector(weights: dict[str, float]) -> NDArray[np.float64]:
    vector = np.zeros(len(BLENDSHAPES))
    for name, weight in weights.items():
        for full in (name,) if name in INDEX else tuple(name + side for side in _SIDES):
            vector[INDEX[full]] = weight
    return vector


def _coupling() -> NDArray[np.float64]:
    """(52, 52): how much of the action in the row comes along in the one of the column. Sides keep to themselves."""
    coupling = np.zeros((len(BLENDSHAPES), len(BLENDSHAPES)))
    for (leader, follower), share in _COMPANIONS.items():
        for side in _SIDES:
            row = INDEX[leader if leader in INDEX else leader + side]
            column = INDEX[follower if follower in INDEX else follower + side]
            coupling[row, column] = share / 2.0 if follower in INDEX and leader not in INDEX else share
    return coupling


_BOTH = [_vector(weights) for weights in _EXPRESSIONS.values()]
_SINGLE = [_vector(weights) for weights in _ACTIONS.values()]
_ONE = [_vector(weights) for weights in _ONE_SIDED.values()]
_SOUNDS = np.stack([_vector(weights) for weights in _VISEMES])
_BLINK = _vector({"eyeBlink": 1.0})
_SMILE = _BOTH[0]
_BROW_FLASH = _vector({"browInnerUp": 0.5, "browOuterUp": 0.6})
_GLANCES = [_vector(_ACTIONS[f"look {where}"]) * 0.4 for where in ("left", "right", "up", "down")]
_COUPLED = _coupling()
_LEFT = np.array([name.endswith("Left") for name in BLENDSHAPES])
_RIGHT = np.array([name.endswith("Right") for name in BLENDSHAPES])


@dataclass
class _Composer:
    """Writes events into ``frames``, one after the other, with overlays."""

    rng: np.random.Generator
    frames: NDArray[np.float64]  # (K, 52)
    rate: float

    def __post_init__(self) -> None:
        rng = self.rng
        self.duration = len(self.frames) / self.rate
        # Habits of this performer: how strongly, how fast, how evenly, how often.
        self.strength = rng.uniform(0.75, 1.15)
        self.pace = rng.uniform(0.75, 1.35)
        self.favour = np.exp(rng.normal(0.0, 0.12, 52))  # each action's own strength, hence asymmetry too
        self.companionship = rng.uniform(0.5, 1.4, (52, 52))
        self.blinks_per_second = rng.uniform(0.15, 0.4)

    def fill(self) -> None:
        rng = self.rng
        now = NEUTRAL_START
        while now < self.duration:
            kind = rng.choice(["expression", "action", "one-sided", "speech"], p=[0.34, 0.28, 0.14, 0.24])
            if kind == "speech":
                now = self._speak(now)
            else:
                vocabulary = {"expression": _BOTH, "action": _SINGLE, "one-sided": _ONE}[kind]
                target = vocabulary[rng.integers(len(vocabulary))]
                if kind == "one-sided":
                    target = target * np.where(rng.choice([_LEFT, _RIGHT]), rng.uniform(0.0, 0.25), 1.0)
                now = self._act(now, target)
            if rng.random() < 0.65:
                now += rng.exponential(0.8)
            else:
                now -= rng.uniform(0.2, 0.6)  # the next begins before this one has ended
        self._sprinkle(self.blinks_per_second, _BLINK, (0.06, 0.1), (0.02, 0.06), (0.12, 0.22), strength=1.0)
        for glance in _GLANCES:
            self._sprinkle(0.06, glance, (0.05, 0.08), (0.2, 1.2), (0.05, 0.1), strength=0.8)

    def _act(self, start: float, target: NDArray[np.float64]) -> float:
        """One movement with a hold; returns when it has ended."""
        rng = self.rng
        strength = self.strength * rng.uniform(0.5, 1.1)
        weights = strength * target * self.favour * np.exp(rng.normal(0.0, 0.15, 52))
        attack = rng.uniform(0.15, 0.6) / self.pace
        hold = rng.uniform(0.2, 3.0)
        release = rng.uniform(0.25, 0.8) / self.pace
        self._add(start, attack, hold, release, weights)
        return start + attack + hold + release

    def _speak(self, start: float) -> float:
        """A few phrases of syllables at 3 to 6 Hz; neighbouring sounds blend, as in speech."""
        rng = self.rng
        smiling = rng.random() < 0.25
        begin = start
        for _ in range(rng.integers(1, 4)):
            syllables = int(rng.integers(3, 14))
            times = start + np.cumsum(rng.gamma(9.0, 1.0 / (9.0 * rng.uniform(3.0, 6.0)), syllables))
            sounds = _SOUNDS[rng.integers(len(_SOUNDS), size=syllables)] * rng.uniform(0.4, 1.1, (syllables, 1))
            # A syllable also closes towards a consonant.
            keys = np.concatenate([np.zeros((1, 52)), sounds * self.favour * self.strength, np.zeros((1, 52))])
            knots = np.concatenate([[start], times, [times[-1] + 0.3]])
            span = self._span(knots[0], knots[-1])
            at = np.arange(span.start, span.stop) / self.rate
            segment = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
            s = minimum_jerk((at - knots[segment]) / (knots[segment + 1] - knots[segment]))[:, None]
            self.frames[span] += (1.0 - s) * keys[segment] + s * keys[segment + 1]
            if rng.random() < 0.4:
                self._add(rng.choice(times), 0.2, 0.2, 0.35, _BROW_FLASH * rng.uniform(0.3, 1.0))
            start = knots[-1] + rng.uniform(0.1, 0.8)
        if smiling:
            self._add(begin, 0.5, max(start - begin - 0.8, 0.0), 0.5, _SMILE * rng.uniform(0.3, 0.7))
        return start

    def _sprinkle(
        self,
        per_second: float,
        weights: NDArray[np.float64],
        attack: tuple[float, float],
        hold: tuple[float, float],
        release: tuple[float, float],
        strength: float,
    ) -> None:
        """Short involuntary movements at random times."""
        rng = self.rng
        for start in rng.uniform(0.0, self.duration, rng.poisson(per_second * self.duration)):
            scaled = weights * min(strength * rng.uniform(0.85, 1.1), 1.0)
            self._add(start, rng.uniform(*attack), rng.uniform(*hold), rng.uniform(*release), scaled)

    def _add(self, start: float, attack: float, hold: float, release: float, weights: NDArray[np.float64]) -> None:
        span = self._span(start, start + attack + hold + release)
        since = np.arange(span.start, span.stop) / self.rate - start
        envelope = minimum_jerk(since / attack) - minimum_jerk((since - attack - hold) / release)
        active = np.flatnonzero(weights)
        self.frames[span, active] += envelope[:, None] * weights[active]

    def _span(self, start: float, end: float) -> slice:
        first = min(max(int(np.ceil(start * self.rate)), 0), len(self.frames))
        return slice(first, min(max(int(end * self.rate) + 1, first), len(self.frames)))
