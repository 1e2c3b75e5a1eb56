"""The environment that ROS 2 from PyPI needs, and that an installation of ROS 2 already has."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from imuface_bringup.launch_file import packages

# Set by the PyPI wheels in a process that has found its shared libraries. A child that inherits it does not look for
# its own, and fails if it runs in another Python environment.
_BOOTSTRAP_MARK = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"


def complete(environment: MutableMapping[str, str] = os.environ) -> None:
    """Add the variables that are missing. To be called before rclpy is imported.

    ``AMENT_PREFIX_PATH`` becomes this Python's prefix, discovery stays on this machine, the logs get a folder where
    there is no home, and the DDS settings are Earnest's.
    """
    environment.setdefault("AMENT_PREFIX_PATH", sys.prefix)
    environment.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    if not environment.get("HOME"):
        environment.setdefault("ROS_LOG_DIR", str(Path(tempfile.gettempdir()) / f"ros_log_{os.getuid()}"))
    profiles = share() / "launch" / "fastdds.xml"
    if profiles.is_file():
        environment.setdefault("FASTDDS_DEFAULT_PROFILES_FILE", str(profiles))


def of_child(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment for a node: completed, with ``changes``, and its output unbuffered."""
    environment = dict(os.environ)
    environment.pop(_BOOTSTRAP_MARK, None)
    complete(environment)
    environment["PYTHONUNBUFFERED"] = "1"
    environment.setdefault("RCUTILS_CONSOLE_OUTPUT_FORMAT", "[{severity}] {message}")
    return {**environment, **changes}


def share() -> Path:
    """The share folder of this package, which holds ``launch/`` and ``rviz/``."""
    return packages.share_directory("imuface_bringup")
