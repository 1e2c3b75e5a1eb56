"""Scans of a head: files of meshes and point clouds, as points on a surface in metres."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

UNITS = {"m": 1.0, "cm": 1e-2, "mm": 1e-3}
ANY_UNIT = "any"
"""The unit is unknown, as of a mesh made from photographs."""
FORMATS = (".ply", ".obj", ".stl")

# The largest side of a scan of a face, or of a head with shoulders, metres: ten times apart, so the unit can be told.
_EXTENT = (0.1, 1.0)
_LARGEST = 3.0  # with a whole body, where the unit is named
_UNSCALED = 0.3  # what that side is made where the unit is unknown
_FEWEST_POINTS = 500
_NEIGHBOURS = 12  # that make a point's plane


class ScanError(ValueError):
    """A scan is missing, damaged, or cannot be a face."""


@dataclass(frozen=True)
class Scan:
    """A surface: points, and the triangles between them, of which a point cloud has none."""

    points: NDArray[np.float64]
    """(N, 3) metres, or any length where the unit is unknown, in a frame of its own."""
    triangles: NDArray[np.int64]
    """(T, 3)"""
    unit: str = "m"
    """Of the file: one of :data:`UNITS`, or :data:`ANY_UNIT`."""

    def sample(self, count: int, near: NDArray[np.float64] | None = None, radius: float = np.inf) -> Surface:
        """About ``count`` points that lie evenly on the surface, at most ``radius`` metres from ``near`` (3,).

        Raises:
            ScanError: hardly any point is there.
        """
        rng = np.random.default_rng(0)
        centre = np.zeros(3) if near is None else near
        if len(self.triangles):
            corners = self.points[self.triangles]
            corners = corners[np.linalg.norm(corners.mean(axis=1) - centre, axis=1) <= radius]
            area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
            if not area.sum() > 0.0:
                raise ScanError("the scan has no surface where a face should be")
            chosen = corners[rng.choice(len(corners), count, p=area / area.sum())]
            mixture = rng.dirichlet(np.ones(3), count)
            return Surface(np.einsum("nk,nkc->nc", mixture, chosen))
        points = self.points[np.linalg.norm(self.points - centre, axis=1) <= radius]
        if len(points) < _FEWEST_POINTS:
            raise ScanError(f"the scan has only {len(points)} points where a face should be")
        return Surface(points[rng.permutation(len(points))[:count]])


@dataclass(frozen=True)
class Surface:
    """Points on a surface, to which the nearest can be asked for."""

    points: NDArray[np.float64]
    """(N, 3) metres"""

    @cached_property
    def tree(self) -> cKDTree:
        return cKDTree(self.points)

    @cached_property
    def spacing(self) -> float:
        """How far apart neighbouring points are, metres: the median reach of the points that make a plane."""
        return float(np.median(np.asarray(self.tree.query(self.points[::10], k=_NEIGHBOURS)[0])[:, -1]))

    @cached_property
    def planes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Centre (N, 3) and unit normal (N, 3), of either sign, of the plane through each point's neighbourhood."""
        neighbours = self.points[self.tree.query(self.points, k=_NEIGHBOURS)[1]]
        centres = neighbours.mean(axis=1)
        offsets = neighbours - centres[:, None]
        return centres, np.linalg.eigh(np.einsum("nki,nkj->nij", offsets, offsets))[1][:, :, 0]


def read_scan(path: str | os.PathLike[str], unit: str = "") -> Scan:
    """Read a mesh or a point cloud (PLY, OBJ, STL).

    Args:
        path: the file; neither materials nor other files that it names are read.
        unit: one of :data:`UNITS`, or :data:`ANY_UNIT`; empty: told from the size.

    Raises:
        ScanError: the file is missing, damaged, holds no surface or values that are not finite, or is not of the size
            of a face, with the remedy.
    """
    import trimesh

    file = Path(path)
    if file.suffix.lower() not in FORMATS:
        raise ScanError(f"{file} is not a scan that can be read: expected one of {', '.join(FORMATS)}")
    if not file.is_file():
        raise ScanError(f"no scan at {file}")
    try:
        # In this form and order nothing is dropped or merged, so that what is wrong can be told.
        mesh = trimesh.load(file, process=False, skip_materials=True)
        if isinstance(mesh, trimesh.Scene) and mesh.geometry:  # of several objects
            mesh = mesh.to_mesh()
        points = np.asarray(getattr(mesh, "vertices", ()), dtype=np.float64).reshape(-1, 3)
        triangles = np.asarray(getattr(mesh, "faces", ()), dtype=np.int64).reshape(-1, 3)
    except Exception as error:  # on a damaged file its readers raise whatever they trip over
        raise ScanError(f"{file} is damaged: {' '.join(str(error).split()) or type(error).__name__}") from None
    if not len(points):
        raise ScanError(f"{file} holds no points")
    if len(points) < _FEWEST_POINTS:
        raise ScanError(f"{file} holds {len(points)} points, too few for a face: {_FEWEST_POINTS} are needed")
    if not np.isfinite(points).all():
        bad = int((~np.isfinite(points)).any(axis=1).sum())
        raise ScanError(f"{file}: {bad} of {len(points)} points are not finite: clean the scan first")
    if triangles.size and (triangles.min() < 0 or triangles.max() >= len(points)):
        raise ScanError(f"{file}: a triangle names a point that is not there")
    unit, scale = _unit(file, points, unit)
    return Scan(points * scale, triangles, unit)


def _unit(file: Path, points: NDArray[np.float64], unit: str) -> tuple[str, float]:
    """The file's unit, and how many metres it is."""
    # Without the few points that fly about in a scan.
    extent = float(np.ptp(np.percentile(points, (0.5, 99.5), axis=0), axis=0).max())
    if not extent > 0.0:
        raise ScanError(f"{file}: all points are the same")
    if unit == ANY_UNIT:
        return unit, _UNSCALED / extent
    if unit and unit not in UNITS:
        raise ScanError(f"unit '{unit}' is unknown: expected one of {', '.join(UNITS)}, {ANY_UNIT}")
    if unit and _EXTENT[0] <= extent * UNITS[unit] < _LARGEST:
        return unit, UNITS[unit]
    if unit:
        raise ScanError(f"{file} spans {extent:g} {unit}, which is not the size of a head: name another unit")
    for name, scale in UNITS.items():
        if _EXTENT[0] <= extent * scale < _EXTENT[1]:
            return name, scale
    raise ScanError(f"{file} spans {extent:g}, which is a head in none of m, cm and mm: name its unit, or any")
