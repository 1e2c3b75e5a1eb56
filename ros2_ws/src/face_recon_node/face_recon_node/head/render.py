"""A small software renderer for faces: z-buffer, smooth shading, numpy only.

It serves reports and documentation, where a GPU or a display may be missing. Viewers draw the mesh themselves.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SKIN = (224, 172, 142)
BACKGROUND = (246, 246, 248)
LANDMARK = (22, 110, 190)

# What the picture shows: metres from the sellion downwards to its middle, and its height. Fixed, so that two
# renderings of one head are comparable; wide enough for an adult head with an open jaw.
VIEW_CENTRE_BELOW_SELLION = 0.012
VIEW_HEIGHT = 0.285

# About which the head turns: the middle of an adult head.
_PIVOT = np.array([-0.09, 0.0, 0.0])

# Sub-pixel samples along each axis.
OVERSAMPLING = 2

_GLANCE = (400, 400)  # pixels in which is looked for what can be seen

# Directions to the lights in the face frame and their strengths: a key light above the person's left, a fill light
# from the right.
_LIGHTS = (((0.75, 0.45, 0.55), 0.72), ((0.6, -0.75, 0.1), 0.30))
_AMBIENT = 0.24
_SPECULAR = 0.10
_SHININESS = 18.0


def render_face(
    vertices: NDArray[np.floating],
    triangles: NDArray[np.integer],
    size: tuple[int, int] = (480, 600),
    landmarks: NDArray[np.floating] | None = None,
    *,
    colors: NDArray[np.uint8] | None = None,
    yaw: float = 0.0,
) -> NDArray[np.uint8]:
    """Draw a face seen from the front by an orthographic camera.

    Args:
        vertices: (V, 3) metres, face frame (x out of the face, y to the person's left, z up).
        triangles: (T, 3) vertex indices, anticlockwise seen from outside.
        size: width and height of the picture in pixels.
        landmarks: (N, 3) metres, face frame: drawn as dots, also where the surface hides them.
        colors: (V, 3) surface colour of each vertex; one skin colour where absent.
        yaw: the head turned to its left by this angle, degrees.

    Returns:
        (height, width, 3) RGB picture.

    Raises:
        ValueError: an array has the wrong shape, or a vertex is not finite.
    """
    if np.ndim(vertices) != 2 or vertices.shape[1] != 3 or np.ndim(triangles) != 2 or triangles.shape[1] != 3:
        raise ValueError(f"expected (V, 3) vertices and (T, 3) triangles, got {vertices.shape} and {triangles.shape}")
    if not np.isfinite(vertices).all():
        raise ValueError("the vertices hold values that are not finite")
    width, height = (OVERSAMPLING * side for side in size)
    albedo = np.full(vertices.shape, SKIN) if colors is None else colors.astype(np.float64)

    points = _turned(vertices, yaw)
    image = np.empty((height * width, 3))
    image[:] = BACKGROUND
    visible, pixel, barycentric = _rasterise(_project(points, width, height), points[:, 0], triangles, width, height)
    corners = triangles[visible]
    normal = np.einsum("pk,pkc->pc", barycentric, vertex_normals(points, triangles)[corners])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    image[pixel] = _shade(np.einsum("pk,pkc->pc", barycentric, albedo[corners]), normal)

    picture = image.reshape(height, width, 3)
    if landmarks is not None:
        _draw_dots(picture, _project(_turned(landmarks, yaw), width, height))
    picture = picture.reshape(size[1], OVERSAMPLING, size[0], OVERSAMPLING, 3).mean(axis=(1, 3))
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def seen(vertices: NDArray[np.floating], triangles: NDArray[np.integer], yaws: Iterable[float]) -> NDArray[np.bool_]:
    """Which vertices (V,) show in a picture of the head turned by one of the angles, degrees, or are next to such."""
    mask = np.zeros(len(vertices), bool)
    for yaw in yaws:
        points = _turned(vertices, yaw)
        mask[triangles[_rasterise(_project(points, *_GLANCE), points[:, 0], triangles, *_GLANCE)[0]]] = True
    return mask


def vertex_normals(vertices: NDArray[np.floating], triangles: NDArray[np.integer]) -> NDArray[np.float64]:
    """Unit normals (V, 3) of a mesh: the area-weighted mean of those of the adjacent triangles."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face_normals = np.cross(b - a, c - a)
    normals = np.zeros((len(vertices), 3))
    for i in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(triangles[:, i], face_normals[:, axis], minlength=len(vertices))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _turned(points: NDArray[np.floating], yaw: float) -> NDArray[np.float64]:
    """Points (N, 3) turned to the person's left about the middle of the head by an angle in degrees."""
    cosine, sine = np.cos(np.deg2rad(yaw)), np.sin(np.deg2rad(yaw))
    rotation = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return (points.astype(np.float64) - _PIVOT) @ rotation.T + _PIVOT


def _project(points: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """Pixel coordinates (N, 2), x to the right and y down; the camera looks along -x, so +y is to its right."""
    scale = height / VIEW_HEIGHT
    return np.column_stack(
        [width / 2 + scale * points[:, 1], height / 2 - scale * (points[:, 2] + VIEW_CENTRE_BELOW_SELLION)]
    )


def _rasterise(
    screen: NDArray[np.float64], nearness: NDArray[np.float64], triangles: NDArray[np.integer], width: int, height: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Nearest triangle, flat pixel index and barycentric coordinates of every covered pixel.

    Every pixel in the bounding box of every triangle that faces the camera is tested at once.
    """
    a, b, c = (screen[triangles[:, i]] for i in range(3))
    # Twice the signed area; y points down, so a triangle that faces the camera has a negative one.
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    facing = np.flatnonzero(area < 0)
    a, b, c, area = a[facing], b[facing], c[facing], area[facing]
    low = np.clip(np.ceil(np.minimum(np.minimum(a, b), c) - 0.5), 0, (width, height)).astype(np.int32)
    high = np.clip(np.ceil(np.maximum(np.maximum(a, b), c) - 0.5), 0, (width, height)).astype(np.int32)
    columns, rows = (high - low).T
    count = columns * rows
    owner = np.repeat(np.arange(len(facing), dtype=np.int32), count)
    offset = np.arange(len(owner), dtype=np.int32) - np.repeat(np.cumsum(count) - count, count).astype(np.int32)
    row = offset // columns[owner]
    x, y = offset - row * columns[owner], row

    # A barycentric coordinate is a plane over the picture: its value at the corner of the box, and two slopes.
    def plane(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float32]:
        slope_x, slope_y = (p[:, 1] - q[:, 1]) / area, (q[:, 0] - p[:, 0]) / area
        start = slope_x * (low[:, 0] + 0.5 - p[:, 0]) + slope_y * (low[:, 1] + 0.5 - p[:, 1])
        start, slope_x, slope_y = (v.astype(np.float32)[owner] for v in (start, slope_x, slope_y))
        return start + slope_x * x + slope_y * y

    first, second = plane(b, c), plane(c, a)
    third = 1 - first - second
    # The tolerance closes hairline gaps between neighbours.
    inside = np.flatnonzero((first > -1e-4) & (second > -1e-4) & (third > -1e-4))
    owner = owner[inside]
    barycentric = np.column_stack([first[inside], second[inside], third[inside]])
    pixel = (low[owner, 1] + y[inside]) * width + low[owner, 0] + x[inside]
    depth = np.einsum("pk,pk->p", barycentric, nearness[triangles[facing[owner]]])
    order = np.lexsort((depth, pixel))
    nearest = order[np.flatnonzero(np.diff(pixel[order], append=-1))]
    return facing[owner[nearest]], pixel[nearest], barycentric[nearest].astype(np.float64)


def _shade(albedo: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blinn-Phong shading, the camera at infinity along +x."""
    light = np.full(len(normal), _AMBIENT)
    gloss = np.zeros(len(normal))
    for direction, strength in _LIGHTS:
        towards = np.array(direction) / np.linalg.norm(direction)
        light += strength * np.maximum(normal @ towards, 0.0)
        half = towards + np.array([1.0, 0.0, 0.0])
        gloss += strength * np.maximum(normal @ (half / np.linalg.norm(half)), 0.0) ** _SHININESS
    return albedo * light[:, None] + 255.0 * _SPECULAR * gloss[:, None]


def _draw_dots(picture: NDArray[np.float64], centres: NDArray[np.float64]) -> None:
    radius = max(1.5, picture.shape[0] / 200)
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    for x, y in centres[np.isfinite(centres).all(axis=1)]:
        picture[(columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 <= radius**2] = LANDMARK
