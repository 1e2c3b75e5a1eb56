"""The command as people call it: a process of its own, its exit code and its one line of complaint."""

from __future__ import annotations

import json
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest

IMUFACE = Path(sysconfig.get_path("scripts")) / "imuface"


def imuface(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([IMUFACE, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_help_is_quick_and_names_every_command() -> None:
    durations = []
    for _ in range(3):
        start = time.monotonic()
        result = imuface("--help")
        durations.append(time.monotonic() - start)
    assert result.returncode == 0
    for command in (
        "up",
        "record",
        "replay",
        "bag",
        "view",
        "avatar",
        "robot",
        "demo",
        "doctor",
        "models",
        "chat",
        "ask",
        "train",
        "evaluate",
    ):
        assert f"  {command} " in result.stdout
    # Half a second where nothing else runs; the machine of the test may be busy.
    assert min(durations) < 1.5


@pytest.mark.parametrize("command", ["up", "record", "replay", "view", "bag", "avatar", "robot", "demo", "doctor"])
def test_every_command_has_an_example(command: str) -> None:
    result = imuface(command, "--help")
    assert result.returncode == 0
    assert f"  imuface {command}" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("up", "demoo"), "no launch file 'demoo'; did you mean 'demo'?"),
        (("up", "no/such.launch.yaml"), "no launch file no/such.launch.yaml"),
        (("up", "demo", "performence:=x"), "unknown launch argument 'performence'; did you mean 'performance'?"),
        (("up", "demo", "performance"), "'performance' is not of the form name:=value"),
        (("up", "demo", "out:=a", "out:=b"), "'out' is given twice"),
        (("up", "face", "source:=infrared"), "known: bag, bluetooth, serial, simulated, udp"),
        (("up", "replay"), "argument 'bag' must be given"),
        (("replay", "no/bag"), "there is no session at no/bag"),
        (("replay", "no/bag", "--rate", "fast"), "there is no session at no/bag"),
        (("bag", "info", "no/bag"), "there is no session at no/bag"),
        (("bag", "repair", "no/bag"), "there is no session at no/bag"),
        (("replay", "no/bag", "--topic", "nose=/x"), "--topic 'nose=/x' is not of the form NAME=/topic"),
        (("view", "no/bag", "--save", "x.rrd"), "there is no session at no/bag"),
        (("view", "no/bag", "--topic", "left=ear_l"), "--topic 'left=ear_l' is not of the form NAME=/topic"),
        (("record", "."), "exists already"),
        (("avatar", "--protocol", "vmcc"), "no protocol 'vmcc'; did you mean 'vmc'?"),
        (("avatar", "--option", "naming"), "--option 'naming' is not of the form name=value"),
        (("avatar", "--option", "nameing=vrm0"), "vmc has no option 'nameing'; did you mean 'naming'?"),
        (("demo", "--model", "no-such-model"), "unknown model 'no-such-model'"),
    ],
)
def test_bad_input_is_one_line_and_a_failure(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    result = subprocess.run([IMUFACE, *arguments], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert result.returncode == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_rate_is_a_number_or_max(bag: Path) -> None:
    result = imuface("replay", bag, "--rate", "fast")
    assert result.returncode == 1
    assert "rate 'fast' is neither a positive number nor max" in result.stderr


def test_arguments_of_a_launch_file_are_listed() -> None:
    result = imuface("up", "--show-args", "earphones")
    assert result.returncode == 0
    assert "source (default 'simulated')" in result.stdout
    assert "One of: simulated, bluetooth, serial, udp, bag." in result.stdout


def test_a_session_becomes_a_rerun_recording(bag: Path, tmp_path: Path) -> None:
    output = tmp_path / "rrd" / "session.rrd"
    named = [f"--topic={ear}=/imuface/{ear}/imu/data_raw" for ear in ("left", "right")]
    result = imuface("view", bag, "--save", output, "--person", "imuface", *named)
    assert result.returncode == 0, result.stderr
    assert output.stat().st_size > 100_000
    assert output.read_bytes()[:3] == b"RRF"


def test_the_doctor_reports_for_scripts() -> None:
    result = imuface("doctor", "--json")
    findings = {finding["subject"]: finding for finding in json.loads(result.stdout)}
    assert findings["DDS"]["level"] == "ok"
    assert "round trip in" in findings["DDS"]["message"]
    assert findings["imuface_driver"]["level"] == "ok"
    assert findings["RViz"]["level"] in ("ok", "note")
    assert result.returncode == int(any(finding["level"] == "missing" for finding in findings.values()))
