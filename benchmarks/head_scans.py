"""How near does a head that is fitted to a scan come to the person's own?

    .venv/bin/python benchmarks/head_scans.py [--people 5]

The scans are simulated, so that the true landmarks are known. Each person is a random identity of the head model with
smooth displacements that its identities do not know (sums of random waves, unlike those that the fit assumes). What a
scanner does to them is in ``SCANS``. Printed are the mean distances of the 51 landmarks from the true ones in the frame
`face`: of the generic head (the baseline), of the best identity alone, and of what ``imuface head`` writes; then the
median distances of the face from the scan, all in mm.
"""

from __future__ import annotations

import itertools
from dataclasses import astuple, dataclass
from typing import Annotated

import numpy as np
import typer
from face_recon_node.head import HeadModel, Identity
from face_recon_node.head.likeness import fit_scan, pupil_distance
from face_recon_node.head.placing import Placing
from face_recon_node.head.render import seen, vertex_normals
from face_recon_node.head.scan import ANY_UNIT, Scan
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

BEYOND = 0.003  # m: standard deviation of the displacements beyond the identities
LENGTHS = (0.02, 0.10)  # m over which they change


def person(head: HeadModel, rng: Generator, beyond: float = BEYOND) -> HeadModel:
    """A grown person whom the head model does not know."""
    known = head.with_identity(Identity(rng.uniform(0.4, 1.0), rng.uniform(), rng.uniform()))
    waves = 60
    lengths = np.exp(rng.uniform(np.log(LENGTHS[0]), np.log(LENGTHS[1]), waves))
    directions = rng.normal(size=(waves, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    phases = known.neutral @ (directions / lengths[:, None]).T * (np.pi / 2) + rng.uniform(0, 2 * np.pi, waves)
    strengths = rng.normal(size=(waves, 3)) * (lengths / lengths.max())[:, None] ** 0.5  # long ones are stronger
    moved = np.sin(phases) @ strengths
    moved *= beyond / moved.std()
    neutral = known.neutral + moved
    return known.with_neutral(neutral - neutral[head.landmark_indices[10]])


@dataclass(frozen=True)
class Case:
    """What is done to the scan of a person."""

    beyond: float = BEYOND
    noise: float = 0.0003  # m
    face_only: bool = False
    holes: int = 0
    dressed: bool = False  # hair, and shoulders
    cloud: bool = False  # points without triangles
    unit_known: bool = True


SCANS = {
    "an identity that the model knows, whole head": Case(beyond=0.0),
    "whole head": Case(),
    "noise of 1 mm": Case(noise=0.001),
    "the face only": Case(face_only=True),
    "the face only, five holes": Case(face_only=True, holes=5),
    "hair and shoulders": Case(dressed=True),
    "a point cloud of the face": Case(face_only=True, cloud=True),
    "unit unknown, pupil distance given": Case(unit_known=False, dressed=True),
}


def scanned(known: HeadModel, case: Case, rng: Generator) -> tuple[Scan, Placing]:
    """What a scanner makes of a head, in a random pose."""
    import trimesh

    yaws = (-60.0, -30.0, 0.0, 30.0, 60.0) if case.face_only else tuple(30.0 * i for i in range(12))
    visible = seen(known.neutral, known.triangles, yaws)
    if case.face_only:
        visible &= known.neutral[:, 0] > -0.085
    triangles = known.triangles[visible[known.triangles].all(axis=1)]
    points = known.neutral.astype(np.float64)
    if case.dressed:
        points = points + _hair(points) * vertex_normals(points, known.triangles)
    for _ in range(2):
        points, triangles = trimesh.remesh.subdivide(points, triangles)
    if case.dressed:
        torso = trimesh.creation.icosphere(4)
        points, triangles = (
            np.vstack([points, torso.vertices * (0.11, 0.2, 0.12) + (-0.12, 0, -0.28)]),
            np.vstack([triangles, torso.faces + len(points)]),
        )
    points = points + rng.normal(0.0, case.noise, (len(points), 1)) * vertex_normals(points, triangles)
    for _ in range(case.holes):
        centre = points[rng.choice(triangles.reshape(-1))]
        away = np.linalg.norm(points - centre, axis=1) > rng.uniform(0.005, 0.02)
        triangles = triangles[away[triangles].all(axis=1)]
    if case.cloud:
        points, triangles = points[np.unique(triangles)], triangles[:0]
    size = 1.0 if case.unit_known else rng.uniform(0.5, 2.0)
    pose = Placing(Rotation.random(rng=rng), rng.normal(0.0, 1.0, 3), size)
    return Scan(pose.to_scan(points), triangles.astype(np.int64), "m" if case.unit_known else ANY_UNIT), pose


def _hair(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """How thick the hair is at each point (V, 1), metres."""
    covered = np.clip((np.hypot(points[:, 0] + 0.02, points[:, 2] + 0.05) - 0.09) / 0.04, 0, 1)
    covered *= np.clip((-points[:, 0] - 0.03 + np.clip(points[:, 2] - 0.03, 0, 0.05)) / 0.02, 0, 1)
    return (covered * (0.02 + 0.005 * np.sin(points @ (90, 70, 110))))[:, None]


@dataclass(frozen=True)
class Outcome:
    """Mean distances from the true landmarks, mm, and what ``imuface head`` says."""

    generic: float
    identity: float
    fitted: float
    before: float  # median distance of the face from the scan, mm
    after: float


def measure(head: HeadModel, case: Case, number: int) -> Outcome:
    """Scan one person, and fit a head."""
    rng = np.random.default_rng(number)
    truth = person(head, rng, case.beyond)
    scan, _ = scanned(truth, case, rng)
    found = fit_scan(head, scan, None if case.unit_known else pupil_distance(truth.landmark_neutral))

    def error(landmarks: NDArray[np.floating]) -> float:
        return float(np.linalg.norm(landmarks - truth.landmark_neutral, axis=1).mean() * 1e3)

    own = error(head.landmark_neutral)
    identity = error(nearest_identity(head, truth.landmark_neutral))
    before, after = (float(np.median(distances) * 1e3) for distances in (found.before, found.after))
    return Outcome(own, identity, error(found.head.landmark_neutral), before, after)


def nearest_identity(head: HeadModel, true: NDArray[np.floating]) -> NDArray[np.floating]:
    """Landmarks of the identity that is nearest to the true ones (51, 3): as well as age, gender, weight can do."""
    steps = np.linspace(0.0, 1.0, 6)
    known = (head.with_identity(Identity(*values)).landmark_neutral for values in itertools.product(steps, repeat=3))
    return min(known, key=lambda landmarks: float(np.linalg.norm(landmarks - true, axis=1).mean()))


def main(
    people: Annotated[int, typer.Option(help="People of each kind of scan.")] = 5,
    only: Annotated[str, typer.Option(help="Only the kinds of scan whose name has this in it.")] = "",
) -> None:
    """Run the benchmark."""
    head = HeadModel.load()
    print("| scan | generic head | best identity | fitted | worst | surface, generic | surface, fitted |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name, case in SCANS.items():
        if only in name:
            found = [measure(head, case, number) for number in range(people)]
            generic, identity, fitted, before, after = np.mean([astuple(one) for one in found], axis=0)
            worst = max(one.fitted for one in found)
            print(
                f"| {name} | {generic:.2f} | {identity:.2f} | **{fitted:.2f}** | {worst:.2f} | {before:.2f} "
                f"| {after:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    typer.run(main)
