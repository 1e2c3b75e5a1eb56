"""Sessions of another simulator: other ear mechanics, another head model and real performances.

    .venv/bin/python benchmarks/other_simulator.py out/other --face ict_face.npz --capture a.csv.gz --capture b.csv.gz
    .venv/bin/imuface evaluate --table --train out/other/strong1/train --test out/other/strong1/test \
        --models mean,ridge,imu_twin_trans,signature --settings within

A model that learned this project's simulator instead of ears fails here. Nothing is shared with ``imuface_driver``'s
simulation: muscles pull on two rigid buds through tissue that swings (a damped oscillator), lags, creeps and sticks;
the head sways by about a degree, breathes and gestures; the sensors run at 50 Hz with clocks, quantisation and drifting
biases of their own. Faces are pieces of captures in another order, at other speeds and strengths, mirrored for every
other person. ``test`` repeats what ``train`` shows, in other pieces; ``unseen`` shows the seconds of the captures that
``train`` leaves out: where a capture shows each expression once, expressions that were never learned. Landmarks are
those of an ICT-FaceKit face (Li et al. 2020, arXiv:2004.00210): a .npz with ``neutral`` (n, 3) cm, ``expr`` (k, n, 3),
``expr_names``, ``identity`` (i, n, 3) and ``landmarks68``.

Everything here is invented but plausible. It says how models compare on ears that nobody fitted them to, and nothing
about people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from imuface_core.arkit import INDEX, MIRRORED
from imuface_core.captures import read_capture
from imuface_core.earphone import STANDARD_GRAVITY
from imuface_core.recording import BlendshapeTrack, ImuTrack, LandmarkTrack, Recording
from imuface_core.session import write_session
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]

RATE = 300.0
"""Hz of the mechanics."""
IMU_RATE, CAMERA_RATE = 50.0, 30.0
START = 1_750_000_000_000_000_000
"""ns"""
NEUTRAL = 5.0
"""s at the start of each session without an expression."""
MUSCLES: dict[str, dict[str, float]] = {
    "condyle": {"jawOpen": 1.0, "jawForward": 0.5, "mouthClose": -0.4},
    "sideways": {"jawLeft": 1.0, "jawRight": -1.0, "mouthLeft": 0.3, "mouthRight": -0.3},
    "smile, near": {"mouthSmile*": 1.0, "mouthDimple*": 0.5, "cheekSquint*": 0.4},
    "stretch, near": {"mouthStretch*": 0.8, "mouthFrown*": 0.6, "mouthPress*": 0.4},
    "lips": {"mouthPucker": 0.7, "mouthFunnel": 0.6, "mouthRollLower": 0.3, "mouthShrugUpper": 0.3, "cheekPuff": 0.5},
    "lift, near": {"mouthUpperUp*": 0.7, "noseSneer*": 0.6, "eyeSquint*": 0.4},
    "scalp": {"browInnerUp": 0.7, "browOuterUp*": 0.7, "eyeWide*": 0.3},
    "frown": {"browDownLeft": 0.5, "browDownRight": 0.5, "eyeBlink*": 0.08},
    "smile, far": {"mouthSmile!": 0.4, "mouthStretch!": 0.3},
}
"""Actions that each pulls by; * is the side of the ear, ! the other one."""
STRENGTH = {"strong": 0.03, "weak": 0.015}
"""rad that a muscle of unit gain turns the bud by."""


def resampled(at: Array, known: Array, values: Array) -> Array:
    """Each column of values (n, k) that are known at n times, at other times."""
    return np.column_stack([np.interp(at, known, column) for column in values.T])


def faces(captures: list[Array], seconds: float, thirds: tuple[int, ...], strength: Array, rng: Generator) -> Array:
    """Weights (n, 52) at RATE: a neutral face, then pieces of captures, of those thirds of their blocks of 10 s."""
    count = int(seconds * RATE)
    track = np.zeros((int(NEUTRAL * RATE), 52))
    while len(track) < count:
        capture = captures[rng.integers(len(captures))]
        blocks = np.arange(0, len(capture) - int(10 * CAMERA_RATE), int(10 * CAMERA_RATE))
        begin = int(rng.choice([block for index, block in enumerate(blocks) if index % 3 in thirds]))
        length = int(rng.uniform(4.0, 10.0) * CAMERA_RATE)
        begin += int(rng.integers(int(10 * CAMERA_RATE) - length + 1))
        piece = capture[begin : begin + length]
        times = np.arange(0.0, length - 1, rng.uniform(0.75, 1.2) * CAMERA_RATE / RATE)
        piece = resampled(times, np.arange(float(length)), piece)
        piece = np.clip(piece * strength * rng.lognormal(0.0, 0.15), 0.0, 1.0)
        blend = int(0.5 * RATE)
        share = np.linspace(0.0, 1.0, blend)[:, None]
        track[-blend:] = (1.0 - share) * track[-blend:] + share * piece[0]
        track = np.concatenate((track, piece))
    return gaussian_filter1d(track[:count], 0.02 * RATE, axis=0)


class Ears:
    """How a person's muscles move both buds."""

    def __init__(self, rng: Generator, strength: float) -> None:
        usual = np.random.default_rng(51).normal(size=(len(MUSCLES), 6))  # every ear has something of this
        gains = strength * rng.lognormal(0.0, 0.5, (2, len(MUSCLES), 1))
        own = rng.normal(size=(2, len(MUSCLES), 6))
        self.pull = gains * (0.6 * usual * [[[1, 1, 1, 1, 1, 1]], [[-1, 1, -1, 1, -1, 1]]] + 0.8 * own)
        self.pull[..., 3:] *= 0.02  # m for each rad
        self.power = rng.uniform(0.8, 1.3, len(MUSCLES))
        self.swing = 2.0 * np.pi * rng.uniform(2.0, 6.0, len(MUSCLES))
        self.damping = rng.uniform(0.7, 1.2, len(MUSCLES))
        self.creep, self.creeping = rng.uniform(0.0, 0.3, len(MUSCLES)), rng.uniform(8.0, 25.0, len(MUSCLES))
        self.stick = rng.uniform(0.0, 0.05, len(MUSCLES))

    def motion(self, weights: Array, ear: int) -> Array:
        """(n, 6) turns in rad and shifts in m of one bud."""
        result = np.zeros((len(weights), 6))
        for number, actions in enumerate(MUSCLES.values()):
            pull = np.zeros(52)
            for name, share in actions.items():
                near, far = ("Left", "Right") if ear == 0 else ("Right", "Left")
                pull[INDEX[name.replace("*", near).replace("!", far)]] += share
            drive = weights @ pull
            drive = np.sign(drive) * np.abs(drive) ** self.power[number]
            drive = stuck(drive, self.stick[number])
            # A damped oscillator, by implicit Euler: x'' = w² (u - x) - 2 d w x'.
            step, w, d = 1.0 / RATE, self.swing[number], self.damping[number]
            square, drag = (w * step) ** 2, 2.0 * d * w * step
            follows = lfilter([square], [1.0 + drag + square, -2.0 - drag, 1.0], drive)
            keep = np.exp(-step / self.creeping[number])
            follows -= self.creep[number] * lfilter([1 - keep], [1, -keep], follows)
            result += follows[:, None] * self.pull[ear, number]
        return result


def stuck(drive: Array, width: float) -> Array:
    """Play: what follows rests until the drive has moved by ``width``."""
    result, at = np.empty_like(drive), 0.0
    for index, value in enumerate(drive):
        at = min(max(at, value - width), value + width)
        result[index] = at
    return result


def sway(count: int, talks: Array, rng: Generator) -> tuple[Array, Array]:
    """Turns (n, 3) in rad and positions (n, 3) in m of a head that sits, breathes, and gestures while it talks."""

    def drift(slowest_hz: float, spread: float) -> Array:
        noise = gaussian_filter1d(rng.normal(size=(count, 3)), RATE / (2.0 * np.pi * slowest_hz), axis=0)
        return spread * noise / noise.std(axis=0)

    times = np.arange(count)[:, None] / RATE
    breath = np.sin(2.0 * np.pi * rng.uniform(0.2, 0.3) * times + rng.uniform(0.0, 6.3))
    active = gaussian_filter1d((talks > 0.05).astype(float), 0.5 * RATE)[:, None]
    turns = drift(0.1, np.radians(0.9)) + drift(0.5, np.radians(0.25)) + drift(3.0, np.radians(0.015))
    turns += breath * np.radians(0.1) * [0.2, 1.0, 0.1] + active * drift(0.8, np.radians(0.7))
    return turns, drift(0.1, 0.004) + drift(0.6, 0.0006) + breath * [0.0004, 0.0, 0.0008]


def imu(turns: Array, position: Array, bud: Array, ear: int, mount: Rotation, rng: Generator) -> ImuTrack:
    """What the IMU of one bud says."""
    head = Rotation.from_euler("zyx", turns[:, ::-1])
    lever = np.array([0.06, 0.075 if ear == 0 else -0.075, 0.12])
    place = position + head.apply(lever + bud[:, 3:])
    pose = head * Rotation.from_rotvec(bud[:, :3]) * mount
    force = np.gradient(np.gradient(place, 1.0 / RATE, axis=0), 1.0 / RATE, axis=0)
    force[:, 2] += STANDARD_GRAVITY
    force = pose.inv().apply(force)
    rates = np.concatenate((np.zeros((1, 3)), (pose[:-1].inv() * pose[1:]).as_rotvec() * RATE))
    # An anti-aliasing filter, then samples on a clock that is a little off, late by up to a millisecond.
    both = gaussian_filter1d(np.concatenate((force, rates), axis=1), 0.3 * RATE / IMU_RATE, axis=0)
    duration = (len(turns) - 1) / RATE
    times = np.arange(rng.uniform(0.0, 0.02), duration, (1.0 + rng.normal(0.0, 2e-5)) / IMU_RATE)
    samples = resampled(times, np.arange(len(both)) / RATE, both)
    samples += rng.normal(size=samples.shape) * np.repeat([0.015, 0.0015], 3)
    bias = np.repeat([0.08, 0.008], 3) * rng.normal(size=6) + np.cumsum(rng.normal(size=samples.shape), axis=0) * 2e-6
    steps = np.repeat([2.0 * STANDARD_GRAVITY / 2**15, np.radians(250.0) / 2**15], 3)
    samples = np.round((samples + bias) / steps) * steps
    stamps = START + np.round((times + rng.uniform(0.0, 1e-3, len(times))) * 1e9).astype(np.int64)
    return ImuTrack(stamps, samples[:, :3], samples[:, 3:])


class Face:
    """51 landmarks of an ICT-FaceKit face; axes of the face frame: forward, left, up, in metres."""

    def __init__(self, file: Path, rng: Generator) -> None:
        with np.load(file) as content:
            points = content["landmarks68"][17:]
            identity = np.tensordot(rng.normal(0.0, 0.7, 20), content["identity"][:, points], 1)
            neutral = content["neutral"][points] + identity
            shapes = dict(zip(content["expr_names"].tolist(), content["expr"][:, points], strict=True))
        self.neutral = self._metres(neutral - neutral.mean(axis=0))
        self.actions = np.zeros((52, 51, 3))
        for name, index in INDEX.items():
            sided = name.replace("Left", "_L").replace("Right", "_R")
            parts = [shapes[n] for n in (name, sided, f"{name}_L", f"{name}_R") if n in shapes]
            self.actions[index] = self._metres(np.sum(parts, axis=0)) if parts else 0.0

    @staticmethod
    def _metres(points: Array) -> Array:
        return points[..., [2, 0, 1]].astype(np.float64) / 100.0

    def landmarks(self, weights: Array) -> Array:
        return self.neutral + np.tensordot(weights, self.actions, 1)


def main() -> None:
    """Write the sessions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a new folder; holds <person>/{train,test,unseen}")
    parser.add_argument("--face", type=Path, required=True, help="ICT-FaceKit face (.npz)")
    parser.add_argument("--capture", type=Path, action="append", required=True, help="captured face; repeatable")
    parser.add_argument("--people", type=int, default=2, help="of each strength of the ears (default 2)")
    parser.add_argument("--minutes", type=float, default=5.0, help="of the training session (default 5)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    captures = []
    for path in options.capture:
        capture = read_capture(path)
        times = np.arange(0.0, capture.times[-1], 1.0 / CAMERA_RATE)
        captures.append(resampled(times, capture.times, capture.weights))
    for kind, strength in STRENGTH.items():
        for number in range(1, options.people + 1):
            # The same faces on strong and on weak ears.
            rng = np.random.default_rng([options.seed, number])
            habit, face = rng.lognormal(0.0, 0.2, 52), Face(options.face, rng)
            ears, mount = Ears(rng, strength), [Rotation.from_rotvec(rng.normal(0.0, 0.4, 3)) for _ in range(2)]
            seen, unseen = (0, 1), (2,)
            parts = {"train": (60.0 * options.minutes, seen), "unseen": (90.0, unseen), "test": (90.0, seen)}
            for role, (seconds, thirds) in parts.items():
                weights = faces(captures, seconds, thirds, habit, rng)
                if number % 2 == 0:
                    weights = weights[:, MIRRORED]
                turns, position = sway(len(weights), weights[:, INDEX["jawOpen"]], rng)
                tracks = [imu(turns, position, ears.motion(weights, ear), ear, mount[ear], rng) for ear in range(2)]
                rows = np.arange(0, len(weights), round(RATE / CAMERA_RATE))
                stamps = START + np.round(rows / RATE * 1e9).astype(np.int64)
                shown = weights[rows]
                points = LandmarkTrack(stamps, face.landmarks(shown).astype(np.float32))
                truth = BlendshapeTrack(stamps, shown.astype(np.float32))
                recording = Recording(tracks[0], tracks[1], truth, points)
                write_session(options.folder / f"{kind}{number}" / role, recording)
                print(options.folder / f"{kind}{number}" / role)


if __name__ == "__main__":
    main()
