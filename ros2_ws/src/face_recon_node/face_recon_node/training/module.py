"""The signature model's network as it is trained, on PyTorch and on windows of several people at once."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from face_recon_node.models.signature.bands import AXES, BANDS, FaceBands
from face_recon_node.models.signature.network import (
    CHANNEL_UNIT,
    EXPLAINED,
    INPUTS,
    INPUTS_AGAIN,
    LOG_STD,
    MOST_EVIDENCE,
    MOST_SEEN,
    OUTPUTS,
    WIDTH,
    Reading,
    SignatureNetwork,
    Told,
)
from face_recon_node.models.signature.signatures import WEIGHTS


class SignatureModule(nn.Module):
    """What :class:`~face_recon_node.models.signature.network.SignatureNetwork` computes, with gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Linear(INPUTS, WIDTH)
        self.first = nn.LSTM(WIDTH, WIDTH, batch_first=True)
        self.guess = nn.Linear(WIDTH, WEIGHTS)
        self.again = nn.Linear(INPUTS_AGAIN, WIDTH)
        self.second = nn.LSTM(WIDTH, WIDTH, batch_first=True)
        self.out = nn.Linear(2 * WIDTH, sum(OUTPUTS))

    def forward(self, channels: Tensor, told: Told[Tensor]) -> tuple[Tensor, Reading[Tensor]]:
        """The guess and the reading of windows (people, n, 42) whose past is unknown."""
        evidence = (channels @ told.evidence.transpose(1, 2)).clamp(-MOST_EVIDENCE, MOST_EVIDENCE)
        person = told.person[:, None].expand(-1, channels.shape[1], -1)
        inputs = torch.cat((evidence, channels.clamp(-MOST_SEEN, MOST_SEEN) / CHANNEL_UNIT, person), dim=2)
        hidden, _ = self.first(functional.silu(self.into(inputs)))
        guess = self.guess(hidden)
        weights = (guess - guess[:, :1]) * told.spread[:, None]  # as if the first face had been held before
        bands = torch.einsum("ets,bsw->btew", _band_matrices(channels.shape[1]), weights)
        seen = channels.unflatten(2, (len(BANDS), AXES))[:, :, list(EXPLAINED)]
        rest = seen - torch.einsum("bnew,beaw->bnea", bands, told.explaining)
        open_ = torch.einsum("bnea,bewa->bnew", rest, told.own).clamp(-MOST_EVIDENCE, MOST_EVIDENCE).flatten(2)
        corrected, _ = self.second(functional.silu(self.again(torch.cat((hidden, guess, open_), dim=2))))
        memory = torch.cat((hidden, corrected), dim=2)
        change, log_std, affect, expressions = self.out(memory).split(OUTPUTS, dim=2)
        return guess, Reading(guess + change, log_std.clamp(*LOG_STD), affect, expressions, memory)

    def learned(self) -> SignatureNetwork:
        """The network that reads with the weights of now."""
        return SignatureNetwork({name: value.numpy() for name, value in self.state_dict().items()})


@cache
def _band_matrices(frames: int) -> Tensor:
    """(explained, frames, frames): the bands of a face as linear maps of its course from rest."""
    impulse = np.zeros((frames, 1))
    impulse[0] = 1.0
    answers = FaceBands().push(impulse)[:, list(EXPLAINED), 0]
    matrices = np.zeros((len(EXPLAINED), frames, frames), np.float32)
    for frame in range(frames):
        matrices[:, frame:, frame] = answers[: frames - frame].T
    return torch.from_numpy(matrices)
