"""Simulated people to learn from: who they are, what their faces do, and two sessions of each.

The ears are a mixture of all kinds that the simulator has, at other strengths, and the faces one of the study's
protocol, free expression, pieces of captures and combinations that no face shows: whoever reads only one simulator's
habits fails on people.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from imuface_core.arkit import BLENDSHAPES, MIRRORED
from imuface_core.recording import Recording
from imuface_simulation import PEOPLE, Participant, Performance, simulate
from imuface_simulation.expressions import minimum_jerk
from imuface_simulation.mechanics import EarMechanics
from imuface_simulation.performance import CAPTURE_REST, FRAME_RATE
from numpy.typing import NDArray

EARS = {"anatomical": 0.5, "faint": 0.2, "arbitrary": 0.3}
"""How often each kind of ears is drawn."""
STRENGTHS = {"anatomical": (0.0, 0.25), "faint": (0.1, 0.3), "arbitrary": (1.0, 0.7)}
"""Mean and deviation of the logarithm by which they move more: nobody knows how much real ones do."""
FACES = {"study": 0.5, "free": 0.15, "capture": 0.2, "babble": 0.15}
"""How often each kind of faces is drawn; without captures, the rest."""
SAME_FACES = 0.8
"""How often both sessions show faces of one kind."""
MINUTES = {0.0: 0.08, 0.75: 0.07, 1.5: 0.1, 3.0: 0.15, 5.0: 0.5, 8.0: 0.1}
"""Of the session that the signatures are solved from; 0: nothing is known of the person."""
REMOUNTED = 0.4
"""How often the buds have been put in anew for the session that is learned from."""
ACTIVITIES = {"still": 0.72, "talking": 0.12, "nodding": 0.08, "walking": 0.08}
SECONDS = 200.0
"""Of the session that is learned from."""
_CALIBRATION = 3.0
_NEUTRAL = 4.2


def _choice(rng: np.random.Generator, shares: dict[str, float]) -> str:
    names = list(shares)
    weights = np.array([shares[name] for name in names])
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]


@dataclass(frozen=True)
class SimulatedPerson:
    """A simulated person; every random choice follows from the seed."""

    seed: int
    captures: tuple[Path, ...] = ()
    """Captured faces, whose pieces move some faces."""

    def sessions(self) -> tuple[Recording | None, Recording]:
        """The session that the person's signatures are solved from, if any, and the one that is learned from."""
        rng, person, habits = self._drawn()
        shares = FACES if self.captures else {name: share for name, share in FACES.items() if name != "capture"}
        first = _choice(rng, shares)
        second = first if rng.random() < SAME_FACES else _choice(rng, shares)
        minutes = float(rng.choice(list(MINUTES), p=list(MINUTES.values())))
        own, learned = None, 2 * self.seed + 1
        if minutes:
            seconds = 60.0 * minutes + _CALIBRATION
            face = self._face(first, rng, 0, seconds, habits)
            own = simulate(face, person, seconds, seed=2 * self.seed, mount_seed=2 * self.seed, start_ns=10**9)
        mounted = None if rng.random() < REMOUNTED else 2 * self.seed
        activity = _choice(rng, ACTIVITIES)
        face = self._face(second, rng, 1, SECONDS, habits)
        return own, simulate(face, person, SECONDS, seed=learned, mount_seed=mounted, activity=activity, start_ns=10**9)

    def calm(self, number: int, seconds: float, kind: str) -> Recording:
        """A session of a still head with faces of a ``kind``: for what people have in common."""
        rng, person, habits = self._drawn()
        face = self._face(kind, rng, number, seconds, habits)
        return simulate(face, person, seconds, seed=9 * self.seed + number, mount_seed=self.seed, start_ns=10**9)

    def _drawn(self) -> tuple[np.random.Generator, Participant, _Habits]:
        """Who it is, and the generator that goes on deciding."""
        rng = np.random.default_rng([self.seed, 0x70656F70])
        ears = _choice(rng, EARS)
        person = amplified(PEOPLE[ears](self.seed), float(np.exp(rng.normal(*STRENGTHS[ears]))))
        return rng, person, _Habits.drawn(rng)

    def _face(self, kind: str, rng: np.random.Generator, session: int, seconds: float, habits: _Habits) -> Performance:
        if kind == "study":
            return Performance.study(self.seed, 2 * self.seed + session, seconds)
        if kind == "free":
            return habits.applied(Performance.natural(int(rng.integers(1 << 40)), seconds))
        if kind == "capture":
            return habits.applied(_recombined(self.captures[rng.integers(len(self.captures))], rng, seconds))
        return habits.applied(_babble(rng, seconds))


def amplified(participant: Participant, factor: float) -> Participant:
    """The same person with ears that move ``factor`` times as far."""

    def ear(mechanics: EarMechanics) -> EarMechanics:
        rotation, translation = mechanics.rotation * factor, mechanics.translation * factor
        return replace(mechanics, rotation=rotation, translation=translation, limit=mechanics.limit * max(1.0, factor))

    return Participant(ear(participant.left), ear(participant.right))


@dataclass(frozen=True)
class _Habits:
    """How a person's face differs from the generator's and from the captured one."""

    gain: NDArray[np.float64]
    rest: NDArray[np.float64]
    mirrored: bool

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> _Habits:
        actions = len(BLENDSHAPES)
        plain = rng.random() < 0.25
        gain = np.exp(rng.normal(0.2, 0.4, actions)) * np.exp(rng.normal(0.1, 0.35))
        rest = np.where(rng.random(actions) < 0.5, np.abs(rng.normal(0.0, 0.12, actions)), 0.0) * (rng.random() < 0.7)
        return cls(np.ones(actions) if plain else gain, rest * (not plain), bool(rng.random() < 0.5))

    def applied(self, performance: Performance) -> Performance:
        """The calibration still sees the neutral face: the resting pose comes after it."""
        frames = performance.frames[:, MIRRORED] if self.mirrored else performance.frames
        rise = np.clip(np.arange(len(frames)) / FRAME_RATE - _NEUTRAL, 0.0, 1.0)[:, None]
        rest = self.rest * (3.0 - 2.0 * rise) * rise**2
        varied = rest + (1.0 - rest) * np.clip(frames * self.gain, 0.0, 1.0)
        return Performance(varied.astype(np.float32))


@functools.cache
def _capture(path: Path) -> NDArray[np.float32]:
    return Performance.from_capture(path).frames[round(CAPTURE_REST * FRAME_RATE) :]


def _recombined(path: Path, rng: np.random.Generator, duration: float) -> Performance:
    """Pieces of a capture in a new order and at other speeds, one blending into the next, after a neutral face."""
    frames = _capture(path)
    fade = round(0.5 * FRAME_RATE)
    ramp = minimum_jerk(np.linspace(0.0, 1.0, fade))[:, None]
    parts = [np.zeros((round(CAPTURE_REST * FRAME_RATE), frames.shape[1]))]
    missing = round(duration * FRAME_RATE) - len(parts[0])
    while missing > 0:
        speed = np.exp(rng.normal(0.0, 0.2))
        count = min(round(rng.uniform(6.0, 25.0) * FRAME_RATE), int((len(frames) - 2) / speed))
        start = rng.uniform(0.0, len(frames) - count * speed - 2.0)
        at = start + speed * np.arange(count)
        index = at.astype(int)
        share = (at - index)[:, None]
        part = (1.0 - share) * frames[index] + share * frames[index + 1]
        part[:fade] = (1.0 - ramp) * parts[-1][-1] + ramp * part[:fade]
        parts.append(part)
        missing -= count
    return Performance(np.concatenate(parts)[: round(duration * FRAME_RATE)].astype(np.float32))


def _babble(rng: np.random.Generator, duration: float) -> Performance:
    """A few actions at a time, any of them, coming and going together: combinations that no face shows."""
    frames = np.zeros((round(duration * FRAME_RATE), len(BLENDSHAPES)))
    now = CAPTURE_REST
    while now < duration:
        face = np.zeros(len(BLENDSHAPES))
        for action in rng.choice(len(BLENDSHAPES), rng.integers(1, 6), replace=False):
            face[action] = rng.uniform(0.2, 1.0)
            if rng.random() < 0.65:
                face[MIRRORED[action]] = face[action] * rng.uniform(0.8, 1.2)
        attack, hold, release = rng.uniform(0.12, 0.6), rng.exponential(1.2), rng.uniform(0.2, 0.8)
        rows = slice(round((now - 0.1) * FRAME_RATE), round((now + attack + hold + release + 0.1) * FRAME_RATE))
        since = np.arange(rows.start, min(rows.stop, len(frames))) / FRAME_RATE - now
        course = minimum_jerk(since / attack) - minimum_jerk((since - attack - hold) / release)
        frames[rows] += course[:, None] * face
        now += attack + hold + release * rng.uniform(0.0, 1.5)
        now += rng.exponential(0.6) if rng.random() < 0.6 else -rng.uniform(0.0, 0.5)
    return Performance(np.clip(frames, 0.0, 1.0).astype(np.float32))
