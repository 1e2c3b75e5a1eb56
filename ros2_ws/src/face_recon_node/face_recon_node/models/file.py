"""Models as files: one with what was learned, and the model card beside it for people."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from face_recon_node.head.personal import PersonalFace
from face_recon_node.models.catalogue import MODELS
from face_recon_node.models.fitting import finite_arrays
from face_recon_node.models.model import WEIGHTS, FaceModel
from face_recon_node.stream.profile import EarProfile

SHIPPED = Path(__file__).parent / "signature" / "weights" / "signature.pt"
"""The model for people of whom nothing is known but the neutral calibration."""
_FORMAT, _FORMER = "earnest-face-model", "earnest-imu-twin-trans"
_VERSION = 1
_FACE = {"neutral": (51, 3), "deltas": (WEIGHTS, 51, 3)}
_AGAIN = "make it again with `imuface adapt` or `imuface train`"


def save(model: FaceModel, path: Path) -> None:
    """Write the model file, and the model card beside it as ``<stem>.card.json``."""
    card = json.dumps(model.card, indent=2)
    face = None if model.face is None else {name: getattr(model.face, name) for name in _FACE}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            "format": _FORMAT,
            "version": _VERSION,
            "model": model.name,
            "arrays": _tensors(model.to_arrays()),
            "card": card,
            "face": face and _tensors(face),
            "profile": None if model.profile is None else model.profile.to_dict(),
        },
        path,
    )
    path.with_suffix(".card.json").write_text(card + "\n")


def load(path: Path | str | None = None) -> FaceModel:
    """Read a model file; the shipped one without a path. Nothing in the file is executed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a model, is damaged, or was made by another version.
    """
    path = Path(path) if path else SHIPPED
    if not path.is_file():
        raise FileNotFoundError(f"model file {path} does not exist; {_AGAIN}")
    data = io.BytesIO(path.read_bytes())
    try:
        content = torch.load(data, map_location="cpu", weights_only=True)
    except Exception as error:  # on a damaged file the unpickler raises whatever it trips over
        raise ValueError(f"model file {path} is not a model of this program or is damaged; {_AGAIN}") from error
    try:
        return _model(content)
    except ValueError as error:
        raise ValueError(f"model file {path} cannot be used: {error}; {_AGAIN}") from error
    except (AttributeError, KeyError, RuntimeError, TypeError) as error:
        raise ValueError(f"model file {path} is damaged: {error!r}; {_AGAIN}") from error


def _model(content: Any) -> FaceModel:
    """The model that the content of a file stands for."""
    header = [str(content.get(key)) for key in ("format", "version", "model")] if isinstance(content, dict) else [""]
    if header[0] not in (_FORMAT, _FORMER):
        raise ValueError("it is not a model of this program")
    if header[:2] != [_FORMAT, str(_VERSION)]:
        raise ValueError("it was made by another version of this program")
    if header[2] not in MODELS:
        raise ValueError(f"there is no model '{header[2]}', only {', '.join(MODELS)}")
    model = MODELS[header[2]].from_arrays(_arrays(content["arrays"]))
    model.card = {**json.loads(content["card"])}
    if content["face"] is not None:
        model.face = PersonalFace(*finite_arrays(_arrays(content["face"]), _FACE))
    if content["profile"] is not None:
        model.profile = EarProfile.from_dict(content["profile"])
    return model


def _tensors(arrays: Mapping[str, NDArray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(array, order="C")) for name, array in arrays.items()}


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, NDArray]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}
