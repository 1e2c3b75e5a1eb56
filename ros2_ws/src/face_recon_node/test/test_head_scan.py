"""Files of scans: what is read, and how what cannot be is refused."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
import trimesh
from face_recon_node.head.scan import ANY_UNIT, ScanError, read_scan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BALL = trimesh.creation.icosphere(subdivisions=4, radius=0.11)
HEADER = b"ply\nformat ascii 1.0\nelement vertex %d\nproperty float x\nproperty float y\nproperty float z\nend_header\n"


def written(folder: Path, mesh: trimesh.Trimesh = BALL, ending: str = "ply", scale: float = 1.0) -> Path:
    file = folder / f"scan.{ending}"
    trimesh.Trimesh(mesh.vertices * scale, mesh.faces, process=False).export(file)
    return file


def cloud(folder: Path, points: np.ndarray) -> Path:
    file = folder / "cloud.ply"
    lines = "\n".join(" ".join(map(str, point)) for point in points)
    file.write_bytes(HEADER % len(points) + lines.encode() + b"\n")
    return file


@pytest.mark.parametrize("ending", ["ply", "obj", "stl"])
def test_meshes_are_read(ending: str, tmp_path: Path) -> None:
    scan = read_scan(written(tmp_path, ending=ending))
    assert len(scan.triangles) == len(BALL.faces)
    np.testing.assert_allclose(np.linalg.norm(scan.points, axis=1), 0.11, rtol=1e-4)


def test_an_obj_of_several_objects_and_materials_is_read_whole(tmp_path: Path) -> None:
    lines = written(tmp_path, ending="obj").read_text().splitlines()
    faces = [i for i, line in enumerate(lines) if line.startswith("f ")]
    half = faces[len(faces) // 2]
    content = ["mtllib missing.mtl", "o a", "usemtl one", *lines[:half], "o b", "usemtl two", *lines[half:]]
    file = tmp_path / "two.obj"
    file.write_text("\n".join(content))
    assert len(read_scan(file).triangles) == len(BALL.faces)


def test_a_point_cloud_is_read(tmp_path: Path) -> None:
    scan = read_scan(cloud(tmp_path, BALL.vertices))
    assert scan.points.shape == BALL.vertices.shape
    assert not len(scan.triangles)


@pytest.mark.parametrize(("unit", "scale"), [("m", 1.0), ("cm", 100.0), ("mm", 1000.0)])
def test_the_unit_is_told_from_the_size_or_named(unit: str, scale: float, tmp_path: Path) -> None:
    file = written(tmp_path, scale=scale)
    for named in ("", unit):
        scan = read_scan(file, named)
        assert scan.unit == unit
        np.testing.assert_allclose(np.ptp(scan.points, axis=0), 0.22, rtol=0.01)


def test_any_unit_is_taken_where_none_fits(tmp_path: Path) -> None:
    file = written(tmp_path, scale=3e4)
    with pytest.raises(ScanError, match="a head in none of m, cm and mm"):
        read_scan(file)
    assert read_scan(file, ANY_UNIT).unit == ANY_UNIT


def test_a_few_points_that_fly_about_do_not_decide_about_the_unit(tmp_path: Path) -> None:
    assert read_scan(cloud(tmp_path, np.vstack([BALL.vertices * 1e3, [[9e3, 0, 0], [0, -9e3, 0]]]))).unit == "mm"


@pytest.mark.parametrize(
    ("unit", "message"), [("mm", "spans 0.2[0-9]* mm, which is not"), ("ft", "unit 'ft' is unknown")]
)
def test_wrong_units_are_refused(unit: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=message):
        read_scan(written(tmp_path), unit)


def test_files_that_are_no_scans_are_refused_in_one_line(tmp_path: Path) -> None:
    whole = written(tmp_path).read_bytes()
    named = {
        "a.txt": (b"", "expected one of .ply"),
        "empty.ply": (b"", "is damaged: Not a ply"),
        "cut.ply": (whole[: len(whole) // 2], "is damaged: PLY is unexpected length"),
        "empty.obj": (b"", "holds no points"),
        "three.obj": (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "holds 3 points, too few"),
        "outside.obj": (b"v 0 0 0\n" * 600 + b"f 1 2 900\n", "is damaged"),
        "negative.ply": (whole[: whole.index(b"end_header\n") + 11] + b"\xff" * 9, "is damaged"),
    }
    for name, (content, message) in named.items():
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(ScanError, match=message) as error:
            read_scan(file)
        assert "\n" not in str(error.value)
        assert name in str(error.value)
    with pytest.raises(ScanError, match="no scan at"):
        read_scan(tmp_path / "missing.ply")


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_points_that_are_not_finite_are_counted(value: str, tmp_path: Path) -> None:
    points = np.array(BALL.vertices)
    points[5, 1] = float(value)
    with pytest.raises(ScanError, match=f"1 of {len(points)} points are not finite"):
        read_scan(cloud(tmp_path, points))


def test_points_all_in_one_place_are_no_scan(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="all points are the same"):
        read_scan(cloud(tmp_path, np.ones((700, 3))))


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("ending", ["ply", "obj", "stl"])
def test_damaged_files_are_read_or_refused(ending: str, data: st.DataObject, tmp_path: Path) -> None:
    whole = written(tmp_path, trimesh.creation.icosphere(subdivisions=3, radius=0.1), ending).read_bytes()
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 6))):
        if damaged:
            damaged[data.draw(st.integers(0, min(len(damaged), 400) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path / f"damaged.{ending}"
    file.write_bytes(damaged)
    with contextlib.suppress(ScanError):
        scan = read_scan(file)
        assert np.isfinite(scan.points).all()
        assert not scan.triangles.size or scan.triangles.max() < len(scan.points)


def test_a_surface_is_sampled_evenly_and_near_a_point(tmp_path: Path) -> None:
    scan = read_scan(written(tmp_path))
    surface = scan.sample(4000)
    assert len(surface.points) == 4000
    assert np.linalg.norm(surface.points.mean(axis=0)) < 0.005
    top = np.array([0.0, 0.0, 0.11])
    assert np.linalg.norm(scan.sample(500, top, 0.05).points - top, axis=1).max() < 0.06
    with pytest.raises(ScanError, match="no surface where a face should be"):
        scan.sample(500, np.ones(3), 0.05)
    centres, normals = surface.planes
    outwards = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    assert np.median(np.abs(np.sum(normals * outwards, axis=1))) > 0.99
