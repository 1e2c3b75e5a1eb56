"""The networks for one frame of a stream, in NumPy.

A frame takes some two hundred operations on a few dozen numbers each, and PyTorch spends most of the time on starting
them. Longer pieces, and training, run in PyTorch; tests hold both to the same output. The states are the PyTorch
modules' as arrays.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import erf, expit
from torch import Tensor, nn

from face_recon_node.network.imu_twin_trans import WEIGHTS, ConvTransformerBlock, IMUTwinTrans, Prediction
from face_recon_node.network.recurrent import WIDTH, Recurrent
from face_recon_node.stream.features import SPECTRAL, STFT_FRAMES, log_spectrum

Array = NDArray[np.float32]
ArrayState = list[Array]
"""The past of each layer, in order; the empty list before the first frame."""


class OneFrameOfIMUTwinTrans:
    """:class:`~face_recon_node.network.imu_twin_trans.IMUTwinTrans` with the weights that it has now."""

    def __init__(self, module: IMUTwinTrans) -> None:
        self._mean, self._spread = _array(module.feature_mean), _array(module.feature_std)
        self._time_in, self._frequency_in = _Linear(module.time_in), _Linear(module.frequency_in)
        self._fusion_in = _Linear(module.fusion_in)
        self._time, self._frequency, self._fusion = map(_blocks, (module.time, module.frequency, module.fusion))
        self._out_norm, self._out = _Norm(module.out[0]), _Linear(module.out[1])
        blocks = (*self._time, *self._frequency, *self._fusion)
        self._blank = [np.zeros((1, STFT_FRAMES - 1, len(SPECTRAL)), np.float32)]
        self._blank += [past for block in blocks for past in block.blank()]

    def __call__(self, features: Array, tracked: Array, state: ArrayState) -> tuple[Prediction, ArrayState]:
        """As :meth:`~face_recon_node.network.imu_twin_trans.IMUTwinTrans.forward`, for ``features`` (channels,) and
        ``tracked`` (TRACKED,); the prediction is a batch of one frame.
        """
        past = iter(state or self._blank)
        x = (features - self._mean) / self._spread
        spectral = np.concatenate((next(past), x[None, None, SPECTRAL]), axis=1)
        new_state = [spectral[:, 1:]]

        def run(blocks: list[_Block], x: Array) -> Array:
            for block in blocks:
                x, block_past = block(x, next(past)[0], next(past)[0])
                new_state.extend(block_past)
            return x

        time = run(self._time, self._time_in(np.concatenate((x, tracked))))
        spectrum = log_spectrum(torch.from_numpy(spectral)).numpy()[0, 0]
        frequency = run(self._frequency, self._frequency_in(spectrum))
        fused = run(self._fusion, self._fusion_in(np.concatenate((time, frequency))))
        out = self._out(self._out_norm(fused))
        change, gate = out[:WEIGHTS], out[WEIGHTS : 2 * WEIGHTS]
        tracked_weights, mean = tracked[:WEIGHTS], tracked[WEIGHTS : 2 * WEIGHTS]
        weights = mean + 2.0 * expit(gate) * (tracked_weights - mean) + change
        return _prediction(weights, out[2 * WEIGHTS :]), new_state


class OneFrameOfRecurrent:
    """:class:`~face_recon_node.network.recurrent.Recurrent` with the weights that it has now."""

    def __init__(self, module: Recurrent) -> None:
        self._tracked_mean, self._encode = _array(module.tracked_mean), _array(module.encode)
        self._mean, self._spread = _array(module.input_mean), _array(module.input_std)
        self._into, self._out = _Linear(module.into), _Linear(module.out)
        memory = module.memory
        # In PyTorch's order: of the input and of the memory, the weights of the reset, update and new gates in a row.
        self._input, self._hidden, self._input_bias, self._hidden_bias = map(_array, memory.parameters())

    def __call__(self, features: Array, tracked: Array, state: ArrayState) -> tuple[Prediction, ArrayState]:
        """As :meth:`~face_recon_node.network.recurrent.Recurrent.forward`, for ``features`` (channels,) and ``tracked``
        (TRACKED,); the prediction is a batch of one frame.
        """
        before = state[0][0, 0] if state else np.zeros(WIDTH, np.float32)
        latents = (tracked[:WEIGHTS] - self._tracked_mean) @ self._encode
        inputs: Array = np.concatenate((latents, features))
        x = np.tanh(self._into((inputs - self._mean) / self._spread))
        told = self._input @ x + self._input_bias
        kept = self._hidden @ before + self._hidden_bias
        reset, update = expit(told[: 2 * WIDTH] + kept[: 2 * WIDTH]).reshape(2, WIDTH)
        new = np.tanh(told[2 * WIDTH :] + reset * kept[2 * WIDTH :])
        memory: Array = new + update * (before - new)
        out = self._out(np.concatenate((x, memory)))
        return _prediction(tracked[:WEIGHTS] + out[:WEIGHTS], out[WEIGHTS:]), [memory[None, None]]


class _Block:
    """:class:`~face_recon_node.network.imu_twin_trans.ConvTransformerBlock`."""

    def __init__(self, block: nn.Module) -> None:
        assert isinstance(block, ConvTransformerBlock)
        self._convolution_norm, self._gate = _Norm(block.convolution_norm), _Linear(block.gate)
        self._convolution = np.ascontiguousarray(_array(block.convolution.weight)[:, 0].T)
        assert block.convolution.bias is not None
        self._convolution_bias = _array(block.convolution.bias)
        self._convolution_out = _Linear(block.convolution_out)
        self._attention_norm, self._query_key_value = _Norm(block.attention_norm), _Linear(block.query_key_value)
        self._bias = np.ascontiguousarray(_array(block.distance_bias)[:, ::-1])
        self._attention_out = _Linear(block.attention_out)
        norm, wider, _, narrower = block.feed_forward
        self._norm, self._wider, self._narrower = _Norm(norm), _Linear(wider), _Linear(narrower)

    def blank(self) -> ArrayState:
        """The past before the first frame."""
        reach, width = self._convolution.shape
        return [np.zeros((1, reach - 1, width), np.float32), np.zeros((1, 0, 2 * width), np.float32)]

    def __call__(self, x: Array, past_gated: Array, past_keys_values: Array) -> tuple[Array, ArrayState]:
        """The result and the new past for x (width,), after a past without its batch."""
        width, (heads, window) = len(x), self._bias.shape
        value, gate = self._gate(self._convolution_norm(x)).reshape(2, width)
        gated = np.concatenate((past_gated, (value * expit(gate))[None]))
        convolved = np.einsum("kw,kw->w", gated, self._convolution) + self._convolution_bias
        x = x + self._convolution_out(convolved * expit(convolved))

        query_key_value = self._query_key_value(self._attention_norm(x))
        keys_values = np.concatenate((past_keys_values, query_key_value[None, width:]))
        key, value = keys_values.reshape(len(keys_values), 2, heads, -1).transpose(1, 2, 0, 3)
        query = query_key_value[:width].reshape(heads, -1, 1) * (width // heads) ** -0.5
        scores = (key @ query)[:, :, 0] + self._bias[:, window - len(keys_values) :]
        likelihood = np.exp(scores - scores.max(axis=1, keepdims=True))
        attention: Array = likelihood / likelihood.sum(axis=1, keepdims=True)
        x = x + self._attention_out((attention[:, None] @ value).ravel())

        x = x + self._narrower(_gelu(self._wider(self._norm(x))))
        return x, [gated[None, 1:], keys_values[None, -(window - 1) :]]


class _Linear:
    def __init__(self, layer: nn.Module) -> None:
        assert isinstance(layer, nn.Linear)
        self._weight, self._bias = _array(layer.weight), _array(layer.bias)

    def __call__(self, x: Array) -> Array:
        y: Array = self._weight @ x + self._bias
        return y


class _Norm:
    def __init__(self, norm: nn.Module) -> None:
        assert isinstance(norm, nn.LayerNorm)
        self._weight, self._bias, self._least = _array(norm.weight), _array(norm.bias), norm.eps

    def __call__(self, x: Array) -> Array:
        centred = x - x.sum() / len(x)
        y: Array = centred * ((centred @ centred / len(x) + self._least) ** -0.5 * self._weight) + self._bias
        return y


def _gelu(x: Array) -> Array:
    y: Array = 0.5 * x * (1.0 + erf(0.5**0.5 * x))
    return y


def _blocks(blocks: nn.ModuleList) -> list[_Block]:
    return [_Block(block) for block in blocks]


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().numpy()
    return array


def _prediction(weights: Array, log_std: Array) -> Prediction:
    told = (weights, log_std[:WEIGHTS], log_std[WEIGHTS:])
    return Prediction.limited(*(torch.from_numpy(part[None, None]) for part in told))
