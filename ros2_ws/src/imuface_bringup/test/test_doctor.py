"""The doctor knows what is an extra and how to get it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from imuface_bringup import doctor
from imuface_bringup.doctor import Finding, Level, examine


def found(prefix: str) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine() if finding.subject.startswith(prefix)}


def test_an_extra_that_is_missing_is_a_note_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    present = doctor.importlib.util.find_spec
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None if name == "torch" else present(name))
    training = found("extra")["extra training"]
    assert training.level is Level.NOTE
    assert "torch" in training.message
    assert training.remedy == "Get it: pip install -r requirements-training.txt"


def test_a_missing_message_of_tf_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = doctor._tf()
    assert finding.level is Level.OK
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    (finding,) = doctor._tf()
    assert finding.level is Level.NOTE
    assert "make setup" in finding.remedy


@pytest.mark.parametrize(
    ("version", "level"), [((3, 10, 9), Level.MISSING), ((3, 13, 1), Level.OK), ((3, 14, 0), Level.MISSING)]
)
def test_a_python_that_ros_is_not_built_for_is_named(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], level: Level
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    (finding,) = doctor._python()
    assert finding.level is level
    assert finding.message.startswith(".".join(map(str, version)))
    assert ("3.11 to 3.13" in finding.remedy) is (level is Level.MISSING)


def test_every_package_of_the_workspace_is_looked_for() -> None:
    workspace = Path(__file__).parents[2]
    packages = {folder.parent.name for folder in workspace.glob("*/setup.py")}
    assert packages <= {finding.subject for finding in doctor._packages()}


def test_a_machine_without_bluetooth_is_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
    (finding,) = doctor._bluetooth()
    assert finding.level is Level.NOTE
    assert "apt install dbus bluez" in finding.message
