"""IMUTwinTrans as in the IMUFace paper: transformers over a window of readings, in time and in frequency.

IMUFace (arXiv:2501.02177): high-pass filtered readings off the neutral baseline, windows in the time domain and their
short-time Fourier transform, two branches of ConvTransformer blocks (convolution and self-attention), fused,
regressing the landmarks (see :class:`~face_recon_node.models.windowed.Network`); trained from scratch on the person's
five minutes. The paper is silent about sizes, so they are ours: windows of two seconds, a high-pass at 0.1 Hz, width
48, two blocks a branch, four heads, log magnitudes of a Fourier transform over 16 frames (a Hann window) every 4
frames; fused by concatenating what each branch says of the window's end and of its mean.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from face_recon_node.models.readings import CHANNELS, HIGH_PASS_HZ
from face_recon_node.models.windowed import FaceLayer, Network, Recipe

_WINDOW = 60
_WIDTH = 48
_HEADS = 4
_DROPOUT = 0.1
_STFT_FRAMES = 16
_STFT_HOP = 4


class _ConvTransformer(nn.Module):
    """A depthwise convolution, self-attention and a feed-forward layer, each added to what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(_WIDTH)
        self.depthwise = nn.Conv1d(_WIDTH, _WIDTH, 7, padding=3, groups=_WIDTH)
        self.pointwise = nn.Sequential(nn.GELU(), nn.Linear(_WIDTH, _WIDTH), nn.Dropout(_DROPOUT))
        self.attention = nn.TransformerEncoderLayer(
            _WIDTH, _HEADS, 2 * _WIDTH, _DROPOUT, "gelu", batch_first=True, norm_first=True
        )

    def forward(self, x: Tensor) -> Tensor:
        convolved = self.depthwise(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return self.attention(x + self.pointwise(convolved))


class _Branch(nn.Module):
    """Tokens (batch, n, channels) to what is to say about the window: its end and its mean (batch, 2 * 48)."""

    def __init__(self, tokens: int, channels: int) -> None:
        super().__init__()
        self.into = nn.Linear(channels, _WIDTH)
        self.position = nn.Parameter(0.02 * torch.randn(tokens, _WIDTH))
        self.blocks = nn.Sequential(_ConvTransformer(), _ConvTransformer(), nn.LayerNorm(_WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = self.blocks(self.into(tokens) + self.position)
        return torch.cat((tokens[:, -1], tokens.mean(dim=1)), dim=-1)


class _TwinBranches(nn.Module):
    def __init__(self, centre: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.time = _Branch(_WINDOW // 2, 2 * CHANNELS)
        self.frequency = _Branch((_WINDOW - _STFT_FRAMES) // _STFT_HOP + 1, CHANNELS * (_STFT_FRAMES // 2 + 1))
        self.out = nn.Sequential(
            nn.Linear(4 * _WIDTH, 128), nn.GELU(), nn.Dropout(2 * _DROPOUT), FaceLayer(128, centre, spread)
        )

    def forward(self, readings: Tensor) -> Tensor:
        """Readings two by two are the tokens in time, log magnitudes of the Fourier transform those in frequency."""
        pieces = readings.unfold(1, _STFT_FRAMES, _STFT_HOP) * torch.hann_window(_STFT_FRAMES)
        spectrum = torch.log(torch.fft.rfft(pieces).abs() + 0.1).flatten(2)
        pairs = readings.unflatten(1, (-1, 2)).flatten(2)
        return self.out(torch.cat((self.time(pairs), self.frequency(spectrum)), dim=-1))[:, None]


class IMUTwinTrans(Network):
    """The paper's recipe."""

    name = "imu_twin_trans"
    recipe = Recipe(
        window=_WINDOW, epochs=8.0, least_steps=250, learning_rate=5e-4, weight_decay=0.02, high_pass_hz=HIGH_PASS_HZ
    )
    module_type = _TwinBranches
