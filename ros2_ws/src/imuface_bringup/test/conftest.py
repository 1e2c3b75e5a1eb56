"""Recorded sessions of simulated ears for the tests."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from face_recon_node.head import HeadModel
from imuface_core.recording import LandmarkTrack, Recording
from imuface_core.session import write_session
from imuface_simulation import Participant, Performance, simulate


@pytest.fixture(scope="session")
def recording() -> Recording:
    """Eight seconds of a simulated person, with the true landmarks."""
    seconds, start_ns = 8.0, 1_700_000_000_000_000_000
    simulated = simulate(Performance.natural(1, seconds), Participant.random(1), seconds, start_ns=start_ns)
    assert simulated.blendshapes is not None
    points = HeadModel.load().landmarks(simulated.blendshapes.weights)
    return dataclasses.replace(simulated, landmarks=LandmarkTrack(simulated.blendshapes.stamps, points))


@pytest.fixture
def bag(tmp_path: Path, recording: Recording) -> Path:
    """The recording as a bag."""
    path = tmp_path / "bag"
    write_session(path, recording)
    return path
