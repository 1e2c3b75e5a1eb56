"""What is wrong with a recorded session before anything learns from it.

A session that would teach something false is refused; one of which a part can be used gives warnings, and the times
whose true face is not known. The limits are wide: an unusual person or device passes, a mistake of unit or clock does
not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from imuface_core.earphone import EARS, STANDARD_GRAVITY
from imuface_core.recording import BlendshapeTrack, ImuTrack, LandmarkTrack, Recording
from imuface_core.stamps import SECOND
from imuface_core.topics import IMU, REFERENCE_BLENDSHAPES, REFERENCE_LANDMARKS
from numpy.typing import NDArray

from face_recon_node.stream.units import acceleration_fault, rotation_fault

RATES = 15.0, 2000.0
"""Hz of an IMU: the face is in what is faster than 7 Hz, too."""
REFERENCE_RATES = 8.0, 1000.0
"""Hz of the true face."""
GAP = 0.5
"""s without a sample that count as missing, and over which the true face is not interpolated."""
MISSING = 0.5
"""Share of an IMU's or the reference's time that may be missing."""
CROWDED = 1.6
"""Times the usual rate, within a second, from which on the samples of two times lie on each other."""
FROZEN = 30.0
"""s without the least change after which a true face counts as lost; people never hold still, simulated faces do."""
STUCK = 10.0
"""s without the least change of all six axes after which an IMU counts as stuck."""
SATURATED = 0.05
"""Share of samples at the end of an axis' range."""
RESEATED = 8.0
"""Degrees by which one earbud turns against the other for good; a face does 4° for a moment."""
FACE_EXTENT = 0.04, 0.4
"""m, largest extent of the 51 landmarks."""


@dataclass
class Findings:
    """What is worth knowing about a session that can be used."""

    warnings: list[str] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)
    """Stamps (from, to), ns, between which the true face is not known."""


def screen(recording: Recording) -> Findings:
    """Look for mistakes in a session.

    Raises:
        ValueError: it must not be learned from; says what was found, where, and what to do about it.
    """
    findings = Findings()
    ears = {ear: track for ear, track in zip(EARS, (recording.left, recording.right), strict=True) if track is not None}
    for ear, track in ears.items():
        _screen_imu(IMU[ear], track, findings)
    references = {
        name: track
        for name, track in (
            (REFERENCE_BLENDSHAPES, recording.blendshapes), (REFERENCE_LANDMARKS, recording.landmarks)
        )
        if track is not None
    }  # fmt: skip
    if not references:
        raise ValueError(
            f"has neither {REFERENCE_BLENDSHAPES} nor {REFERENCE_LANDMARKS} to learn from: record the true face along"
        )
    for name, reference in references.items():
        _screen_reference(name, reference, findings)
        for ear, track in ears.items():
            _screen_overlap(IMU[ear], track.stamps, name, reference.stamps)
    if recording.left is not None and recording.right is not None:
        _screen_pair(recording.left, recording.right)
    return findings


# Each IMU ---------------------------------------------------------------------------------------------------------


def _screen_imu(name: str, track: ImuTrack, findings: Findings) -> None:
    _screen_stamps(name, track.stamps, RATES, "record at 30 Hz or faster", findings)
    if fault := acceleration_fault(track.acceleration):
        raise ValueError(f"{name}: {fault}")
    values = np.concatenate((track.acceleration, track.angular_velocity), axis=1)
    for axis, label in enumerate(f"{quantity} {a}" for quantity in ("acceleration", "angular velocity") for a in "xyz"):
        if np.ptp(values[:, axis]) == 0.0:
            raise ValueError(f"{name}: {label} is {values[0, axis]:g} all the time: the sensor or its driver is stuck")
        end = float(np.abs(values[:, axis]).max())
        share = float((np.abs(values[:, axis]) == end).mean())
        if share > SATURATED and end > (1.5 * STANDARD_GRAVITY if axis < 3 else 1.0):
            raise ValueError(
                f"{name}: {label} is at the end of its range, ±{end:.3g}, in {share:.0%} of the samples: "
                "widen the sensor's range"
            )
    stuck = list(_unchanged(track.stamps, values, STUCK))
    _refuse_if_long(name, "does not change at all", stuck, track.stamps, "check the sensor and its driver")
    findings.warnings += [f"{name} does not change at all from {_span(span, track.stamps)}" for span in stuck]
    if fault := rotation_fault(track.stamps, track.acceleration, track.angular_velocity):
        raise ValueError(f"{name}: {fault}")


# Both ears --------------------------------------------------------------------------------------------------------


def _screen_pair(left: ImuTrack, right: ImuTrack) -> None:
    if left.acceleration.shape == right.acceleration.shape and (left.acceleration == right.acceleration).mean() > 0.9:
        raise ValueError(f"{IMU['left']} and {IMU['right']} carry the same samples: one earphone was recorded twice")
    begin, end = max(left.stamps[0], right.stamps[0]), min(left.stamps[-1], right.stamps[-1])
    if begin >= end:
        raise ValueError(
            f"{IMU['left']} and {IMU['right']} were never recorded at the same time ({_apart(left, right)}): "
            "bring them on one clock"
        )
    found = _reseated(left, right, int(begin), int(end))
    if found is not None:
        at, angle = found
        raise ValueError(
            f"the earbuds turn by {angle:.0f}° against each other {at:.0f} s after the start and stay so: they were "
            "taken out or changed their wearer; cut the session there, or record each wearer and mounting by itself"
        )


def _apart(left: ImuTrack, right: ImuTrack) -> str:
    seconds = max(left.stamps[0] - right.stamps[-1], right.stamps[0] - left.stamps[-1]) / SECOND
    return f"{seconds:.1f} s lie between them"


def _reseated(left: ImuTrack, right: ImuTrack, begin: int, end: int) -> tuple[float, float] | None:
    """When (s) and by how much (degrees) the earbuds turned against each other, if they did.

    The rotation between the two IMUs is fixed while the buds sit. Gravity and the head's turns in both frames before
    an instant give it (Wahba's problem, by singular values); with it, gravity in one frame tells it in the other after
    that instant.
    """
    period = 10 * SECOND
    cells = int((end - begin) // period)
    if cells < 6:
        return None
    profiles, ups = [], []
    for cell in range(cells):
        inside = (left.stamps >= begin + cell * period) & (left.stamps < begin + (cell + 1) * period)
        other = (right.stamps >= begin + cell * period) & (right.stamps < begin + (cell + 1) * period)
        if inside.sum() < 50 or other.sum() < 50:
            continue
        up = [track.acceleration[rows].mean(axis=0) for track, rows in ((left, inside), (right, other))]
        up = [vector / (np.linalg.norm(vector) + 1e-9) for vector in up]
        at, known = (left.stamps[inside] - begin) / SECOND, (right.stamps[other] - begin) / SECOND
        turn = left.angular_velocity[inside] - left.angular_velocity[inside].mean(axis=0)
        rate = right.angular_velocity[other] - right.angular_velocity[other].mean(axis=0)
        turned = np.stack([np.interp(at, known, column) for column in rate.T], axis=1)
        products = turned.T @ turn
        profiles.append(100.0 * np.outer(up[1], up[0]) + products / (np.linalg.norm(products) + 1e-9))
        ups.append((cell, up[0], up[1]))
    found: tuple[float, float] | None = None
    for cut in range(3, len(ups) - 2):
        u, _, v = np.linalg.svd(np.sum(profiles[:cut], axis=0))
        rotation = u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v
        misfit = [np.degrees(np.arccos(np.clip(there @ rotation @ here, -1.0, 1.0))) for _, here, there in ups]
        angle = float(np.mean(misfit[cut:]) - np.mean(misfit[:cut]))
        if angle > RESEATED and (found is None or angle > found[1]):
            found = ups[cut][0] * period / SECOND, angle
    return found


# The true face ----------------------------------------------------------------------------------------------------


def _screen_reference(name: str, track: BlendshapeTrack | LandmarkTrack, findings: Findings) -> None:
    _screen_stamps(name, track.stamps, REFERENCE_RATES, "record the true face at 30 Hz", findings)
    values = track.weights if isinstance(track, BlendshapeTrack) else track.points.reshape(len(track.points), -1)
    if isinstance(track, BlendshapeTrack):
        if track.weights.max() > 1.5:
            raise ValueError(
                f"{name} reaches {track.weights.max():.3g} and should be within 0 to 1: divide percent by 100"
            )
        if track.weights.min() < -0.1:
            raise ValueError(f"{name} reaches {track.weights.min():.3g} and should be within 0 to 1")
    else:
        extent = float(np.median(np.ptp(track.points, axis=1).max(axis=1)))
        if not FACE_EXTENT[0] <= extent <= FACE_EXTENT[1]:
            millimetres = FACE_EXTENT[0] <= extent / 1e3 <= FACE_EXTENT[1]
            remedy = "they are in millimetres: divide by 1000" if millimetres else "give the landmarks in metres"
            raise ValueError(f"{name}: the face is {extent:.3g} m large: {remedy}")
    if len(values) > 1 and not np.ptp(values, axis=0).any():
        raise ValueError(f"{name} shows the same face all the time: the tracking was lost")
    frozen = list(_unchanged(track.stamps, values, FROZEN))
    _refuse_if_long(name, "shows one frozen face", frozen, track.stamps, "the tracking was lost: record again")
    findings.warnings += [f"{name} is frozen from {_span(span, track.stamps)}: left out" for span in frozen]
    gaps = list(_gaps(track.stamps))
    findings.unknown += frozen + gaps


def _screen_overlap(imu: str, samples: NDArray[np.int64], name: str, truth: NDArray[np.int64]) -> None:
    begin, end = max(samples[0], truth[0]), min(samples[-1], truth[-1])
    if begin >= end:
        raise ValueError(
            f"{name} and {imu} do not overlap: {name} begins {(truth[0] - samples[0]) / SECOND:+.1f} s after the "
            "samples; record both on one clock"
        )
    # A clock that jumps ahead leaves a gap, and its stamps end as much later than those of the other clock.
    for (gap_begin, gap_end), tail in (
        *((gap, samples[-1] - truth[-1]) for gap in _gaps(samples)),
        *((gap, truth[-1] - samples[-1]) for gap in _gaps(truth)),
    ):
        jump = gap_end - gap_begin
        if jump > SECOND and abs(tail - jump) < 0.1 * jump:
            raise ValueError(
                f"the clocks of {imu} and {name} part by {jump / SECOND:.1f} s, "
                f"{(gap_begin - samples[0]) / SECOND:.0f} s after the start: a clock jumped; record both on one clock"
            )


# Stamps -----------------------------------------------------------------------------------------------------------


def _screen_stamps(
    name: str, stamps: NDArray[np.int64], rates: tuple[float, float], remedy: str, findings: Findings
) -> None:
    if len(stamps) < 2:
        raise ValueError(f"{name} has {len(stamps)} samples")
    rate = SECOND / float(np.median(np.diff(stamps)))
    if not rates[0] <= rate <= rates[1]:
        raise ValueError(f"{name} came at {rate:.3g} Hz and should come at 30 Hz: {remedy}")
    seconds, count = np.unique((stamps - stamps[0]) // SECOND, return_counts=True)
    usual = float(np.median(count))
    crowded = np.flatnonzero(count > max(CROWDED * usual, 5.0))
    if len(crowded):
        raise ValueError(
            f"{name} has {count[crowded[0]]} samples in the second {seconds[crowded[0]]} s after the start instead of "
            f"{usual:.0f}: its clock was set back; record with a steady clock"
        )
    gaps = list(_gaps(stamps))
    _refuse_if_long(name, "is missing", gaps, stamps, "check the link and record again")
    if gaps:
        missing = sum(end - begin for begin, end in gaps) / SECOND
        findings.warnings.append(f"{name} has {len(gaps)} gaps, {missing:.1f} s in all")


def _gaps(stamps: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    for row in np.flatnonzero(np.diff(stamps) > GAP * SECOND):
        yield int(stamps[row]), int(stamps[row + 1])


def _unchanged(stamps: NDArray[np.int64], values: NDArray[np.floating], seconds: float) -> Iterator[tuple[int, int]]:
    """Spans of more than ``seconds`` in which no value changes."""
    changes = np.flatnonzero(np.any(values[1:] != values[:-1], axis=1)) + 1
    edges = np.concatenate(([0], changes, [len(stamps)]))
    for first, last in zip(edges[:-1], edges[1:] - 1, strict=True):
        if stamps[last] - stamps[first] > seconds * SECOND:
            yield int(stamps[first]), int(stamps[last])


def _refuse_if_long(name: str, what: str, spans: list[tuple[int, int]], stamps: NDArray[np.int64], remedy: str) -> None:
    share = sum(end - begin for begin, end in spans) / (stamps[-1] - stamps[0])
    if share > MISSING:
        raise ValueError(f"{name} {what} for {share:.0%} of the time: {remedy}")


def _span(span: tuple[int, int], stamps: NDArray[np.int64]) -> str:
    return f"{(span[0] - stamps[0]) / SECOND:.0f} s to {(span[1] - stamps[0]) / SECOND:.0f} s"
