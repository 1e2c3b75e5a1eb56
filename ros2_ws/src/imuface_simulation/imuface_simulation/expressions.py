"""Generates what a face does in a recording session: expressions, single actions, speech, blinks, glances and rests.

The vocabulary follows the prototypes of Ekman and Friesen's Facial Action Coding System (FACS, 1978) written in ARKit
weights. Strength, timing, side and habits vary with the seed, so that co-activations are frequent but never fixed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from imuface_core.arkit import BLENDSHAPES, INDEX
from numpy.typing import NDArray

NEUTRAL_START = 4.5  # s

_SIDES = ("Left", "Right")
# Weights at full strength. A name without a side stands for both sides.
EXPRESSIONS: dict[str, dict[str, float]] = {
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
ACTIONS: dict[str, dict[str, float]] = {
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
ONE_SIDED: dict[str, dict[str, float]] = {
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
    rng = np.random.default_rng(seed)
    composer = Composer(rng, Performer.random(rng), duration, rate)
    composer.improvise(NEUTRAL_START, duration)
    return composer.finish()


def vector(weights: dict[str, float]) -> NDArray[np.float64]:
    """Weights (52,) by name; a name without a side stands for both sides."""
    values = np.zeros(len(BLENDSHAPES))
    for name, weight in weights.items():
        for full in (name,) if name in INDEX else tuple(name + side for side in _SIDES):
            values[INDEX[full]] = weight
    return values


def _coupling() -> NDArray[np.float64]:
    """(52, 52): how much of the action in the row comes along in the one of the column. Sides keep to themselves."""
    coupling = np.zeros((len(BLENDSHAPES), len(BLENDSHAPES)))
    for (leader, follower), share in _COMPANIONS.items():
        for side in _SIDES:
            row = INDEX[leader if leader in INDEX else leader + side]
            column = INDEX[follower if follower in INDEX else follower + side]
            coupling[row, column] = share / 2.0 if follower in INDEX and leader not in INDEX else share
    return coupling


_BOTH = [vector(weights) for weights in EXPRESSIONS.values()]
_SINGLE = [vector(weights) for weights in ACTIONS.values()]
_ONE = [vector(weights) for weights in ONE_SIDED.values()]
_SOUNDS = np.stack([vector(weights) for weights in _VISEMES])
_BLINK = vector({"eyeBlink": 1.0})
_SMILE = _BOTH[0]
_BROW_FLASH = vector({"browInnerUp": 0.5, "browOuterUp": 0.6})
_GLANCES = [vector(ACTIONS[f"look {where}"]) * 0.4 for where in ("left", "right", "up", "down")]
_COUPLED = _coupling()
_LEFT = np.array([name.endswith("Left") for name in BLENDSHAPES])
_RIGHT = np.array([name.endswith("Right") for name in BLENDSHAPES])


def one_sided(target: NDArray[np.float64], side: str, share: float) -> NDArray[np.float64]:
    """``target`` (52,) on one side, "Left" or "Right", with a ``share`` of it left on the other."""
    return np.where(_LEFT if side == "Right" else _RIGHT, share, 1.0) * target


def _envelope(since: NDArray[np.float64], attack: float, hold: float, release: float) -> NDArray[np.float64]:
    """0, up to 1 and back to 0, at times ``since`` it began; all in seconds."""
    return minimum_jerk(since / attack) - minimum_jerk((since - attack - hold) / release)


@dataclass(frozen=True)
class Performer:
    """Habits of a performer: how strongly, how fast, how evenly, how often."""

    strength: float
    pace: float
    favour: NDArray[np.float64]  # (52,) each action's own strength, hence asymmetry too
    companionship: NDArray[np.float64]  # (52, 52) how much of what others do along with an action
    blinks_per_second: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> Performer:
        """Somebody."""
        return cls(
            strength=rng.uniform(0.75, 1.15),
            pace=rng.uniform(0.75, 1.35),
            favour=np.exp(rng.normal(0.0, 0.12, 52)),
            companionship=rng.uniform(0.5, 1.4, (52, 52)),
            blinks_per_second=rng.uniform(0.15, 0.4),
        )


class Composer:
    """Writes what a performer does, one event after the other, with overlays.

    Raises ``ValueError`` for an impossible ``duration`` in seconds.
    """

    def __init__(self, rng: np.random.Generator, performer: Performer, duration: float, rate: float) -> None:
        if not duration > 0.0:
            raise ValueError(f"duration is {duration} s, must be positive")
        self.rng = rng
        self.performer = performer
        self.rate = rate
        self.frames = np.zeros((max(round(duration * rate), 2), 52))
        self.speech = np.zeros(len(self.frames))  # 1 during phrases
        self.duration = len(self.frames) / rate

    def finish(self) -> NDArray[np.float64]:
        """All frames (K, 52), 0..1, with blinks, glances and co-activations; zero for the first NEUTRAL_START."""
        self._sprinkle(self.performer.blinks_per_second, _BLINK, (0.06, 0.1), (0.02, 0.06), (0.12, 0.22), strength=1.0)
        for glance in _GLANCES:
            self._sprinkle(0.06, glance, (0.05, 0.08), (0.2, 1.2), (0.05, 0.1), strength=0.8)
        self.frames += self.frames @ (_COUPLED * self.performer.companionship)
        self.frames[: round(NEUTRAL_START * self.rate)] = 0.0
        # Muscles that pull together reach their end softly.
        return self.frames * (1.0 + self.frames**8) ** -0.125

    def improvise(self, start: float, end: float) -> None:
        """Anything, in any order; the last movement may go on beyond ``end``."""
        rng = self.rng
        now = start
        while now < end:
            kind = rng.choice(["expression", "action", "one-sided", "speech"], p=[0.34, 0.28, 0.14, 0.24])
            if kind == "speech":
                now = self._talk(now)
            else:
                vocabulary = {"expression": _BOTH, "action": _SINGLE, "one-sided": _ONE}[kind]
                target = vocabulary[rng.integers(len(vocabulary))]
                if kind == "one-sided":
                    target = target * np.where(rng.choice([_LEFT, _RIGHT]), rng.uniform(0.0, 0.25), 1.0)
                now = self._move(now, target)
            if rng.random() < 0.65:
                now += rng.exponential(0.8)
            else:
                now -= rng.uniform(0.2, 0.6)  # the next begins before this one has ended

    def act(
        self, start: float, target: NDArray[np.float64], strength: float, attack: float, hold: float, release: float
    ) -> None:
        """``target`` (52,) as this performer does it; the times of its parts in seconds."""
        self._add(start, attack, hold, release, self._own(target, strength))

    def phrase(self, start: float, syllables: int) -> float:
        """Syllables at 3 to 6 Hz, whose neighbouring sounds blend, as in speech; returns when it has ended."""
        rng = self.rng
        times = start + np.cumsum(rng.gamma(9.0, 1.0 / (9.0 * rng.uniform(3.0, 6.0)), syllables))
        sounds = _SOUNDS[rng.integers(len(_SOUNDS), size=syllables)] * rng.uniform(0.4, 1.1, (syllables, 1))
        # A syllable also closes towards a consonant.
        silent = np.zeros((1, 52))
        keys = np.concatenate([silent, sounds * self.performer.favour * self.performer.strength, silent])
        knots = np.concatenate([[start], times, [times[-1] + 0.3]])
        span = self._span(knots[0], knots[-1])
        at = np.arange(span.start, span.stop) / self.rate
        segment = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
        s = minimum_jerk((at - knots[segment]) / (knots[segment + 1] - knots[segment]))[:, None]
        self.frames[span] += (1.0 - s) * keys[segment] + s * keys[segment + 1]
        self.speech[span] = np.maximum(self.speech[span], _envelope(at - start, 0.4, knots[-1] - start - 0.8, 0.4))
        if rng.random() < 0.4:
            self._add(rng.choice(times), 0.2, 0.2, 0.35, _BROW_FLASH * rng.uniform(0.3, 1.0))
        return knots[-1]

    def _own(self, target: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
        """``target`` (52,) as this performer does it this time."""
        strength = self.performer.strength * strength
        return strength * target * self.performer.favour * np.exp(self.rng.normal(0.0, 0.15, 52))

    def _move(self, start: float, target: NDArray[np.float64]) -> float:
        """One movement with a hold; returns when it has ended."""
        rng = self.rng
        weights = self._own(target, rng.uniform(0.5, 1.1))
        attack = rng.uniform(0.15, 0.6) / self.performer.pace
        hold = rng.uniform(0.2, 3.0)
        release = rng.uniform(0.25, 0.8) / self.performer.pace
        self._add(start, attack, hold, release, weights)
        return start + attack + hold + release

    def _talk(self, start: float) -> float:
        """A few phrases, sometimes with a smile; returns when they have ended."""
        rng = self.rng
        smiling = rng.random() < 0.25
        begin = start
        for _ in range(rng.integers(1, 4)):
            start = self.phrase(start, int(rng.integers(3, 14))) + rng.uniform(0.1, 0.8)
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
        active = np.flatnonzero(weights)
        self.frames[span, active] += _envelope(since, attack, hold, release)[:, None] * weights[active]

    def _span(self, start: float, end: float) -> slice:
        first = min(max(int(np.ceil(start * self.rate)), 0), len(self.frames))
        return slice(first, min(max(int(end * self.rate) + 1, first), len(self.frames)))
