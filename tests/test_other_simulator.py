"""``benchmarks/other_simulator.py`` writes sessions that the package's own commands can use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from face_recon_node.data.screening import screen
from face_recon_node.data.segment import prepare
from face_recon_node.head import HeadModel
from imuface_core.session import read_session

ROOT = Path(__file__).parents[1]
SHARED = ROOT / "../shared/data"
FACES = sorted(SHARED.glob("face_geometry/ict_face*.npz"))
CAPTURES = sorted(SHARED.glob("facial_motion/alex_rom_*.csv.gz"))


@pytest.mark.skipif(not (FACES and CAPTURES), reason="needs ../shared/data")
def test_its_sessions_pass_the_screening_and_its_ears_feel_the_face(tmp_path: Path) -> None:
    captures = [f"--capture={capture}" for capture in CAPTURES]
    script = [sys.executable, str(ROOT / "benchmarks/other_simulator.py"), str(tmp_path), f"--face={FACES[0]}"]
    subprocess.run([*script, *captures, "--people", "1", "--minutes", "1"], check=True, stdout=subprocess.DEVNULL)
    sway = {}
    for ears in ("strong1", "weak1"):
        for role, seconds in (("train", 60), ("test", 90), ("unseen", 90)):
            recording = read_session(tmp_path / ears / role)
            assert not screen(recording).unknown
            (segment,) = prepare(recording)
            assert segment.present[1:].all()
            assert len(segment) / 30 == pytest.approx(seconds - 3.0, abs=1.5)
        landmarks = segment.true_landmarks(HeadModel.load())
        moved = np.linalg.norm(landmarks - np.median(landmarks, axis=0), axis=-1).mean()
        assert 1e-3 < moved < 1e-2
        sway[ears] = np.abs(np.diff(segment.readings, axis=0)).mean()
    assert sway["strong1"] > 1.1 * sway["weak1"]
