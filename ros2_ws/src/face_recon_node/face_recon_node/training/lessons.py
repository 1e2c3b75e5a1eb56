"""What the network learns from: windows of a person's readings in bands, their signatures, and the true face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from imuface_core.recording import Recording
from numpy.typing import NDArray

from face_recon_node.evaluation.affect import true_affect
from face_recon_node.models.signature.bands import BANDS, CHANNELS, FaceBands, ReadingBands
from face_recon_node.models.signature.model import MOST_CHANNEL
from face_recon_node.models.signature.signatures import WEIGHTS, Population, Signatures
from face_recon_node.stream.alignment import PERIOD_NS, RATE
from face_recon_node.stream.calibration import baseline_of
from face_recon_node.training.people import SimulatedPerson

_FIRST = 6
_CALIBRATION = round(3 * RATE)
_START = _FIRST + _CALIBRATION
CALM_SECONDS = 240.0
CALM_FACES = ("study", "free", "babble")
_RIDGE = 0.003
_SHRINKAGE = 0.1
"""Share of the diagonal in the covariance of signatures."""


@dataclass(frozen=True)
class Lesson:
    """One simulated person, n frames."""

    channels: NDArray[np.float16]
    """(n, 42) standardised."""
    weights: NDArray[np.float16]
    """(n, 52) true ARKit weights."""
    affect: NDArray[np.float16]
    """(n, 2) valence and arousal that the true face shows."""
    expression: NDArray[np.uint8]
    """(n,) index of the expression that it shows."""
    signatures: Signatures

    @classmethod
    def of(cls, population: Population, person: SimulatedPerson) -> Lesson:
        """Simulate a person and solve their signatures."""
        own, session = person.sessions()
        minutes = ([part] for part in gridded(own)) if own else ()
        signatures = Signatures.fitted(population, *minutes)
        readings, weights = gridded(session)
        channels = ReadingBands().push(readings).reshape(-1, CHANNELS) * signatures.channel_scale
        stamps = np.round(np.arange(len(weights)) * 1e9 / RATE).astype(np.int64)
        shown = true_affect(stamps, weights)
        return cls(
            np.clip(channels, -MOST_CHANNEL, MOST_CHANNEL).astype(np.float16),
            weights.astype(np.float16),
            np.stack((shown.valence, shown.arousal), axis=1).astype(np.float16),
            shown.expression.astype(np.uint8),
            signatures,
        )

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        part = path.with_suffix(".part.npz")
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {f"{_SIGNATURES}{name}": value for name, value in self.signatures.to_dict().items()}
        np.savez(part, **arrays)
        part.rename(path)

    @classmethod
    def load(cls, path: Path) -> Lesson:
        """Read what :meth:`save` wrote."""
        with np.load(path) as content:
            arrays = dict(content)
        own = {name.removeprefix(_SIGNATURES): array for name, array in arrays.items() if name.startswith(_SIGNATURES)}
        return cls(**{name: arrays[name] for name in _ARRAYS}, signatures=Signatures.from_dict(own))


_ARRAYS = tuple(item.name for item in fields(Lesson) if item.name != "signatures")
_SIGNATURES = "signatures."


def gridded(recording: Recording) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Calibrated readings (n, 12) and true weights (n, 52) of a gapless recording that begins with a neutral face.

    What :func:`~face_recon_node.data.segment.prepare` makes of it, to a calibration's place, many times as fast.
    """
    assert recording.left
    assert recording.right
    assert recording.blendshapes
    instants = recording.left.stamps - PERIOD_NS
    calibrated = []
    for track in (recording.left, recording.right):
        measured = np.concatenate((track.acceleration, track.angular_velocity), axis=1)
        readings = np.stack([np.interp(instants, track.stamps, channel) for channel in measured.T], axis=1)
        calibrated.append(baseline_of(readings[_FIRST:_START]).apply(readings))
    return np.concatenate(calibrated, axis=1)[_START:], recording.blendshapes.weights[_START:]


@dataclass(frozen=True)
class Calm:
    """What one person of many says about what they have in common."""

    response: NDArray[np.float64]
    rest: NDArray[np.float64]
    face_covariances: NDArray[np.float64]
    means: NDArray[np.float64]
    variances: NDArray[np.float64]

    @classmethod
    def of(cls, person: SimulatedPerson) -> Calm:
        """From sessions long and varied enough to do without a prior."""
        seen, faces, weights = [], [], []
        for number, kind in enumerate(CALM_FACES):
            readings, true = gridded(person.calm(number, CALM_SECONDS, kind))
            seen.append(ReadingBands().push(readings).astype(np.float64))
            faces.append(FaceBands().push(true))
            weights.append(true.astype(np.float64))
        shown = range(len(CALM_FACES) - 1)  # nobody babbles
        covariances = [[np.cov(faces[index][:, band].T) for band in range(len(BANDS))] for index in shown]
        response, rest = zip(
            *(_regressed(np.concatenate(seen)[:, band], np.concatenate(faces)[:, band]) for band in range(len(BANDS))),
            strict=True,
        )
        return cls(
            np.stack(response),
            np.stack(rest),
            np.mean(covariances, axis=0),
            np.mean([weights[index].mean(axis=0) for index in shown], axis=0),
            np.mean([weights[index].var(axis=0) for index in shown], axis=0),
        )


def _regressed(seen: NDArray[np.float64], faces: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    seen = seen - seen.mean(axis=0)
    gram = faces.T @ faces
    gram += np.eye(WEIGHTS) * np.trace(gram) / WEIGHTS * _RIDGE
    response = np.linalg.solve(gram, faces.T @ seen).T
    rest = seen - faces @ response.T
    return response, rest.T @ rest / len(rest)


def in_common(people: Sequence[Calm]) -> Population:
    """The prior that people make."""
    responses = np.stack([person.response for person in people])
    mean = responses.mean(axis=0)
    apart = responses - mean
    covariance = np.einsum("pbij,pbik->bjk", apart, apart) / (len(people) * responses.shape[2])
    diagonal = np.einsum("bjj->bj", covariance)[:, :, None] * np.eye(WEIGHTS)
    return Population(
        mean,
        (1.0 - _SHRINKAGE) * covariance + _SHRINKAGE * diagonal,
        np.mean([person.face_covariances for person in people], axis=0),
        np.median([person.rest for person in people], axis=0),
        np.mean([person.means for person in people], axis=0),
        np.sqrt(np.mean([person.variances for person in people], axis=0)),
    )
