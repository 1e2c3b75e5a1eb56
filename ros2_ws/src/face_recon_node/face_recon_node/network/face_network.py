"""A trained IMUTwinTrans with what is needed to use it, in one file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from face_recon_node.network.imu_twin_trans import LANDMARKS, WEIGHTS, IMUTwinTrans, NetworkConfig, State
from face_recon_node.stream.features import CHANNELS

SHIPPED = Path(__file__).parent / "weights" / "imu_twin_trans.pt"
_FORMAT = "earnest-imu-twin-trans"
_VERSION = 1


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


class FaceNetwork:
    """Features in, faces out; loaded from and saved to one file.

    Args:
        module: the network; switched to evaluation.
        statistics: of the training data.
        card: the model card: data, protocol, seed, figures. Plain JSON values.
    """

    def __init__(self, module: IMUTwinTrans, statistics: Statistics, card: dict[str, Any]) -> None:
        self.module = module.eval()
        self.statistics = statistics
        self.card = card

    @torch.inference_mode()
    def predict(self, features: NDArray[np.float32], state: State) -> tuple[FacePrediction, State]:
        """Predict the faces of the next n frames from their features (n, channels).

        Args:
            features: of consecutive frames.
            state: what the previous call returned; the empty list at the start.
        """
        prediction, state = self.module(torch.from_numpy(features)[None], state)
        statistics = self.statistics
        return (
            FacePrediction(
                prediction.weights[0].numpy(),
                (prediction.weights_log_std[0].exp() * statistics.weights_std_scale).numpy(),
                (prediction.landmarks_log_std[0].exp() * (1e-3 * statistics.landmarks_std_scale)).numpy(),
            ),
            state,
        )

    def with_scales(self, weights: float, landmarks: float) -> FaceNetwork:
        """The same network with other factors on its standard deviations."""
        statistics = replace(self.statistics, weights_std_scale=weights, landmarks_std_scale=landmarks)
        return FaceNetwork(self.module, statistics, self.card)

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
        if content.get("version") != _VERSION or content.get("channels") != list(CHANNELS):
            raise ValueError(f"model file {path} was made for other features; train it again with `imuface train`")
        try:
            module = IMUTwinTrans(NetworkConfig(**content["config"]))
            module.load_state_dict({name: value.float() for name, value in content["state"].items()})
            statistics = _statistics(content["statistics"])
            card = json.loads(content["card"])
            healthy = all(bool(torch.isfinite(value).all()) for value in module.state_dict().values())
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise ValueError(f"model file {path} is damaged: {str(error).splitlines()[0]}") from error
        if not healthy:
            raise ValueError(f"model file {path} is damaged: it holds weights that are not finite")
        return cls(module, statistics, card)


def _statistics(content: dict[str, Any]) -> Statistics:
    arrays = {name: content[name].numpy().astype(np.float32) for name in ("weights", "weights_std", "landmarks_std")}
    expected = {"weights": WEIGHTS, "weights_std": WEIGHTS, "landmarks_std": LANDMARKS}
    if any(arrays[name].shape != (size,) or not np.isfinite(arrays[name]).all() for name, size in expected.items()):
        raise ValueError("the statistics have the wrong shape or are not finite")
    return Statistics(
        **arrays,
        weights_std_scale=float(content["weights_std_scale"]),
        landmarks_std_scale=float(content["landmarks_std_scale"]),
    )
