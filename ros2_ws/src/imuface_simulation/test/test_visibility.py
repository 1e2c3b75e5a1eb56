"""The table of docs/simulation.md is about the same mechanics as the sessions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from imuface_simulation import Participant, visibility


def test_a_response_turns_the_bud_and_both_sensors_feel_it() -> None:
    turn, motion = visibility.response(Participant.random(0).left, "jawOpen")
    assert not turn[0].any()
    assert np.degrees(np.linalg.norm(turn[-1])) > 0.2
    # What the gyroscope feels adds up to the turn.
    assert motion[:, 3:].sum(axis=0) / visibility.RATE == pytest.approx(turn[-1], rel=0.1, abs=np.radians(0.02))


def test_the_table_has_a_row_for_what_is_felt_and_names_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "PEOPLE", 4)
    monkeypatch.setattr(visibility, "HEAD_SESSIONS", 2)
    head, rest = visibility.table().split("\n\n")
    actions = [row.split("|")[1].strip() for row in head.splitlines()[2:]]
    assert actions[0] == "jawOpen"
    assert "browOuterUpLeft" in actions
    assert not any("eyeLook" in action for action in actions)
    assert "eyeLookUpLeft" in rest


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "simulation.png"
    visibility.draw(str(path))
    assert path.read_bytes().startswith(b"\x89PNG")
