"""The network that reads the face from the evidence of a person's signatures: the same weights for everybody.

It looks twice. The first layer makes a guess of the face; what the guess leaves unexplained of the readings, by the
person's signatures, is evidence again, and the second layer corrects the guess by it (analysis by synthesis). Both are
LSTMs, since what a face did before decides what the readings mean now.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from face_recon_node.affect import EXPRESSIONS
from face_recon_node.models.signature.bands import AXES, BANDS, CHANNELS, FaceBands
from face_recon_node.models.signature.signatures import CERTAINTIES, EARS_SEEN, EVIDENCE, WEIGHTS

EXPLAINED = (0, 1, 2, 4)
"""Bands whose unexplained rest the second look is told."""
WIDTH = 192
_MOST_EVIDENCE, _MOST_CHANNEL = 6.0, 10.0
"""Standard deviations; beyond them it is not the face."""

LstmState = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Told:
    """What the network is told of each person of a batch (b): :class:`Signatures`, for the ears that are present."""

    evidence: Tensor
    """(b, evidence, 42), of standardised channels."""
    certainty: Tensor
    """(b, certainties)"""
    ears: Tensor
    """(b, 3) which of EARS_SEEN is present, 1 or 0."""
    response: Tensor
    """(b, bands, 6, 52)"""
    channel_scale: Tensor
    """(b, 42)"""
    mean: Tensor
    """(b, 52)"""
    spread: Tensor
    """(b, 52)"""

    @cached_property
    def person(self) -> Tensor:
        """(b, 1, certainties + 3): what does not change from frame to frame."""
        return torch.cat((self.certainty, self.ears), dim=1)[:, None]

    @cached_property
    def explaining(self) -> Tensor:
        """(b, explained, 6, 52): what an action contributes to the standardised channels of the explained bands."""
        scale = self.channel_scale.unflatten(1, (len(BANDS), AXES))
        return (self.response * scale[..., None])[:, list(EXPLAINED)]

    @cached_property
    def own(self) -> Tensor:
        """(b, explained, 52, 6): evidence of each explained band from its own channels."""
        evidence = self.evidence[:, : len(BANDS) * WEIGHTS].unflatten(1, (len(BANDS), WEIGHTS))
        evidence = evidence.unflatten(3, (len(BANDS), AXES))
        return torch.stack([evidence[:, band, :, band] for band in EXPLAINED], dim=1)


@dataclass(frozen=True)
class Reading:
    """What the network says of n frames."""

    weights: Tensor
    """(b, n, 52) standardised by the person's mean and spread."""
    weights_log_std: Tensor
    """(b, n, 52) log of their standard deviation."""
    affect: Tensor
    """(b, n, 2) valence and arousal."""
    expressions: Tensor
    """(b, n, labels) logits."""
    memory: Tensor
    """(b, n, 2 * width) what both looks remember."""


class SignatureNetwork(nn.Module):
    """See the module."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.into = nn.Linear(EVIDENCE + CHANNELS + CERTAINTIES + len(EARS_SEEN), width)
        self.first = nn.LSTM(width, width, batch_first=True)
        self.guess = nn.Linear(width, WEIGHTS)
        self.again = nn.Linear(width + WEIGHTS + len(EXPLAINED) * WEIGHTS, width)
        self.second = nn.LSTM(width, width, batch_first=True)
        self.out = nn.Linear(2 * width, 2 * WEIGHTS + 2 + len(EXPRESSIONS))

    def look(self, channels: Tensor, told: Told, state: LstmState | None) -> tuple[Tensor, Tensor, LstmState]:
        """The first look at standardised channels (b, n, 42): hidden (b, n, width), the guess (b, n, 52), the state."""
        evidence = (channels @ told.evidence.transpose(1, 2)).clamp(-_MOST_EVIDENCE, _MOST_EVIDENCE)
        person = told.person.expand(-1, channels.shape[1], -1)
        inputs = torch.cat((evidence, channels.clamp(-_MOST_CHANNEL, _MOST_CHANNEL) / 3.0, person), dim=2)
        hidden, state = _remembered(self.first, functional.silu(self.into(inputs)), state)
        return hidden, self.guess(hidden), state

    def look_again(
        self,
        hidden: Tensor,
        guess: Tensor,
        guessed_bands: Tensor,
        channels: Tensor,
        told: Told,
        state: LstmState | None,
    ) -> tuple[Reading, LstmState]:
        """Correct the guess by what it leaves unexplained; ``guessed_bands`` (b, n, explained, 52) of its weights."""
        seen = channels.unflatten(2, (len(BANDS), AXES))[:, :, list(EXPLAINED)]
        rest = seen - torch.einsum("bnew,beaw->bnea", guessed_bands, told.explaining)
        open_ = torch.einsum("bnea,bewa->bnew", rest, told.own).clamp(-_MOST_EVIDENCE, _MOST_EVIDENCE).flatten(2)
        inputs = functional.silu(self.again(torch.cat((hidden, guess, open_), dim=2)))
        corrected, state = _remembered(self.second, inputs, state)
        memory = torch.cat((hidden, corrected), dim=2)
        change, log_std, affect, expressions = self.out(memory).split((WEIGHTS, WEIGHTS, 2, len(EXPRESSIONS)), dim=2)
        return Reading(guess + change, log_std.clamp(-5.0, 2.0), affect, expressions, memory), state

    def forward(self, channels: Tensor, told: Told) -> tuple[Tensor, Reading]:
        """The guess and the reading of windows (b, n, 42) whose past is unknown, for training."""
        hidden, guess, _ = self.look(channels, told, None)
        weights = (guess - guess[:, :1]) * told.spread[:, None]  # as if the first face had been held before
        bands = torch.einsum("ets,bsw->btew", _band_matrices(channels.shape[1]), weights)
        return guess, self.look_again(hidden, guess, bands, channels, told, None)[0]


def _remembered(lstm: nn.LSTM, inputs: Tensor, state: LstmState | None) -> tuple[Tensor, LstmState]:
    """What an LSTM says of (b, n, width). A single frame goes through its cell: a tenth of the time, since PyTorch
    arranges the weights anew at each call for many frames."""
    if inputs.shape[1] > 1 or state is None:
        output, new = lstm(inputs, state)
        return output, new
    hidden, cell = torch.lstm_cell(inputs[:, 0], (state[0][0], state[1][0]), *lstm.parameters())
    return hidden[:, None], (hidden[None], cell[None])


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
