"""Copies of a person's data as it might have been: other seats of the earbuds, other faces on another head's sway.

What the face does to the readings is known (:mod:`face_recon_node.tracking.response`), so the rest, the head's motion
and the sensors' noise, can be laid under other faces of the same person, or under a head that nods and walks. Nothing
of it knows how a simulator moves ears.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from imuface_driver.protocol import STANDARD_GRAVITY
from imuface_driver.simulation.earphones import EAR_FROM_NECK, kinematics
from imuface_driver.simulation.head_motion import HeadMotion
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from face_recon_node.stream.alignment import RATE
from face_recon_node.stream.features import FeatureExtractor
from face_recon_node.tracking import EarResponse
from face_recon_node.training.stretch import Stretch

SEAT = 0.08
"""rad per axis: how differently an earbud is seated in a copy."""
GAIN = 0.12
"""Log-normal spread of how strongly it follows."""
POSTURE = 0.015
"""rad per axis: where the head was while the calibration averaged."""
LOST = 0.35
"""Share of the copies in which an ear is silent: for all of every other of them, else for a while."""
BIAS = 0.004
"""rad/s per axis: what a calibration gets wrong of a gyroscope's bias."""
SPEED, EXPRESSION = 0.15, 0.2
"""Log-normal spreads of how fast faces change in a remixed copy, and of how strong each action is."""
MOVING = {"": 0.5, "talking": 0.15, "nodding": 0.1, "walking": 0.25}
"""Shares of the remixed copies in which the head also moves so."""
_LEAD_IN = 10.0
"""s: a simulated walker stands still at first."""
_OVERSAMPLING = 4


def reseated(stretch: Stretch, rng: np.random.Generator) -> Stretch:
    """The stretch as other seats of the earbuds and another calibration would have measured it."""
    readings = stretch.readings.reshape(-1, 2, 2, 3).astype(np.float64)
    posture = rng.normal(0.0, POSTURE, 2)
    moved = np.empty_like(readings)
    for ear in range(2):
        seat = Rotation.from_rotvec(rng.normal(0.0, SEAT, 3)).as_matrix()
        moved[:, ear] = readings[:, ear] @ seat.T * np.exp(rng.normal(0.0, GAIN))
        tilt = posture + rng.normal(0.0, POSTURE / 3.0, 2)
        moved[:, ear, 0, :2] += np.array([-tilt[1], tilt[0]]) * STANDARD_GRAVITY
        moved[:, ear, 1] += rng.normal(0.0, BIAS, 3)
    present = stretch.present.copy()
    if rng.random() < LOST:
        a_while = slice(*np.sort(rng.integers(len(present), size=2)))
        present[slice(None) if rng.random() < 0.5 else a_while, rng.integers(2)] = False
    moved *= present[:, :, None, None]
    return _measured(stretch, moved.reshape(-1, 12), present)


def remix(stretch: Stretch, response: EarResponse, rng: np.random.Generator) -> list[Stretch]:
    """Two stretches with the faces of one half on the head's sway of the other, both varied; none with a lost ear."""
    if not stretch.present.all():
        return []
    rest = stretch.readings - response.readings(stretch.weights)
    cut = int(rng.integers(len(rest) // 4, 3 * len(rest) // 4 + 1))
    halves = [(stretch.weights[:cut], rest[cut:]), (stretch.weights[cut:], rest[:cut])]
    return [_remixed(stretch, faces, sway, response, rng) for faces, sway in halves if min(len(faces), len(sway)) > 1]


def _remixed(
    stretch: Stretch,
    faces: NDArray[np.float32],
    sway: NDArray[np.float32],
    response: EarResponse,
    rng: np.random.Generator,
) -> Stretch:
    at = np.arange(0.0, len(faces) - 1.0, np.exp(rng.normal(0.0, SPEED)))[: len(sway)]
    before = at.astype(int)
    share = (at - before)[:, None]
    weights = (1.0 - share) * faces[before] + share * faces[before + 1]
    weights = np.clip(weights * np.exp(rng.normal(0.0, EXPRESSION, weights.shape[1])), 0.0, 1.0).astype(np.float32)
    readings = sway[: len(weights)] + response.readings(weights)
    activity = str(rng.choice(list(MOVING), p=list(MOVING.values())))
    if activity:
        readings = readings + _head_motion(activity, len(weights), _turn_between_ears(sway), rng)
    part = stretch[: len(weights)]
    return _measured(replace(part, weights=weights, landmarks=None), readings, part.present)


def _head_motion(activity: str, count: int, turn: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """What ``count`` frames (count, 12) of a moving head add to the readings of both ears."""
    rate = _OVERSAMPLING * RATE
    times = _LEAD_IN + np.arange(_OVERSAMPLING * count + 2) / rate
    orientation, position = HeadMotion.random(activity, rng).at(times)
    ears = []
    for side, yaw in ((1.0, 0.0), (-1.0, -turn)):
        lever = EAR_FROM_NECK * np.array([1.0, side, 1.0])
        motion = kinematics(orientation, position + orientation.apply(lever), rate)
        motion[:, 2] -= STANDARD_GRAVITY
        motion = motion.reshape(count, _OVERSAMPLING, 6).mean(axis=1)
        turned = Rotation.from_rotvec([0.0, 0.0, yaw])
        ears.append(np.concatenate((turned.apply(motion[:, :3]), turned.apply(motion[:, 3:])), axis=1))
    return np.concatenate(ears, axis=1)


def _turn_between_ears(sway: NDArray[np.float32]) -> float:
    """Angle in rad about the vertical that takes the right ear's axes to the left one's.

    The calibration leaves it open; the head's own turns, which both ears share, show it (Kabsch, in the plane).
    """
    (left_x, left_y), (right_x, right_y) = sway[:, 3:5].T, sway[:, 9:11].T
    return float(np.arctan2((right_x * left_y - right_y * left_x).sum(), (left_x * right_x + left_y * right_y).sum()))


def _measured(stretch: Stretch, readings: NDArray[np.floating], present: NDArray[np.bool_]) -> Stretch:
    """The stretch with other readings, and their features."""
    features = FeatureExtractor().push(readings.reshape(-1, 2, 6).astype(np.float64), present)
    return replace(stretch, readings=readings.astype(np.float32), present=present, features=features)
