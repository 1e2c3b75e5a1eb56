"""Models as files: one with what was learned, and the model card beside it for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_recon_node.head.personal import PersonalFace
from face_recon_node.models.catalogue import model_type
from face_recon_node.models.fitting import finite_arrays
from face_recon_node.models.model import WEIGHTS, FaceModel
from face_recon_node.stream.profile import EarProfile

SHIPPED = Path(__file__).parent / "signature" / "weights" / "signature.npz"
"""The model for people of whom nothing is known but the neutral calibration."""
_FORMAT, _VERSION = "earnest-face-model", 2
_FACE = {"neutral": (51, 3), "deltas": (WEIGHTS, 51, 3)}
_HEADER = "header"
_FORMER = "data.pkl"
"""End of a name in the files of before, which were PyTorch's."""
_AGAIN = "make it again with `imuface adapt` or `imuface train`"


def save(model: FaceModel, path: Path) -> None:
    """Write the model file, and the model card beside it as ``<stem>.card.json``.

    It is an archive of NumPy's: the header, which is JSON in bytes, the model's arrays, and those of the person's face.
    """
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "model": model.name,
        "card": model.card,
        "personal": model.face is not None,
        "profile": None if model.profile is None else model.profile.to_dict(),
    }
    content: dict[str, Any] = {_HEADER: np.frombuffer(json.dumps(header).encode(), np.uint8)}
    content |= {f"model.{name}": array for name, array in model.to_arrays().items()}
    if model.face is not None:
        content |= {f"face.{name}": getattr(model.face, name) for name in _FACE}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:  # by its name alone, .npz would be added to it
        np.savez_compressed(stream, **content)
    path.with_suffix(".card.json").write_text(json.dumps(model.card, indent=2) + "\n")


def load(path: Path | str | None = None) -> FaceModel:
    """Read a model file; the shipped one without a path. Nothing in the file is executed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a model, is damaged, or was made by another version.
        ImportError: its model needs a library that is not installed.
    """
    path = Path(path) if path else SHIPPED
    if not path.is_file():
        raise FileNotFoundError(f"model file {path} does not exist; {_AGAIN}")
    try:
        with np.load(path, allow_pickle=False) as archive:
            former = any(name.endswith(_FORMER) for name in archive.files)
            content = {} if former else dict(archive)
    except Exception as error:  # on a damaged archive its reader raises whatever it trips over
        raise ValueError(f"model file {path} is not a model of this program or is damaged; {_AGAIN}") from error
    try:
        if former:
            raise ValueError("it was made by an earlier version of this program")
        return _model(content)
    except ValueError as error:
        raise ValueError(f"model file {path} cannot be used: {error}; {_AGAIN}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"model file {path} is damaged: {error!r}; {_AGAIN}") from error


def _model(content: Mapping[str, NDArray[Any]]) -> FaceModel:
    """The model that the content of a file stands for."""
    header = json.loads(content[_HEADER].tobytes()) if _HEADER in content else None
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise ValueError("it is not a model of this program")
    if header.get("version") != _VERSION:
        raise ValueError("it was made by another version of this program")
    model = model_type(str(header["model"])).from_arrays(_part(content, "model."))
    model.card = {**header["card"]}
    if header["personal"]:
        model.face = PersonalFace(*finite_arrays(_part(content, "face."), _FACE))
    if header["profile"] is not None:
        model.profile = EarProfile.from_dict(header["profile"])
    return model


def _part(content: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in content.items() if name.startswith(prefix)}
