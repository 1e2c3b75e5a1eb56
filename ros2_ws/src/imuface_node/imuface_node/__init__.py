"""The autostarting lifecycle node that every Earnest node is built on."""

from imuface_node.autostart_node import AutostartNode, Status, StatusLevel, arrived, main

__all__ = ["AutostartNode", "Status", "StatusLevel", "arrived", "main"]
