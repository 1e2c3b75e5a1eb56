"""The signature model: one person's signatures, read by a network that is the same for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from face_recon_node.affect import EXPRESSIONS
from face_recon_node.data.segment import Segment, part
from face_recon_node.head import HeadModel
from face_recon_node.head.personal import PersonalFace
from face_recon_node.models.fitting import finite_arrays, own_face
from face_recon_node.models.model import FacePrediction, Person, ShownAffect
from face_recon_node.models.signature.bands import CHANNELS, FaceBands, ReadingBands
from face_recon_node.models.signature.network import EXPLAINED, Floats, LstmState, Reading, SignatureNetwork, told
from face_recon_node.models.signature.readout import Readout
from face_recon_node.models.signature.recombined import LEAD_IN, TIMES, Recombined
from face_recon_node.models.signature.signatures import EARS_SEEN, Population, Signatures
from face_recon_node.stream.alignment import RATE
from face_recon_node.stream.profile import EarProfile

SHORTEST = 20.0
"""s of the true face, with both ears: less says nothing of a person."""
MOST_CHANNEL = 30.0
"""Standard deviations at which standardised channels are cut off."""
FOLDS = 4
"""Parts of the data, for each of which signatures are solved from the others."""
_RUN = 2 * LEAD_IN
"""Frames with both ears in a row, at least, that signatures are solved from."""


@dataclass(frozen=True)
class Confidence:
    """What makes the network's confidence come true on people it has not seen."""

    weights_scale: NDArray[np.float32]
    """(1,) factor on the stated deviations of weights that makes one of them cover 68.3 %."""
    landmarks_scale: NDArray[np.float32]
    """(1,) the same of landmarks, whose deviations follow from those of independent weights."""
    temperature: NDArray[np.float32]
    """(1,) by which the expressions' logits are divided (Guo et al. 2017, On calibration of modern networks)."""
    expressions: NDArray[np.float32]
    """(labels,) how often each expression is shown: what is said of a face that no ear feels."""

    @classmethod
    def untold(cls) -> Confidence:
        """Before it was measured."""
        one = np.ones(1, np.float32)
        return cls(one, one, one, np.full(len(EXPRESSIONS), 1.0 / len(EXPRESSIONS), np.float32))

    @classmethod
    def shapes(cls) -> dict[str, tuple[int, ...]]:
        """Of the arrays, by name and in order."""
        return {item.name: getattr(cls.untold(), item.name).shape for item in fields(cls)}


class SignatureModel:
    """Nobody's as it is loaded; :meth:`fit` solves a person's signatures and readout, without touching the network."""

    name: ClassVar[str] = "signature"

    def __init__(
        self,
        network: SignatureNetwork,
        population: Population,
        confidence: Confidence,
        signatures: Signatures | None = None,
    ) -> None:
        self.network = network
        self.population = population
        self.confidence = confidence
        self.signatures = Signatures.fitted(population) if signatures is None else signatures
        self.readout = Readout.none()
        self.face: PersonalFace | None = None
        self.profile: EarProfile | None = None
        self.card: dict[str, Any] = {"model": self.name}

    def fit(self, people: Sequence[Person], seed: int = 0) -> Self:
        """Solve the signatures of the only person; several people say nothing new, and nobody is nobody.

        Raises:
            ValueError: there are less than :data:`SHORTEST` seconds with both ears.
        """
        self.signatures, self.readout = Signatures.fitted(self.population), Readout.none()
        self.face = self.profile = None
        if len(people) == 1:
            segments = people[0].segments
            runs = [segment[rows] for segment in segments for rows in _runs(np.all(segment.present, axis=1))]
            frames = sum(map(len, runs))
            if frames < SHORTEST * RATE:
                raise ValueError(
                    f"{frames / RATE:.0f} s of the true face with both ears are too few, {SHORTEST:.0f} are needed: "
                    "record for longer, with both earbuds in"
                )
            self.signatures = self._signatures(runs)
            self.readout = self._readout(runs)
            self.face = own_face(people)
            self.profile = EarProfile.fitted(segments)
        return self

    def _signatures(self, runs: Sequence[Segment]) -> Signatures:
        return Signatures.fitted(self.population, [run.readings for run in runs], [run.weights for run in runs])

    def _readout(self, runs: Sequence[Segment]) -> Readout:
        """From what the network remembers of each part of the data with signatures of the other parts.

        Of the data as they are, and recombined.
        """
        frames = sum(map(len, runs))
        cuts = [frames * fold // FOLDS for fold in range(FOLDS + 1)]
        models, parts = [], []
        for begin, end in pairwise(cuts):
            theirs = self._signatures([*part(runs, 0, begin), *part(runs, end, frames)])
            other = SignatureModel(self.network, self.population, self.confidence, theirs)
            for run in part(runs, begin, end):
                models.append(other)
                parts.append(run)
        recombined = Recombined(self.signatures, parts)
        memory, errors = [], []
        for number, (model, run) in enumerate(zip(models, parts, strict=True)):
            own = model.signatures
            truth = ((run.weights - own.mean) / own.spread)[LEAD_IN:]
            again = (model.stream().read_bands(recombined.channels(number, time + 1)) for time in range(TIMES))
            for reading in (model.stream().read(run.readings), *again):
                memory.append(reading.memory[LEAD_IN:])
                errors.append(truth - reading.weights[LEAD_IN:])
        return Readout.fitted(np.concatenate(memory), np.concatenate(errors), frames)

    def stream(self) -> SignatureStream:
        """A new stream of frames, with an empty memory."""
        return SignatureStream(self)

    @property
    def parameters(self) -> int:
        """Of the network, and of the person."""
        shared = sum(array.size for array in self.network.arrays.values())
        own = self.signatures.response.size + self.readout.coefficients.size
        return shared + (own if self.face is not None else 0)

    def to_arrays(self) -> dict[str, NDArray]:
        """Network, population, confidence, signatures and readout, by name."""
        # Half precision halves the file and changes no output that could be noticed.
        arrays: dict[str, NDArray] = {
            f"network.{name}": value.astype(np.float16) for name, value in self.network.arrays.items()
        }
        for group, values in (("population", self.population), ("confidence", self.confidence)):
            arrays |= {f"{group}.{name}": value.astype(np.float32) for name, value in vars(values).items()}
        for group, own in (("signatures", self.signatures.to_dict()), ("readout", self.readout.to_dict())):
            arrays |= {f"{group}.{name}": value for name, value in own.items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray]) -> Self:
        """The inverse of :meth:`to_arrays`.

        Raises:
            ValueError: an array is missing, of another shape, or not finite.
        """

        def of(part: str) -> dict[str, NDArray]:
            return {name.removeprefix(part): array for name, array in arrays.items() if name.startswith(part)}

        confidence = Confidence(*finite_arrays(of("confidence."), Confidence.shapes()))
        population, signatures = Population.checked(of("population.")), Signatures.from_dict(of("signatures."))
        model = cls(SignatureNetwork(of("network.")), population, confidence, signatures)
        model.readout = Readout.from_dict(of("readout."))
        return model


def _runs(whole: NDArray[np.bool_]) -> list[slice]:
    """Where all of (n,) are true for long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], whole.astype(np.int8), [0]))))
    return [slice(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if end - begin >= _RUN]


@cache
def _strangers_deltas() -> NDArray[np.float32]:
    """How each action moves a stranger's landmarks; read once, since streams also begin in a running node."""
    return HeadModel.load().landmark_deltas


class SignatureStream:
    """Consecutive frames of one person."""

    def __init__(self, model: SignatureModel) -> None:
        self._model = model
        self._told = [told(model.signatures, ears) for ears in range(len(EARS_SEEN))]
        self._bands, self._guessed = ReadingBands(), FaceBands()
        self._state: LstmState | None = None
        self._state_again: LstmState | None = None
        deltas = model.face.deltas if model.face else _strangers_deltas()
        self._reach = np.square(deltas).sum(axis=-1) / 3.0  # (52, 51) m²: what a weight's variance does to a landmark

    def push(self, readings: NDArray[np.floating], present: NDArray[np.bool_]) -> FacePrediction:
        """Predict the faces of the next n frames; see :class:`~face_recon_node.models.model.FaceStream`."""
        which = present @ np.array([2, 1])  # 3 both, 2 left, 1 right, 0 none
        channels = self._channels(readings)
        edges = [0, *(np.flatnonzero(np.diff(which)) + 1), len(which)]
        parts = [
            self._seen(channels[begin:end], 3 - which[begin]) if which[begin] else self._unseen(end - begin)
            for begin, end in pairwise(edges)
        ]
        weights, deviations, valence, arousal, expressions = (
            np.concatenate(part).astype(np.float32) for part in zip(*parts, strict=True)
        )
        landmarks_std = self._model.confidence.landmarks_scale * np.sqrt(np.square(deviations) @ self._reach)
        affect = ShownAffect(valence, arousal, expressions)
        return FacePrediction(weights, deviations, landmarks_std.astype(np.float32), affect)

    def read(self, readings: NDArray[np.floating]) -> Reading[Floats]:
        """What the network says of the next n frames with both ears, as it says it."""
        return self._look(self._channels(readings), 0)

    def read_bands(self, bands: NDArray[np.float32]) -> Reading:
        """The same of the next n frames with both ears in bands (n, 42), see :class:`ReadingBands`."""
        return self._look(self._standardised(bands), 0)

    def _channels(self, readings: NDArray[np.floating]) -> NDArray[np.float32]:
        return self._standardised(self._bands.push(readings).reshape(len(readings), CHANNELS))

    def _standardised(self, bands: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.clip(bands * self._model.signatures.channel_scale, -MOST_CHANNEL, MOST_CHANNEL)

    def _look(self, channels: NDArray[np.float32], ears: int) -> Reading[Floats]:
        """The network's two looks at frames with a subset of the ears."""
        network, person = self._model.network, self._told[ears]
        hidden, guess, self._state = network.look(channels, person, self._state)
        # Without the mean, which no band passes: the face has been held before.
        guessed = self._guessed.push(guess * self._model.signatures.spread)
        bands = guessed[:, list(EXPLAINED)].astype(np.float32)
        reading, self._state_again = network.look_again(hidden, guess, bands, channels, person, self._state_again)
        return reading

    def _seen(self, channels: NDArray[np.float32], ears: int) -> tuple[NDArray, ...]:
        """Weights, deviations, valence, arousal and expressions of frames with a subset of the ears."""
        model, reading = self._model, self._look(channels, ears)
        # The readout was learned from both ears.
        change = model.readout(reading.memory) if ears == 0 else 0.0
        return interpreted(reading, model.signatures.mean, model.signatures.spread, model.confidence, change)

    def _unseen(self, frames: int) -> tuple[NDArray, ...]:
        """The same of frames without an ear."""
        signatures, expressions = self._model.signatures, self._model.confidence.expressions
        faces = (signatures.mean, signatures.spread)
        return (
            *(np.tile(part, (frames, 1)) for part in faces),
            *np.zeros((2, frames)),
            np.tile(expressions, (frames, 1)),
        )


def interpreted(
    reading: Reading[Floats],
    mean: NDArray[np.float32],
    spread: NDArray[np.float32],
    confidence: Confidence,
    change: NDArray[np.float32] | float = 0.0,
) -> tuple[NDArray, ...]:
    """Weights, deviations, valence, arousal and expressions of what the network says of one person.

    ``change`` (n, 52) is added to the standardised weights.
    """
    weights = np.clip((reading.weights + change) * spread + mean, 0.0, 1.0)
    deviations = np.exp(reading.weights_log_std) * spread * confidence.weights_scale
    valence, arousal = reading.affect.clip(-1.0, 1.0).T
    expressions = softmax(reading.expressions / confidence.temperature, axis=-1)
    return weights, deviations, valence, arousal, expressions
