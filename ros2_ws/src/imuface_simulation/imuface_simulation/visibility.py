"""How visible each facial action is to the simulated earphones: ``python -m imuface_simulation.visibility``.

Prints the table of ``docs/simulation.md``; with a file name, also draws one smile and one jaw movement there (needs
matplotlib).
"""

from __future__ import annotations

import sys

import numpy as np
from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_core.earphone import STANDARD_GRAVITY
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from imuface_simulation.device import Lsm6ds3trc, noise_deviation
from imuface_simulation.earphones import IMU_FROM_CANAL, kinematics
from imuface_simulation.expressions import minimum_jerk
from imuface_simulation.head_motion import ACTIVITIES, HeadMotion
from imuface_simulation.mechanics import EarMechanics, EarMotion
from imuface_simulation.participant import Participant

RATE = 120.0  # Hz, mechanics
IMU_RATE = 30.0  # Hz
ATTACK = 0.3  # s from neutral to the full action
HOLD = 1.5  # s
PEOPLE = 100
HEAD_SESSIONS = 20


def response(ear: EarMechanics, action: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bud rotation (N, 3) in rad and noiseless, filtered IMU motion (N - 2, 6) while one action goes from 0 to 1.

    The head is at rest; gravity's constant part is taken off.
    """
    times = np.arange(-0.5, ATTACK + HOLD, 1.0 / RATE)
    face = np.zeros((len(times), len(BLENDSHAPES)))
    face[:, INDEX[action]] = minimum_jerk(times / ATTACK)
    turn, shift = EarMotion(ear, RATE).move(face)
    micro = Rotation.from_rotvec(turn)
    motion = kinematics(micro, shift + micro.apply(IMU_FROM_CANAL), RATE)
    motion -= motion[0]
    return turn, Lsm6ds3trc(IMU_RATE, RATE, *np.random.default_rng(0).spawn(2)).filter(motion)


def head_deviation(activity: str) -> float:
    """RMS angular velocity in rad/s, all axes together, of the head alone over HEAD_SESSIONS minutes."""
    squares = []
    for seed in range(HEAD_SESSIONS):
        turn, _ = HeadMotion.random(activity, np.random.default_rng(seed)).at(np.arange(0.0, 60.0, 1.0 / RATE))
        rates = (turn[:-1].inv() * turn[1:]).as_rotvec() * RATE
        squares.append(np.mean(np.sum(rates**2, axis=1)))
    return float(np.sqrt(np.mean(squares)))


def table() -> str:
    """Markdown: one row for each action that the left ear feels more than as cross-talk, over PEOPLE people."""
    noise = noise_deviation(IMU_RATE)
    head = head_deviation("still")
    people = [Participant.random(seed) for seed in range(PEOPLE)]
    rows, unfelt = [], []
    for action in BLENDSHAPES:
        if action.endswith("Right") and not action.startswith(("jaw", "mouthRight")):
            continue
        turns, rates, forces = [], [], []
        for person in people:
            turn, motion = response(person.left, action)
            turns.append(np.degrees(np.linalg.norm(turn[-1])))
            rates.append(np.linalg.norm(motion[:, 3:], axis=1).max())
            forces.append(np.linalg.norm(motion[:, :3], axis=1).max())
        low, middle, high = np.quantile(turns, [0.1, 0.5, 0.9])
        rate, force = np.median(rates), np.median(forces)
        if rate == 0.0:
            unfelt.append(action)
            continue
        row = (
            f"| {action} | {middle:.2f} ({low:.2f} to {high:.2f}) | {np.degrees(rate):.2f} "
            f"| {rate / noise[3]:.0f} | {force / noise[0]:.1f} | {rate / head:.2f} |"
        )
        rows.append((rate, row))
    others = ", ".join(f"{name} {np.degrees(head_deviation(name)):.1f}" for name in ACTIVITIES if name != "still")
    return "\n".join(
        [
            "| action | bud turns, ° | gyroscope, °/s | / its noise | accelerometer / its noise | gyroscope / head |",
            "|---|---|---|---|---|---|",
            *(row for _, row in sorted(rows, reverse=True)),
            "",
            f"Not felt at all: {', '.join(unfelt)}.",
            f"Noise of one sample: {np.degrees(noise[3]) * 1e3:.0f} m°/s, {noise[0] / STANDARD_GRAVITY * 1e3:.2f} mg.",
            f"Head motion, RMS over all axes: still {np.degrees(head):.2f} °/s, {others}.",
        ]
    )


def draw(path: str) -> None:
    """Picture of the angular velocity of both buds while the jaw opens and while the left side smiles."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.5), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    for row, (action, title) in enumerate((("jawOpen", "jaw opens"), ("mouthSmileLeft", "left side smiles"))):
        for column, side in enumerate(("right", "left")):
            axis = axes[row, column]
            for seed, shade in enumerate(("C0", "C1", "C2", "C3", "C4", "C5")):
                _, motion = response(getattr(Participant.random(seed), side), action)
                times = np.arange(len(motion)) / RATE - 0.5
                axis.plot(times, np.degrees(motion[:, 4]), color=shade, linewidth=1.0)
            axis.set_title(f"{title}: {side} ear", fontsize=9)
            axis.grid(alpha=0.3)
            axis.set_ylabel("pitch rate, °/s", fontsize=8)
    for axis in axes[1]:
        axis.set_xlabel("s since the action began", fontsize=8)
    figure.suptitle("Six simulated people, without noise and head motion", fontsize=10)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    print(table())
    if len(sys.argv) > 1:
        draw(sys.argv[1])
