"""From a launch file and its arguments to a plan of processes.

Scoping follows ``launch``: configurations (arguments and ``let``), the pushed namespace and environment variables live
until the end of the ``group`` they were set in; an ``include`` opens no scope of its own, and an included ``arg`` takes
the value of a configuration of the same name.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from imuface_bringup.launch_file import document, packages, substitution
from imuface_bringup.launch_file.document import Entry
from imuface_bringup.launch_file.errors import LaunchFileError, suggestion
from imuface_bringup.launch_file.node import NodeProcess, Parameters, ParameterValue

_MAX_INCLUDE_DEPTH = 16
_OUTPUTS = ("screen", "log", "both")
_NAMESPACE = re.compile(r"/?([A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*)?")
_NODE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True)
class Argument:
    """A launch argument that can be given on the command line; ``default`` is None when it must be given."""

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...]
    file: Path


@dataclass(frozen=True)
class Plan:
    """What a launch file amounts to for given arguments."""

    nodes: tuple[NodeProcess, ...]
    arguments: tuple[Argument, ...]


def plan(file: Path, arguments: Mapping[str, str] | None = None) -> Plan:
    """Interpret ``file`` with ``arguments`` (name to value).

    Raises :class:`LaunchFileError` when the file, a file that it includes, or an argument is wrong, and ``OSError``
    when a file cannot be read.
    """
    arguments = dict(arguments or {})
    known = declared_arguments(file, arguments)
    names = [argument.name for argument in known]
    for name in arguments:
        if name not in names:
            raise LaunchFileError(f"{file}: unknown launch argument '{name}'; {suggestion(name, names)}")
    interpreter = _Interpreter(arguments)
    interpreter.run(file)
    return Plan(tuple(interpreter.nodes), known)


def declared_arguments(file: Path, arguments: Mapping[str, str] | None = None) -> tuple[Argument, ...]:
    """Every argument that the command line can set, those of included files too, whatever the conditions say."""
    interpreter = _Interpreter(dict(arguments or {}), describe=True)
    interpreter.run(file)
    return tuple(interpreter.declared.values())


@dataclass
class _Scope:
    """What a group restores at its end."""

    configurations: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str | None] = field(default_factory=dict)
    namespace: str = "/"
    # Set by the launch files themselves, so the command line has no say.
    settled: set[str] = field(default_factory=set)

    def copy(self) -> _Scope:
        return _Scope(dict(self.configurations), dict(self.environment), self.namespace, set(self.settled))


class _Interpreter:
    """Runs actions in order. With ``describe``, conditions are ignored and missing arguments do not matter."""

    def __init__(self, arguments: dict[str, str], *, describe: bool = False) -> None:
        self.describe = describe
        self.scope = _Scope(configurations=arguments)
        self.nodes: list[NodeProcess] = []
        self.declared: dict[str, Argument] = {}
        self.files: list[Path] = []
        self.functions: dict[str, Callable[..., str]] = {
            "var": self._configuration,
            "env": self._environment_variable,
            "find-pkg-share": lambda package: str(packages.share_directory(package)),
            "dirname": lambda: str(self.files[-1].parent),
        }

    def run(self, file: Path) -> None:
        file = file.absolute()
        if len(self.files) == _MAX_INCLUDE_DEPTH:
            raise LaunchFileError(f"{file}: included {_MAX_INCLUDE_DEPTH} levels deep; does it include itself?")
        actions = document.read(file)
        self.files.append(file)
        self._run_all(actions)
        self.files.pop()

    def _run_all(self, actions: list[Entry]) -> None:
        for action in actions:
            if self._wanted(action):
                getattr(self, f"_run_{action.kind}")(action)

    def _wanted(self, action: Entry) -> bool:
        if "if" in action.keys and "unless" in action.keys:
            raise action.error("has both 'if' and 'unless'")
        for key in ("if", "unless"):
            if key in action.keys:
                value = self._evaluate(action, key).strip().lower()
                if self.describe:
                    return True
                if value not in ("true", "1", "false", "0"):
                    raise action.error(f"'{key}' is '{value}', not one of true, false, 1, 0")
                return (value in ("true", "1")) == (key == "if")
        return True

    # Actions ------------------------------------------------------------------------------------------------------

    def _run_arg(self, action: Entry) -> None:
        name = action.text("name")
        choices = tuple(choice.text("value") for choice in action.entries("choice", document.CHOICE))
        default = self._evaluate(action, "default") if "default" in action.keys else None
        if name not in self.scope.settled and name not in self.declared:
            file = self.files[-1]
            self.declared[name] = Argument(name, default, action.text("description", ""), choices, file)
        if name not in self.scope.configurations:
            if default is None and not self.describe:
                description = action.text("description", "no description")
                raise action.error(f"argument '{name}' must be given: {name}:=... ({description})")
            self.scope.configurations[name] = default or ""
        value = self.scope.configurations[name]
        if choices and value not in choices and not self.describe:
            raise action.error(f"argument {name}:={value}: {suggestion(value, choices)}")

    def _run_let(self, action: Entry) -> None:
        self._settle(self._evaluate(action, "name"), self._evaluate(action, "value"))

    def _run_set_env(self, action: Entry) -> None:
        self.scope.environment[self._evaluate(action, "name")] = self._evaluate(action, "value")

    def _run_unset_env(self, action: Entry) -> None:
        self.scope.environment[self._evaluate(action, "name")] = None

    def _run_push_ros_namespace(self, action: Entry) -> None:
        self.scope.namespace = self._namespace(action, "namespace")

    def _run_group(self, action: Entry) -> None:
        scoped = action.keys.get("scoped", True)
        if not isinstance(scoped, bool):
            raise action.error(f"'scoped: {scoped}' is not true or false")
        outer = self.scope.copy() if scoped else self.scope
        self._run_all(action.actions("children"))
        self.scope = outer

    def _run_include(self, action: Entry) -> None:
        file = Path(self._evaluate(action, "file"))
        if not file.name.endswith((".yaml", ".yml")):
            raise action.error(f"'{file}' is not a YAML launch file; only these can be included here")
        for argument in action.entries("arg", document.INCLUDED_ARGUMENT):
            self._settle(self._evaluate(argument, "name"), self._evaluate(argument, "value"))
        try:
            self.run(file)
        except OSError as error:
            raise action.error(f"cannot read '{file}': {error.strerror}") from None

    def _run_node(self, action: Entry) -> None:
        name = self._evaluate(action, "name") if "name" in action.keys else None
        if name is not None and not _NODE_NAME.fullmatch(name):
            raise action.error(f"'{name}' is not a node name: letters, digits and underscores, no digit first")
        output = self._evaluate(action, "output") if "output" in action.keys else "log"
        if output not in _OUTPUTS:
            raise action.error(f"output '{output}'; {suggestion(output, _OUTPUTS)}")
        if action.keys.get("on_exit", "shutdown") != "shutdown":
            raise action.error(f"on_exit '{action.keys['on_exit']}'; the frontends know shutdown only")
        environment = dict(self.scope.environment)
        for variable in action.entries("env", document.ENVIRONMENT):
            environment[self._evaluate(variable, "name")] = self._evaluate(variable, "value")
        remappings = tuple(
            (self._evaluate(remap, "from"), self._evaluate(remap, "to"))
            for remap in action.entries("remap", document.REMAP)
        )
        node = NodeProcess(
            package=self._evaluate(action, "pkg"),
            executable=self._evaluate(action, "exec"),
            name=name,
            namespace=self._namespace(action, "namespace"),
            parameters=self._parameters(action),
            remappings=remappings,
            arguments=tuple(shlex.split(self._evaluate(action, "args"))) if "args" in action.keys else (),
            environment=environment,
            output=output,
            respawn=self._respawn(action),
            respawn_delay=self._respawn_delay(action),
            required="on_exit" in action.keys,
        )
        self.nodes.append(node)

    def _respawn(self, action: Entry) -> bool:
        value = action.keys.get("respawn", False)
        # A boolean up to Jazzy, text with substitutions since.
        text = str(value) if isinstance(value, bool) else self._evaluate(action, "respawn")
        if text.lower() not in ("true", "false") and not self.describe:
            raise action.error(f"respawn '{text}' is not true or false")
        return text.lower() == "true"

    def _respawn_delay(self, action: Entry) -> float:
        delay = action.keys.get("respawn_delay", 0.0)
        if not isinstance(delay, float) or not 0.0 <= delay < float("inf"):
            raise action.error(f"respawn_delay '{delay}' is not a number of seconds with a decimal point, 0.0 or more")
        return delay

    # Parameters ---------------------------------------------------------------------------------------------------

    def _parameters(self, action: Entry) -> tuple[Parameters | Path, ...]:
        parameters: list[Parameters | Path] = []
        for entry in action.entries("param", document.PARAMETER):
            if "from" not in entry.keys:
                parameters.append(self._parameter(entry))
                continue
            if len(entry.keys) != 1:
                raise entry.error("'from' stands alone")
            file = Path(self._evaluate(entry, "from"))
            if not file.is_file() and not self.describe:
                raise entry.error(f"parameter file '{file}' does not exist")
            parameters.append(file)
        return tuple(parameters)

    def _parameter(self, entry: Entry) -> Parameters:
        if "name" not in entry.keys:
            raise entry.error("missing key 'name'")
        name = self._evaluate(entry, "name")
        nested = entry.entries("param", document.PARAMETER)
        if "value" in entry.keys and not nested:
            return {name: self._value(entry, name)}
        if "value" in entry.keys or "type" in entry.keys or not nested:
            raise entry.error(f"'{name}' has either a value (and a type) or nested parameters")
        merged: Parameters = {}
        for item in nested:
            merged |= self._parameter(item)
        return {name: merged}

    def _value(self, entry: Entry, name: str) -> ParameterValue:
        """A parameter's value: as written, or, when it holds a substitution, its text read as ``type`` or as YAML."""
        value = entry.keys["value"]
        kind = entry.text("type") if "type" in entry.keys else None
        if kind is not None and kind not in _TYPES:
            raise entry.error(f"type '{kind}'; {suggestion(kind, _TYPES)}")
        if isinstance(value, str):
            text = self._evaluate(entry, "value")
            if substitution.is_literal(value):
                value = text
            elif self.describe:
                return ""
            else:
                value = _convert(entry, name, text, kind)
        if kind is not None and type(value) is not _TYPES[kind]:
            raise entry.error(f"parameter '{name}' is {value!r}, which is not of type {kind}")
        if not _is_parameter(value):
            raise entry.error(
                f"parameter '{name}' is {value!r}; ROS knows bool, int, float, str and lists of one of them"
            )
        return value

    # Substitutions ------------------------------------------------------------------------------------------------

    def _evaluate(self, entry: Entry, key: str) -> str:
        try:
            return substitution.evaluate(entry.text(key), self.functions)
        except LaunchFileError as error:
            prefix = f"{entry.file}:{entry.line}: "
            raise error if str(error).startswith(prefix) else entry.error(f"'{key}': {error}") from None

    def _namespace(self, action: Entry, key: str) -> str:
        pushed = self._evaluate(action, key) if key in action.keys else ""
        if not _NAMESPACE.fullmatch(pushed):
            raise action.error(
                f"'{pushed}' is not a namespace: names of letters, digits and underscores, joined by '/'"
            )
        if pushed.startswith("/"):
            return pushed
        return f"{self.scope.namespace.rstrip('/')}/{pushed}" if pushed else self.scope.namespace

    def _settle(self, name: str, value: str) -> None:
        self.scope.configurations[name] = value
        self.scope.settled.add(name)

    def _configuration(self, name: str) -> str:
        if name not in self.scope.configurations:
            raise LaunchFileError(f"'$(var {name})' is not set; {suggestion(name, self.scope.configurations)}")
        return self.scope.configurations[name]

    def _environment_variable(self, name: str, default: str | None = None) -> str:
        value = self.scope.environment[name] if name in self.scope.environment else os.environ.get(name)
        if value is None:
            value = default
        if value is None:
            raise LaunchFileError(f"environment variable '{name}' is not set and has no default: $(env {name} DEFAULT)")
        return value


def _convert(entry: Entry, name: str, text: str, kind: str | None) -> Any:
    if kind == "str":
        return text
    if kind in ("int", "float"):
        try:
            return _TYPES[kind](text)
        except ValueError:
            raise entry.error(f"parameter '{name}' is '{text}', which is not of type {kind}") from None
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise entry.error(
            f"parameter '{name}' is '{text}', which is not YAML; give 'type: str' if it is text"
        ) from None
    if value is None:
        raise entry.error(f"parameter '{name}' is empty; give 'type: str' if that is meant")
    return value


def _is_parameter(value: object) -> bool:
    scalars = tuple(_TYPES.values())
    if isinstance(value, list):
        return len({type(item) for item in value}) <= 1 and all(isinstance(item, scalars) for item in value)
    return isinstance(value, scalars)
