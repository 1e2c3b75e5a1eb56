"""RViz itself is not needed for what goes wrong most often: a display on a topic that is not there, a broken file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from imuface_core import topics

CONFIGURATION = Path(__file__).parents[4] / "rviz" / "imuface.rviz"


@pytest.fixture(scope="module")
def manager() -> dict[str, Any]:
    return yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["Visualization Manager"]


def test_displays_show_published_topics_with_their_quality_of_service(manager: dict[str, Any]) -> None:
    shown = {display["Topic"]["Value"]: display for display in manager["Displays"] if "Topic" in display}
    known = {f"/imuface/{topic}": topic for topic in (topics.MESH, topics.POINTS)}
    assert set(shown) == {"/imuface/face/mesh", "/imuface/face/points"}
    for topic, display in shown.items():
        assert display["Class"].split("/")[1] == known[topic].type.split("/")[2]
        assert display["Topic"]["Depth"] == known[topic].depth
        assert display["Enabled"] is True
    assert shown["/imuface/face/points"]["Topic"]["Reliability Policy"] == "Best Effort"


def test_frames_are_shown_at_the_size_of_a_head(manager: dict[str, Any]) -> None:
    (display,) = [display for display in manager["Displays"] if display["Class"] == "rviz_default_plugins/TF"]
    assert display["Enabled"] is True
    assert display["Marker Scale"] <= 0.3  # of 20 cm


def test_the_camera_looks_at_the_face(manager: dict[str, Any]) -> None:
    assert manager["Global Options"]["Fixed Frame"] == "face"
    view = manager["Views"]["Current"]
    assert view["Class"] == "rviz_default_plugins/Orbit"
    # The orbit's yaw is the direction from the focal point to the camera; x points out of the face.
    assert abs(view["Yaw"]) < 0.6
    assert abs(view["Focal Point"]["Z"]) < 0.1
    assert 0.3 < view["Distance"] < 1.0
