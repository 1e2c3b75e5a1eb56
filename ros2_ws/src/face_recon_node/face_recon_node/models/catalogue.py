"""The models by the names they have in commands, in the study and in model files."""

from __future__ import annotations

import importlib

from imuface_core import extras

from face_recon_node.models.model import FaceModel

NAMES = {
    "mean": "constant face, mean",
    "median": "constant face, median",
    "ridge": "ridge regression",
    "lstm": "LSTM",
    "imu_twin_trans": "IMUTwinTrans, paper's recipe",
    "signature": "signature model",
}
"""For people."""
_PLACES = {
    "mean": ("constant", "MeanFace"),
    "median": ("constant", "MedianFace"),
    "ridge": ("ridge", "RidgeRegression"),
    "lstm": ("lstm", "Lstm"),
    "imu_twin_trans": ("imu_twin_trans", "IMUTwinTrans"),
    "signature": ("signature.model", "SignatureModel"),
}
"""Module and class: only who asks for a model of PyTorch needs PyTorch."""


def model_type(name: str) -> type[FaceModel]:
    """The class of a model by its name.

    Raises:
        ValueError: there is no such model.
        ImportError: it needs a library that is not installed; says how to get it.
    """
    if name not in NAMES:
        raise ValueError(f"there is no model '{name}'; there are {', '.join(NAMES)}")
    module, kind = _PLACES[name]
    with extras.explained():
        found: type[FaceModel] = getattr(importlib.import_module(f"face_recon_node.models.{module}"), kind)
    return found


def choose(name: str) -> FaceModel:
    """An unfitted model by its name; raises as :func:`model_type` does."""
    return model_type(name)()
