"""``benchmarks/agent.py`` runs and finds nothing wrong, with tiny numbers; its times are not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.graph

SCRIPT = Path(__file__).parents[1] / "benchmarks/agent.py"


def run(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, str(SCRIPT), *arguments, "--json"], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    (report,) = json.loads(done.stdout).values()
    missed = [limit["name"] for limit in report["limits"] if not limit["timed"] and limit["value"] > limit["most"]]
    assert missed == []
    return dict(report["figures"])


def test_ten_people_at_once() -> None:
    figures = run("--load", "--seconds", "3")
    assert figures["goals"] >= 10
    assert figures["outcomes"]["answered"] >= 10
    assert figures["overhead to the first sentence, ms"]["both"]["n"] > 0


def test_crises_in_the_middle() -> None:
    figures = run("--crisis", "--count", "4")
    assert figures["crisis by topic, ms"]["n"] == figures["crisis by action, ms"]["n"] == 2


def test_abuse() -> None:
    figures = run("--abuse", "--flood", "50", "--long", "5000")
    assert figures["flood of utterances"]["sent"] == 50
    assert "killed" in figures["garbage"]["outcomes"]["fixed text"]
