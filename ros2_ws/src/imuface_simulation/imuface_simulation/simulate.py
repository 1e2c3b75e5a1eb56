"""Whole simulated sessions at once, for training and tests."""

from __future__ import annotations

from os import PathLike

import numpy as np
from imuface_core.earphone import ACCELERATION_PER_LSB, ANGULAR_VELOCITY_PER_LSB, EARS, Ear
from imuface_core.recording import BlendshapeTrack, ImuTrack, Recording

from imuface_simulation.earphones import Block, SimulatedEarphones
from imuface_simulation.participant import Participant
from imuface_simulation.performance import Performance

BLOCK = 20.0  # s


def simulate(
    performance: Performance,
    participant: Participant,
    duration: float,
    *,
    rate: float = 30.0,
    seed: int = 0,
    activity: str = "still",
    start_ns: int = 0,
    mount_seed: int | None = None,
    motion: str | PathLike[str] | None = None,
) -> Recording:
    """The first ``duration`` seconds of :class:`SimulatedEarphones` with true stamps, as a perfect clock fit gives.

    The stamps of the true blendshapes are those of the left ear. Raises ``ValueError`` for an impossible duration,
    rate, activity or recording of motion, ``OSError`` when the latter cannot be read.
    """
    if not duration > 0.0:
        raise ValueError(f"duration is {duration} s, must be positive")
    collected: dict[Ear, list[Block]] = {ear: [] for ear in EARS}
    earphones = SimulatedEarphones(performance, participant, rate, seed, activity, mount_seed=mount_seed, motion=motion)
    for blocks in earphones.blocks(BLOCK):
        for ear, block in blocks.items():
            collected[ear].append(block)
        if all(len(block.times) and block.times[-1] >= duration for block in blocks.values()):
            break
    tracks = {}
    for ear, parts in collected.items():
        times = np.concatenate([part.times for part in parts])
        raw = np.concatenate([part.raw for part in parts])[times < duration]
        tracks[ear] = ImuTrack(
            stamps=start_ns + np.rint(times[times < duration] * 1e9).astype(np.int64),
            acceleration=raw[:, :3] * ACCELERATION_PER_LSB,
            angular_velocity=raw[:, 3:] * ANGULAR_VELOCITY_PER_LSB,
        )
    stamps = tracks["left"].stamps
    truth = BlendshapeTrack(stamps, performance.weights((stamps - start_ns) * 1e-9))
    return Recording(tracks["left"], tracks["right"], truth)
