"""The models by the names they have in commands, in the study and in model files."""

from __future__ import annotations

from face_recon_node.models.constant import MeanFace, MedianFace
from face_recon_node.models.imu_twin_trans import IMUTwinTrans
from face_recon_node.models.lstm import Lstm
from face_recon_node.models.model import FaceModel
from face_recon_node.models.ridge import RidgeRegression
from face_recon_node.models.signature.model import SignatureModel

_ALL: tuple[type[FaceModel], ...] = (MeanFace, MedianFace, RidgeRegression, Lstm, IMUTwinTrans, SignatureModel)
MODELS = {model.name: model for model in _ALL}
NAMES = {
    "mean": "constant face, mean",
    "median": "constant face, median",
    "ridge": "ridge regression",
    "lstm": "LSTM",
    "imu_twin_trans": "IMUTwinTrans, paper's recipe",
    "signature": "signature model",
}
"""For people."""


def choose(name: str) -> FaceModel:
    """An unfitted model by its name.

    Raises:
        ValueError: there is no such model.
    """
    if name not in MODELS:
        raise ValueError(f"there is no model '{name}'; there are {', '.join(MODELS)}")
    return MODELS[name]()
