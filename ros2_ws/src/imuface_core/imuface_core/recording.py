"""What was measured and, where known, the face behind it: passed between simulation, session files and training.

Stamps are ROS time in nanoseconds, strictly increasing within a track.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ImuTrack:
    """One earphone's IMU."""

    stamps: NDArray[np.int64]  # (N,) ns, sampling times
    acceleration: NDArray[np.float64]  # (N, 3) m/s², IMU frame, +g on the upward axis at rest (REP-145)
    angular_velocity: NDArray[np.float64]  # (N, 3) rad/s, IMU frame


@dataclass(frozen=True)
class BlendshapeTrack:
    """True facial action weights."""

    stamps: NDArray[np.int64]  # (N,) ns
    weights: NDArray[np.float32]  # (N, 52), 0..1, order of imuface_core.arkit


@dataclass(frozen=True)
class LandmarkTrack:
    """51 facial landmarks, order of ``imuface_interfaces/FacialLandmarks``."""

    stamps: NDArray[np.int64]  # (N,) ns
    points: NDArray[np.float32]  # (N, 51, 3) m, face frame


@dataclass(frozen=True)
class Recording:
    """One session. A track is None when it was not recorded."""

    left: ImuTrack | None
    right: ImuTrack | None
    blendshapes: BlendshapeTrack | None = None
    landmarks: LandmarkTrack | None = None
