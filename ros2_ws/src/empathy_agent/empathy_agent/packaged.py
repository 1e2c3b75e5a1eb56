"""Reads the data files of this package."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

# libyaml's parser is ten to thirty times as fast, which is a second of every start; a PyYAML built without it lacks it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(name: str) -> Any:
    """What a YAML file of the package holds; ``name`` is its path inside, with slashes."""
    return yaml.load(resources.files("empathy_agent").joinpath(name).read_text(encoding="utf-8"), _LOADER)
