"""Heads of scanned people: known people in known poses, and things that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from face_recon_node.commands.head import head as command
from face_recon_node.head import HeadModel, Identity, placing
from face_recon_node.head.likeness import fit_scan, pupil_distance
from face_recon_node.head.placing import place
from face_recon_node.head.scan import ANY_UNIT, Scan, ScanError
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from typer import Typer
from typer.testing import CliRunner

HEAD = HeadModel.load()
POSE = Rotation.from_euler("xyz", (130, -40, 75), degrees=True)


def grown_up() -> HeadModel:
    """A known identity, with a longer chin, a bent nose and a broader jaw than any of the model's."""
    known = HEAD.with_identity(Identity(0.8, 0.2, 0.7))
    _, y, z = known.neutral.astype(np.float64).T
    below = np.clip(-z / 0.08, 0, 1)
    moved = np.stack([0.004 * below, 0.05 * y * below + 0.003 * np.exp(-((z + 0.02) ** 2) / 4e-4), -0.006 * below], 1)
    neutral = known.neutral + moved
    return known.with_neutral(neutral - neutral[HEAD.landmark_indices[10]])


def scan_of(person: HeadModel, which: NDArray[np.bool_] | None = None, **fields: Any) -> Scan:
    kept = person.triangles if which is None else person.triangles[which[person.triangles].all(axis=1)]
    points, triangles = trimesh.remesh.subdivide(person.neutral.astype(np.float64), kept)
    return Scan(POSE.apply(points) + np.array([3.0, -2.0, 0.5]), triangles, **fields)


def error_mm(head: HeadModel, person: HeadModel) -> float:
    return float(np.linalg.norm(head.landmark_neutral - person.landmark_neutral, axis=1).mean() * 1e3)


def test_a_person_is_found_and_the_file_is_that_person(tmp_path: Path) -> None:
    person = grown_up()
    found = fit_scan(HEAD, scan_of(person, person.neutral[:, 0] > -0.09))
    assert error_mm(HEAD, person) > 4.0
    assert error_mm(found.head, person) < 1.5
    assert np.median(found.after) < 0.3 * np.median(found.before)
    assert found.covered > 0.8
    assert np.degrees((found.placing.rotation * POSE.inv()).magnitude()) < 3.0
    file = tmp_path / "anna"
    found.head.save(file)
    loaded = HeadModel.load(file)
    assert loaded.personal
    assert not HEAD.personal
    np.testing.assert_array_equal(loaded.landmark_neutral, found.head.landmark_neutral)
    np.testing.assert_array_equal(loaded.neutral[loaded.landmark_indices], loaded.landmark_neutral)
    np.testing.assert_allclose(loaded.deltas, found.head.deltas, atol=1e-4)
    with pytest.raises(ValueError, match="has no identities"):
        loaded.with_identity(Identity(age=0.2))


def test_a_scan_of_unknown_unit_and_a_model_without_identities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "_SCALES", (1.25, 1.6))  # of nine, to save time
    person = grown_up()
    scan = scan_of(person, unit=ANY_UNIT)
    found = fit_scan(HEAD.with_neutral(HEAD.neutral), Scan(1.7 * scan.points, scan.triangles, ANY_UNIT), 0.070)
    assert pupil_distance(found.head.landmark_neutral) == pytest.approx(0.070, rel=1e-3)
    shape = found.head.landmark_neutral * pupil_distance(person.landmark_neutral) / 0.070
    assert np.linalg.norm(shape - person.landmark_neutral, axis=1).mean() < 0.0025


@pytest.mark.parametrize("number", range(2))
def test_a_face_is_found_in_any_pose(number: int) -> None:
    face = HEAD.neutral[HEAD.neutral[:, 0] > -0.05]
    rotation = Rotation.random(rng=np.random.default_rng(number))
    points = trimesh.remesh.subdivide(HEAD.neutral.astype(np.float64), HEAD.triangles)[0]
    surface = Scan(rotation.apply(points) + number, np.zeros((0, 3), np.int64)).sample(8000)
    found = place(face, HEAD.landmark_neutral[13], surface, any_scale=False)
    assert np.degrees((found.rotation * rotation.inv()).magnitude()) < 3.0
    np.testing.assert_allclose(found.translation, number, atol=0.003)


THINGS = {
    "a ball": trimesh.creation.icosphere(subdivisions=4, radius=0.1),
    "a mug": trimesh.util.concatenate(
        [trimesh.creation.cylinder(0.08, 0.15), trimesh.creation.torus(0.04, 0.01).apply_translation((0.09, 0, 0))]
    ),
}


@pytest.mark.parametrize("name", THINGS)
def test_things_are_no_faces(name: str) -> None:
    with pytest.raises(ScanError, match="no face found in the scan"):
        fit_scan(HEAD, Scan(np.asarray(THINGS[name].vertices), np.asarray(THINGS[name].faces)))


APP = Typer()
APP.command()(command)


def test_the_command_writes_a_head_and_draws_it(tmp_path: Path) -> None:
    scan, output, picture = tmp_path / "anna.ply", tmp_path / "out" / "anna-head.npz", tmp_path / "anna.png"
    person = scan_of(grown_up())
    trimesh.Trimesh(1e3 * person.points, person.triangles, process=False).export(scan)
    result = CliRunner().invoke(APP, [str(scan), "--output", str(output), "--picture", str(picture)])
    assert result.exit_code == 0, result.output
    assert "unit mm" in result.output
    assert "personal head: 0." in result.output
    assert HeadModel.load(output).personal
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/no/scan.ply"], "no scan at /no/scan.ply"),
        (["/no/scan.ply", "--pupil-distance", "61"], "goes with --unit any"),
        (["/no/scan.ply", "--unit", "any", "--pupil-distance", "6"], "is not a person's: expected 40 to 80 mm"),
        (["/no/scan.ply", "--base", "/no/head.npz"], "cannot read head model /no/head.npz"),
    ],
)
def test_the_command_refuses_in_one_line(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(APP, arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
