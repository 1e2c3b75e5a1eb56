"""LSTM: recurrent and causal over the whole session, so it may remember; sizes are ours."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from face_recon_node.models.model import FacePrediction, FaceStream
from face_recon_node.models.readings import CHANNELS, HIGH_PASS_HZ, ReadingStream
from face_recon_node.models.windowed import FaceLayer, Network, Recipe

_WIDTH = 64
State = tuple[Tensor, Tensor]


class _Recurrent(nn.Module):
    def __init__(self, centre: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.into = nn.Linear(CHANNELS, _WIDTH)
        self.recurrent = nn.LSTM(_WIDTH, _WIDTH, num_layers=2, dropout=0.2, batch_first=True)
        self.out = nn.Sequential(nn.Dropout(0.2), FaceLayer(_WIDTH, centre, spread))

    def forward(self, readings: Tensor) -> Tensor:
        return self.after(None, readings)[0]

    def after(self, state: State | None, readings: Tensor) -> tuple[Tensor, State]:
        """Weights (batch, n, 52) of readings (batch, n, 12) that follow on what led to the state, and the next one."""
        told, state = self.recurrent(self.into(readings), state)
        return self.out(told), state


class Lstm(Network):
    """Two layers of LSTM. In training the first frames of a window only set up the memory."""

    name = "lstm"
    recipe = Recipe(
        window=128,
        told=96,
        batch=16,
        epochs=60.0,
        least_steps=150,
        most_steps=1200,
        learning_rate=4e-3,
        high_pass_hz=HIGH_PASS_HZ,
    )
    module_type = _Recurrent
    _module: _Recurrent

    def stream(self) -> FaceStream:
        """A new stream, with an empty memory."""
        return _LstmStream(self._module, ReadingStream(self._standardised))


class _LstmStream:
    def __init__(self, module: _Recurrent, readings: ReadingStream) -> None:
        self._module, self._readings = module, readings
        self._state: State | None = None

    @torch.inference_mode()
    def push(self, readings: NDArray[np.floating], present: NDArray[np.bool_]) -> FacePrediction:
        seen = torch.from_numpy(self._readings.push(readings, present))
        weights, self._state = self._module.after(self._state, seen[None])
        return FacePrediction(weights[0].clamp(0.0, 1.0).numpy())
