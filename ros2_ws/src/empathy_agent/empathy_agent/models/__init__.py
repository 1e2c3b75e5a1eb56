"""Language models by name: what is known about each, and the files on this machine."""

from empathy_agent.models.catalogue import BASE_MODEL, DEFAULT_MODEL, TEST_MODEL, Model, load_catalogue
from empathy_agent.models.store import ModelError, Store

__all__ = ["BASE_MODEL", "DEFAULT_MODEL", "TEST_MODEL", "Model", "ModelError", "Store", "load_catalogue"]
