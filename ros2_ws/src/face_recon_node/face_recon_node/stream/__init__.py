"""Streaming reconstruction without ROS: time alignment, calibration, features, frames."""

from face_recon_node.stream.reconstructor import FaceFrame, Reconstructor, ReconstructorSettings

__all__ = ["FaceFrame", "Reconstructor", "ReconstructorSettings"]
