from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from imuface_bringup.bag_commands import bag_app
from imuface_core.session import read_session
from typer.testing import CliRunner

RUNNER = CliRunner()


def test_a_whole_bag_is_told(bag: Path) -> None:
    result = RUNNER.invoke(bag_app, ["info", str(bag)])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"{bag}: whole"
    assert lines[1] == "people: /imuface"
    assert lines[2].endswith(" messages in 8.0 s from 2023-11-14T22:13:20+00:00")
    assert lines[3].split() == ["240", "/imuface/left/imu/data_raw", "sensor_msgs/msg/Imu"]
    assert len(lines) == 7


def test_a_cut_bag_is_told_and_repaired(bag: Path, tmp_path: Path) -> None:
    file = bag / "bag.mcap"
    file.write_bytes(file.read_bytes()[:200_000])
    result = RUNNER.invoke(bag_app, ["info", str(bag), "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert found["whole"] is False
    assert found["damage"][0].startswith(f"bag.mcap breaks off at byte 200000: {found['messages']} messages are read")
    result = RUNNER.invoke(bag_app, ["repair", f"{bag}/"])
    assert result.stdout.splitlines() == [*found["damage"], f"{bag}_repaired: {found['messages']} messages saved"]
    assert RUNNER.invoke(bag_app, ["info", f"{bag}_repaired"]).exit_code == 0
    assert read_session(f"{bag}_repaired").left is not None
    result = RUNNER.invoke(bag_app, ["repair", str(bag)])
    assert isinstance(result.exception, FileExistsError)


def test_a_lone_file_becomes_a_folder(bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.move(bag / "bag.mcap", "lone.mcap")
    result = RUNNER.invoke(bag_app, ["repair", "lone.mcap"])
    assert result.stdout.startswith("lone_repaired: ")
    assert result.stdout.endswith(" messages saved; nothing was damaged\n")
    assert (tmp_path / "lone_repaired" / "metadata.yaml").exists()


def test_damage_that_only_reading_finds_is_told(bag: Path) -> None:
    content = bytearray((bag / "bag.mcap").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (bag / "bag.mcap").write_bytes(content)
    result = RUNNER.invoke(bag_app, ["info", str(bag)])
    assert result.exit_code == 1
    assert f"`imuface bag repair {bag}` saves the rest" in result.stdout
