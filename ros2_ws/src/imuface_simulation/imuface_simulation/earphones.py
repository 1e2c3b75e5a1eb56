"""Two simulated earphones on a moving head: yields device samples as the firmware would send them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from os import PathLike
from typing import NamedTuple

import numpy as np
from imuface_core.earphone import EARS, SEQUENCE_PERIOD, STANDARD_GRAVITY, DeviceSample, Ear
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from imuface_simulation.device import MAX_SAMPLING_JITTER, Crystal, Lsm6ds3trc
from imuface_simulation.habits import Habits
from imuface_simulation.head_motion import HeadMotion
from imuface_simulation.mechanics import MIRROR_TRANSLATION, EarMotion
from imuface_simulation.mounting import Mounting
from imuface_simulation.participant import Participant
from imuface_simulation.performance import Performance

MIN_RATE, MAX_RATE = 10.0, 208.0  # Hz
# The mechanics are computed at OVERSAMPLING times the IMU's rate, and fast enough for a heel strike.
OVERSAMPLING = 4
MIN_MECHANICS_RATE = 120.0  # Hz
LIVE_BLOCK = 1.0  # s computed at once
RECORDED = "recorded"  # activity of a head that moves as in a file

# Left ear, head axes. The head turns about the upper neck; the bud turns about the first bend of the canal.
EAR_FROM_NECK = np.array([0.02, 0.075, 0.06])  # m
IMU_FROM_CANAL = np.array([0.002, 0.014, 0.003])  # m
LONGEST_WORN = 600.0  # s
# A bud is mirrored by turning its board half round about the vertical: x forward and y out of the left ear become
# x backward and y out of the right ear. The board leans as the canal does.
_BOARD = {
    "left": Rotation.from_euler("xyz", [-12.0, 8.0, 10.0], degrees=True),
    "right": Rotation.from_euler("xyz", [12.0, 8.0, 170.0], degrees=True),
}


class Block(NamedTuple):
    """Consecutive samples of one ear."""

    times: NDArray[np.float64]  # (N,) s since the session began: true sampling times
    device_us: NDArray[np.int64]  # (N,) what the device's clock showed
    raw: NDArray[np.int16]  # (N, 6) acceleration and angular velocity, LSB


class SimulatedEarphones:
    """Endless session of a participant who plays a performance; deterministic in ``seed`` and ``mount_seed``.

    The seed stands for what differs from session to session: how the head moves, noise and clocks, and, unless there
    is a ``mount_seed``, also how the buds sit and which sensors they have. Sessions with the same ``mount_seed`` follow
    each other without taking the buds out; each begins somewhere in the first ten minutes of wearing them.
    ``activity`` "recorded" moves the head as in the recording ``motion``.
    Raises ``ValueError`` for an impossible rate, activity or recording and ``OSError`` when that cannot be read.
    """

    def __init__(
        self,
        performance: Performance,
        participant: Participant,
        rate: float = 30.0,
        seed: int = 0,
        activity: str = "still",
        *,
        mount_seed: int | None = None,
        motion: str | PathLike[str] | None = None,
    ) -> None:
        if not MIN_RATE <= rate <= MAX_RATE:
            raise ValueError(f"rate is {rate} Hz, must be {MIN_RATE:g} to {MAX_RATE:g}")
        if (activity == RECORDED) != (motion is not None):
            raise ValueError(
                f"activity is '{activity}', motion is {motion}: '{RECORDED}' needs a file, no other has one"
            )
        self._mechanics_rate = max(OVERSAMPLING * rate, MIN_MECHANICS_RATE)
        self._performance = performance
        head, habits, wearing, *sessions = np.random.default_rng([seed, 0x73657373]).spawn(5)
        mounts = np.random.default_rng([seed if mount_seed is None else mount_seed, 0x6D6F756E]).spawn(2)
        self._head = HeadMotion.random(activity, head) if motion is None else HeadMotion.recorded(motion, head)
        self._habits = Habits(habits)
        worn = 0.0 if mount_seed is None else wearing.uniform(0.0, LONGEST_WORN)
        self._ears = {
            ear: _Earphone(ear, participant, rate, self._mechanics_rate, mount, session, worn)
            for ear, mount, session in zip(EARS, mounts, sessions, strict=True)
        }

    def blocks(self, length: float) -> Iterator[dict[Ear, Block]]:
        """The session in blocks of ``length`` seconds. How it is cut changes nothing."""
        steps = max(round(length * self._mechanics_rate), 4)
        start = -2  # differences need two steps of run-up
        while True:
            times = np.arange(start, start + steps) / self._mechanics_rate
            weights = self._performance.weights(np.maximum(times, 0.0))
            habits = self._habits.at(times)
            head, position = self._head.at(times, self._performance.speaking(np.maximum(times, 0.0)))
            yield {
                ear: earphone.advance(times, weights, habits, head, position) for ear, earphone in self._ears.items()
            }
            start += steps

    def samples(self) -> Iterator[tuple[float, DeviceSample]]:
        """Samples of both ears in the order of sampling, each with its true time in seconds since the session began."""
        sequence = dict.fromkeys(EARS, 0)
        for blocks in self.blocks(LIVE_BLOCK):
            events: list[list[tuple[float, DeviceSample]]] = []
            for ear, block in blocks.items():
                first = sequence[ear]
                sequence[ear] += len(block.times)
                events.append(
                    [
                        (time, DeviceSample(ear, (first + i) % SEQUENCE_PERIOD, device_us, tuple(raw)))
                        for i, (time, device_us, raw) in enumerate(
                            zip(block.times.tolist(), block.device_us.tolist(), block.raw.tolist(), strict=True)
                        )
                    ]
                )
            yield from heapq.merge(*events, key=lambda event: event[0])


class _Earphone:
    """One bud: its seat in the ear, its sensor and its clock."""

    def __init__(
        self,
        ear: Ear,
        participant: Participant,
        rate: float,
        mechanics_rate: float,
        mount: np.random.Generator,
        session: np.random.Generator,
        worn: float,
    ) -> None:
        mirror = MIRROR_TRANSLATION if ear == "right" else np.ones(3)
        self._motion = EarMotion(getattr(participant, ear), mechanics_rate)
        self._ear_from_neck = EAR_FROM_NECK * mirror
        self._imu_from_canal = IMU_FROM_CANAL * mirror
        self._mounting = Mounting(mount, session, worn)
        self._board = (self._mounting.seat * _BOARD[ear]).as_matrix()
        self._rate = mechanics_rate
        self._sensor = Lsm6ds3trc(rate, mechanics_rate, mount, session)
        self._crystal = Crystal(rate, session)
        self._pose: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None  # last two quaternions, positions
        self._filtered = np.empty((0, 6))  # last filtered motion

    def advance(
        self,
        times: NDArray[np.float64],
        weights: NDArray[np.float32],
        habits: NDArray[np.float64],
        head: Rotation,
        position: NDArray[np.float64],
    ) -> Block:
        """Samples taken while the mechanics go through ``times``: weights (N, 52), habits (N, 2), the head's rotation
        and position (N, 3)."""
        turn, shift = self._motion.move(weights, habits)
        grip = self._mounting.grip.T
        # Angles of a few degrees: the seat's drift and the bud's turn are added.
        micro = Rotation.from_rotvec(turn @ grip + self._mounting.drift(times))
        # The board's rotation in the bud is constant: it is left out of the kinematics and turns what they give.
        quaternions = (head * micro).as_quat()
        lever = self._ear_from_neck + shift @ grip + micro.apply(self._imu_from_canal)
        positions = position + head.apply(lever)
        if self._pose is not None:
            quaternions = np.concatenate([self._pose[0], quaternions])
            positions = np.concatenate([self._pose[1], positions])
        self._pose = quaternions[-2:], positions[-2:]
        motion = kinematics(Rotation.from_quat(quaternions), positions, self._rate)
        motion = (motion.reshape(-1, 2, 3) @ self._board).reshape(-1, 6)
        # Motion is known up to one step before the last one.
        filtered = np.concatenate([self._filtered, self._sensor.filter(motion)])
        known = times[-1] - np.arange(len(filtered), 0, -1) / self._rate
        self._filtered = filtered[-2:]
        sampled = self._crystal.tick(known[-1] - MAX_SAMPLING_JITTER)
        measured = np.stack([np.interp(sampled, known, channel) for channel in filtered.T], axis=1)
        return Block(sampled, self._crystal.read(sampled), self._sensor.measure(measured, sampled))


def kinematics(orientation: Rotation, positions: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """What ideal sensors feel at steps 1..N-2 of a motion of N steps: (N-2, 6), specific force m/s², rotation rad/s.

    ``orientation`` (N) is body to world, ``positions`` (N, 3) in m, world z up. Angular velocity ω in the body frame
    is the logarithm of the rotation from one step to the next, times ``rate``; the specific force is Rᵀ(a + g ẑ),
    hence +g on the upward axis at rest (REP-145).
    """
    between = (orientation[:-1].inv() * orientation[1:]).as_rotvec() * rate
    angular_velocity = 0.5 * (between[:-1] + between[1:])
    acceleration = (positions[2:] - 2.0 * positions[1:-1] + positions[:-2]) * rate**2
    acceleration[:, 2] += STANDARD_GRAVITY
    return np.concatenate([orientation[1:-1].inv().apply(acceleration), angular_velocity], axis=1)
