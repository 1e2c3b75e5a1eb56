"""A trained IMUTwinTrans with what is needed to use it, in one file."""

from __future__ import annotations

import json
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from face_recon_node.head.personal import PersonalFace
from face_recon_node.network.imu_twin_trans import (
    LANDMARKS,
    TRACKED,
    WEIGHTS,
    IMUTwinTrans,
    NetworkConfig,
)
from face_recon_node.network.one_frame import ArrayState, OneFrameOfIMUTwinTrans, OneFrameOfRecurrent
from face_recon_node.network.recurrent import Recurrent
from face_recon_node.network.wearer import Wearer
from face_recon_node.stream.features import CHANNELS
from face_recon_node.stream.profile import EarProfile
from face_recon_node.tracking import Mechanics, Tracker

_WEIGHTS_FOLDER = Path(__file__).parent / "weights"
SHIPPED = _WEIGHTS_FOLDER / "anyone.pt"
"""For people of whom nothing is known but the neutral calibration."""
ADAPTABLE = _WEIGHTS_FOLDER / "adaptable.pt"
"""What personal models start from."""
_FORMAT = "earnest-imu-twin-trans"
_VERSION = 4

_Opinion = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Weights (n, 52), and the logs of their (n, 52) and of the landmarks' standard deviations (n, 51)."""


@dataclass(frozen=True)
class FacePrediction:
    """Faces of n frames."""

    weights: NDArray[np.float32]
    """(n, 52) ARKit weights, 0 to 1."""
    weights_std: NDArray[np.float32]
    """(n, 52) standard deviation of each weight."""
    landmarks_std: NDArray[np.float32]
    """(n, 51) standard deviation of each coordinate of a landmark, metres."""


@dataclass(frozen=True)
class Statistics:
    """What is known about faces in general, from the training data."""

    weights: NDArray[np.float32]
    """(52,) mean weights."""
    weights_std: NDArray[np.float32]
    """(52,) their standard deviation."""
    landmarks_std: NDArray[np.float32]
    """(51,) standard deviation of each coordinate of a landmark, metres."""
    weights_std_scale: float = 1.0
    """Factor on the network's standard deviations that makes the 1-sigma interval cover 68.3 % of held-out people."""
    landmarks_std_scale: float = 1.0
    """The same for landmarks."""
    lost_ear_scale: float = 1.0
    """Further factor on both while an ear is missing: how much larger held-out people's errors are then."""


class FaceStream:
    """Consecutive frames of one person through a network; remembers what it has seen."""

    def __init__(self, network: FaceNetwork) -> None:
        self._network = network
        self._twin_trans = _ModuleStream(network.module)
        self._tracker = Tracker(network.mechanics) if network.mechanics else None
        self._readout = network.wearer.readout.stream() if network.wearer else None
        self._recurrent = [_ModuleStream(one) for one in network.wearer.recurrent] if network.wearer else []
        self._shares = astuple(network.wearer.shares) if network.wearer else ()

    @torch.inference_mode()
    def push(
        self, features: NDArray[np.float32], readings: NDArray[np.floating], present: NDArray[np.bool_]
    ) -> FacePrediction:
        """Predict the faces of the next n frames; how they are cut into calls changes nothing.

        Args:
            features: (n, channels), see :mod:`face_recon_node.stream.features`.
            readings: (n, 12) calibrated readings, m/s² and rad/s, 0 where absent.
            present: (n, 2) whether the left and the right ear have a reading.
        """
        network = self._network
        tracked = tracked_channels(self._tracker, network.mechanics, readings, present)
        weights, weights_log_std, landmarks_log_std = self._twin_trans.push(features, tracked)
        both = present.all(axis=1, keepdims=True)
        if self._readout:
            told = [one.push(features, tracked) for one in self._recurrent]
            own_weights, own_weights_log_std, own_landmarks_log_std = (
                np.mean(parts, axis=0) for parts in zip(*told, strict=True)
            )
            opinions = np.stack((weights, self._readout.push(tracked[:, :WEIGHTS]), own_weights))
            shares = np.where(both, self._shares, 1.0 / len(opinions)).astype(np.float32)
            weights = np.einsum("no,onw->nw", shares, opinions)
            weights_log_std = 0.5 * (weights_log_std + own_weights_log_std)
            landmarks_log_std = 0.5 * (landmarks_log_std + own_landmarks_log_std)
        statistics = network.statistics
        lost = np.where(both, 1.0, statistics.lost_ear_scale).astype(np.float32)
        return FacePrediction(
            weights,
            np.exp(weights_log_std) * np.float32(statistics.weights_std_scale) * lost,
            np.exp(landmarks_log_std) * np.float32(1e-3 * statistics.landmarks_std_scale) * lost,
        )


class _ModuleStream:
    """Consecutive frames of one person through one network; remembers its state."""

    def __init__(self, module: IMUTwinTrans | Recurrent) -> None:
        self._module = module
        self._one_frame = (
            OneFrameOfRecurrent(module) if isinstance(module, Recurrent) else OneFrameOfIMUTwinTrans(module)
        )
        self._state: ArrayState = []

    def push(self, features: NDArray[np.float32], tracked: NDArray[np.float32]) -> _Opinion:
        """What the network says of the next n frames."""
        if len(features) == 1:
            prediction, self._state = self._one_frame(features[0], tracked[0], self._state)
        else:
            inputs = torch.from_numpy(features)[None], torch.from_numpy(tracked)[None]
            prediction, state = self._module(*inputs, [torch.from_numpy(past) for past in self._state])
            self._state = [past.numpy() for past in state]
        weights = prediction.weights.clamp(0.0, 1.0)
        return weights[0].numpy(), prediction.weights_log_std[0].numpy(), prediction.landmarks_log_std[0].numpy()


def tracked_channels(
    tracker: Tracker | None, mechanics: Mechanics | None, readings: NDArray[np.floating], present: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """What the network is told of the tracker (n, TRACKED); zeros without one."""
    channels = np.zeros((len(readings), TRACKED), np.float32)
    if tracker is not None and mechanics is not None:
        weights, deviations = tracker.push(readings, present)
        channels[:, :WEIGHTS] = np.clip(weights, -0.5, 1.5)
        channels[:, WEIGHTS : 2 * WEIGHTS] = mechanics.mean
        channels[:, 2 * WEIGHTS : 3 * WEIGHTS] = np.minimum(deviations / (mechanics.weights_std + 0.01), 1.5)
        channels[:, -1] = 1.0
    return channels


class FaceNetwork:
    """Features in, faces out; loaded from and saved to one file.

    Args:
        module: the network; switched to evaluation.
        statistics: of the training data.
        card: the model card: data, protocol, seed, figures. Plain JSON values.
        wearer: what is known about the person it was adapted to.
    """

    def __init__(
        self,
        module: IMUTwinTrans,
        statistics: Statistics,
        card: dict[str, Any],
        wearer: Wearer | None = None,
    ) -> None:
        self.module = module.eval()
        self.statistics = statistics
        self.card = card
        self.wearer = wearer

    @property
    def mechanics(self) -> Mechanics | None:
        """How the person's face moves their ears; None for a network that is nobody's."""
        return self.wearer.mechanics if self.wearer else None

    @property
    def face(self) -> PersonalFace | None:
        """The person's own landmarks; None for a network that is nobody's."""
        return self.wearer.face if self.wearer else None

    @property
    def profile(self) -> EarProfile | None:
        """What tells the person from others; None for a network that is nobody's."""
        return self.wearer.profile if self.wearer else None

    def stream(self) -> FaceStream:
        """A new stream of frames, with an empty memory."""
        return FaceStream(self)

    def with_scales(self, weights: float, landmarks: float, lost_ear: float = 1.0) -> FaceNetwork:
        """The same network with other factors on its standard deviations."""
        statistics = replace(self.statistics, weights_std_scale=weights, landmarks_std_scale=landmarks)
        statistics = replace(statistics, lost_ear_scale=lost_ear)
        return FaceNetwork(self.module, statistics, self.card, self.wearer)

    def save(self, path: Path) -> None:
        """Write the model file, and the model card beside it as ``<name>.json``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        statistics = {
            name: torch.from_numpy(value) if isinstance(value, np.ndarray) else float(value)
            for name, value in vars(self.statistics).items()
        }
        torch.save(
            {
                "format": _FORMAT,
                "version": _VERSION,
                "channels": list(CHANNELS),
                "config": asdict(self.module.config),
                # Half precision halves the file and changes no output that could be noticed.
                "state": {name: value.half() for name, value in self.module.state_dict().items()},
                "statistics": statistics,
                "card": json.dumps(self.card),
                "wearer": None if self.wearer is None else self.wearer.to_dict(),
            },
            path,
        )
        path.with_suffix(".json").write_text(json.dumps(self.card, indent=2) + "\n")

    @classmethod
    def load(cls, path: Path | str | None = None) -> FaceNetwork:
        """Load a model file; the shipped one without a path. Nothing in the file is executed.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is not a model, is damaged, or was made for other features.
        """
        path = Path(path) if path else SHIPPED
        if not path.is_file():
            raise FileNotFoundError(f"model file {path} does not exist; train one with `imuface train`")
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # on a damaged file the unpickler raises whatever it trips over
            raise ValueError(f"model file {path} is not a model of this program or is damaged") from error
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise ValueError(f"model file {path} is not a model of this program")
        again = "make it again with `imuface adapt` or `imuface train`"
        if content.get("version") != _VERSION:
            raise ValueError(f"model file {path} was made by another version of this program; {again}")
        if content.get("channels") != list(CHANNELS):
            raise ValueError(f"model file {path} was made for other features; {again}")
        try:
            module = IMUTwinTrans(NetworkConfig(**content["config"]))
            module.load_state_dict({name: value.float() for name, value in content["state"].items()})
            statistics = _statistics(content["statistics"])
            card = json.loads(content["card"])
            wearer = None if content["wearer"] is None else Wearer.from_dict(content["wearer"])
            healthy = all(bool(torch.isfinite(value).all()) for value in module.state_dict().values())
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise ValueError(f"model file {path} is damaged: {str(error).splitlines()[0]}") from error
        if not healthy:
            raise ValueError(f"model file {path} is damaged: it holds weights that are not finite")
        return cls(module, statistics, card, wearer)


def _statistics(content: dict[str, Any]) -> Statistics:
    arrays = {name: content[name].numpy().astype(np.float32) for name in ("weights", "weights_std", "landmarks_std")}
    expected = {"weights": WEIGHTS, "weights_std": WEIGHTS, "landmarks_std": LANDMARKS}
    if any(arrays[name].shape != (size,) or not np.isfinite(arrays[name]).all() for name, size in expected.items()):
        raise ValueError("the statistics have the wrong shape or are not finite")
    return Statistics(
        **arrays,
        weights_std_scale=float(content["weights_std_scale"]),
        landmarks_std_scale=float(content["landmarks_std_scale"]),
        lost_ear_scale=float(content["lost_ear_scale"]),
    )
