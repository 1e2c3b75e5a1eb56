"""Interpreter of the declarative ROS 2 launch files (YAML frontend), for machines without ``ros2 launch``.

It knows the subset of the frontend that Earnest's launch files use and refuses everything else, so that a file that
runs here means the same under ``ros2 launch`` (Jazzy and later). Free of ROS: it yields a plan of processes, which
:mod:`imuface_bringup.process` runs.
"""

from imuface_bringup.launch_file.errors import LaunchFileError
from imuface_bringup.launch_file.interpreter import Argument, Plan, declared_arguments, plan
from imuface_bringup.launch_file.node import NodeProcess

__all__ = ["Argument", "LaunchFileError", "NodeProcess", "Plan", "declared_arguments", "plan"]
