"""What the tests of several packages need."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from face_recon_node.models.signature.model import SignatureModel

# A scripted server and examples stand beside the tests; importlib import mode does not put these folders on the path.
PACKAGES = ("empathy_agent", "empathy_training", "imuface_driver", "imuface_robot")
sys.path[:0] = [str(Path(__file__).parent / package / "test") for package in PACKAGES]


@pytest.fixture(scope="session")
def small_model() -> Path:
    """The file of the small real language model, fetched on first use."""
    from empathy_agent.models import TEST_MODEL, ModelError, Store

    try:
        return Store().get(TEST_MODEL)
    except ModelError as error:
        pytest.skip(f"the small model cannot be fetched: {error}")


def _untrained() -> SignatureModel:
    from face_recon_node.models.signature.bands import AXES, BANDS
    from face_recon_node.models.signature.model import Confidence, SignatureModel
    from face_recon_node.models.signature.network import SHAPES, WIDTH, SignatureNetwork
    from face_recon_node.models.signature.signatures import WEIGHTS, Population

    rng, bands = np.random.default_rng(0), len(BANDS)
    faces, axes = (np.tile(np.eye(size), (bands, 1, 1)) for size in (WEIGHTS, AXES))
    response = rng.normal(0.0, 0.1, (bands, AXES, WEIGHTS))
    population = Population(response, faces, faces, axes, np.full(WEIGHTS, 0.1), np.full(WEIGHTS, 0.2))
    weights = {name: rng.uniform(-1.0, 1.0, shape) / np.sqrt(WIDTH) for name, shape in SHAPES.items()}
    return SignatureModel(SignatureNetwork(weights), population, Confidence.untold())


@pytest.fixture
def untrained() -> SignatureModel:
    """A signature model of a population that was made up, with a network that has learned nothing."""
    return _untrained()


@pytest.fixture(scope="session")
def untrained_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model's file."""
    from face_recon_node.models.file import save

    path = tmp_path_factory.mktemp("model") / "untrained.npz"
    save(_untrained(), path)
    return path
