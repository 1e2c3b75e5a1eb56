"""A face that another program captured becomes a session's reference, without mediapipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from face_recon_node.camera.reference import add_capture
from face_recon_node.head import HeadModel
from imuface_core.arkit import BLENDSHAPES
from imuface_core.recording import Recording
from imuface_core.session import read_session, write_session
from imuface_simulation import PEOPLE, Performance, simulate

SECONDS = 60.0
LATE = 7.0  # s after the session at which the capture begins
START_NS = 1_700_000_000_000_000_000


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Performance]:
    """A session without a reference, a Live Link take of a part of it at 24 frames a second, and the truth."""
    folder = tmp_path_factory.mktemp("recorded")
    performance = Performance.study(3, 1, SECONDS)
    recording = simulate(performance, PEOPLE["anatomical"](3), SECONDS, start_ns=START_NS)
    write_session(folder / "session", Recording(recording.left, recording.right))
    lines = [",".join(("Timecode", "BlendShapeCount", *BLENDSHAPES))]
    for number in range(round((SECONDS - LATE - 5.0) * 24)):
        second, frame = divmod(number, 24)
        weights = performance.weights([LATE + number / 24])[0]
        code = f"09:{second // 60:02d}:{second % 60:02d}:{frame:02d}.000"
        lines.append(f"{code},61," + ",".join(f"{weight:.6f}" for weight in weights))
    (folder / "take.csv").write_text("\n".join(lines))
    return folder / "session", folder / "take.csv", performance


@pytest.mark.parametrize("start", [LATE, None])
def test_a_capture_becomes_the_reference(
    recorded: tuple[Path, Path, Performance], start: float | None, tmp_path: Path
) -> None:
    session, take, performance = recorded
    added = add_capture(take, session, tmp_path / "out", start=start)
    assert added.start == pytest.approx(LATE, abs=0.05)
    assert (added.offset is None) == (start is not None)
    assert added.notes == ("the time code counts 24 frames a second",)
    copy = read_session(tmp_path / "out")
    assert copy.blendshapes is not None
    assert copy.landmarks is not None
    assert len(copy.blendshapes.stamps) == added.faces == added.pictures
    truth = performance.weights((copy.blendshapes.stamps - START_NS) * 1e-9)
    assert np.abs(copy.blendshapes.weights - truth).mean() < 0.01
    landmarks = HeadModel.load().landmarks(copy.blendshapes.weights)
    np.testing.assert_allclose(copy.landmarks.points, landmarks, atol=1e-6)


def test_what_does_not_belong_together_is_refused(recorded: tuple[Path, Path, Performance], tmp_path: Path) -> None:
    session, take, _ = recorded
    with pytest.raises(ValueError, match=r"a capture that starts 1000\.0 s after the session does not show any"):
        add_capture(take, session, tmp_path / "out", start=1000.0)
    with pytest.raises(FileExistsError, match="sessions are not overwritten"):
        add_capture(take, session, session)
    (tmp_path / "broken.csv").write_text("a,b\n")
    with pytest.raises(ValueError, match=r"broken\.csv: no column"):
        add_capture(tmp_path / "broken.csv", session, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_takes_it_by_its_name(recorded: tuple[Path, Path, Performance], tmp_path: Path) -> None:
    session, take, _ = recorded
    code = "import typer; from face_recon_node.commands.reference import reference; typer.run(reference)"
    command = [sys.executable, "-c", code]
    result = subprocess.run([*command, take, session, tmp_path / "out"], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert f"{take}: the time code counts 24 frames a second" in result.stdout
    assert f"{take} starts +" in result.stdout
    assert f"wrote {tmp_path / 'out'}" in result.stdout
    result = subprocess.run([*command, "no.csv", session, tmp_path / "a"], capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    assert "no.csv" in result.stderr
    assert result.stderr.count("\n") == 1
