"""A person's ears as a linear system, learned from minutes of data, and the Kalman filter that sees through it."""

from face_recon_node.tracking.learning import facial_response, learn
from face_recon_node.tracking.mechanics import Mechanics
from face_recon_node.tracking.response import EarResponse
from face_recon_node.tracking.tracker import Tracker

__all__ = ["EarResponse", "Mechanics", "Tracker", "facial_response", "learn"]
