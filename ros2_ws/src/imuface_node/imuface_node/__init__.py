"""The autostarting lifecycle node that every Earnest node is built on."""

from imuface_node.autostart_node import AutostartNode, Status, StatusLevel, arrived, main
from imuface_node.client import GraphClient
from imuface_node.frames import PERSON_ID, frames_of_node
from imuface_node.parameters import CLEAN_UP_FIRST, MANY, Param
from imuface_node.wire import message_class, offered, qos

__all__ = [
    "CLEAN_UP_FIRST",
    "MANY",
    "PERSON_ID",
    "AutostartNode",
    "GraphClient",
    "Param",
    "Status",
    "StatusLevel",
    "arrived",
    "frames_of_node",
    "main",
    "message_class",
    "offered",
    "qos",
]
