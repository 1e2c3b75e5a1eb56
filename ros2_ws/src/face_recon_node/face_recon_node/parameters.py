"""Parameters that the nodes of this package share; imports no model."""

from __future__ import annotations

import math

from imuface_node import AutostartNode, Param

from face_recon_node.head import HeadModel, Identity

HEAD_PARAMETERS = (
    Param("head", "", "file with the head model; empty: the shipped one (docs/head-model.md)"),
    Param(
        "identity.age",
        math.nan,
        "0 toddler, 1/3 child, 2/3 young adult, 1 old; nan: the head model's default",
        within=(0, 1),
    ),
    Param("identity.gender", math.nan, "0 male, 1 female; nan: the head model's default", within=(0, 1)),
    Param("identity.weight", math.nan, "0 lean, 1 heavy; nan: the head model's default", within=(0, 1)),
)


def load_head(node: AutostartNode) -> HeadModel:
    """The head model of a node's :data:`HEAD_PARAMETERS`.

    Raises:
        ValueError: the file is not a head model.
    """
    identity = Identity(*(node.get_parameter(f"identity.{axis}").value for axis in ("age", "gender", "weight")))
    return HeadModel.load(node.get_parameter("head").value or None).with_identity(identity)
