"""The time offset between a camera and the earphones, from the motion that both see.

A camera's clock is another one than the earphones', and pictures arrive late. When the mouth moves, so do the ears:
the offset is where the speed of the mouth and the angular speed of the ears correlate best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from imuface_core.recording import ImuTrack, LandmarkTrack, Recording
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import correlate
from scipy.spatial.transform import Rotation

MIN_SECONDS = 15.0
"""Of common time: less holds too few gestures to compare."""
_MIN_CORRELATION = 0.15
# How many times as significant as the next best one an offset has to be; more where any offset is possible, and for a
# single ear, which does not tell head from face. Chosen on simulated ears, where 1.4 let faces of other performances
# through when any offset was possible, and then checked on others (docs/camera.md). One ear: a guess.
_DISTINCTION, _DISTINCTION_ANY_OFFSET, _DISTINCTION_ONE_EAR = 1.4, 1.7, 2.0
_DISTINCTION_CAP = 99.0  # where nothing else correlates at all

_MOUTH = slice(31, 51)
_GRID = 30.0  # Hz
_SMOOTHING = 1.0  # grid steps
_TREND = 2.0  # s; slower is whether somebody talks or walks at all, which is alike at many offsets
_FLOOR = 0.02  # of the greatest speed
_PEAK_WIDTH = 0.5  # s, within which a correlation belongs to the same peak


@dataclass(frozen=True)
class Offset:
    """What to add to the camera's stamps."""

    nanoseconds: int
    correlation: float
    """Of the motion of mouth and ears at this offset, -1..1."""
    distinction: float
    """How many times as significant as the next best offset it is."""

    @property
    def certainty(self) -> str:
        """The same for people."""
        return f"correlation {self.correlation:.2f}, {self.distinction:.1f} times the next best"

    def __str__(self) -> str:
        return f"{self.nanoseconds * 1e-9:+.3f} s ({self.certainty})"


def find_offset(ears: Recording, face: LandmarkTrack, limit: float | None = None) -> Offset:
    """The offset of a face track against the earphones of a recording.

    The mouth's speed is correlated with the angular speed of one ear against the other, after the rotation that best
    explains one by the other (Kabsch over the recording: the head turns both alike). A single ear does not tell head
    from face. Speeds are compared as logarithms, so that a few large gestures do
    not decide alone.

    Args:
        ears: one or both earphones.
        face: landmarks with the camera's stamps, head pose removed.
        limit: s, how far off the stamps may be; None: any offset that leaves half of the shorter track in common.

    Raises:
        ValueError: there is too little common time, or no offset stands out.
    """
    start, mouth = _mouth_motion(face)
    ears_start, motion = _ear_motion(ears)
    distinction = _DISTINCTION_ANY_OFFSET if limit is None else _DISTINCTION
    if ears.left is None or ears.right is None:
        distinction = _DISTINCTION_ONE_EAR
    shorter = min(len(mouth), len(motion))
    overlap = max(int(MIN_SECONDS * _GRID), shorter // 2)
    if shorter < overlap:
        raise ValueError(
            f"the camera's face ({len(mouth) / _GRID:.1f} s) and the earphones ({len(motion) / _GRID:.1f} s) "
            f"have to last at least {MIN_SECONDS:g} s for their clocks to be compared"
        )
    best = _best(mouth, motion, ears_start - start, overlap, limit)
    if best is None:
        raise ValueError(f"camera and earphones have less than {overlap / _GRID:.0f} s in common")
    if best.correlation < _MIN_CORRELATION or best.distinction < distinction:
        raise ValueError(
            f"the camera's face and the earphones do not move together: the best offset has {best.certainty} "
            f"(needed: {_MIN_CORRELATION:g} and {distinction:g}). Was it the same person at the same time? "
            "A minute or more with some wide openings of the mouth helps"
        )
    return best


def _best(
    mouth: NDArray[np.float64], ear: NDArray[np.float64], start_ns: int, overlap: int, limit: float | None
) -> Offset | None:
    """The best offset, where the ears' first grid point is ``start_ns`` after the mouth's."""
    common, values = _correlations(ear, mouth)
    steps = np.arange(-(len(mouth) - 1), len(ear))  # the mouth's first point falls on this one of the ears
    offsets = start_ns * 1e-9 + steps / _GRID
    enough = common >= overlap
    allowed = enough if limit is None else enough & (np.abs(offsets) <= limit)
    if not allowed.any():
        return None
    # By chance, correlations over a shorter time come out larger.
    significance = np.where(enough, values * np.sqrt(common), 0.0)
    peak = int(np.argmax(np.where(allowed, significance, -np.inf)))
    # Compared with every offset, also those that are out of the question: they show what chance gives.
    elsewhere = np.abs(steps - steps[peak]) > _PEAK_WIDTH * _GRID
    next_best = float(significance[elsewhere].max(initial=0.0))
    distinction = min(float(significance[peak]) / max(next_best, 1e-9), _DISTINCTION_CAP)
    fraction = 0.0
    if 0 < peak < len(values) - 1 and allowed[peak - 1] and allowed[peak + 1]:
        before, at, after = values[peak - 1 : peak + 2]  # the top of the parabola through three points
        fraction = 0.5 * (before - after) / (before - 2.0 * at + after)
    # Large numbers stay integers: nanoseconds since 1970 need more than a float has.
    step_ns = round((float(steps[peak]) + fraction) / _GRID * 1e9)
    return Offset(start_ns + step_ns, float(values[peak]), distinction)


def _correlations(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Overlap and Pearson correlation over that overlap for each shift of ``b``, from -(len(b) - 1) to len(a) - 1."""
    ones_a, ones_b = np.ones(len(a)), np.ones(len(b))
    common, sum_ab, sum_a, sum_b, squares_a, squares_b = (
        correlate(left, right, mode="full", method="fft")
        for left, right in ((ones_a, ones_b), (a, b), (a, ones_b), (ones_a, b), (a**2, ones_b), (ones_a, b**2))
    )
    common = np.maximum(common.round(), 1.0)
    covariance = sum_ab / common - sum_a * sum_b / common**2
    variances = (squares_a / common - (sum_a / common) ** 2) * (squares_b / common - (sum_b / common) ** 2)
    return common, covariance / np.sqrt(np.maximum(variances, 1e-6))


def _mouth_motion(face: LandmarkTrack) -> tuple[int, NDArray[np.float64]]:
    """First grid point, ns, and the mouth's motion."""
    if len(face.stamps) < 3:
        raise ValueError(f"the camera saw a face in {len(face.stamps)} pictures only")
    mouth = face.points[:, _MOUTH].astype(np.float64)
    seconds = np.diff(face.stamps) * 1e-9
    speed = np.linalg.norm(np.diff(mouth, axis=0), axis=2).mean(axis=1) / seconds
    return int(face.stamps[0]), _energy(face.stamps[:-1] + np.diff(face.stamps) // 2, speed, int(face.stamps[0]))


def _ear_motion(recording: Recording) -> tuple[int, NDArray[np.float64]]:
    """First grid point, ns, and the motion of one ear against the other, or of the only one."""
    tracks = [track for track in (recording.left, recording.right) if track is not None and len(track.stamps) > 2]
    if not tracks:
        raise ValueError("the session has no samples of the earphones")
    stamps = tracks[0].stamps
    motion, *others = (_rates_at(stamps, track) for track in tracks)
    for other in others:
        rotation, _ = Rotation.align_vectors(motion, other)
        motion = motion - rotation.apply(other)
    return int(stamps[0]), _energy(stamps, np.linalg.norm(motion, axis=1), int(stamps[0]))


def _rates_at(stamps: NDArray[np.int64], track: ImuTrack) -> NDArray[np.float64]:
    """Angular velocity (n, 3) at stamps, without bias."""
    seconds, known = (stamps - stamps[0]) * 1e-9, (track.stamps - stamps[0]) * 1e-9
    rates = track.angular_velocity - np.median(track.angular_velocity, axis=0)
    return np.stack([np.interp(seconds, known, axis) for axis in rates.T], axis=1)


def _energy(stamps: NDArray[np.int64], speed: NDArray[np.float64], start: int) -> NDArray[np.float64]:
    """Speed on the grid that begins at ``start`` (ns), as a logarithm with mean 0 and deviation 1."""
    seconds = (stamps - start) * 1e-9
    grid = np.arange(0.0, seconds[-1], 1.0 / _GRID)
    smooth = gaussian_filter1d(np.interp(grid, seconds, speed), _SMOOTHING)
    # The floor keeps stillness, exact or of a noisy camera, from outweighing all motion.
    floor = float(np.median(smooth)) + _FLOOR * float(smooth.max())
    level = np.log(smooth + floor + np.finfo(float).tiny)
    level -= gaussian_filter1d(level, _TREND * _GRID)
    deviation = float(level.std())
    if not deviation > 1e-6:
        raise ValueError("nothing moves, so the clocks of camera and earphones cannot be compared")
    return (level - level.mean()) / deviation
