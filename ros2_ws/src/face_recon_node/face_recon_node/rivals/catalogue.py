"""The rivals by the names they have in the table."""

from __future__ import annotations

from collections.abc import Callable

from face_recon_node.rivals.cnn import convolutional
from face_recon_node.rivals.constant import ConstantFace, MeanFace
from face_recon_node.rivals.lstm import recurrent
from face_recon_node.rivals.person import Rival
from face_recon_node.rivals.ridge import RidgeRegression
from face_recon_node.rivals.transformers import frequency_transformer, paper_recipe, time_transformer

RIVALS: dict[str, Callable[[], Rival]] = {
    "mean": MeanFace,
    "constant": ConstantFace,
    "ridge": RidgeRegression,
    "cnn": convolutional,
    "lstm": recurrent,
    "time": time_transformer,
    "frequency": frequency_transformer,
    "paper": paper_recipe,
}
