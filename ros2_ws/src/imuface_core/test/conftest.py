"""A recording of random numbers for the tests."""

from __future__ import annotations

import numpy as np
import pytest
from imuface_core.recording import BlendshapeTrack, ImuTrack, LandmarkTrack, Recording

START_NS = 1_700_000_000_123_456_789


def imu_track(seed: int, samples: int = 90) -> ImuTrack:
    generator = np.random.default_rng(seed)
    stamps = START_NS + seed * 7_000_000 + np.arange(samples, dtype=np.int64) * 33_333_333
    return ImuTrack(stamps, generator.normal(size=(samples, 3)), generator.normal(size=(samples, 3)))


@pytest.fixture
def recording() -> Recording:
    generator = np.random.default_rng(3)
    left = imu_track(1)
    return Recording(
        left=left,
        right=imu_track(2, 80),
        blendshapes=BlendshapeTrack(left.stamps, generator.random((90, 52), dtype=np.float32)),
        landmarks=LandmarkTrack(left.stamps, generator.random((90, 51, 3), dtype=np.float32)),
    )
