"""Whether a stream fits the person a model was made for, and whether both earbuds sit: statistics, never a proof.

How strongly and about which axes the face turns the ears against each other is a trait of the person and of how the
buds sit that day: :class:`EarProfile` keeps it beside a personal model. Whether a bud is in an ear at all needs no
profile, since both ears are on one head. ``docs/personal-models.md`` says how well the one is told, and how weakly the
other.
"""

from __future__ import annotations

import enum
import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from imuface_core.earphone import EARS, STANDARD_GRAVITY
from numpy.typing import NDArray

from face_recon_node.stream.alignment import RATE
from face_recon_node.stream.turns import EarTurns

BLOCK = round(5 * RATE)
"""Frames between two judgements."""
SEATING_BLOCKS = 4
"""Blocks that the seat of the buds is judged by: 20 s."""
PERSON_BLOCKS = 12
"""Blocks with facial motion that the person is judged by: a minute."""
BEGIN, END = 3, 6
"""Judgements in a row that begin and that end a warning."""

MOVING = 0.1
"""RMS of the ears' difference in angular velocity, in units of ``turns.UNIT``, of a block with facial motion."""
CALM = 3.0
"""RMS of what both ears turn alike, in the same units, above which too much of the head leaks into the difference."""
MAGNITUDE, DIRECTIONS = 0.5, 1.2
"""How much size and directions of one person's motion, as log covariances, differ between minutes and mountings."""
OTHER_PERSON = 2.9
"""Deviation from the profile, in those, from which on it may be another person."""
SLIPPED = math.sin(math.radians(20.0))
"""Lean of one bud beyond the other's since their calibration; a face turns a bud by 4° at most."""
STILL = 0.003
"""rad/s RMS: the head that carries a bud sways more than that, even when it rests."""
COHERENT = 0.1
"""Share of one ear's turns that the other's explain, from which on they are on one head."""

_VERSION = 1


def _covariances(turns: tuple[NDArray, NDArray], present: NDArray[np.bool_]) -> Iterator[NDArray[np.float64]]:
    """Covariance (3, 3) of what turns the ears apart, for each block in which both see the face move on a calm head.

    From frame to frame, because what leaks from the head into the difference is slower than the face.
    """
    for start in range(0, len(present) - BLOCK + 1, BLOCK):
        rows = slice(start, start + BLOCK)
        common, difference = (part[rows] for part in turns)
        calm = np.square(common).sum() < BLOCK * CALM**2
        if present[rows].all() and calm and np.square(difference).sum() > BLOCK * MOVING**2:
            change = np.diff(difference, axis=0)
            yield change.T @ change / len(change)


def _logarithm(covariances: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The matrix logarithm of the mean of covariances (3, 3)."""
    values, vectors = np.linalg.eigh(np.mean(covariances, axis=0) + 1e-4 * np.eye(3))
    logarithm: NDArray[np.float64] = (vectors * np.log(values)) @ vectors.T
    return logarithm


class Prepared(Protocol):
    """What is needed of a ``data.segment.Segment``."""

    @property
    def readings(self) -> NDArray:
        """(frames, 12) both ears, calibrated: m/s² and rad/s, left ear first."""

    @property
    def present(self) -> NDArray[np.bool_]:
        """(frames, 2) which ear was there."""


@dataclass(frozen=True)
class EarProfile:
    """How the face of one person turns their ears against each other, as the training data showed it."""

    log_covariance: NDArray[np.float64]
    """(3, 3) matrix logarithm of the covariance of what turns the ears apart, from frame to frame."""
    seconds: float
    """Facial motion of both ears behind it."""

    @classmethod
    def fitted(cls, segments: Sequence[Prepared]) -> EarProfile | None:
        """The profile of the person whose training data these are.

        None when there are less than 30 s in which both ears see the face move on a calm head.
        """
        blocks = [
            block
            for segment in segments
            for block in _covariances(
                EarTurns().push(segment.readings.reshape(-1, 2, 6), segment.present), segment.present
            )
        ]
        seconds = len(blocks) * BLOCK / RATE
        return cls(_logarithm(blocks), seconds) if seconds >= 30.0 else None

    def deviation(self, log_covariance: NDArray[np.float64]) -> float:
        """How far the face of a stream is from the profile: about 1 for the person, more for others."""
        difference = log_covariance - self.log_covariance
        magnitude = np.trace(difference) / 3.0
        directions = np.linalg.norm(difference - magnitude * np.eye(3))
        return math.hypot(magnitude / MAGNITUDE, directions / DIRECTIONS) / math.sqrt(2.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for a model file."""
        return {"version": _VERSION, "log_covariance": self.log_covariance.tolist(), "seconds": self.seconds}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> EarProfile | None:
        """The profile that :meth:`to_dict` wrote; None for one of another version, which only costs a warning.

        Raises:
            ValueError: it is damaged.
        """
        try:
            if content["version"] != _VERSION:
                return None
            profile = cls(np.array(content["log_covariance"], np.float64), float(content["seconds"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the ear profile is damaged: {error!r}") from error
        if profile.log_covariance.shape != (3, 3) or not np.isfinite(profile.log_covariance).all():
            raise ValueError("the ear profile is damaged: its covariance has another shape or is not finite")
        return profile


class Wearing(enum.Enum):
    """Who wears the earphones, and how."""

    UNKNOWN = "not known yet"
    FITS = "as it should be"
    LEFT_LOOSE = "left earbud is loose"
    RIGHT_LOOSE = "right earbud is loose"
    OTHER_PERSON = "may be another person"

    @property
    def is_warning(self) -> bool:
        return self not in (Wearing.UNKNOWN, Wearing.FITS)


_LOOSE = (Wearing.LEFT_LOOSE, Wearing.RIGHT_LOOSE)


@dataclass(frozen=True)
class Judgement:
    """What the motion of the last moments says."""

    wearing: Wearing
    message: str
    """For people: what was seen and what to do."""


class ProfileMonitor:
    """Judges a stream every five seconds; a warning takes several judgements to begin and more to end.

    Args:
        profile: of the person; None: only the seat of the buds is judged.
    """

    def __init__(self, profile: EarProfile | None = None) -> None:
        self._profile = profile
        self.judgement = Judgement(Wearing.UNKNOWN, "not enough motion of both ears yet")
        """What holds."""
        self.deviation = math.nan
        """From the profile (1 is usual); NaN without one and before a minute of facial motion."""
        self._row = 0
        self._readings = np.zeros((BLOCK, 2, 6))
        self._present = np.zeros((BLOCK, 2), bool)
        self._ear_turns = EarTurns()
        self._turns: deque[NDArray[np.float64]] = deque(maxlen=SEATING_BLOCKS)
        self._leans: deque[NDArray[np.float64]] = deque(maxlen=SEATING_BLOCKS)
        self._faces: deque[NDArray[np.float64]] = deque(maxlen=PERSON_BLOCKS)
        self._latest, self._in_a_row = Wearing.UNKNOWN, 0

    def push(self, readings: NDArray[np.float64], present: NDArray[np.bool_]) -> None:
        """Take a frame: calibrated readings (2, 6) in m/s² and rad/s, presence (2,) of the ears."""
        row = self._row
        self._readings[row], self._present[row] = readings, present
        self._row = (row + 1) % BLOCK
        if self._row == 0:
            self._take_block()
            self._settle(self._judge())

    def _take_block(self) -> None:
        turns = self._ear_turns.push(self._readings, self._present)
        if not self._present.all():
            # An ear that was out comes back in another seat.
            self._turns.clear()
            self._leans.clear()
            return
        self._turns.append(np.cov(self._readings[..., 3:].reshape(BLOCK, 6), rowvar=False))
        self._leans.append(self._readings[..., :2].mean(axis=0) / STANDARD_GRAVITY)
        self._faces.extend(_covariances(turns, self._present))

    def _judge(self) -> Judgement | None:
        """What the last blocks say; None when that is nothing."""
        seat = self._seat() if len(self._turns) == SEATING_BLOCKS else None
        if seat is not None and seat.wearing in _LOOSE:
            # What a loose bud does is not the face.
            self._faces.clear()
            return seat
        if self._profile is not None and len(self._faces) == PERSON_BLOCKS:
            self.deviation = self._profile.deviation(_logarithm(self._faces))
            if self.deviation > OTHER_PERSON:
                return Judgement(
                    Wearing.OTHER_PERSON,
                    "the face moves the ears unlike that of the model's person: load the model of whoever wears the "
                    "earphones, or adapt it again with a new session",
                )
        return seat

    def _seat(self) -> Judgement | None:
        """Whether both buds are on one head, and as upright as when they were calibrated; None when the head rests."""
        leans = np.linalg.norm(np.mean(self._leans, axis=0), axis=1)
        turns = np.mean(self._turns, axis=0)
        left, right, both = turns[:3, :3], turns[3:, 3:], turns[:3, 3:]
        motion = np.sqrt([np.trace(left), np.trace(right)])
        loose = int(np.argmax(leans))
        if abs(leans[0] - leans[1]) > SLIPPED:
            return _loose(loose, "leans unlike at its calibration: put it back and calibrate again")
        if motion.max() < 2.0 * STILL:
            return None
        if motion.min() < STILL:
            return _loose(int(np.argmin(motion)), "does not move with the head: put it into the ear, calibrate again")
        floor = 1e-3 * STILL**2 * np.eye(3)
        explained = max(
            np.trace(both @ np.linalg.solve(right + floor, both.T)) / np.trace(left),
            np.trace(both.T @ np.linalg.solve(left + floor, both)) / np.trace(right),
        )
        if explained < COHERENT:
            return _loose(int(np.argmax(motion)), "swings by itself: push it into the ear and calibrate again")
        return Judgement(Wearing.FITS, "both earbuds move with the head")

    def _settle(self, judgement: Judgement | None) -> None:
        """Let a judgement hold once it was given often enough."""
        if judgement is None:
            return
        self._in_a_row = self._in_a_row + 1 if judgement.wearing == self._latest else 1
        self._latest = judgement.wearing
        if self._in_a_row >= (END if self.judgement.wearing.is_warning else BEGIN):
            self.judgement = judgement


def _loose(side: int, what: str) -> Judgement:
    return Judgement(_LOOSE[side], f"the {EARS[side]} earbud {what}")
