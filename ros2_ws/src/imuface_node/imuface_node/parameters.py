"""One way to declare parameters: rows of a table, which say what a value may be and when it may change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.parameter import Parameter

CLEAN_UP_FIRST = "deactivate and clean up first"
"""The remedy for a change that a node would take before it is configured."""
MANY = 2**31 - 1
"""The upper end of what may be as large as one likes."""
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


@dataclass(frozen=True)
class Param:
    """A parameter of a node; its type is that of ``default``.

    ``within`` are the lowest and the highest value allowed, ``choices`` the values of a text; a default of NaN is
    allowed beside its range. A ``live`` parameter takes effect at once; any other is read when the node is configured,
    and one that is ``read_only`` when the process starts.
    """

    name: str
    default: bool | int | float | str
    description: str
    within: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    live: bool = False
    read_only: bool = False

    @property
    def allowed(self) -> str:
        """The values allowed, in words; empty when any of its type is."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.within is None:
            return ""
        low, high = (f"{end:g}" if isinstance(self.default, float) else str(end) for end in self.within)
        return f"{low} to {high}{' or nan' if self.default != self.default else ''}"

    @property
    def changes(self) -> str:
        """When it may be changed, in words."""
        return "at any time" if self.live else "at start only" if self.read_only else "before configuring"

    def cast(self, value: Any) -> Any:
        """``value``, a whole number as a real one where the parameter is real: YAML has ``60`` for both."""
        return float(value) if isinstance(self.default, float) and type(value) is int else value

    def fault(self, value: Any) -> str:
        """What is wrong with ``value``, with the remedy; empty when nothing is."""
        if not self._is_of_its_kind(value):
            return self._fault_of_kind(value)
        if self.choices:
            right = value in self.choices
        elif self.within is not None:
            right = self.within[0] <= value <= self.within[1] or (math.isnan(value) and self.default != self.default)
        else:
            right = True
        return "" if right else f"{self.name} is {value!r}, must be {self.allowed}"

    def _is_of_its_kind(self, value: Any) -> bool:
        return type(value) is type(self.default)

    def _fault_of_kind(self, value: Any) -> str:
        remedy = f", {self.allowed}" if self.allowed else ""
        if isinstance(self.default, str) and not self.choices:
            remedy = f"; quote it for ROS: {self.name}:=\"'{value}'\""
        return f"{self.name} is {value!r}, must be {_KINDS[type(self.default)]}{remedy}"

    def descriptor(self) -> ParameterDescriptor:
        """What tools are told of it."""
        kind = Parameter.Type.from_parameter_value(self.default)
        told = ParameterDescriptor(name=self.name, type=kind.value, description=self.description)
        told.read_only = self.read_only
        words = [self.allowed] if self.choices or self.default != self.default else []
        told.additional_constraints = "; ".join([*words, f"changes {self.changes}"])
        if self.within is not None and kind is Parameter.Type.INTEGER:
            told.integer_range = [IntegerRange(from_value=int(self.within[0]), to_value=int(self.within[1]))]
        elif self.within is not None:
            told.floating_point_range = [
                FloatingPointRange(from_value=float(self.within[0]), to_value=float(self.within[1]))
            ]
        return told
