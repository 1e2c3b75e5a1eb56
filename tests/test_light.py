"""What is set up for the demo is enough for the nodes, a personal model and the commands: no library of an extra."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from imuface_core.extras import EXTRAS
from imuface_core.session import write_session
from imuface_simulation import PEOPLE, Performance, simulate

NODES = {"avatar_node", "camera_node", "cue_node", "empathy_agent", "face_recon_node", "hri_node", "imuface_driver",
         "player_node", "recorder_node", "reference_node", "robot_node", "speech_node", "viewer_node"}  # fmt: skip
IMUFACE = "from imuface_bringup.cli import main; main()"
HIDDEN = f"""
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(set(chain.from_iterable(extra.libraries for extra in EXTRAS.values())))}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)

sys.meta_path.insert(0, Hidden())
"""
STREAM = """
import numpy as np
from face_recon_node.head import HeadModel
from face_recon_node.models.file import load
from face_recon_node.reconstructor import Reconstructor
from imuface_core.earphone import EARS

stream = Reconstructor(load(sys.argv[1]), HeadModel.load())
samples = [(ear, 10**9 + number * 33_333_333) for number in range(200) for ear in EARS]
frames = [frame for sample in samples for frame in stream.push(*sample, np.array([0.0, 0.0, 9.81]), np.zeros(3))]
print(len(frames))
"""


def without_extras(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process in which no library of an extra can be imported."""
    command = [sys.executable, "-c", HIDDEN + code, *map(str, arguments)]
    return subprocess.run(command, text=True, capture_output=True, timeout=120.0)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("light") / "anna"
    write_session(folder, simulate(Performance.study(3, 1, 40.0), PEOPLE["anatomical"](3), 40.0, start_ns=10**18))
    return folder


def test_extras_are_hidden_from_these_tests() -> None:
    assert "No module named 'torch'" in without_extras("import torch").stderr


def test_every_node_is_imported() -> None:
    scripts = [script for script in importlib.metadata.entry_points(group="console_scripts") if script.name in NODES]
    assert {script.name for script in scripts} == NODES
    result = without_extras("\n".join(f"import {script.module}" for script in scripts))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["ask", "--help"]])
def test_a_command_starts(arguments: list[str]) -> None:
    result = without_extras(IMUFACE, *arguments)
    assert result.returncode == 0, result.stderr


def test_a_personal_model_is_made_and_streams(session: Path, tmp_path: Path) -> None:
    adapted = without_extras(IMUFACE, "adapt", session, "--output", tmp_path / "anna.npz")
    assert adapted.returncode == 0, adapted.stderr
    streamed = without_extras(STREAM, tmp_path / "anna.npz")
    assert streamed.returncode == 0, streamed.stderr
    assert int(streamed.stdout) > 150


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (["train", "--people", "1"], "requirements-training.txt"),
        (["train", "--model", "lstm", "SESSION"], "requirements-training.txt"),
        (["empathy", "sft"], "requirements-empathy.txt"),
    ],
)
def test_what_needs_an_extra_names_it(session: Path, arguments: list[str], file: str) -> None:
    result = without_extras(IMUFACE, *(session if argument == "SESSION" else argument for argument in arguments))
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert line.endswith(f" is not installed; get it with: pip install -r {file}")
