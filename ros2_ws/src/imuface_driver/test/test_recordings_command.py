"""``imuface import``: what it writes, says and refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from device_packets import openearable2, recording  # type: ignore[import-not-found]
from imuface_core.session import read_session
from imuface_driver.recordings.command import import_recordings
from typer.testing import CliRunner, Result

APP = typer.Typer(rich_markup_mode=None)
APP.command()(import_recordings)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(APP, list(map(str, arguments)))


def oe(file: Path, side: int, first: int = 0) -> Path:
    file.write_bytes(recording(b"".join(openearable2(i) for i in range(first, first + 300)), side))
    return file


def test_two_buds_become_one_session(tmp_path: Path) -> None:
    left, right = oe(tmp_path / "left.oe", 0), oe(tmp_path / "right.oe", 1, first=7)
    result = run(left, right, "--output", tmp_path / "session", "--namespace", "anna")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        f"{left}: left ear, 300 samples in 3.0 s (100.0 Hz), 10.26 m/s² on the median",
        f"{right}: right ear, 300 samples in 3.0 s (100.0 Hz), 10.26 m/s² on the median",
        f"wrote {tmp_path / 'session'}",
    ]
    session = read_session(tmp_path / "session", "anna")
    assert session.left is not None
    assert session.right is not None
    assert session.right.stamps[0] - session.left.stamps[0] == 70_000_000


def test_clocks_that_were_not_set_are_aligned_on_request(tmp_path: Path) -> None:
    files = oe(tmp_path / "left.oe", 0), oe(tmp_path / "right.oe", 1, first=100_000)
    assert "give --align" in str(run(*files).exception)
    assert run(*files, "--align").exit_code == 0
    session = read_session(tmp_path / "left")
    assert session.left is not None
    assert session.right is not None
    assert np.array_equal(session.left.stamps, session.right.stamps)


def test_a_file_that_does_not_tell_its_ear_is_told(tmp_path: Path) -> None:
    file = oe(tmp_path / "log.oe", 255)
    assert "give --ear left or --ear right" in str(run(file).exception)
    assert run(file, "--ear", "right").exit_code == 0
    assert read_session(tmp_path / "log").right is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.oe", "b.oe"), "two files are of the left ear"),
        (("a.oe", "b.oe", "--ear", "left"), "--ear is given 1 times for 2 files"),
        (("a.oe", "--output", "."), "name another --output"),
        (("nothing.oe",), "does not exist"),
        (("a.oe", "--ear", "nose"), "--ear is nose, must be left or right"),
        (("a.oe", "--gyro", "3"), "is not one of"),
    ],
)
def test_mistakes_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    oe(Path("a.oe"), 0)
    oe(Path("b.oe"), 0)
    result = run(*arguments)
    assert result.exit_code != 0
    assert message in " ".join(result.output.split()) + str(result.exception)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "a.oe", tmp_path / "b.oe"]
