"""Decimation keeps what it promises."""

from __future__ import annotations

import numpy as np
from face_recon_node.head.decimate import decimate
from numpy.typing import NDArray


def sphere(rings: int = 14, segments: int = 20) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    latitude = np.linspace(0, np.pi, rings + 2)[1:-1]
    longitude = np.arange(segments) * 2 * np.pi / segments
    body = np.stack(
        [
            np.outer(np.sin(latitude), np.cos(longitude)),
            np.outer(np.sin(latitude), np.sin(longitude)),
            np.outer(np.cos(latitude), np.ones(segments)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    points = np.vstack([body, [0, 0, 1], [0, 0, -1]]) * 0.1
    north, south = len(body), len(body) + 1
    triangles = []
    for s in range(segments):
        t = (s + 1) % segments
        triangles += [(north, s, t), (south, (rings - 1) * segments + t, (rings - 1) * segments + s)]
        for r in range(rings - 1):
            a, b, c, d = r * segments + s, (r + 1) * segments + s, (r + 1) * segments + t, r * segments + t
            triangles += [(a, b, c), (a, c, d)]
    return points, np.array(triangles)


def edges(triangles: NDArray) -> dict[tuple[int, int], int]:
    counts: dict[tuple[int, int], int] = {}
    for a, b, c in triangles.tolist():
        for edge in ((a, b), (b, c), (c, a)):
            key = (min(edge), max(edge))
            counts[key] = counts.get(key, 0) + 1
    return counts


def volume(points: NDArray, triangles: NDArray) -> float:
    a, b, c = (points[triangles[:, i]] for i in range(3))
    return float(np.sum(a * np.cross(b, c)) / 6)


def test_a_closed_surface_stays_closed_and_keeps_its_shape() -> None:
    points, triangles = sphere()
    nobody = np.arange(len(points))
    fewer = decimate(points[None], triangles, 200, np.ones(len(points)), nobody)
    assert len(fewer) <= 200
    counts = edges(fewer)
    assert set(counts.values()) == {2}
    used = np.unique(fewer)
    assert len(used) - len(counts) + len(fewer) == 2  # Euler
    assert volume(points, fewer) > 0.9 * volume(points, triangles)


def test_infinitely_important_vertices_and_the_rim_stay() -> None:
    points, triangles = sphere()
    open_below = triangles[points[triangles][:, :, 2].min(axis=1) > -0.05]
    rim = {v for edge, count in edges(open_below).items() if count == 1 for v in edge}
    importance = np.ones(len(points))
    importance[[7, 33, 60]] = np.inf
    fewer = decimate(points[None], open_below, 60, importance, np.arange(len(points)))
    assert len(fewer) < len(open_below)
    assert rim | {7, 33, 60} <= set(fewer.ravel().tolist())


def test_a_vertex_that_moves_in_another_pose_outlives_one_that_never_does() -> None:
    size = 15
    x, y = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    flat = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3) * 0.01
    cell = np.arange(size * size).reshape(size, size)
    a, b, c, d = (cell[i : size - 1 + i, j : size - 1 + j].ravel() for i, j in ((0, 0), (1, 0), (1, 1), (0, 1)))
    triangles = np.vstack([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    bump = cell[4, 4]
    bent = flat.copy()
    bent[bump, 2] = 0.01
    fewer = decimate(np.stack([flat, bent]), triangles, 100, np.ones(len(flat)), np.arange(len(flat)))
    assert bump in fewer
    assert cell[9, 9] not in fewer or cell[10, 10] not in fewer


def test_a_symmetric_surface_stays_symmetric() -> None:
    points, triangles = sphere()
    mirror = np.array([int(np.argmin(np.sum((points - p * (1, -1, 1)) ** 2, axis=1))) for p in points])
    fewer = np.unique(decimate(points[None], triangles, 300, np.ones(len(points)), mirror))
    assert np.mean(np.isin(mirror[fewer], fewer)) > 0.95
