"""From a launch file and its arguments to a plan of processes.

Scoping follows ``launch``: configurations (the arguments), the pushed namespace and environment variables live until
the end of the ``group`` they were set in; an ``include`` opens no scope of its own, and an included ``arg`` takes the
value of a configuration of the same name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import yaml

from imuface_bringup.launch_file import document, packages, substitution
from imuface_bringup.launch_file.document import Entry
from imuface_bringup.launch_file.errors import LaunchFileError, suggestion
from imuface_bringup.launch_file.node import NodeProcess, Parameters

T = TypeVar("T")

_MAX_INCLUDE_DEPTH = 16
_NAMESPACE = re.compile(r"/?([A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*)?")
_NODE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPES: dict[str, type[bool | int | float | str]] = {"str": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True)
class Argument:
    """A launch argument that can be given on the command line; ``default`` is None when it must be given."""

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...]


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
    environment: dict[str, str] = field(default_factory=dict)
    namespace: str = "/"

    def copy(self) -> _Scope:
        return _Scope(dict(self.configurations), dict(self.environment), self.namespace)


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
            getattr(self, f"_run_{action.kind}")(action)

    # Actions ------------------------------------------------------------------------------------------------------

    def _run_arg(self, action: Entry) -> None:
        name = action.text("name")
        choices = tuple(choice.text("value") for choice in action.entries("choice", document.CHOICE))
        default = self._evaluate(action, "default") if "default" in action.keys else None
        if name not in self.declared:
            self.declared[name] = Argument(name, default, action.text("description", ""), choices)
        if name not in self.scope.configurations:
            if default is None and not self.describe:
                description = action.text("description", "no description")
                raise action.error(f"argument '{name}' must be given: {name}:=... ({description})")
            self.scope.configurations[name] = default or ""
        value = self.scope.configurations[name]
        if choices and value not in choices and not self.describe:
            raise action.error(f"argument {name}:={value}: {suggestion(value, choices)}")

    def _run_set_env(self, action: Entry) -> None:
        self.scope.environment[self._evaluate(action, "name")] = self._evaluate(action, "value")

    def _run_push_ros_namespace(self, action: Entry) -> None:
        pushed = self._evaluate(action, "namespace")
        namespace = pushed.rstrip("/")
        if not _NAMESPACE.fullmatch(namespace):
            raise action.error(
                f"'{pushed}' is not a namespace: names of letters, digits and underscores, joined by '/'"
            )
        if not pushed.startswith("/"):
            namespace = f"{self.scope.namespace}/{namespace}".replace("//", "/").rstrip("/")
        self.scope.namespace = namespace or "/"

    def _run_group(self, action: Entry) -> None:
        outer = self.scope.copy()
        self._run_all(action.actions("children"))
        self.scope = outer

    def _run_include(self, action: Entry) -> None:
        file = Path(self._evaluate(action, "file"))
        if not file.name.endswith((".yaml", ".yml")):
            raise action.error(f"'{file}' is not a YAML launch file; only these can be included here")
        try:
            self.run(file)
        except OSError as error:
            raise action.error(f"cannot read '{file}': {error.strerror}") from None

    def _run_node(self, action: Entry) -> None:
        if not self._wanted(action):
            return
        name = self._evaluate(action, "name")
        if not _NODE_NAME.fullmatch(name):
            raise action.error(f"'{name}' is not a node name: letters, digits and underscores, no digit first")
        for key, known in (("output", "screen"), ("on_exit", "shutdown")):
            if action.keys.get(key, known) != known:
                raise action.error(f"{key} '{action.keys[key]}'; only '{known}' is known here")
        node = NodeProcess(
            package=self._evaluate(action, "pkg"),
            executable=self._evaluate(action, "exec"),
            name=name,
            namespace=self.scope.namespace,
            parameters=self._parameters(action),
            remappings=tuple(
                (self._evaluate(remap, "from"), self._evaluate(remap, "to"))
                for remap in action.entries("remap", document.REMAP)
            ),
            arguments=self._words(action, "args") if "args" in action.keys else (),
            environment=dict(self.scope.environment),
            required="on_exit" in action.keys,
        )
        self.nodes.append(node)

    def _wanted(self, action: Entry) -> bool:
        value = self._evaluate(action, "if").strip().lower() if "if" in action.keys else "true"
        if value not in ("true", "1", "false", "0") and not self.describe:
            raise action.error(f"'if' is '{value}', not one of true, false, 1, 0")
        return self.describe or value in ("true", "1")

    # Parameters ---------------------------------------------------------------------------------------------------

    def _parameters(self, action: Entry) -> tuple[Parameters | Path, ...]:
        entries = action.entries("param", document.PARAMETER, document.PARAMETER_FILE)
        return tuple(
            self._parameter_file(entry) if "from" in entry.keys else self._parameter(entry) for entry in entries
        )

    def _parameter_file(self, entry: Entry) -> Path:
        file = Path(self._evaluate(entry, "from"))
        if not file.is_file() and not self.describe:
            raise entry.error(f"parameter file '{file}' does not exist")
        return file

    def _parameter(self, entry: Entry) -> Parameters:
        """A parameter with its value as written, or, when it holds a substitution, its text read as ``type``."""
        name, value = self._evaluate(entry, "name"), entry.keys["value"]
        if "type" not in entry.keys:
            if type(value) not in _TYPES.values() or (isinstance(value, str) and not substitution.is_literal(value)):
                raise entry.error(f"parameter '{name}' is {value!r}, neither a plain value nor a text with a type")
            return {name: value}
        kind = entry.text("type")
        if kind not in _TYPES:
            raise entry.error(f"type '{kind}'; {suggestion(kind, _TYPES)}")
        text = self._evaluate(entry, "value")
        return {} if self.describe else {name: _convert(entry, name, text, kind)}

    # Substitutions ------------------------------------------------------------------------------------------------

    def _evaluate(self, entry: Entry, key: str) -> str:
        return self._substitute(substitution.evaluate, entry, key)

    def _words(self, entry: Entry, key: str) -> tuple[str, ...]:
        return self._substitute(substitution.words, entry, key)

    def _substitute(self, evaluate: Callable[[str, substitution.Functions], T], entry: Entry, key: str) -> T:
        try:
            return evaluate(entry.text(key), self.functions)
        except LaunchFileError as error:
            prefix = f"{entry.file}:{entry.line}: "
            raise error if str(error).startswith(prefix) else entry.error(f"'{key}': {error}") from None

    def _configuration(self, name: str) -> str:
        if name not in self.scope.configurations:
            raise LaunchFileError(f"'$(var {name})' is not set; {suggestion(name, self.scope.configurations)}")
        return self.scope.configurations[name]

    def _environment_variable(self, name: str, default: str | None = None) -> str:
        value = self.scope.environment.get(name, os.environ.get(name, default))
        if value is None:
            raise LaunchFileError(f"environment variable '{name}' is not set and has no default: $(env {name} DEFAULT)")
        return value


def _convert(entry: Entry, name: str, text: str, kind: str) -> bool | int | float | str:
    """``text`` as the frontends read it: as YAML for a truth value, in which 1 and 0 are truth values too."""
    try:
        value = {"1": True, "0": False}.get(text, yaml.safe_load(text)) if kind == "bool" else _TYPES[kind](text)
    except (yaml.YAMLError, ValueError, RecursionError):
        value = None
    if type(value) is not _TYPES[kind]:
        raise entry.error(f"parameter '{name}' is '{text}', which is not of type {kind}")
    return value
