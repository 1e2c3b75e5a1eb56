#!/usr/bin/env bash
# rclpy: one line of a program may log at one severity only; the same call with another severity raises.
#
# Versions: ros-kilted-rclpy 9.1.2, ros-kilted-rmw-fastrtps-cpp 9.3.3, CPython 3.11.
# Expected: logger.log(message, severity) takes the severity as an argument, as the logging module of Python does; so one
#   line can hand on records of any level: a bridge from logging, a driver that reports each state at its level.
# Seen: the logger remembers file, line and function of the caller with the severity of the first call. A second call from
#   there with another one raises ValueError ("Logger severity cannot be changed between calls."): the program that warned
#   well for hours ends when the same line first says that all is well. The same two calls on two lines are fine. So give
#   each severity a line of its own.
# Fails when: the second call from one line no longer raises, or the two calls on two lines do.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ros-kilted-rclpy==9.1.2 ros-kilted-rmw-fastrtps-cpp==9.3.3
cat > "$folder/say.py" <<'PYTHON'
from rclpy.logging import LoggingSeverity, get_logger

logger = get_logger("driver")
logger.log("two lines: searching", LoggingSeverity.WARN)
logger.log("two lines: found", LoggingSeverity.INFO)
try:
    for message, severity in (("searching", LoggingSeverity.WARN), ("found", LoggingSeverity.INFO)):
        logger.log(f"one line: {message}", severity)
except ValueError as error:
    print(f"the second call from one line raised {error!r}")
else:
    raise SystemExit("the second call from one line is taken now")
PYTHON
"$folder/venv/bin/python" "$folder/say.py"
