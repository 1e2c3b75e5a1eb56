"""Parameters that the nodes of this package share; imports no model."""

from __future__ import annotations

import math
from typing import Any

from imuface_node import AutostartNode
from rcl_interfaces.msg import ParameterDescriptor

from face_recon_node.head import HeadModel, Identity

HEAD_PARAMETERS: dict[str, tuple[Any, str]] = {
    "head": ("", "file with the head model; empty: the shipped one (docs/head-model.md)"),
    "identity.age": (math.nan, "0 toddler, 1/3 child, 2/3 young adult, 1 old; NaN: the head model's default"),
    "identity.gender": (math.nan, "0 male, 1 female; NaN: the head model's default"),
    "identity.weight": (math.nan, "0 lean, 1 heavy; NaN: the head model's default"),
}


def declare(node: AutostartNode, parameters: dict[str, tuple[Any, str]]) -> None:
    """Declare parameters with their defaults and descriptions."""
    for name, (default, description) in parameters.items():
        node.declare_parameter(name, default, ParameterDescriptor(description=description))


def load_head(node: AutostartNode) -> HeadModel:
    """The head model of a node's :data:`HEAD_PARAMETERS`.

    Raises:
        ValueError: the file is not a head model, or the identity is out of range.
    """
    identity = Identity(*(node.get_parameter(f"identity.{axis}").value for axis in ("age", "gender", "weight")))
    return HeadModel.load(node.get_parameter("head").value or None).with_identity(identity)
