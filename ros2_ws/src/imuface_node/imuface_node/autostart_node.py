"""A lifecycle node that configures and activates itself, reports its health and fails with a clear message.

The launch frontends of ROS 2 Humble and Jazzy cannot autostart lifecycle nodes, so the node does it itself; with
``autostart: false`` it waits for a lifecycle manager like any other.
"""

from __future__ import annotations

import enum
import signal
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, ClassVar

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from imuface_core.topics import DIAGNOSTICS
from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from rclpy.timer import Timer

from imuface_node.executor import make_executor, spin
from imuface_node.parameters import CLEAN_UP_FIRST, Param
from imuface_node.wire import offered

# What bad user input raises in ROS-free code: reported as one line, without a traceback.
USER_ERRORS = (OSError, ValueError, ImportError)
# What ROS raises for arguments that it cannot parse and for parameters of the wrong type.
BAD_ARGUMENTS = (ParameterException, NameValidationException, rclpy_implementation.RCLError)


class StatusLevel(enum.Enum):
    """Health of a node, with the values of ``diagnostic_msgs/DiagnosticStatus``."""

    OK = DiagnosticStatus.OK
    WARN = DiagnosticStatus.WARN
    ERROR = DiagnosticStatus.ERROR
    STALE = DiagnosticStatus.STALE


@dataclass(frozen=True)
class Status:
    """One line of ``/diagnostics``: a level, a message for people, and named values."""

    level: StatusLevel
    message: str
    values: dict[str, str] = field(default_factory=dict)


class AutostartNode(LifecycleNode):
    """Base of the Earnest nodes.

    A node overrides :meth:`setup`, :meth:`start`, :meth:`stop`, :meth:`teardown` and :meth:`status`. ``setup`` and
    ``start`` raise ``ValueError`` or ``OSError`` (a missing file, port or model) with a message that names the value
    and the remedy: the transition then fails, the message is logged, and the node stays up in its previous state, so
    that the fault can be mended and the transition asked for again. With ``required: true`` the process ends instead
    when the node cannot start itself, with status 1: a launch of which it is the point then ends, too.

    Its parameters stand in :attr:`PARAMETERS`. A change is refused, with the reason, unless it takes effect: a ``live``
    parameter's at any time, another one's while the node is not configured. A node with live parameters overrides
    :meth:`examine`, :meth:`changed` or both, or reads the parameter each time. A bad value at the start fails the
    configuration.
    """

    BY_EVENTS: ClassVar[bool] = False
    """Whether :func:`main` spins it with the events executor, for nodes that get many messages a second. It knows no
    callback groups, and ends the process at once where a task of the executor raises."""
    PARAMETERS: ClassVar[tuple[Param, ...]] = ()
    COMMON: ClassVar[tuple[Param, ...]] = (
        Param("autostart", True, "configure and activate at the start, without a lifecycle manager", read_only=True),
        Param("required", False, "end the process, with status 1, when it cannot start itself", read_only=True),
    )

    def __init__(self, name: str, **kwargs: Any) -> None:
        self._unattended: weakref.WeakSet[Subscription] = weakref.WeakSet()
        super().__init__(name, **kwargs)
        self._table = {row.name: row for row in (*self.COMMON, *self.PARAMETERS)}
        for row in self._table.values():
            self._declare(row)
        self.add_pre_set_parameters_callback(self._cast)
        self.add_on_set_parameters_callback(self._on_change)
        self.add_post_set_parameters_callback(self._after_change)
        self.active = False
        self._configured = False
        self._failure = ""
        self._diagnostics = self.create_publisher(DiagnosticArray, DIAGNOSTICS, offered(DIAGNOSTICS))
        # Health is reported by the wall clock, so that a paused simulation still reports.
        self.create_timer(1.0, self._publish_status, clock=Clock(clock_type=ClockType.STEADY_TIME))

    # What a node does ---------------------------------------------------------------------------------------------

    def setup(self) -> None:
        """Read parameters, load models, create interfaces. Raises ``ValueError`` or ``OSError`` on bad input."""

    def start(self) -> None:
        """Begin to work. Raises ``ValueError`` or ``OSError`` when that is not possible."""

    def stop(self) -> None:
        """Stop working; :meth:`start` may follow."""

    def teardown(self) -> None:
        """Undo :meth:`setup`; :meth:`setup` may follow."""

    def status(self) -> list[tuple[str, Status]]:
        """Health of each part while active, as (part, status); the part may be empty for the node as a whole."""
        return [("", Status(StatusLevel.OK, "active"))]

    def examine(self, values: dict[str, Any]) -> None:
        """Look at new values of live parameters while configured; refuse them with ``ValueError`` or ``OSError``."""

    def changed(self, values: dict[str, Any]) -> None:
        """Take over new values of live parameters, which :meth:`examine` has let pass, while configured."""

    # Parameters ---------------------------------------------------------------------------------------------------

    def describe_parameter(self, name: str) -> ParameterDescriptor:
        """What the table says. rclpy checks no ranges itself: it would name no remedy, and end the process at start."""
        row = self._table.get(name)
        return super().describe_parameter(name) if row is None else row.descriptor()

    def _declare(self, row: Param) -> None:
        """Declare a parameter. Raises :class:`ParameterException` for a bad value of one that stays as it is."""
        # Its type is checked by the row: rclpy would end the process for rate:=60, without a word on what is right.
        told = ParameterDescriptor(description=row.description, dynamic_typing=True)
        value: Any = self.declare_parameter(row.name, row.default, told).value
        self.set_parameters([Parameter(row.name, value=row.cast(value))])
        if row.read_only and (fault := row.fault(value)):
            raise ParameterException("bad value", fault)

    def _cast(self, parameters: list[Parameter]) -> list[Parameter]:
        return [
            Parameter(each.name, value=self._table[each.name].cast(each.value)) if each.name in self._table else each
            for each in parameters
        ]

    def _on_change(self, parameters: list[Parameter]) -> SetParametersResult:
        ours = {parameter.name: parameter.value for parameter in parameters if parameter.name in self._table}
        try:
            for name, value in ours.items():
                self._check_change(self._table[name], value)
            if self._configured and (live := self._live_among(ours)):
                self.examine(live)
        except USER_ERRORS as error:
            self.get_logger().warning(f"not set: {error}")
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _check_change(self, row: Param, value: Any) -> None:
        if fault := row.fault(value):
            raise ValueError(fault)
        now = self.get_parameter(row.name).value
        if row.live or repr(value) == repr(now):  # nan is not equal to itself
            return
        start = f"start with {row.name}:={str(value).lower() if isinstance(value, bool) else value}"
        if row.read_only:
            raise ValueError(f"{row.name} stays {now!r}: it is read at the start only; {start}")
        if self._configured:
            raise ValueError(
                f"{row.name} stays {now!r}: it can be changed before the node is configured only; "
                f"{CLEAN_UP_FIRST}, or {start}"
            )

    def _after_change(self, parameters: list[Parameter]) -> None:
        live = self._live_among({parameter.name: parameter.value for parameter in parameters})
        if self._configured and live:
            self.changed(live)

    def _live_among(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name in self._table and self._table[name].live}

    # Lifecycle ----------------------------------------------------------------------------------------------------

    def autostart(self) -> bool:
        """Configure and activate, unless the ``autostart`` parameter is false; whether nothing failed."""
        transitions = (self.trigger_configure, self.trigger_activate) if self.get_parameter("autostart").value else ()
        return all(transition() == TransitionCallbackReturn.SUCCESS for transition in transitions)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._attempt(self._configure, "cannot be configured", undo=self._clean_up)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = self._attempt(self.start, "cannot be activated", undo=self.stop)
        if result == TransitionCallbackReturn.SUCCESS:
            self.active = True
            return super().on_activate(state)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.active = False
        self.stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._clean_up()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.close()
        return TransitionCallbackReturn.SUCCESS

    def close(self) -> None:
        """Stop and tear down from whatever state the node is in."""
        if self.active:
            self.active = False
            self.stop()
        self._clean_up()

    def _configure(self) -> None:
        for row in self._table.values():
            if fault := row.fault(self.get_parameter(row.name).value):
                raise ValueError(fault)
        self._configured = True
        self.setup()

    def _clean_up(self) -> None:
        self.teardown()
        self._configured = False

    def _attempt(self, action: Callable[[], None], failure: str, undo: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            action()
        except USER_ERRORS as error:
            undo()
            self._failure = f"{failure}: {error}"
            self.get_logger().error(self._failure)
            return TransitionCallbackReturn.FAILURE
        except KeyboardInterrupt:
            undo()
            raise
        self._failure = ""
        return TransitionCallbackReturn.SUCCESS

    # Subscriptions and timers -------------------------------------------------------------------------------------

    @property
    def subscriptions(self) -> Iterator[Subscription]:
        """Those that the executor waits for."""
        return (each for each in super().subscriptions if each not in self._unattended)

    def create_unattended_subscription(self, kind: Any, topic: str, profile: QoSProfile) -> Subscription:
        """Subscribe to what is looked at with :func:`arrived` only: waking for it would cost more than reading it."""
        # Without rclpy's own events: where they are waited for, messages wake, too, and are not taken.
        events = SubscriptionEventCallbacks(use_default_callbacks=False)
        subscription = self.create_subscription(kind, topic, _nothing, profile, event_callbacks=events)
        self._unattended.add(subscription)
        return subscription

    def destroy_subscription(self, subscription: Subscription) -> bool:
        """Destroy a subscription. What had come before is not handed out any more: the events executor would."""
        subscription.callback = _nothing
        return super().destroy_subscription(subscription)

    def destroy_timer(self, timer: Timer) -> bool:
        """Destroy a timer, which does not fire any more, also where it was due."""
        timer.callback = _nothing
        return super().destroy_timer(timer)

    # Diagnostics --------------------------------------------------------------------------------------------------

    def _publish_status(self) -> None:
        if self.active:
            parts = self.status()
        elif self._failure:
            parts = [("", Status(StatusLevel.ERROR, self._failure))]
        else:
            parts = [("", Status(StatusLevel.STALE, "not active"))]
        name = self.get_fully_qualified_name()
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        message.status = [
            DiagnosticStatus(
                level=status.level.value,
                name=f"{name}: {part}" if part else name,
                message=status.message,
                hardware_id=name,
                values=[KeyValue(key=key, value=value) for key, value in status.values.items()],
            )
            for part, status in parts
        ]
        self._diagnostics.publish(message)


def _nothing(*message: object) -> None:
    """What rclpy wants to call."""


def arrived(subscription: Subscription) -> Iterator[Any]:
    """Take the messages that have arrived and that the executor has not handed to the callback."""
    while taken := subscription.handle.take_message(subscription.msg_type, subscription.raw):
        yield taken[0]


def main(make_node: Callable[[], AutostartNode], args: list[str] | None = None) -> None:
    """Run one node until it is interrupted or ROS shuts down; the ``main`` of every node executable.

    An interrupt breaks off a start. After that it only shuts ROS down, which ends spinning, however often it comes: an
    exception in the middle of a write or of the end would spoil what the node leaves behind.
    """
    starting = True

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal starting
        if starting:
            starting = False
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)  # before ROS puts its own handler, which calls this one
    try:
        rclpy.init(args=args if args is not None else sys.argv)
        node = make_node()
    except BAD_ARGUMENTS as error:
        rclpy.try_shutdown()
        sys.exit(f"bad argument or parameter: {error}")
    except KeyboardInterrupt:
        rclpy.try_shutdown()
        return
    executor = make_executor(node.BY_EVENTS)
    executor.add_node(node)
    given_up = False
    try:
        given_up = not node.autostart() and node.get_parameter("required").value
        starting = False
        if not given_up:
            spin(executor)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except rclpy_implementation.RCLError:
        # An interrupt shuts ROS down at any moment, also while a callback publishes.
        if rclpy.ok():
            raise
    finally:
        node.close()
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
    if given_up:
        sys.exit(1)
