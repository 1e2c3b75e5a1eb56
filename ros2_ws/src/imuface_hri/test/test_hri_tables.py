"""Every entry of the tables against ours, and against the constants of hri_msgs where that is installed."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from face_recon_node.affect import ACTION_UNITS, PROTOTYPES
from imuface_hri.tables import LANDMARKS, PUPILS, UNITS
from imuface_interfaces.msg import AffectState


@pytest.fixture(scope="module")
def hri() -> Any:
    message = pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed (docs/ros4hri.md)").FacialLandmarks
    if len(message().landmarks) != 70:
        pytest.skip("hri_msgs is not the one of ROS 2 (docs/ros4hri.md)")
    return importlib.import_module("hri_msgs.msg")


def labels() -> list[str]:
    return [getattr(AffectState, name) for name in dir(type(AffectState)) if name.isupper() and name[0] != "_"]


def test_the_tables_hold_all_that_we_have() -> None:
    assert len(LANDMARKS) == len(set(LANDMARKS)) == 51
    assert list(UNITS) == list(ACTION_UNITS)
    assert set(PROTOTYPES) <= set(labels())


def test_landmarks_are_those_of_hri_msgs(hri: Any) -> None:
    # iBUG's numbers without the 17 of the jaw, as FacialLandmarks.msg of ours has them.
    assert [getattr(hri.FacialLandmarks, name) for name in LANDMARKS] == list(range(17, 68))
    assert [getattr(hri.FacialLandmarks, name) for name in PUPILS] == [68, 69]
    assert len(hri.FacialLandmarks().landmarks) == 70


def test_action_units_are_those_of_hri_msgs(hri: Any) -> None:
    assert {number: getattr(hri.FacialActionUnits, name) for number, name in UNITS.items()} == {n: n for n in UNITS}
    assert len(hri.FacialActionUnits().intensity) == len(hri.FacialActionUnits().confidence) == 99


def test_expressions_are_those_of_hri_msgs(hri: Any) -> None:
    assert len(labels()) == 25
    for label in labels():
        assert getattr(hri.Expression, label.upper()) == label
