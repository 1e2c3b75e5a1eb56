"""The network that reads the face from the evidence of a person's signatures: the same weights for everybody.

It looks twice. The first layer makes a guess of the face; what the guess leaves unexplained of the readings, by the
person's signatures, is evidence again, and the second layer corrects the guess by it (analysis by synthesis). Both are
LSTMs, since what a face did before decides what the readings mean now.

Here it only reads, on NumPy, which is as fast as a frame at a time can be; it is trained as
:class:`~face_recon_node.training.module.SignatureModule`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from face_recon_node.affect import EXPRESSIONS
from face_recon_node.models.fitting import finite_arrays
from face_recon_node.models.signature.bands import AXES, BANDS, CHANNELS
from face_recon_node.models.signature.signatures import CERTAINTIES, EARS_SEEN, EVIDENCE, WEIGHTS, Signatures

EXPLAINED = (0, 1, 2, 4)
"""Bands whose unexplained rest the second look is told."""
WIDTH = 192
MOST_EVIDENCE, MOST_SEEN = 6.0, 10.0
"""Standard deviations of evidence and channels; beyond them it is not the face."""
CHANNEL_UNIT = 3.0
"""Standard deviations of a channel that the network is told as 1."""
LOG_STD = -5.0, 2.0
"""Least and most of what it says."""
INPUTS = EVIDENCE + CHANNELS + CERTAINTIES + len(EARS_SEEN)
INPUTS_AGAIN = WIDTH + WEIGHTS + len(EXPLAINED) * WEIGHTS
OUTPUTS = (WEIGHTS, WEIGHTS, 2, len(EXPRESSIONS))
"""Change of the guess, log deviations, affect, expressions."""

Floats = NDArray[np.float32]
Array = TypeVar("Array")
LstmState = tuple[Floats, Floats]
"""Hidden state and cell, (width,) each."""


def _shapes() -> dict[str, tuple[int, ...]]:
    linear = {"into": (WIDTH, INPUTS), "guess": (WEIGHTS, WIDTH), "again": (WIDTH, INPUTS_AGAIN)}
    linear["out"] = (sum(OUTPUTS), 2 * WIDTH)
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in linear.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name in ("first", "second"):
        shapes |= {f"{name}.weight_{kind}_l0": (4 * WIDTH, WIDTH) for kind in ("ih", "hh")}
        shapes |= {f"{name}.bias_{kind}_l0": (4 * WIDTH,) for kind in ("ih", "hh")}
    return shapes


SHAPES = _shapes()
"""Of the network's arrays, by the names that PyTorch gives them."""


@dataclass(frozen=True)
class Told(Generic[Array]):
    """What the network is told of a person, for the ears that are present; in training, a leading axis is people's."""

    evidence: Array
    """(evidence, 42), of standardised channels."""
    person: Array
    """(certainties + 3,): how far the evidence goes, and which of EARS_SEEN is present, 1 or 0."""
    explaining: Array
    """(explained, 6, 52): what an action contributes to the standardised channels of the explained bands."""
    own: Array
    """(explained, 52, 6): evidence of each explained band from its own channels."""
    mean: Array
    """(52,)"""
    spread: Array
    """(52,)"""


def told(signatures: Signatures, ears: int) -> Told[Floats]:
    """What the network is told of one person while a subset of EARS_SEEN is present."""
    explained = list(EXPLAINED)
    evidence = signatures.evidence[ears] / signatures.channel_scale
    by_band = evidence[: len(BANDS) * WEIGHTS].reshape(len(BANDS), WEIGHTS, len(BANDS), AXES)
    here = np.eye(len(EARS_SEEN), dtype=np.float32)[ears]
    scale = signatures.channel_scale.reshape(len(BANDS), AXES, 1)
    return Told(
        evidence,
        np.concatenate((signatures.certainty[ears], here)),
        (signatures.response * scale)[explained],
        by_band[explained, :, explained],
        signatures.mean,
        signatures.spread,
    )


@dataclass(frozen=True)
class Reading(Generic[Array]):
    """What the network says of n frames; in training, a leading axis is people's."""

    weights: Array
    """(n, 52) standardised by the person's mean and spread."""
    weights_log_std: Array
    """(n, 52) log of their standard deviation."""
    affect: Array
    """(n, 2) valence and arousal."""
    expressions: Array
    """(n, labels) logits."""
    memory: Array
    """(n, 2 * width) what both looks remember."""


class SignatureNetwork:
    """See the module.

    Args:
        arrays: of :data:`SHAPES`.

    Raises:
        ValueError: one is missing, of another shape, or not finite.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = dict(zip(SHAPES, finite_arrays(arrays, SHAPES), strict=True))
        self._first, self._second = _Lstm(self.arrays, "first"), _Lstm(self.arrays, "second")

    def look(self, channels: Floats, told: Told[Floats], state: LstmState | None) -> tuple[Floats, Floats, LstmState]:
        """The first look at standardised channels (n, 42): hidden (n, width), the guess (n, 52), the state."""
        evidence = np.clip(channels @ told.evidence.T, -MOST_EVIDENCE, MOST_EVIDENCE)
        person = np.broadcast_to(told.person, (len(channels), len(told.person)))
        inputs = np.concatenate((evidence, np.clip(channels, -MOST_SEEN, MOST_SEEN) / CHANNEL_UNIT, person), axis=1)
        hidden, state = self._first(_silu(self._linear("into", inputs)), state)
        return hidden, self._linear("guess", hidden), state

    def look_again(
        self,
        hidden: Floats,
        guess: Floats,
        guessed_bands: Floats,
        channels: Floats,
        told: Told[Floats],
        state: LstmState | None,
    ) -> tuple[Reading[Floats], LstmState]:
        """Correct the guess by what it leaves unexplained; ``guessed_bands`` (n, explained, 52) of its weights."""
        seen = channels.reshape(-1, len(BANDS), AXES)[:, list(EXPLAINED), :, None]
        rest = seen - told.explaining @ guessed_bands[..., None]
        open_ = np.clip(told.own @ rest, -MOST_EVIDENCE, MOST_EVIDENCE).reshape(len(channels), -1)
        inputs = _silu(self._linear("again", np.concatenate((hidden, guess, open_), axis=1)))
        corrected, state = self._second(inputs, state)
        memory = np.concatenate((hidden, corrected), axis=1)
        change, log_std, affect, expressions = np.split(self._linear("out", memory), np.cumsum(OUTPUTS[:-1]), axis=1)
        return Reading(guess + change, np.clip(log_std, *LOG_STD), affect, expressions, memory), state

    def _linear(self, name: str, inputs: Floats) -> Floats:
        return inputs @ self.arrays[f"{name}.weight"].T + self.arrays[f"{name}.bias"]


class _Lstm:
    """One layer of LSTM that goes on from call to call."""

    def __init__(self, arrays: Mapping[str, Floats], name: str) -> None:
        self._into, self._back = (arrays[f"{name}.weight_{kind}_l0"] for kind in ("ih", "hh"))
        self._bias = arrays[f"{name}.bias_ih_l0"] + arrays[f"{name}.bias_hh_l0"]

    def __call__(self, inputs: Floats, state: LstmState | None) -> tuple[Floats, LstmState]:
        """What it says of (n, width), and its state after that."""
        gates = inputs @ self._into.T + self._bias  # input, forget, candidate, output: PyTorch's order
        hidden, cell = state if state else np.zeros((2, WIDTH), np.float32)
        told = np.empty_like(inputs)
        for row, gate in enumerate(gates):
            gate += self._back @ hidden
            enter, keep, _, leave = expit(gate).reshape(4, WIDTH)
            cell = keep * cell + enter * np.tanh(gate[2 * WIDTH : 3 * WIDTH])
            hidden = told[row] = leave * np.tanh(cell)
        return told, (hidden, cell)


def _silu(values: Floats) -> Floats:
    return values * expit(values)
