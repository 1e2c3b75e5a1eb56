"""Set-up of every test: one thread for arithmetic, a ROS graph of its own, logs out of the way."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

# Threads for arithmetic this small wait for each other, on a busy machine for minutes.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import pytest

# ROS 2 from PyPI restarts Python at its first import to set the library path: better now than in mid-test.
import rclpy  # noqa: F401
from hypothesis import settings

# A busy machine may take a second over what takes a millisecond.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# A domain of this run's own, so that tests meet neither a running robot nor each other. Domains above 101 use ports
# that Linux hands out to anybody.
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["ROS_LOG_DIR"] = tempfile.mkdtemp(prefix="earnest-test-logs-")
atexit.register(shutil.rmtree, os.environ["ROS_LOG_DIR"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real processes over DDS on a busy machine lose a datagram or a second now and then: such a test has two tries.

    The summary counts those that needed the second one.
    """
    for item in items:
        if item.get_closest_marker("graph") or item.get_closest_marker("timing"):
            item.add_marker(pytest.mark.flaky(reruns=1))
