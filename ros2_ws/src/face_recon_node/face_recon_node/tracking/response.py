"""How the face moves the ears: rigid bodies that turn and shift in proportion to each latent of the face.

An earphone's sensors sit on a rigid body. If the face turns it by θ and shifts it by s (small, ear axes), then the
gyroscope shows dθ/dt, and the accelerometer d²s/dt² and how gravity tilts, g (-θ_y, θ_x, 0). So one number per axis
and latent explains several channels at once, and a minute of data says what least squares on each channel would not
say in ten. The numbers are found under the noise that the head makes (:mod:`face_recon_node.tracking.sway`), each
group of them with a spread of its own, which the data decide: Bayesian linear regression by evidence (MacKay 1992,
Neural Comput. 4:415).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from imuface_driver.protocol import STANDARD_GRAVITY
from numpy.typing import NDArray
from scipy.linalg import cholesky
from scipy.linalg.lapack import dtrtri

from face_recon_node.stream.alignment import RATE
from face_recon_node.tracking.lags import lagged
from face_recon_node.tracking.mechanics import EFFECT_LAGS, FACE_LAGS, READING_LAGS, SCALE
from face_recon_node.tracking.sway import Sway

_ROUNDS, _EVIDENCE_ROUNDS = 3, 3
_ROUNDING = 1e-10
"""Of each diagonal element, is added to it: what rounding took must not make a precision indefinite."""
_TURN, _SHIFT, _PUSH = 0.01, 2e-4, 0.01
"""First guess of the spread per latent: rad, m, m/s²."""


@dataclass(frozen=True)
class EarResponse:
    """What a person's face does to the calibrated readings of both ears."""

    encode: NDArray[np.float64]
    """(52, k): ARKit weights to latents."""
    kernel: NDArray[np.float64]
    """(12, FACE_LAGS k): the latest latents to readings in units of ``SCALE``, newest first."""

    def readings(self, weights: NDArray[np.floating]) -> NDArray[np.float32]:
        """Readings (n, 12) in m/s² and rad/s for the faces of consecutive frames (n, 52); 0 for a neutral face."""
        latents = weights.astype(np.float64) @ self.encode
        return (lagged(latents, FACE_LAGS) @ self.kernel.T * SCALE).astype(np.float32)


def learn_response(
    latents: Sequence[NDArray[np.float64]], readings: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """What the latest faces add to the readings (12, FACE_LAGS k), newest first, from pieces (n, k) and (n, 12).

    Readings are in units of ``SCALE``.
    """
    size = latents[0].shape[1]
    kernels, groups, spread = _kernels()
    spread = np.repeat(spread[:, None], size, axis=1)
    past = [lagged(piece, EFFECT_LAGS) for piece in latents]
    coefficients = np.zeros((len(kernels), size))
    for turn in range(_ROUNDS):
        response = _response(kernels, coefficients)
        rest = [y - z[:, : response.shape[1]] @ response.T for y, z in zip(readings, past, strict=True)]
        sway = Sway.learned(rest)
        precision = np.linalg.inv(sway.noise)
        whitened = filtered(kernels, sway.past)
        rows = np.concatenate([z[READING_LAGS:] for z in past])
        # Before the face is taken out, large faces look like jerks.
        weighted = rows * sway.trusts[:, None] if turn else rows
        gram = (rows.T @ weighted).reshape(EFFECT_LAGS, size, EFFECT_LAGS, size)
        seen = np.concatenate([sway.innovations(y) for y in readings])
        target = (weighted.T @ seen).reshape(EFFECT_LAGS, size, 12)
        pairs = np.einsum("pim,ij,qjn->pmqn", whitened, precision, whitened, optimize=True)
        information = np.einsum("pmqn,mkno->pkqo", pairs, gram, optimize=True).reshape(coefficients.size, -1)
        evidence = np.einsum("pim,ij,mkj->pk", whitened, precision, target, optimize=True).ravel()
        for _ in range(_EVIDENCE_ROUNDS):
            coefficients, variances = _posterior(information, evidence, np.square(spread[groups]))
            known = 1.0 - variances / np.square(spread[groups])
            for group in range(len(spread)):
                square, count = np.square(coefficients[groups == group]).sum(axis=0), known[groups == group].sum(axis=0)
                spread[group] = np.sqrt(square / np.maximum(count, 0.01)) + 1e-9
    return _response(kernels, coefficients)


def _posterior(
    information: NDArray[np.float64], evidence: NDArray[np.float64], prior: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and variances of the coefficients, both of the shape of their ``prior`` variances.

    By a Cholesky factor's inverse, which takes a third of the time of the whole covariance.
    """
    precision = information + np.diag(1.0 / prior.ravel())
    precision[np.diag_indices_from(precision)] *= 1.0 + _ROUNDING
    inverse, _ = dtrtri(cholesky(precision, lower=True, overwrite_a=True), lower=1, overwrite_c=1)
    return (inverse.T @ (inverse @ evidence)).reshape(prior.shape), np.square(inverse).sum(axis=0).reshape(prior.shape)


def filtered(kernels: NDArray[np.float64], past: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kernels (..., 12, lags) as they appear in what the past of the readings does not say: READING_LAGS longer."""
    channels, lags = kernels.shape[-2:]
    result = np.zeros((*kernels.shape[:-1], lags + READING_LAGS))
    result[..., :lags] = kernels
    for lag in range(READING_LAGS):
        step = past[:, lag * channels : (lag + 1) * channels]
        result[..., lag + 1 : lag + 1 + lags] -= step @ kernels
    return result


def _response(kernels: NDArray[np.float64], coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """(12, FACE_LAGS k)."""
    return np.einsum("pim,pk->imk", kernels, coefficients).reshape(kernels.shape[1], -1)


def _kernels() -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """Impulse responses (p, 12, FACE_LAGS) to turns, shifts and pushes of each ear and axis, the group of each, and
    the first spread of each group. A push shows in the accelerometer as it is: what tilts and shifts leave out."""
    kernels, groups = [], []
    for ear in range(2):
        for axis in range(3):
            acceleration, turning = 6 * ear + axis, 6 * ear + 3 + axis
            for lag in range(1, FACE_LAGS - 1):
                around = slice(lag - 1, lag + 2)
                turn = np.zeros((12, FACE_LAGS))
                turn[turning, around] = 0.5 * RATE, 0.0, -0.5 * RATE
                if axis < 2:
                    turn[6 * ear + 1 - axis, lag] = STANDARD_GRAVITY * (1.0 if axis == 0 else -1.0)
                shift = np.zeros((12, FACE_LAGS))
                shift[acceleration, around] = RATE**2, -2.0 * RATE**2, RATE**2
                kernels += [turn, shift]
                groups += [3 * ear, 3 * ear + 1]
            push = np.zeros((12, FACE_LAGS))
            push[acceleration, 1] = 1.0
            kernels.append(push)
            groups.append(3 * ear + 2)
    return np.array(kernels) / SCALE[:, None], np.array(groups), np.array([_TURN, _SHIFT, _PUSH] * 2)
