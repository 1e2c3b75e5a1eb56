"""1D-CNN in the manner of BioFace-3D: stacked convolutions over a second of readings, regressing the landmarks.

BioFace-3D reads biosensors and is known to us by its structure only; the sizes are ours.
"""

from __future__ import annotations

from torch import Tensor, nn

from face_recon_node.rivals.network import NetworkRival, Recipe, head
from face_recon_node.rivals.readings import CHANNELS, HIGH_PASS_HZ

_WIDTHS = (32, 64, 96)
_KERNEL = 5
RECIPE = Recipe(window=32, epochs=20.0, least_steps=300, high_pass_hz=HIGH_PASS_HZ)


class _Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = CHANNELS
        for following in _WIDTHS:
            convolution = nn.Conv1d(width, following, _KERNEL, padding=_KERNEL // 2, bias=False)
            layers += [convolution, nn.BatchNorm1d(following), nn.ReLU(), nn.MaxPool1d(2)]
            width = following
        self.convolutions = nn.Sequential(*layers)
        left = width * (RECIPE.window // 2 ** len(_WIDTHS))
        self.out = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(left, 128), nn.ReLU(), head(128))

    def forward(self, readings: Tensor) -> Tensor:
        return self.out(self.convolutions(readings.transpose(1, 2)))[:, None]


def convolutional() -> NetworkRival:
    """The untrained rival."""
    return NetworkRival(_Convolutions, RECIPE)
