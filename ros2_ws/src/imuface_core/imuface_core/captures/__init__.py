"""Faces that other programs captured: files in, ARKit weights over time out."""

from imuface_core.captures.capture import Capture
from imuface_core.captures.reader import KINDS, read_capture

__all__ = ["KINDS", "Capture", "read_capture"]
