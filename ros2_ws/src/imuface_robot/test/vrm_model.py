"""A small avatar of ellipsoids as a VRM file, of version 0 or 1."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from imuface_core.arkit import BLENDSHAPES

# Bones that VRM asks for: parent, and where the bone is in its parent's frame; m, the avatar's own right is at -x.
_BONES: dict[str, tuple[str, tuple[float, float, float]]] = {
    "hips": ("", (0.0, 0.9, 0.0)),
    "spine": ("hips", (0.0, 0.12, 0.0)),
    "chest": ("spine", (0.0, 0.14, 0.0)),
    "neck": ("chest", (0.0, 0.22, 0.0)),
    "head": ("neck", (0.0, 0.08, 0.0)),
    "leftEye": ("head", (0.035, 0.06, 0.075)),
    "rightEye": ("head", (-0.035, 0.06, 0.075)),
}
for _side, _sign in (("left", 1.0), ("right", -1.0)):
    _BONES |= {
        f"{_side}UpperArm": ("chest", (0.15 * _sign, 0.14, 0.0)),
        f"{_side}LowerArm": (f"{_side}UpperArm", (0.25 * _sign, 0.0, 0.0)),
        f"{_side}Hand": (f"{_side}LowerArm", (0.22 * _sign, 0.0, 0.0)),
        f"{_side}UpperLeg": ("hips", (0.09 * _sign, -0.05, 0.0)),
        f"{_side}LowerLeg": (f"{_side}UpperLeg", (0.0, -0.4, 0.0)),
        f"{_side}Foot": (f"{_side}LowerLeg", (0.0, -0.4, 0.0)),
    }
# What is seen: bone, centre, half axes, colour.
_SKIN, _HAIR, _COAT, _DARK = (0.95, 0.76, 0.62), (0.25, 0.16, 0.12), (0.2, 0.36, 0.5), (0.12, 0.05, 0.06)
_PARTS = (
    ("head", (0.0, 0.06, 0.0), (0.085, 0.115, 0.09), _SKIN),
    ("head", (0.0, 0.1, -0.02), (0.095, 0.1, 0.09), _HAIR),
    ("neck", (0.0, 0.02, 0.0), (0.04, 0.08, 0.04), _SKIN),
    ("chest", (0.0, 0.05, 0.0), (0.16, 0.17, 0.09), _COAT),
    ("leftUpperArm", (0.13, 0.0, 0.0), (0.15, 0.045, 0.045), _COAT),
    ("rightUpperArm", (-0.13, 0.0, 0.0), (0.15, 0.045, 0.045), _COAT),
)
# What moves besides; the actions that move it are in _moves.
_MOUTH = (0.0, 0.005, 0.082)
_MOVING = {
    "mouth": ("head", _MOUTH, (0.025, 0.006, 0.008), _DARK),
    "eyeLeft": ("leftEye", (0.0, 0.0, 0.003), (0.013, 0.015, 0.008), _DARK),
    "eyeRight": ("rightEye", (0.0, 0.0, 0.003), (0.013, 0.015, 0.008), _DARK),
    "browLeft": ("head", (0.036, 0.088, 0.079), (0.02, 0.004, 0.006), _HAIR),
    "browRight": ("head", (-0.036, 0.088, 0.079), (0.02, 0.004, 0.006), _HAIR),
}
_PRESETS = {"aa": "a", "ih": "i", "ou": "u", "ee": "e", "oh": "o", "happy": "joy", "angry": "angry", "sad": "sorrow"}
_PRESETS |= {"blinkLeft": "blink_l", "blinkRight": "blink_r"}


def _ellipsoid(centre: Any, axes: Any, rows: int = 12, columns: int = 18) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions, normals, indices."""
    polar, around = np.meshgrid(np.linspace(0, np.pi, rows), np.linspace(0, 2 * np.pi, columns), indexing="ij")
    unit = np.stack((np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)), -1).reshape(-1, 3)
    corner = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]
    triangles = np.stack((a, b, c, a, c, d), -1).reshape(-1)
    normals = unit / np.asarray(axes)
    return unit * axes + centre, normals / np.linalg.norm(normals, axis=1, keepdims=True), triangles


def _moves(part: str, own: np.ndarray, expression: str) -> np.ndarray:
    """How a part moves with an action or a preset, from where its points are around its centre."""
    side = next((side for side in ("Left", "Right") if expression.endswith(side)), "")
    across, up = own[:, 0], own[:, 1]
    shift = np.zeros_like(own)
    if part == "mouth":
        of_side = {"Left": across > 0, "Right": across < 0}.get(side, True)
        bent = of_side * (across / 0.025) ** 2
        if expression in ("jawOpen", "aa", "oh"):
            shift[:, 1] = np.where(up < 0, 5.0 * up, up)
        elif expression in ("happy", "mouthSmileLeft", "mouthSmileRight"):
            shift[:, 1] = 0.018 * bent
        elif expression in ("sad", "mouthFrownLeft", "mouthFrownRight"):
            shift[:, 1] = -0.014 * bent
    elif part.endswith(side):
        inward = -across if part.endswith("Left") else across
        if part.startswith("eye") and expression in ("blinkLeft", "blinkRight", "eyeBlinkLeft", "eyeBlinkRight"):
            shift[:, 1] = -0.9 * up
        elif part.startswith("brow") and expression in ("browInnerUp", "sad"):
            shift[:, 1] = 0.006 + 0.4 * inward
        elif part.startswith("brow") and expression in ("browDownLeft", "browDownRight", "angry"):
            shift[:, 1] = -0.008 - 0.2 * inward
    return shift


class _Buffer:
    """The binary part, and what the JSON says of it."""

    def __init__(self) -> None:
        self.bytes = b""
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, array: np.ndarray) -> int:
        indices = array.dtype.kind == "i"
        data = array.astype("<u2" if indices else "<f4").tobytes()
        self.views.append({"buffer": 0, "byteOffset": len(self.bytes), "byteLength": len(data)})
        self.bytes += data + b"\0" * (-len(data) % 4)
        entry: dict[str, Any] = {"bufferView": len(self.views) - 1, "count": len(array)}
        if indices:
            entry |= {"componentType": 5123, "type": "SCALAR"}
        else:
            bounds = {"min": array.min(0).tolist(), "max": array.max(0).tolist()}
            entry |= {"componentType": 5126, "type": "VEC3", **bounds}
        self.accessors.append(entry)
        return len(self.accessors) - 1


def write(path: Path, version: int = 1, actions: Sequence[str] = BLENDSHAPES, name: str = "Alex") -> Path:
    """Write the avatar; it has a clip for each of ``actions`` beside VRM's presets."""
    front = np.array((-1.0, 1.0, -1.0) if version == 0 else (1.0, 1.0, 1.0))  # VRM 0 looks along -z, VRM 1 along +z
    nodes: list[dict[str, Any]] = [
        {"name": bone, "translation": (np.array(at) * front).tolist()} for bone, (_, at) in _BONES.items()
    ]
    index = {bone: number for number, bone in enumerate(_BONES)}
    buffer = _Buffer()
    meshes: list[dict[str, Any]] = []
    materials: list[dict[str, Any]] = []

    def hang(child: int, bone: str) -> None:
        nodes[index[bone]].setdefault("children", []).append(child)

    def primitive(positions: np.ndarray, normals: np.ndarray, triangles: np.ndarray, colour: Any) -> dict[str, Any]:
        look = {"baseColorFactor": [*colour, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.8}
        materials.append({"name": f"m{len(materials)}", "pbrMetallicRoughness": look})
        attributes = {"POSITION": buffer.add(positions * front), "NORMAL": buffer.add(normals * front)}
        return {"attributes": attributes, "indices": buffer.add(triangles), "material": len(materials) - 1}

    for bone, (parent, _) in _BONES.items():
        if parent:
            hang(index[bone], parent)
    for bone, centre, axes, colour in _PARTS:
        meshes.append({"primitives": [primitive(*_ellipsoid(np.array(centre), axes), colour)]})
        nodes.append({"mesh": len(meshes) - 1})
        hang(len(nodes) - 1, bone)
    clips = {each: each[0].upper() + each[1:] for each in actions}
    binds: dict[str, list[tuple[int, int, int]]] = {each: [] for each in (*_PRESETS, *clips)}  # node, mesh, target
    for part, (bone, centre, axes, colour) in _MOVING.items():
        positions, normals, triangles = _ellipsoid(np.array(centre), axes)
        seen = primitive(positions, normals, triangles, colour)
        targets: list[dict[str, int]] = []
        for expression, bound in binds.items():
            if (shift := _moves(part, positions - centre, expression)).any():
                bound.append((len(nodes), len(meshes), len(targets)))
                targets.append({"POSITION": buffer.add(shift * front)})
        meshes.append({"primitives": [seen | {"targets": targets}]})
        nodes.append({"mesh": len(meshes) - 1})
        hang(len(nodes) - 1, bone)
    key, content = (_vrm0 if version == 0 else _vrm1)(name, index, clips, binds)
    document = {
        "asset": {"version": "2.0"},
        "extensionsUsed": [key],
        "extensions": {key: content},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": materials,
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.bytes)}],
    }
    path.write_bytes(glb(json.dumps(document).encode(), buffer.bytes))
    return path


def glb(text: bytes, binary: bytes = b"") -> bytes:
    """A binary glTF of its JSON and its buffer."""
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    if binary:
        chunks += struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


def _vrm1(name: str, index: Any, clips: Any, binds: Any) -> tuple[str, dict[str, Any]]:
    def clip(target: str) -> dict[str, Any]:
        bound = [{"node": node, "index": number, "weight": 1.0} for node, _, number in binds[target]]
        return {"morphTargetBinds": bound}

    look = {"inputMaxValue": 90.0, "outputScale": 15.0}
    ranges = ("HorizontalInner", "HorizontalOuter", "VerticalDown", "VerticalUp")
    return "VRMC_vrm", {
        "specVersion": "1.0",
        "meta": {"name": name, "authors": ["nobody"], "licenseUrl": "https://vrm.dev/licenses/1.0/"},
        "humanoid": {"humanBones": {bone: {"node": number} for bone, number in index.items()}},
        "expressions": {
            "preset": {preset: clip(preset) for preset in _PRESETS},
            "custom": {own: clip(action) for action, own in clips.items()},
        },
        "lookAt": {"type": "bone", "offsetFromHeadBone": [0.0, 0.06, 0.0]}
        | {f"rangeMap{each}": look for each in ranges},
    }


def _vrm0(name: str, index: Any, clips: Any, binds: Any) -> tuple[str, dict[str, Any]]:
    def clip(own: str, preset: str, target: str) -> dict[str, Any]:
        bound = [{"mesh": mesh, "index": number, "weight": 100.0} for _, mesh, number in binds[target]]
        return {"name": own, "presetName": preset, "binds": bound, "materialValues": [], "isBinary": False}

    look = {"curve": [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0], "xRange": 90.0, "yRange": 15.0}
    ranges = ("HorizontalInner", "HorizontalOuter", "VerticalDown", "VerticalUp")
    groups = [clip(old.title(), old, new) for new, old in _PRESETS.items()]
    groups += [clip(own, "unknown", action) for action, own in clips.items()]
    first = {"firstPersonBone": index["head"], "firstPersonBoneOffset": {"x": 0.0, "y": 0.06, "z": 0.0}}
    first |= {"lookAtTypeName": "Bone", "meshAnnotations": []} | {f"lookAt{each}": look for each in ranges}
    return "VRM", {
        "specVersion": "0.0",
        "exporterVersion": "none",
        "meta": {"title": name, "version": "1", "author": "nobody"},
        "humanoid": {"humanBones": [{"bone": bone, "node": number} for bone, number in index.items()]},
        "firstPerson": first,
        "blendShapeMaster": {"blendShapeGroups": groups},
        "secondaryAnimation": {"boneGroups": [], "colliderGroups": []},
        "materialProperties": [],
    }
