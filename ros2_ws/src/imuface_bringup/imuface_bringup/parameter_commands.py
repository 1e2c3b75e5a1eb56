"""The command ``imuface params``: the parameters of running nodes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import typer
from diagnostic_msgs.msg import DiagnosticArray
from imuface_core.topics import DIAGNOSTICS
from imuface_node import CLEAN_UP_FIRST, qos
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient

from imuface_bringup.client import PATIENCE, Client
from imuface_bringup.launch_file.errors import suggestion
from imuface_bringup.options import Namespace

_TRANSITION_PATIENCE = 120.0  # s; the agent loads its model
_WORDS = {"true": True, "false": False}


def _integer(text: str) -> int:
    value = int(text)
    value.to_bytes(8, "big", signed=True)  # raises OverflowError for what a parameter cannot hold
    return value


_READERS: dict[Parameter.Type, tuple[str, Callable[[str], Any]]] = {
    Parameter.Type.BOOL: ("true or false", lambda text: _WORDS[text.lower()]),
    Parameter.Type.INTEGER: ("a whole number of 64 bits", _integer),
    Parameter.Type.DOUBLE: ("a number", float),
    Parameter.Type.STRING: ("a text", str),
}

params_app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


# What looks like an option may be a negative number.
@params_app.command(context_settings={"ignore_unknown_options": True})
def params(
    node: Annotated[str | None, typer.Argument(help="Node; left out: list them.")] = None,
    name: Annotated[str | None, typer.Argument(help="Parameter; left out: list all of the node.")] = None,
    value: Annotated[str | None, typer.Argument(help="New value; left out: print the present one.")] = None,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Take the node down for the change, for what cannot change while it runs."),
    ] = False,
    namespace: Namespace = "imuface",
) -> None:
    """List, print and set parameters of running nodes.

    \b
    imuface params
    imuface params face_recon_node
    imuface params face_recon_node publish_mesh
    imuface params face_recon_node publish_mesh false
    imuface params imuface_driver rate 60 --restart
    """
    if restart and value is None:
        raise ValueError("--restart goes with a new value")
    with Client(namespace) as client:
        if node is None:
            _list_nodes(client)
            return
        remote = RemoteNode(client, node)
        if name is None:
            for descriptor, present in remote.all():
                typer.echo(told(descriptor, present))
            return
        descriptor = remote.describe(name)
        if value is None:
            typer.echo(written(remote.get([name])[0]))
            return
        new = read(descriptor, value)
        if restart:
            remote.set_anew(name, new)
        else:
            remote.set(name, new)
        typer.echo(f"{name} = {written(new)}")


class RemoteNode:
    """The parameters and the lifecycle of a running node, by its name in the person's namespace or its whole one.

    Raises ``TimeoutError`` when it is not found or does not answer, ``ValueError`` for what it lacks or refuses.
    """

    def __init__(self, client: Client, name: str) -> None:
        self.name = client.full(name)
        self._client = client
        self._parameters = AsyncParameterClient(client.node, self.name)
        if not client.meet(self._parameters.services_are_ready, self._parameters.list_parameters):
            known = suggestion(self.name, client.nodes())
            raise TimeoutError(f"no node {self.name} answers within {PATIENCE:g} s; {known}")

    def all(self) -> list[tuple[ParameterDescriptor, Any]]:
        """Every parameter with its value, by name."""
        names = sorted(self._names())
        return list(zip(self._described(names), self.get(names), strict=True))

    def describe(self, name: str) -> ParameterDescriptor:
        """What the node says of a parameter."""
        names = self._names()
        if name not in names:
            raise ValueError(f"{self.name} has no parameter '{name}'; {suggestion(name, names)}")
        return self._described([name])[0]

    def get(self, names: list[str]) -> list[Any]:
        """Values of parameters."""
        answer = self._client.answer(self._parameters.get_parameters(names), self.name)
        return [parameter_value_to_python(value) for value in answer.values]

    def set(self, name: str, value: Any, patience: float = PATIENCE) -> None:
        """Set a parameter; what the node says against it is the error."""
        answer = self._client.answer(
            self._parameters.set_parameters([Parameter(name, value=value)]), self.name, patience
        )
        if not answer.results[0].successful:
            raise ValueError(f"{self.name} refuses: {answer.results[0].reason}")

    def set_anew(self, name: str, value: Any) -> None:
        """Take the node down, set a parameter and bring it up, with the earlier value when it does not come up.

        The node is taken down only for a value that it would take then.
        """
        if self._state() != State.PRIMARY_STATE_UNCONFIGURED:
            try:
                self.set(name, value)
            except ValueError as error:
                if CLEAN_UP_FIRST not in str(error):
                    raise
            else:
                return
        before = self.get([name])[0]
        self._take_down()
        self.set(name, value)
        if not self._bring_up():
            reason = self._failure()
            self._take_down()
            self.set(name, before)
            back = f"{name} is {before} again" if self._bring_up() else f"it does not start with {before} either"
            raise ValueError(f"{self.name} does not start: {reason}; {back}")

    def _state(self) -> int:
        return int(self._ask(GetState, "get_state", GetState.Request()).current_state.id)

    def _take_down(self) -> None:
        state = self._state()
        if state == State.PRIMARY_STATE_ACTIVE:
            self._change(Transition.TRANSITION_DEACTIVATE)
        if state in (State.PRIMARY_STATE_ACTIVE, State.PRIMARY_STATE_INACTIVE):
            self._change(Transition.TRANSITION_CLEANUP)

    def _bring_up(self) -> bool:
        return self._change(Transition.TRANSITION_CONFIGURE) and self._change(Transition.TRANSITION_ACTIVATE)

    def _change(self, transition: int) -> bool:
        return bool(
            self._ask(ChangeState, "change_state", ChangeState.Request(transition=Transition(id=transition))).success
        )

    def _ask(self, kind: Any, service: str, request: Any) -> Any:
        absence = partial(TimeoutError, f"{self.name} is no lifecycle node: start it anew with the parameter instead")
        place = f"{self.name}/{service}"
        return self._client.call(kind, place, request, self.name, absence, _TRANSITION_PATIENCE)

    def _failure(self) -> str:
        """What the node says of itself in /diagnostics, once a second."""
        said: list[str] = []

        def listen(message: DiagnosticArray) -> None:
            said.extend(each.message for each in message.status if each.name == self.name)

        self._client.node.create_subscription(DiagnosticArray, DIAGNOSTICS, listen, qos(DIAGNOSTICS))
        return said[-1] if self._client.until(lambda: said) else "its log tells why"

    def _names(self) -> list[str]:
        return list(self._client.answer(self._parameters.list_parameters(), self.name).result.names)

    def _described(self, names: list[str]) -> list[ParameterDescriptor]:
        return list(self._client.answer(self._parameters.describe_parameters(names), self.name).descriptors)


def _list_nodes(client: Client) -> None:
    def found() -> list[str]:
        return [name for name in client.nodes() if name.startswith(client.full(""))]

    if not client.until(found):
        raise client.absence("node")
    client.until(lambda: False, patience=1.0)  # some are found before others
    typer.echo("\n".join(found()))


def read(descriptor: ParameterDescriptor, text: str) -> Any:
    """A value as it is written on the command line. Raises ``ValueError``."""
    kind = Parameter.Type(descriptor.type)
    if kind not in _READERS:
        raise ValueError(f"{descriptor.name} is of type {kind.name.lower()}, which cannot be set from here")
    wanted, reader = _READERS[kind]
    try:
        return reader(text)
    except (KeyError, ValueError, OverflowError):
        raise ValueError(f"{descriptor.name} is {text!r}, must be {wanted}") from None


def written(value: Any) -> str:
    """A value as :func:`read` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def told(descriptor: ParameterDescriptor, value: Any) -> str:
    """What the node says of a parameter, in two lines."""
    ranges = [*descriptor.floating_point_range, *descriptor.integer_range]
    facts = [Parameter.Type(descriptor.type).name.lower()]
    # A choice, or a range with something beside it, stands in the constraints.
    if ranges and " to " not in descriptor.additional_constraints:
        facts.append(f"{ranges[0].from_value:.10g} to {ranges[0].to_value:.10g}")
    facts += [descriptor.additional_constraints] if descriptor.additional_constraints else []
    facts += ["read-only"] if descriptor.read_only else []
    shown = f'"{value}"' if isinstance(value, str) else written(value)
    return f"{descriptor.name} = {shown}  ({'; '.join(facts)})\n    {descriptor.description or 'not described'}"
