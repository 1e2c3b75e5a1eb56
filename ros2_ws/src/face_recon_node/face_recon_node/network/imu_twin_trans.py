"""IMUTwinTrans: a time and a frequency branch of ConvTransformer blocks, fused (IMUFace, arXiv:2501.02177).

The paper gives the structure only; sizes and details are ours. Ours also hears what the tracker of a person's ears
(:mod:`face_recon_node.tracking`) makes of the readings, and corrects it: a Kalman filter knows nothing of faces that
are never negative, rest most of the time and move in habitual combinations. It is also causal and keeps the past of
every layer from call to call, so that a frame costs one step instead of a window, and training runs over whole
stretches with the very same code.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from face_recon_node.stream.features import CHANNELS, SPECTRAL, STFT_FRAMES, log_spectrum

WEIGHTS = 52
LANDMARKS = 51
TRACKED = 3 * WEIGHTS + 1
"""Channels of the tracker: its weights, the person's mean weights, the share of their spread that it leaves open, and
whether there is a tracker at all."""


@dataclass(frozen=True)
class NetworkConfig:
    """Size of the network."""

    width: int = 64
    heads: int = 2
    time_blocks: int = 2
    frequency_blocks: int = 1
    fusion_blocks: int = 1
    window: int = 64
    """Frames that each block's attention reaches back: 2.1 s at 30 Hz. Blocks in a row reach further."""
    kernel: int = 9
    """Frames of each block's convolution."""

    def __post_init__(self) -> None:
        sizes = (self.width, self.heads, self.time_blocks, self.frequency_blocks, self.fusion_blocks, self.kernel)
        if not (all(isinstance(size, int) and 1 <= size <= 1024 for size in sizes) and 2 <= self.window <= 4096):
            raise ValueError(f"network sizes out of range: {self}")
        if self.width % self.heads:
            raise ValueError(f"network width {self.width} is not a multiple of its {self.heads} heads")


State = list[Tensor]
"""The past of each layer, in order; the empty list before the first frame."""


@dataclass(frozen=True)
class Prediction:
    """Output for n frames of a batch."""

    weights: Tensor
    """(batch, n, 52) ARKit weights, not limited to 0..1."""
    weights_log_std: Tensor
    """(batch, n, 52) log of the standard deviation of each weight."""
    landmarks_log_std: Tensor
    """(batch, n, 51) log of the standard deviation of each coordinate of a landmark, in millimetres."""

    @classmethod
    def limited(cls, weights: Tensor, weights_log_std: Tensor, landmarks_log_std: Tensor) -> Prediction:
        """What a network says, with standard deviations within reason."""
        return cls(weights, weights_log_std.clamp(-7.0, 1.0), landmarks_log_std.clamp(-5.0, 4.0))


class ConvTransformerBlock(nn.Module):
    """Causal depthwise convolution with a gate, then self-attention over a sliding window, then a feed-forward layer.

    Positions enter as a learned bias for each distance and head, which makes the block shift-invariant.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.width
        self._config = config
        self.convolution_norm = nn.LayerNorm(width)
        self.gate = nn.Linear(width, 2 * width)
        self.convolution = nn.Conv1d(width, width, config.kernel, groups=width)
        self.convolution_out = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.distance_bias = nn.Parameter(torch.zeros(config.heads, config.window))
        self.attention_out = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, past: State) -> tuple[Tensor, State]:
        """Process frames x (batch, n, width) after the ``past``; returns the result and the new past."""
        batch, count, width = x.shape
        if past:
            past_convolution, past_keys_values = past
        else:
            past_convolution = x.new_zeros(batch, self._config.kernel - 1, width)
            past_keys_values = x.new_zeros(batch, 0, 2 * width)

        gated = torch.cat((past_convolution, functional.glu(self.gate(self.convolution_norm(x)))), dim=1)
        convolved = self.convolution(gated.transpose(1, 2)).transpose(1, 2)
        x = x + self.convolution_out(functional.silu(convolved))

        query, keys_values = self.query_key_value(self.attention_norm(x)).split((width, 2 * width), dim=-1)
        keys_values = torch.cat((past_keys_values, keys_values), dim=1)
        key, value = keys_values.chunk(2, dim=-1)
        query, key, value = self._split(query), self._split(key), self._split(value)
        # By hand: with a learned bias on a CPU, faster than scaled_dot_product_attention.
        scores = query @ (key.transpose(-1, -2) * key.shape[-1] ** -0.5) + self._bias(count, key.shape[2])
        attended = scores.softmax(dim=-1) @ value
        x = x + self.attention_out(attended.transpose(1, 2).reshape(batch, count, width))
        x = x + self.feed_forward(x)
        return x, [gated[:, count:], keys_values[:, -(self._config.window - 1) :]]

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self._config.heads, -1)).transpose(1, 2)

    def _bias(self, queries: int, keys: int) -> Tensor:
        """Attention bias (heads, queries, keys): by distance, and -inf outside the window."""
        distance = torch.arange(keys - queries, keys)[:, None] - torch.arange(keys)
        window = self._config.window
        bias = self.distance_bias[:, distance.clamp(0, window - 1)]
        return bias.masked_fill((distance < 0) | (distance >= window), float("-inf"))


class IMUTwinTrans(nn.Module):
    """The network. Feature statistics are buffers, so they travel with the weights."""

    feature_mean: Tensor
    feature_std: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        bins = len(SPECTRAL) * (STFT_FRAMES // 2 + 1)
        self.register_buffer("feature_mean", torch.zeros(len(CHANNELS)))
        self.register_buffer("feature_std", torch.ones(len(CHANNELS)))
        self.time_in = nn.Linear(len(CHANNELS) + TRACKED, config.width)
        self.time = nn.ModuleList(ConvTransformerBlock(config) for _ in range(config.time_blocks))
        self.frequency_in = nn.Linear(bins, config.width)
        self.frequency = nn.ModuleList(ConvTransformerBlock(config) for _ in range(config.frequency_blocks))
        self.fusion_in = nn.Linear(2 * config.width, config.width)
        self.fusion = nn.ModuleList(ConvTransformerBlock(config) for _ in range(config.fusion_blocks))
        self.out = nn.Sequential(nn.LayerNorm(config.width), nn.Linear(config.width, 3 * WEIGHTS + LANDMARKS))

    def forward(self, features: Tensor, tracked: Tensor, state: State) -> tuple[Prediction, State]:
        """Predict the faces of n frames, continuing from ``state``.

        Args:
            features: (batch, n, channels).
            tracked: (batch, n, TRACKED); zeros without a tracker.
            state: of the frames before; the empty list at the start.
        """
        x = (features - self.feature_mean) / self.feature_std
        spectral_past = state[0] if state else x.new_zeros(len(x), STFT_FRAMES - 1, len(SPECTRAL))
        spectral = torch.cat((spectral_past, x[..., SPECTRAL]), dim=1)
        new_state = [spectral[:, -(STFT_FRAMES - 1) :]]
        past = iter([state[i : i + 2] for i in range(1, len(state), 2)])

        def run(blocks: nn.ModuleList, x: Tensor) -> Tensor:
            for block in blocks:
                x, block_past = block(x, next(past, []))
                new_state.extend(block_past)
            return x

        time = run(self.time, self.time_in(torch.cat((x, tracked), dim=-1)))
        frequency = run(self.frequency, self.frequency_in(log_spectrum(spectral)))
        fused = run(self.fusion, self.fusion_in(torch.cat((time, frequency), dim=-1)))
        change, gate, weights_log_std, landmarks_log_std = self.out(fused).split(
            (WEIGHTS, WEIGHTS, WEIGHTS, LANDMARKS), dim=-1
        )
        tracked_weights, mean, *_ = tracked.split(WEIGHTS, dim=-1)
        weights = mean + 2.0 * torch.sigmoid(gate) * (tracked_weights - mean) + change
        return Prediction.limited(weights, weights_log_std, landmarks_log_std), new_state
