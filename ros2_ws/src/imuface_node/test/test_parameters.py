"""Rows of a table of parameters, and what a node refuses of them; the nodes of Earnest themselves: tests/."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import rclpy
from hypothesis import given
from hypothesis import strategies as st
from imuface_node import AutostartNode, Param
from rcl_interfaces.msg import ParameterType
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

RATE = Param("rate", 30.0, "samples per second", within=(1, 200))
AGE = Param("age", math.nan, "of the person", within=(0, 1))
PORT = Param("port", 9090, "of the page", within=(1, 65_534))
SOURCE = Param("source", "udp", "of the samples", choices=("udp", "serial"))


class Tuned(AutostartNode):
    """Has a parameter of every kind, and notes what it took over."""

    PARAMETERS = (RATE, SOURCE, Param("file", "a", "that is read", live=True))
    taken: ClassVar[list[dict[str, Any]]] = []

    def examine(self, values: dict[str, Any]) -> None:
        if values.get("file") == "missing":
            raise FileNotFoundError("file missing does not exist: name another")

    def changed(self, values: dict[str, Any]) -> None:
        self.taken.append(values)


@pytest.fixture
def ros() -> Iterator[None]:
    Tuned.taken.clear()
    with rclpy.init():
        yield


def refusal(node: AutostartNode, name: str, value: Any) -> str:
    """The reason why a value is not taken; empty when it is."""
    result = node.set_parameters([Parameter(name, value=value)])[0]
    assert result.successful == (node.get_parameter(name).value == value)
    return str(result.reason)


def test_a_fault_names_value_and_remedy() -> None:
    assert RATE.fault(-5.0) == "rate is -5.0, must be 1 to 200"
    assert PORT.fault(99_999) == "port is 99999, must be 1 to 65534"
    assert SOURCE.fault("bluetooth") == "source is 'bluetooth', must be one of udp, serial"
    assert AGE.fault(1.5) == "age is 1.5, must be 0 to 1 or nan"
    assert AGE.fault(math.nan) == RATE.fault(200.0) == PORT.fault(1) == SOURCE.fault("serial") == ""
    assert RATE.fault("fast") == "rate is 'fast', must be a number, 1 to 200"
    assert (
        PORT.fault(1.5) == PORT.fault(True).replace("True", "1.5") == "port is 1.5, must be a whole number, 1 to 65534"
    )
    assert Param("on", True, "or off").fault(1) == "on is 1, must be true or false"
    assert Param("camera", "", "to use").fault(1) == "camera is 1, must be a text; quote it for ROS: camera:=\"'1'\""
    assert RATE.fault(math.nan) == "rate is nan, must be 1 to 200"


@given(st.floats())
def test_any_number_is_within_or_a_fault(value: float) -> None:
    assert bool(RATE.fault(value)) != (1 <= value <= 200)


def test_tools_are_told_of_it() -> None:
    told = RATE.descriptor()
    assert (told.name, told.type, told.description) == ("rate", ParameterType.PARAMETER_DOUBLE, "samples per second")
    assert (told.floating_point_range[0].from_value, told.floating_point_range[0].to_value) == (1.0, 200.0)
    assert told.additional_constraints == "changes before configuring"
    assert PORT.descriptor().integer_range[0].to_value == 65_534
    assert AGE.descriptor().additional_constraints == "0 to 1 or nan; changes before configuring"
    assert SOURCE.descriptor().additional_constraints == "one of udp, serial; changes before configuring"


@pytest.mark.usefixtures("ros")
def test_a_change_takes_effect_or_is_refused_with_the_reason() -> None:
    node = Tuned("tuned")
    assert node.describe_parameter("rate").floating_point_range[0].to_value == 200.0
    assert node.describe_parameter("required").read_only
    assert refusal(node, "rate", -5.0) == "rate is -5.0, must be 1 to 200"
    assert refusal(node, "rate", 60.0) == ""
    assert refusal(node, "file", "missing") == ""  # looked at when it is configured
    assert refusal(node, "file", "a") == ""
    node.autostart()
    assert Tuned.taken == []
    assert refusal(node, "rate", 60.0) == ""  # as it is
    assert refusal(node, "rate", 90.0) == (
        "rate stays 60.0: it can be changed before the node is configured only; "
        "deactivate and clean up first, or start with rate:=90.0"
    )
    assert refusal(node, "required", True) == (
        "required stays False: it is read at the start only; start with required:=true"
    )
    assert refusal(node, "file", "missing") == "file missing does not exist: name another"
    assert refusal(node, "file", "b") == ""
    assert Tuned.taken == [{"file": "b"}]
    node.trigger_deactivate()
    assert "deactivate and clean up first" in refusal(node, "source", "serial")
    node.trigger_cleanup()
    assert refusal(node, "source", "serial") == ""
    node.destroy_node()


@pytest.mark.usefixtures("ros")
def test_a_whole_number_is_a_real_one() -> None:
    node = Tuned("tuned", parameter_overrides=[Parameter("rate", value=60)])
    assert repr(node.get_parameter("rate").value) == "60.0"
    assert refusal(node, "rate", 90) == ""
    assert repr(node.get_parameter("rate").value) == "90.0"
    assert refusal(node, "rate", "fast") == "rate is 'fast', must be a number, 1 to 200"
    assert refusal(node, "rate", None) == "rate is None, must be a number, 1 to 200"
    node.destroy_node()


@pytest.mark.usefixtures("ros")
def test_a_bad_value_of_what_stays_as_it_is_ends_the_start() -> None:
    with pytest.raises(ParameterException, match="autostart is 'maybe', must be true or false"):
        Tuned("tuned", parameter_overrides=[Parameter("autostart", value="maybe")])


@pytest.mark.usefixtures("ros")
def test_a_bad_value_at_the_start_fails_the_configuration_and_can_be_mended() -> None:
    node = Tuned("tuned", parameter_overrides=[Parameter("source", value="bluetooth")])
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert node._failure == "cannot be configured: source is 'bluetooth', must be one of udp, serial"
    assert refusal(node, "source", "serial") == ""
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    node.destroy_node()
