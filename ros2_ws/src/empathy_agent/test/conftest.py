"""What the tests of the agent share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from empathy_agent.models import TEST_MODEL, ModelError, Store

# `chat_server` stands beside the tests; importlib import mode does not put this folder on the path.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def small_model() -> Path:
    """The file of the small real model, fetched on first use."""
    try:
        return Store().get(TEST_MODEL)
    except ModelError as error:
        pytest.skip(f"the small model cannot be fetched: {error}")
