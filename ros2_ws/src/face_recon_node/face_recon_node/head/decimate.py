"""Fewer triangles for a mesh that deforms: quadric edge collapse onto existing vertices.

The vertices that are left are vertices of the original mesh, so blendshapes, identities and landmark indices stay
exact; only the triangulation between them gets coarser. The error quadrics (Garland and Heckbert, "Surface
simplification using quadric error metrics", SIGGRAPH 1997) are summed over several poses of the mesh, so that a
vertex which is flat at rest but shapes a smile is kept.
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

# A small cost of length keeps triangles compact where the surface is flat: metres^4 per squared metre of the edge.
_LENGTH_COST = 1e-10

# A collapse may turn the normal of a triangle by at most the arc cosine of this.
_MIN_NORMAL_COSINE = 0.3


def decimate(
    poses: NDArray[np.floating],
    triangles: NDArray[np.integer],
    target: int,
    importance: NDArray[np.floating],
    mirror: NDArray[np.integer],
) -> NDArray[np.int32]:
    """Collapse edges until at most ``target`` triangles are left.

    Args:
        poses: (P, V, 3) positions of the vertices in each pose, metres; the first is the rest pose.
        triangles: (T, 3) vertex indices.
        target: number of triangles to reach; more are left when nothing else may be collapsed.
        importance: (V,) factor of the error of removing each vertex; infinite keeps it. The rim of an open mesh is
            always kept.
        mirror: (V,) for each vertex its mirror image; each collapse is followed by its mirror image where possible,
            so that a symmetric mesh stays symmetric.

    Returns:
        The triangles that are left, as indices into the original vertices.
    """
    mesh = _Mesh(poses, triangles, importance, mirror)
    while mesh.count > target and mesh.collapse_cheapest():
        pass
    return mesh.remaining()


class _Mesh:
    def __init__(
        self,
        poses: NDArray[np.floating],
        triangles: NDArray[np.integer],
        importance: NDArray[np.floating],
        mirror: NDArray[np.integer],
    ) -> None:
        positions = poses.astype(np.float64)
        self.rest = positions[0]
        self.homogeneous = np.concatenate([positions, np.ones((*poses.shape[:2], 1))], axis=2)
        self.triangles: dict[int, tuple[int, int, int]] = {
            i: (int(a), int(b), int(c)) for i, (a, b, c) in enumerate(triangles)
        }
        self.around: list[set[int]] = [set() for _ in range(poses.shape[1])]  # the triangles at each vertex
        for i, corners in self.triangles.items():
            for vertex in corners:
                self.around[vertex].add(i)
        self.quadrics = _quadrics(positions, triangles)
        self.importance = np.array(importance, dtype=np.float64)
        self.importance[_rim(triangles)] = np.inf
        self.mirror = mirror
        self.version = np.zeros(poses.shape[1], dtype=np.int64)
        self.heap: list[tuple[float, int, int, int, int]] = []
        edges = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
        self._push(np.unique(np.vstack([edges, edges[:, ::-1]]), axis=0))

    @property
    def count(self) -> int:
        return len(self.triangles)

    def remaining(self) -> NDArray[np.int32]:
        return np.array([self.triangles[i] for i in sorted(self.triangles)], dtype=np.int32).reshape(-1, 3)

    def neighbours(self, vertex: int) -> set[int]:
        return {v for t in self.around[vertex] for v in self.triangles[t]} - {vertex}

    def collapse_cheapest(self) -> bool:
        """Collapse the cheapest edge that may be collapsed; False when there is none."""
        while self.heap:
            _, u, v, version_u, version_v = heapq.heappop(self.heap)
            if self.version[u] == version_u and self.version[v] == version_v and self._allowed(u, v):
                self._collapse(u, v)
                u, v = int(self.mirror[u]), int(self.mirror[v])
                if np.isfinite(self.importance[u]) and self._allowed(u, v):
                    self._collapse(u, v)
                return True
        return False

    def _push(self, pairs: NDArray[np.integer]) -> None:
        """Queue the collapse of u onto v for each pair (u, v)."""
        pairs = pairs[np.isfinite(self.importance[pairs[:, 0]])]
        u, v = pairs[:, 0], pairs[:, 1]
        at = self.homogeneous[:, v]
        error = np.einsum("pni,pnij,pnj->n", at, self.quadrics[:, u] + self.quadrics[:, v], at, optimize=True)
        length = np.sum((self.rest[u] - self.rest[v]) ** 2, axis=1)
        cost = self.importance[u] * (np.maximum(error, 0.0) / len(at) + _LENGTH_COST * length)
        for entry in zip(
            cost.tolist(), u.tolist(), v.tolist(), self.version[u].tolist(), self.version[v].tolist(), strict=True
        ):
            heapq.heappush(self.heap, entry)

    def _allowed(self, u: int, v: int) -> bool:
        shared = self.around[u] & self.around[v]
        # The link condition: otherwise the surface would be pinched.
        if len(shared) != 2 or len(self.neighbours(u) & self.neighbours(v)) != 2:
            return False
        moved = np.array([self.triangles[t] for t in self.around[u] - shared])
        before = _normals(self.rest, moved)
        after = _normals(self.rest, np.where(moved == u, v, moved))
        scale = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        return bool(np.all(np.sum(before * after, axis=1) > _MIN_NORMAL_COSINE * scale))

    def _collapse(self, u: int, v: int) -> None:
        for t in list(self.around[u]):
            corners = self.triangles[t]
            if v in corners:
                del self.triangles[t]
                for vertex in corners:
                    self.around[vertex].discard(t)
            else:
                a, b, c = (v if vertex == u else vertex for vertex in corners)
                self.triangles[t] = (a, b, c)
                self.around[v].add(t)
        self.around[u].clear()
        self.quadrics[:, v] += self.quadrics[:, u]
        self.version[[u, v]] += 1
        near = self.neighbours(v)
        self._push(np.array([pair for n in sorted(near) for pair in ((n, v), (v, n))]))


def _normals(points: NDArray[np.float64], triangles: NDArray[np.integer]) -> NDArray[np.float64]:
    a, b, c = (points[..., triangles[:, i], :] for i in range(3))
    return np.cross(b - a, c - a)


def _quadrics(poses: NDArray[np.float64], triangles: NDArray[np.integer]) -> NDArray[np.float64]:
    """(P, V, 4, 4): summed, area-weighted squared distances to the planes of the triangles at each vertex."""
    quadrics = np.zeros((*poses.shape[:2], 4, 4))
    for points, quadric in zip(poses, quadrics, strict=True):
        normal = _normals(points, triangles)
        area = np.linalg.norm(normal, axis=1, keepdims=True) / 2
        normal = normal / np.maximum(2 * area, 1e-18)
        plane = np.column_stack([normal, -np.sum(normal * points[triangles[:, 0]], axis=1)])
        outer = area[:, :, None] * plane[:, :, None] * plane[:, None, :]
        for i in range(3):
            np.add.at(quadric, triangles[:, i], outer)
    return quadrics


def _rim(triangles: NDArray[np.integer]) -> NDArray[np.integer]:
    """The vertices on the rim of an open mesh: on an edge of one triangle only."""
    edges = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    return np.unique(unique[count == 1])
