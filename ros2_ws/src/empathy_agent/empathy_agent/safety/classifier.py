"""The trained half of the crisis gate: it may raise the risk that the rules found, never lower it.

Two linear models over the n-grams of :mod:`features`: one for the level, one for the kind. Numpy only; the weights come
with the package and are trained by ``imuface empathy train-screen`` (docs/screening.md).
"""

from __future__ import annotations

import functools
import io
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from empathy_agent.language import detect_language
from empathy_agent.safety.features import (
    BUCKETS,
    bucket_of,
    bucket_of_characters,
    character_ngrams,
    features,
    named_features,
    pieces,
)
from empathy_agent.safety.patterns import Kind, Risk

WEIGHTS = "screen.npz"
"""Name of the weights beside this module."""

KINDS = tuple(Kind)
"""The order of the kinds in the weights."""

IDIOM = "ø"
"""Stands where an idiom was; a letter, because the n-grams pass over signs."""

_SOMETHING = re.compile(r"[^\W_ø]")
_TELLING = 3  # how many n-grams are named


@dataclass(frozen=True)
class Judgement:
    """What the classifier makes of a text; ``telling`` are the n-grams that weighed most."""

    risk: Risk
    kind: Kind | None
    telling: str


@dataclass(frozen=True)
class Classifier:
    """Weights and thresholds.

    ``rarity`` (BUCKETS,) multiplies the counts; what comes of it is divided by its length, but by ``least`` where it is
    shorter: a few words, or few that are known, speak less loudly than many. ``level`` (BUCKETS, 3) and ``kind``
    (BUCKETS, 8) are the weights with their offsets; ``thresholds`` maps a language to the log odds from which a text is
    a concern and a crisis.
    """

    rarity: NDArray[np.float32]
    least: float
    level: NDArray[np.float32]
    level_offset: NDArray[np.float32]
    kind: NDArray[np.float32]
    kind_offset: NDArray[np.float32]
    thresholds: dict[str, tuple[float, float]]

    def judge(self, text: str) -> Judgement:
        """The risk of a normalised text with its idioms marked: that of its gravest piece.

        A long text has many pieces, and each may be taken for grave by chance, so the odds that are asked for grow with
        their number.
        """
        if not _SOMETHING.search(text):
            return Judgement(Risk.NONE, None, "")
        parts = list(dict.fromkeys(pieces(text)))
        handicap = float(np.log(len(parts)))
        odds = np.array([self.odds(part) for part in parts])
        concern, crisis = self.thresholds[detect_language(text)]
        gravest = int(odds[:, 1].argmax())
        if odds[gravest, 1] - handicap >= crisis:
            return self._judgement(Risk.CRISIS, parts[gravest])
        worrying = int(odds[:, 0].argmax())
        if odds[worrying, 0] - handicap >= concern:
            return self._judgement(Risk.CONCERN, parts[worrying])
        return Judgement(Risk.NONE, None, "")

    def odds(self, piece: str) -> tuple[float, float]:
        """The log odds that a piece is at least a concern, and that it is a crisis."""
        buckets, weights = self._vector(piece)
        none, concern, crisis = (weights @ self.level[buckets] + self.level_offset).astype(float)
        return float(np.logaddexp(concern, crisis)) - none, crisis - float(np.logaddexp(none, concern))

    def _vector(self, piece: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        buckets, weights = features(piece)
        weights = weights * self.rarity[buckets]
        return buckets, weights / max(float(np.linalg.norm(weights)), self.least)

    def _judgement(self, risk: Risk, piece: str) -> Judgement:
        buckets, weights = self._vector(piece)
        kind = KINDS[int((weights @ self.kind[buckets] + self.kind_offset).argmax())]
        against = self.level[buckets, 0] if risk is Risk.CONCERN else self.level[buckets, :2].max(axis=1)
        shares = dict(zip(buckets.tolist(), weights * (self.level[buckets, risk] - against), strict=True))
        named = dict(zip(bucket_of_characters(piece).tolist(), character_ngrams(piece), strict=True))
        named |= {bucket_of(name): name for name in named_features(piece)}
        telling = sorted((bucket for bucket in named if shares[bucket] > 0), key=lambda bucket: -shares[bucket])
        return Judgement(risk, kind, ", ".join(named[bucket].strip() for bucket in telling[:_TELLING]))

    def to_bytes(self) -> bytes:
        """The weights in bytes of a column's greatest: a tenth of the size, and the same decisions."""
        arrays: dict[str, Any] = {"rarity": self.rarity.astype(np.float16), "least": np.array(self.least)}
        for name in ("level", "kind"):
            weights = getattr(self, name)
            scale = np.abs(weights).max(axis=0) / 127
            arrays |= {
                name: np.round(weights / np.where(scale, scale, 1)).astype(np.int8),
                f"{name}_scale": scale.astype(np.float32),
                f"{name}_offset": getattr(self, f"{name}_offset").astype(np.float32),
            }
        for language, odds in self.thresholds.items():
            arrays[f"thresholds_{language}"] = np.array(odds)
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Classifier:
        """Raises ``ValueError`` or ``KeyError`` when these are no weights."""
        with np.load(io.BytesIO(data)) as arrays:
            read = {name: arrays[name] for name in arrays.files}
        weights = {name: read[name].astype(np.float32) * read[f"{name}_scale"] for name in ("level", "kind")}
        if weights["level"].shape != (BUCKETS, len(Risk)) or weights["kind"].shape != (BUCKETS, len(KINDS)):
            raise ValueError("the weights of the crisis gate are of another shape; train them again")
        return cls(
            rarity=read["rarity"].astype(np.float32),
            least=float(read["least"]),
            level=weights["level"],
            level_offset=read["level_offset"],
            kind=weights["kind"],
            kind_offset=read["kind_offset"],
            thresholds={
                name.removeprefix("thresholds_"): (float(odds[0]), float(odds[1]))
                for name, odds in read.items()
                if name.startswith("thresholds_")
            },
        )


@functools.cache
def shipped() -> Classifier:
    """The classifier that comes with the package."""
    return Classifier.from_bytes(resources.files("empathy_agent.safety").joinpath(WEIGHTS).read_bytes())
