"""Set-up of every test: a ROS graph of its own, logs out of the way."""

from __future__ import annotations

import os
import tempfile

# A domain of this run's own, so that tests meet neither a running robot nor each other. Domains above 101 use ports
# that Linux hands out to anybody.
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ.setdefault("ROS_LOG_DIR", tempfile.mkdtemp(prefix="earnest-test-logs-"))

# ROS 2 from PyPI restarts Python at the first import to set its library path: better now than in mid-test.
import rclpy  # noqa: F401
