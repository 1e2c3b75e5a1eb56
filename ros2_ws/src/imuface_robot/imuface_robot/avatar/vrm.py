"""Looks into a VRM file: whether it is one, of which version, and which of the face's actions it can show.

VRM is binary glTF 2.0 with an extension, ``VRMC_vrm`` (version 1) or ``VRM`` (version 0).
Source: vrm-c/vrm-specification.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imuface_core.arkit import BLENDSHAPES
from imuface_core.vrm import PRESETS

_HEAD = struct.Struct("<4sIIII")  # magic, version, length of all; length and kind of the first chunk
_JSON = 0x4E4F534A
LARGEST = 512 * 1024 * 1024
"""Bytes."""


class VrmError(ValueError):
    """A file is no VRM; the message names it and the remedy."""


@dataclass(frozen=True)
class Vrm:
    """An avatar's file: its version (``0.0``, ``1.0``), its name, its expressions; presets as VRM 1 calls them."""

    file: Path
    version: str
    name: str
    expressions: tuple[str, ...]

    @property
    def actions(self) -> tuple[str, ...]:
        """ARKit's actions that have a clip of their own; all 52 for a model with "perfect sync"."""
        own = {expression.lower() for expression in self.expressions}
        return tuple(name for name in BLENDSHAPES if name.lower() in own)

    @property
    def presets(self) -> tuple[str, ...]:
        """VRM's expressions that a face moves, those that it has."""
        return tuple(name for _, name in PRESETS if name in self.expressions)


def read(file: Path) -> Vrm:
    """What a VRM file says of itself.

    Raises:
        OSError: it cannot be read.
        VrmError: it is no VRM, or none that is whole.
    """
    if not file.is_file():
        raise VrmError(f"there is no file {file}; name an avatar's .vrm")
    size = file.stat().st_size
    if size > LARGEST:
        raise VrmError(f"{file} has {size / 1e6:.0f} MB, more than a browser should load ({LARGEST / 1e6:.0f} MB)")
    with open(file, "rb") as stream:
        start = stream.read(_HEAD.size)
        if len(start) < _HEAD.size or not start.startswith(b"glTF"):
            raise VrmError(f"{file} is no VRM: it does not begin as binary glTF does; export the model as .vrm")
        _, gltf, length, text_length, kind = _HEAD.unpack(start)
        if gltf != 2 or kind != _JSON:
            raise VrmError(f"{file} is no VRM: it is glTF of version {gltf}, which is not read; export the model anew")
        if size < length or size < _HEAD.size + text_length:
            raise VrmError(f"{file} breaks off: {size} of {length} bytes; copy or export it again")
        text = stream.read(text_length)
    try:
        extensions = json.loads(text).get("extensions", {})
        if "VRMC_vrm" in extensions:
            return _version_1(file, extensions["VRMC_vrm"])
        if "VRM" in extensions:
            return _version_0(file, extensions["VRM"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise VrmError(f"{file} is damaged: its description cannot be read ({error}); export it again") from error
    raise VrmError(f"{file} is glTF without VRM's extension; export it as VRM, for example with UniVRM or VRoid Studio")


def _version_1(file: Path, extension: Any) -> Vrm:
    expressions = extension.get("expressions", {})
    names = (*expressions.get("preset", {}), *expressions.get("custom", {}))
    return Vrm(file, str(extension["specVersion"]), str(extension["meta"]["name"]), names)


def _version_0(file: Path, extension: Any) -> Vrm:
    presets = {old.lower(): new for old, new in PRESETS}
    groups = extension.get("blendShapeMaster", {}).get("blendShapeGroups", ())
    names = tuple(presets.get(str(group.get("presetName")), str(group["name"])) for group in groups)
    return Vrm(file, str(extension.get("specVersion", "0.0")), str(extension["meta"].get("title", "")), names)
