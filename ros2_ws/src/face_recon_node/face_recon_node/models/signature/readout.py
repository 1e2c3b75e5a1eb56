"""What one person's minutes add to the network's last layer, in closed form.

The network says what faces in general would have been; how strongly this person's follow its memory is their own. So
the standardised error that remains is regressed on the memory of both LSTMs (ridge regression towards no change), on
frames whose signatures were solved without them, both as they were read and recombined. It mostly gives back the size
of movements that the network, uncertain about people in general, shrinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from face_recon_node.models.fitting import finite_arrays
from face_recon_node.models.signature.network import WIDTH
from face_recon_node.models.signature.signatures import WEIGHTS

PENALTY, FEW = 3.0, 6000.0
"""Of the squared coefficients for inputs of unit variance, and frames of data with which it is twice as large."""
_LEAST_SPREAD = 0.02
_INPUTS = 2 * WIDTH


@dataclass(frozen=True)
class Readout:
    """A linear map from the network's memory to a change of the standardised weights."""

    mean: NDArray[np.float32]
    """(inputs,)"""
    coefficients: NDArray[np.float32]
    """(inputs, 52)"""
    constant: NDArray[np.float32]
    """(52,)"""

    @classmethod
    def none(cls) -> Readout:
        """Changes nothing."""
        zeros = np.zeros((_INPUTS, WEIGHTS), np.float32)
        return cls(zeros[:, 0], zeros, zeros[0])

    @classmethod
    def fitted(cls, memory: NDArray[np.float32], errors: NDArray[np.float32], recorded: int | None = None) -> Readout:
        """Regress errors (n, 52) of the standardised weights on the memory (n, inputs).

        ``recorded``: of how many frames of data; None: of n, none of which came about by recombination.
        """
        frames, mean = len(memory), memory.mean(axis=0)
        scale = memory.std(axis=0) + _LEAST_SPREAD
        inputs = (memory - mean) / scale
        penalty = PENALTY * (1.0 + FEW / (frames if recorded is None else recorded))
        gram = (inputs.T @ inputs / frames).astype(np.float64) + penalty * np.eye(inputs.shape[1])
        constant = errors.mean(axis=0)
        coefficients = np.linalg.solve(gram, inputs.T @ (errors - constant) / frames) / scale[:, None]
        return cls(mean, coefficients.astype(np.float32), constant)

    def __call__(self, memory: NDArray[np.float32]) -> NDArray[np.float32]:
        """What to add to the standardised weights: (n, 52) for (n, inputs)."""
        return ((memory - self.mean) @ self.coefficients + self.constant).astype(np.float32)

    def to_dict(self) -> dict[str, NDArray[np.float32]]:
        """Plain arrays, for the model file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_dict(cls, arrays: Mapping[str, NDArray]) -> Readout:
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: an array is missing, of another shape, or not finite.
        """
        shapes = {"mean": (_INPUTS,), "coefficients": (_INPUTS, WEIGHTS), "constant": (WEIGHTS,)}
        return cls(*finite_arrays(arrays, shapes))
