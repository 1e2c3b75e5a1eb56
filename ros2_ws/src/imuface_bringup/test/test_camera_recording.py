"""What `imuface record --camera` and `imuface reference` say to bad input, in this process to be quick."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from imuface_bringup import cli


def complaint(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Stderr of a command that has to fail."""
    monkeypatch.setattr(sys, "argv", ["imuface", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 1
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    return errors


def test_options_of_the_camera_go_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "go with --camera" in complaint(monkeypatch, capsys, "record", tmp_path / "s", "--pupil-distance", "63")


def test_a_camera_without_the_extra_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    errors = complaint(monkeypatch, capsys, "record", tmp_path / "s", "--camera", "0")
    assert "install it with: make camera" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--camera", "97"), "camera 97 gives no picture"),
        (("--camera", "none.mp4"), "no video at none.mp4"),
        (("--camera", __file__), "is not a video that OpenCV can decode"),
        (("--camera", "97", "--pupil-distance", "6"), "6 mm is no adult's"),
    ],
)
def test_a_recording_does_not_begin_without_a_camera(
    options: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("cv2", reason="OpenCV is not installed (make camera)")
    assert message in complaint(monkeypatch, capsys, "record", tmp_path / "s", *options)
    assert not (tmp_path / "s").exists()


def test_a_reference_needs_a_session_and_a_video(
    bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert "there is no session at" in complaint(monkeypatch, capsys, "reference", "v.mp4", tmp_path / "none", out)
    assert "no video at" in complaint(monkeypatch, capsys, "reference", tmp_path / "v.mp4", bag, out)
    assert "not overwritten" in complaint(monkeypatch, capsys, "reference", tmp_path / "v.mp4", bag, bag)
