"""The head model: 52 facial actions and an identity in, 51 landmarks and a mesh out."""

from face_recon_node.head.model import HeadModel, HeadModelError, Identity

__all__ = ["HeadModel", "HeadModelError", "Identity"]
