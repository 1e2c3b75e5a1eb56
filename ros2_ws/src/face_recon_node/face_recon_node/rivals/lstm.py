"""LSTM: recurrent and causal over the whole session, so it may remember; sizes are ours."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from face_recon_node.rivals.network import NetworkRival, Recipe, head
from face_recon_node.rivals.readings import CHANNELS, HIGH_PASS_HZ
from face_recon_node.training.stretch import Stretch

_WIDTH = 64
RECIPE = Recipe(
    window=128,
    told=96,
    batch=16,
    epochs=60.0,
    least_steps=150,
    most_steps=1200,
    learning_rate=4e-3,
    high_pass_hz=HIGH_PASS_HZ,
)


class _Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Linear(CHANNELS, _WIDTH)
        self.recurrent = nn.LSTM(_WIDTH, _WIDTH, num_layers=2, dropout=0.2, batch_first=True)
        self.out = nn.Sequential(nn.Dropout(0.2), head(_WIDTH))

    def forward(self, readings: Tensor) -> Tensor:
        """In training the first frames of a window only set up the memory; afterwards every frame is told."""
        kept = RECIPE.told if self.training or readings.shape[1] == RECIPE.window else readings.shape[1]
        return self.out(self.recurrent(self.into(readings))[0][:, -kept:])

    def step(self, reading: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One frame (1, 1, 12) after the state."""
        output, state = self.recurrent(self.into(reading), state)
        return self.out(output), state


class _LstmRival(NetworkRival):
    _module: _Recurrent

    @torch.inference_mode()
    def frames(self, stretch: Stretch) -> Iterator[None]:
        """One step a frame."""
        state = None
        for reading in torch.from_numpy(self._standardised(stretch)):
            _, state = self._module.step(reading[None, None], state)
            yield


def recurrent() -> NetworkRival:
    """The untrained rival."""
    return _LstmRival(_Recurrent, RECIPE)
