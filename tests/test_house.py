"""The plan of the house: which package may know which, and no folder that leans on one that leans on it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "ros2_ws" / "src"
# From the ground up: a package imports only what stands before it.
FLOORS = (
    "imuface_interfaces",
    "imuface_core",
    "imuface_simulation",
    "imuface_node",
    "imuface_driver",
    "face_recon_node",
    "imuface_hri",
    "imuface_avatar",
    "imuface_study",
    "empathy_agent",
    "imuface_robot",
    "empathy_training",
    "imuface_bringup",
)
PACKAGES = [name for name in FLOORS if (SOURCES / name / name).is_dir()]


def imports(path: Path) -> Iterator[str]:
    """Dotted names of what a file imports, at any depth in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(package: str) -> list[Path]:
    return sorted((SOURCES / package / package).rglob("*.py"))


def test_every_package_has_its_floor() -> None:
    assert {path.parent.name for path in SOURCES.glob("*/setup.py")} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_arrow_runs_up(package: str) -> None:
    above = FLOORS[FLOORS.index(package) + 1 :]
    upwards = {
        f"{path.relative_to(SOURCES)}: {name}"
        for path in files(package)
        for name in imports(path)
        if name.split(".")[0] in above
    }
    assert not upwards


@pytest.mark.parametrize("package", PACKAGES)
def test_no_circle_of_folders(package: str) -> None:
    root = SOURCES / package / package

    def room(parts: tuple[str, ...]) -> str:
        """The folder below the package's own, or the module, that a path or a dotted name leads to."""
        return parts[0].removesuffix(".py") if parts else ""

    leans: dict[str, set[str]] = {}
    for path in files(package):
        here = room(path.relative_to(root).parts)
        there = {room(tuple(name.split(".")[1:])) for name in imports(path) if name.split(".")[0] == package}
        leans.setdefault(here, set()).update(there - {here, ""})
    try:
        TopologicalSorter(leans).prepare()
    except CycleError as error:
        pytest.fail(f"folders or modules of {package} in a circle: {' -> '.join(error.args[1])}")


def test_no_package_holds_more_than_its_share() -> None:
    lines = {
        package: sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files(package))
        for package in PACKAGES
    }
    share = {package: count / sum(lines.values()) for package, count in lines.items()}
    assert max(share.values()) <= 1 / 3, share
