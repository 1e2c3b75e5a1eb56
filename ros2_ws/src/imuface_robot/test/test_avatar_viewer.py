"""The libraries that draw an avatar: fetched from packages of this machine, verified, refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from empathy_agent.models import ModelError
from imuface_robot.avatar import viewer
from imuface_robot.avatar.command import vrm_app
from typer.testing import CliRunner

CONTENT = {"draw.js": b"export {};", "loaders/load.js": b"export {}"}
needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed (Debian: apt install npm)")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the libraries are kept; a package that holds small ones."""
    package = tmp_path / "package"
    (package / "src").mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"name": "@tiny/viewer", "version": "1.0.0"}))
    (package / "src/draw.js").write_bytes(CONTENT["draw.js"])
    (package / "load.js").write_bytes(CONTENT["loaders/load.js"])
    members = {"src/draw.js": "draw.js", "load.js": "loaders/load.js"}
    monkeypatch.setenv("EARNEST_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.setattr(viewer, "_PACKAGES", {str(package): members})
    files = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    monkeypatch.setattr(viewer, "VIEWER", replace(viewer.VIEWER, files=files))
    return tmp_path / "models"


@needs_npm
def test_what_is_needed_of_the_packages_is_kept(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"what draws a VRM is not at .*; run: imuface vrm get"):
        viewer.VIEWER.find()
    result = CliRunner().invoke(vrm_app, ["get"])
    assert result.exit_code == 0, result.output
    path = viewer.VIEWER.find()
    assert result.stdout.strip() == str(path)
    assert {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*.js")} == CONTENT
    assert [entry.name for entry in folder.iterdir()] == [path.name]  # no scraps


@needs_npm
def test_what_is_not_as_it_should_be_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {**viewer.VIEWER.files, "draw.js": "0" * 64}
    monkeypatch.setattr(viewer, "VIEWER", replace(viewer.VIEWER, files=files))
    with pytest.raises(ModelError, match=r"draw\.js is missing or not what it should be"):
        viewer.get()
    assert not list(folder.iterdir())


@needs_npm
def test_a_package_without_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [package] = viewer._PACKAGES
    monkeypatch.setattr(viewer, "_PACKAGES", {package: {"none.js": "none.js"}})
    with pytest.raises(ModelError, match=r"tiny-viewer-1\.0\.0\.tgz is damaged .*none\.js"):
        viewer.get()
    monkeypatch.setattr(viewer, "_PACKAGES", {"@tiny/none@1.0.0": {}})
    with pytest.raises(ModelError, match=r"@tiny/none@1\.0\.0 cannot be downloaded .*; check the network"):
        viewer.get()


@pytest.mark.usefixtures("folder")
def test_without_npm_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match=r"npm, which fetches them, is not installed .*; then: imuface vrm get"):
        viewer.get()
