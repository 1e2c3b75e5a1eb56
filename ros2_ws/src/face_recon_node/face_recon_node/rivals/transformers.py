"""Transformers over a window of readings: in time only, in frequency only, and both as in the IMUFace paper.

IMUFace (arXiv:2501.02177): high-pass filtered readings off the neutral baseline, windows in the time domain and their
short-time Fourier transform, two branches of ConvTransformer blocks (convolution and self-attention), fused,
regressing the landmarks; trained from scratch on the person's five minutes. The paper is silent about sizes, so they
are ours: windows of two seconds, a high-pass at 0.1 Hz, width 48, two blocks a branch, four heads, log magnitudes of a
Fourier transform over 16 frames (a Hann window) every 4 frames; fused by concatenating what each branch says of the
window's end and of its mean.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from face_recon_node.rivals.network import NetworkRival, Recipe, head
from face_recon_node.rivals.readings import CHANNELS, HIGH_PASS_HZ

_WIDTH = 48
_HEADS = 4
_DROPOUT = 0.1
_STFT_FRAMES = 16
_STFT_HOP = 4
_BINS = _STFT_FRAMES // 2 + 1
RECIPE = Recipe(
    window=60, epochs=8.0, least_steps=250, learning_rate=5e-4, weight_decay=0.02, high_pass_hz=HIGH_PASS_HZ
)


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query_key_value = nn.Linear(_WIDTH, 3 * _WIDTH)
        self.out = nn.Linear(_WIDTH, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (_HEADS, -1)).transpose(1, 2) for part in self.query_key_value(x).chunk(3, dim=-1)
        )
        attended = functional.scaled_dot_product_attention(query, key, value)
        return self.out(attended.transpose(1, 2).flatten(2))


class _Block(nn.Module):
    """Self-attention and a feed-forward layer; with ``convolution``, a depthwise one in front: a ConvTransformer."""

    def __init__(self, convolution: bool) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        if convolution:
            parts.append(nn.Sequential(nn.LayerNorm(_WIDTH), _Convolution()))
        parts.append(nn.Sequential(nn.LayerNorm(_WIDTH), _Attention(), nn.Dropout(_DROPOUT)))
        widen, narrow = nn.Linear(_WIDTH, 2 * _WIDTH), nn.Linear(2 * _WIDTH, _WIDTH)
        parts.append(nn.Sequential(nn.LayerNorm(_WIDTH), widen, nn.GELU(), narrow, nn.Dropout(_DROPOUT)))
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = x + part(x)
        return x


class _Convolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(_WIDTH, _WIDTH, 7, padding=3, groups=_WIDTH)
        self.out = nn.Sequential(nn.GELU(), nn.Linear(_WIDTH, _WIDTH), nn.Dropout(_DROPOUT))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.depthwise(x.transpose(1, 2)).transpose(1, 2))


class _Branch(nn.Module):
    """Tokens (batch, n, width) to what is to say about the window: its end and its mean (batch, 2 * 48)."""

    def __init__(self, tokens: int, convolution: bool) -> None:
        super().__init__()
        self.position = nn.Parameter(0.02 * torch.randn(tokens, _WIDTH))
        self.blocks = nn.Sequential(_Block(convolution), _Block(convolution), nn.LayerNorm(_WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = self.blocks(tokens + self.position)
        return torch.cat((tokens[:, -1], tokens.mean(dim=1)), dim=-1)


class _Time(nn.Module):
    """Readings two by two as tokens."""

    def __init__(self, window: int, convolution: bool) -> None:
        super().__init__()
        self.into = nn.Linear(2 * CHANNELS, _WIDTH)
        self.branch = _Branch(window // 2, convolution)

    def forward(self, readings: Tensor) -> Tensor:
        return self.branch(self.into(readings.unflatten(1, (-1, 2)).flatten(2)))


class _Frequency(nn.Module):
    """Log magnitudes of the short-time Fourier transform as tokens."""

    def __init__(self, window: int, convolution: bool) -> None:
        super().__init__()
        self.into = nn.Linear(CHANNELS * _BINS, _WIDTH)
        self.branch = _Branch((window - _STFT_FRAMES) // _STFT_HOP + 1, convolution)

    def forward(self, readings: Tensor) -> Tensor:
        pieces = readings.unfold(1, _STFT_FRAMES, _STFT_HOP) * torch.hann_window(_STFT_FRAMES)
        return self.branch(self.into(torch.log(torch.fft.rfft(pieces).abs() + 0.1).flatten(2)))


class _Branches(nn.Module):
    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        width = 2 * _WIDTH * len(branches)
        self.out = nn.Sequential(nn.Linear(width, 128), nn.GELU(), nn.Dropout(2 * _DROPOUT), head(128))

    def forward(self, readings: Tensor) -> Tensor:
        return self.out(torch.cat([branch(readings) for branch in self.branches], dim=-1))[:, None]


def time_transformer() -> NetworkRival:
    """Self-attention over the readings alone."""
    return NetworkRival(partial(_make, True, False, False), RECIPE)


def frequency_transformer() -> NetworkRival:
    """Self-attention over the spectrum alone."""
    return NetworkRival(partial(_make, False, True, False), RECIPE)


def paper_recipe() -> NetworkRival:
    """IMUTwinTrans as in the paper."""
    return NetworkRival(partial(_make, True, True, True), RECIPE)


def _make(time: bool, frequency: bool, convolution: bool) -> nn.Module:
    branches: list[nn.Module] = []
    if time:
        branches.append(_Time(RECIPE.window, convolution))
    if frequency:
        branches.append(_Frequency(RECIPE.window, convolution))
    return _Branches(*branches)
