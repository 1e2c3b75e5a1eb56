"""Reading a launch file into actions whose keys have been checked, with the line each came from."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from imuface_bringup.launch_file.errors import LaunchFileError, suggestion

# The keys of each action and of its nested entries: of those of launch and launch_ros, the ones that Earnest's files
# use. True: required.
SCHEMA: dict[str, dict[str, bool]] = {
    "arg": {"name": True, "default": False, "description": False, "choice": False},
    "set_env": {"name": True, "value": True},
    "push_ros_namespace": {"namespace": True},
    "include": {"file": True},
    "group": {"children": True},
    "node": {
        "if": False,
        "pkg": True,
        "exec": True,
        "name": True,
        "output": True,
        "on_exit": False,
        "args": False,
        "param": False,
        "remap": False,
    },
}
CHOICE = {"value": True}
PARAMETER = {"name": True, "value": True, "type": False}
PARAMETER_FILE = {"from": True}
REMAP = {"from": True, "to": True}


class _Mapping(dict[str, Any]):
    """A YAML mapping that knows its line."""

    line = 0


class _Loader(yaml.SafeLoader):
    """YAML loader that keeps lines and refuses a key given twice, which YAML would silently drop."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node)
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(problem=f"key '{key}' is not text", problem_mark=key_node.start_mark)
            if key in keys:
                raise yaml.MarkedYAMLError(problem=f"key '{key}' given twice", problem_mark=key_node.start_mark)
            keys.add(key)
        return super().construct_mapping(node, deep)


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> _Mapping:
    mapping = _Mapping({str(key): value for key, value in loader.construct_mapping(node, deep=True).items()})
    mapping.line = node.start_mark.line + 1
    return mapping


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


@dataclass(frozen=True)
class Entry:
    """A mapping with known keys: an action, or a nested entry such as a parameter."""

    kind: str
    keys: dict[str, Any]
    file: Path
    line: int

    def error(self, message: str) -> LaunchFileError:
        return LaunchFileError(f"{self.file}:{self.line}: {self.kind}: {message}")

    def text(self, key: str, default: str | None = None) -> str:
        """The text at ``key``. Raises when it is not text: the frontends refuse an unquoted ``true`` or ``1``."""
        value = self.keys.get(key, default)
        if not isinstance(value, str):
            raise self.error(f"'{key}: {value}' is not text; quote it: {key}: \"{_as_yaml(value)}\"")
        return value

    def entries(self, key: str, schema: dict[str, bool], *others: dict[str, bool]) -> list[Entry]:
        """The list of mappings at ``key`` (empty when absent), each checked against ``schema``, or against the one of
        ``others`` that requires one of its keys."""
        value = self.keys.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, _Mapping) for item in value):
            raise self.error(f"'{key}' is not a list of mappings")
        chosen = [next((other for other in others if set(other) & set(item)), schema) for item in value]
        return [_checked(key, item, keys, self.file) for item, keys in zip(value, chosen, strict=True)]

    def actions(self, key: str) -> list[Entry]:
        return _actions(self.keys[key], self.file, f"{self.kind}: '{key}'")


def read(file: Path) -> list[Entry]:
    """The actions of a launch file, in order.

    Raises :class:`LaunchFileError` on broken YAML and on keys outside the supported subset, and ``OSError`` when the
    file cannot be read.
    """
    try:
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)  # derived from SafeLoader
    except UnicodeDecodeError:
        raise LaunchFileError(f"{file}: not UTF-8 text; is this a launch file?") from None
    except yaml.YAMLError as error:
        raise LaunchFileError(f"{file}: {_yaml_problem(error)}") from None
    except (RecursionError, ValueError, OverflowError) as error:
        # PyYAML lets these through for deep nesting and for impossible dates and numbers.
        raise LaunchFileError(f"{file}: not usable as YAML: {error}") from None
    if not isinstance(document, dict) or set(document) != {"launch"}:
        raise LaunchFileError(f"{file}: a launch file is one mapping with the single key 'launch'")
    return _actions(document["launch"], file, "'launch'")


def _actions(value: Any, file: Path, where: str) -> list[Entry]:
    if not isinstance(value, list):
        raise LaunchFileError(f"{file}: {where} is not a list of actions")
    actions = []
    for item in value:
        if not isinstance(item, _Mapping) or len(item) != 1:
            line = f":{item.line}" if isinstance(item, _Mapping) else ""
            raise LaunchFileError(f"{file}{line}: {where}: an action is a mapping with one key, its kind; got {item!r}")
        ((kind, keys),) = item.items()
        if kind not in SCHEMA:
            raise LaunchFileError(f"{file}:{item.line}: unknown action '{kind}'; {suggestion(kind, SCHEMA)}")
        if kind == "group":
            keys = _Mapping(children=keys)
            keys.line = item.line
        if not isinstance(keys, _Mapping):
            raise LaunchFileError(f"{file}:{item.line}: {kind}: expected a mapping, got {keys!r}")
        actions.append(_checked(kind, keys, SCHEMA[kind], file))
    return actions


def _checked(kind: str, keys: _Mapping, schema: dict[str, bool], file: Path) -> Entry:
    entry = Entry(kind, dict(keys), file, keys.line)
    for key in keys:
        if key not in schema:
            raise entry.error(f"unknown key '{key}'; {suggestion(key, schema)}")
    for key, required in schema.items():
        if required and key not in keys:
            raise entry.error(f"missing key '{key}'")
    return entry


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    return f"{where}{getattr(error, 'problem', None) or error}"


def _as_yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
