"""Every parameter of every node: what is set takes effect or is refused with the reason."""

from __future__ import annotations

import math
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from face_recon_node.node import FaceReconNode
from imuface_node import AutostartNode, Param
from rclpy.parameter import Parameter

pytestmark = pytest.mark.graph

NODES = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "tables.py"))["NODES"].values()


@pytest.fixture(autouse=True, scope="module")
def ros() -> Iterator[None]:
    with rclpy.init():
        yield


@pytest.fixture(params=NODES, ids=lambda kind: kind.__name__, scope="module")
def node(request: pytest.FixtureRequest) -> Iterator[AutostartNode]:
    node = request.param()
    yield node
    node.destroy_node()


def another(row: Param) -> Any:
    """A value that is allowed and is not the default."""
    if row.choices:
        return next(choice for choice in row.choices if choice != row.default)
    if isinstance(row.default, bool):
        return not row.default
    if row.within is not None:
        return type(row.default)(row.within[1] if row.default != row.within[1] else row.within[0])
    return f"{row.default}x"


def bad(row: Param) -> Iterator[Any]:
    """Values that are not allowed: of another type, and beyond the ends."""
    yield [1, 2]
    yield 1.5 if isinstance(row.default, bool | int | str) else "fast"
    if row.choices:
        yield "nonsense"
    if row.within is not None:
        yield type(row.default)(row.within[0] - 1)
        yield type(row.default)(row.within[1] + 1)
        if isinstance(row.default, float):
            yield math.inf


def set_to(node: AutostartNode, row: Param, value: Any) -> str:
    """The reason for which a value is refused; empty when it is taken."""
    before = node.get_parameter(row.name).value
    result = node.set_parameters([Parameter(row.name, value=value)])[0]
    now = node.get_parameter(row.name).value
    if result.successful:
        assert repr(now) == repr(row.cast(value))
        return ""
    assert repr(now) == repr(before)
    assert result.reason
    return str(result.reason)


def rows(node: AutostartNode) -> Iterator[Param]:
    yield from (*node.COMMON, *node.PARAMETERS)


def test_what_is_bad_is_refused_in_any_state(node: AutostartNode) -> None:
    for configured in (False, True):
        node._configured = configured
        for row in rows(node):
            for value in bad(row):
                reason = set_to(node, row, value)
                assert reason == row.fault(value)
    node._configured = False


def test_what_is_right_is_taken_before_configuring_and_refused_after(node: AutostartNode) -> None:
    for row in rows(node):
        reason = set_to(node, row, another(row))
        assert (not reason) or (row.read_only and "start with" in reason)
        set_to(node, row, row.default)
    node._configured = True
    for row in rows(node):
        if not row.live:
            reason = set_to(node, row, another(row))
            assert reason.startswith(f"{row.name} stays ")
            assert "start with" in reason
    node._configured = False


def test_numbers_have_ends_and_all_have_words(node: AutostartNode) -> None:
    for row in rows(node):
        assert row.within is not None or isinstance(row.default, bool | str), f"{row.name} has no range"
        assert row.description
        assert row.fault(row.default) == ""
        told = node.describe_parameter(row.name)
        assert told.description == row.description
        assert bool(told.integer_range or told.floating_point_range) == (row.within is not None)


def test_nothing_is_declared_beside_the_tables(node: AutostartNode) -> None:
    of_rclpy = {"use_sim_time", "start_type_description_service"}
    assert set(node._parameters) - of_rclpy == {row.name for row in rows(node)}


def test_the_face_node_takes_live_changes_over(tmp_path: Path) -> None:
    assert {row.name for row in FaceReconNode.PARAMETERS if row.live} == {
        "model",
        "calibration_duration",
        "publish_mesh",
    }
    node = FaceReconNode()
    node.autostart()
    model = node._reconstructor.model
    for name, value in (("model", ""), ("calibration_duration", 7.0), ("publish_mesh", False)):
        assert node.set_parameters([Parameter(name, value=value)])[0].successful
    assert node._reconstructor.model is not model
    assert node._publishes_mesh is False
    refused = node.set_parameters([Parameter("model", value=str(tmp_path / "none.npz"))])[0]
    assert "none.npz does not exist" in refused.reason
    assert node.get_parameter("model").value == ""
    node.close()
    node.destroy_node()
