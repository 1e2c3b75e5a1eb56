"""A small recurrent network that knows one person and nobody else.

IMUTwinTrans starts from what simulated people have taught it, which helps as far as a person resembles them. This one
is learned from scratch from the person's minutes, so nothing that simulated people do can mislead it. Like IMUTwinTrans
it corrects the tracker, and it remembers: a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078) over the tracker's
latents and the features. Noise on its inputs and dropout keep a few minutes from being learned by heart; what is
dropped stays dropped for a whole piece (Gal and Ghahramani 2016, arXiv:1512.05287), or the memory would fill it in.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from face_recon_node.network.imu_twin_trans import LANDMARKS, WEIGHTS, Prediction, State
from face_recon_node.stream.features import CHANNELS
from face_recon_node.tracking.mechanics import LATENTS

INPUTS = LATENTS + len(CHANNELS)
WIDTH = 64
_NOISE = 0.3
"""Standard deviation, while training, on inputs of unit variance."""
_DROPOUT = 0.3
_WEIGHTS_LOG_STD, _LANDMARKS_LOG_STD = -3.0, 0.0
"""What an untrained network says: 0.05, and a millimetre."""


class Recurrent(nn.Module):
    """The network. How it reads the tracked weights, and its inputs' statistics, are buffers, so they travel along."""

    tracked_mean: Tensor
    """(52,)"""
    encode: Tensor
    """(52, LATENTS): tracked weights to latents, which are all that a tracker says."""
    input_mean: Tensor
    input_std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("tracked_mean", torch.zeros(WEIGHTS))
        self.register_buffer("encode", torch.zeros(WEIGHTS, LATENTS))
        self.register_buffer("input_mean", torch.zeros(INPUTS))
        self.register_buffer("input_std", torch.ones(INPUTS))
        self.into = nn.Linear(INPUTS, WIDTH)
        self.memory = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.out = nn.Linear(2 * WIDTH, 2 * WEIGHTS + LANDMARKS)
        # At first it says what the tracker says.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        with torch.no_grad():
            self.out.bias[WEIGHTS : 2 * WEIGHTS] = _WEIGHTS_LOG_STD
            self.out.bias[2 * WEIGHTS :] = _LANDMARKS_LOG_STD

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> Recurrent:
        """A network from its ``state_dict``, of any precision.

        Raises:
            ValueError: something is missing, of another shape, not finite, or a spread is not positive.
        """
        recurrent = cls()
        try:
            recurrent.load_state_dict({name: value.float() for name, value in state.items()})
        except RuntimeError as error:
            raise ValueError("the recurrent network's weights are incomplete or of another shape") from error
        if not all(bool(torch.isfinite(value).all()) for value in recurrent.state_dict().values()):
            raise ValueError("the recurrent network holds weights that are not finite")
        if not bool((recurrent.input_std > 0.0).all()):
            raise ValueError("the recurrent network has a spread that is not positive")
        return recurrent.eval()

    def inputs(self, features: Tensor, tracked: Tensor) -> Tensor:
        """(batch, n, INPUTS), not standardised; arguments as of :meth:`forward`."""
        return torch.cat(((tracked[..., :WEIGHTS] - self.tracked_mean) @ self.encode, features), dim=-1)

    def forward(self, features: Tensor, tracked: Tensor, state: State) -> tuple[Prediction, State]:
        """Predict the faces of n frames, continuing from ``state``.

        Args:
            features: (batch, n, channels).
            tracked: (batch, n, TRACKED).
            state: of the frames before; the empty list at the start.
        """
        x = (self.inputs(features, tracked) - self.input_mean) / self.input_std
        if self.training:
            x = x + _NOISE * torch.randn_like(x)
        x = torch.tanh(self.into(x))
        remembered, memory = self.memory(x, *state)
        x = torch.cat((x, remembered), dim=-1)
        if self.training:
            x = x * nn.functional.dropout(torch.ones_like(x[:, :1]), _DROPOUT)
        change, weights_log_std, landmarks_log_std = self.out(x).split((WEIGHTS, WEIGHTS, LANDMARKS), dim=-1)
        weights = tracked[..., :WEIGHTS] + change
        return Prediction.limited(weights, weights_log_std, landmarks_log_std), [memory]
