"""The frames (:mod:`imuface_core.frames`) of the person whom a node serves."""

from __future__ import annotations

from imuface_core.frames import Frames, frames_of
from rclpy.node import Node

from imuface_node.parameters import Param

PERSON_ID = Param(
    "person_id", "", "the person's id in frames, as in face_ID (REP-155); empty: the namespace, and none in /imuface"
)


def frames_of_node(node: Node) -> Frames:
    """The frames of a node that has the parameter :data:`PERSON_ID`. Raises ``ValueError`` as :func:`frames_of`."""
    return frames_of(node.get_parameter(PERSON_ID.name).value or node.get_namespace())
