"""The plans of our interpreter beside those of the real launch system, where that can be imported.

No process is started: what the launch system would run is taken down instead. It is looked for where pip puts packages,
as our interpreter does. The result of a run by hand stands in docs/launch.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from imuface_bringup import environment
from imuface_bringup.launch_file import LaunchFileError, NodeProcess, declared_arguments, packages, plan

launch = pytest.importorskip("launch", reason="the launch system of ROS 2 is not on PyPI")
pytest.importorskip("launch_ros", reason="the launch system of ROS 2 is not on PyPI")
pytest.importorskip("launch_yaml", reason="the launch system of ROS 2 is not on PyPI")

LAUNCH = Path(__file__).parents[4] / "launch"
REQUIRED = {"replay": {"bag": "some/bag"}, "record": {"path": "some/bag"}}
NAMES = sorted(file.name.removesuffix(".launch.yaml") for file in LAUNCH.glob("*.launch.yaml"))

# Values to try, by the default of the argument.
TRUTHS = ("1", "0", "True", "false", "yes", "maybe", "")
NUMBERS = ("1", "2.5", "1e3", "-1", "x", "")
TEXTS = ("", "two words", "$(var x)")
NAMESPACES = ("anna", "/anna", "anna/", "/lab/anna/", "/", "", "1x", "a-b", "a//b")
VARIABLES = ("ROS_AUTOMATIC_DISCOVERY_RANGE", "FASTDDS_DEFAULT_PROFILES_FILE")


@dataclass(frozen=True)
class Process:
    """What can be said of a node in the terms of both systems."""

    command: tuple[str, ...]
    parameters: tuple[object, ...]
    environment: tuple[str | None, ...]
    required: bool


def cases() -> Iterator[tuple[str, dict[str, str]]]:
    for name in NAMES:
        given = REQUIRED.get(name, {})
        yield name, {}
        yield name, given
        for argument in declared_arguments(LAUNCH / f"{name}.launch.yaml"):
            if argument.name == "params_file":
                values: tuple[str, ...] = ()  # of a missing one the launch system warns, and goes on
            elif argument.name == "namespace":
                values = NAMESPACES
            elif argument.default in ("true", "false"):
                values = TRUTHS
            elif (argument.default or "").replace(".", "").isdigit():
                values = NUMBERS
            else:
                values = TEXTS
            for value in (*values, *argument.choices):
                yield name, given | {argument.name: value}


@pytest.fixture(autouse=True)
def as_pip_installs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Packages where our interpreter finds them; the launch system changes the environment of this process."""
    from launch.utilities import perform_substitutions
    from launch_ros import substitutions

    def executable(self: Any, context: Any) -> str:
        return "/".join(perform_substitutions(context, part) for part in (self.package, self.executable))

    def share(self: Any, package: str) -> str:
        return str(packages.share_directory(package))

    monkeypatch.setattr(substitutions.ExecutableInPackage, "perform", executable)
    monkeypatch.setattr(substitutions.FindPackageShare, "find", share)
    before = dict(os.environ)
    environment.complete()
    for name in VARIABLES:
        os.environ.pop(name, None)
    yield
    os.environ.clear()
    os.environ.update(before)


def really_planned(file: Path, arguments: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[Process] | None:
    """What ``ros2 launch`` would start; None when it refuses."""
    from launch.actions import ExecuteLocal, IncludeLaunchDescription
    from launch.launch_description_sources import AnyLaunchDescriptionSource
    from launch.utilities import perform_substitutions

    planned: list[Process] = []

    def note(self: Any, context: Any) -> None:
        words = tuple(perform_substitutions(context, word) for word in self.cmd)
        planned.append(
            Process(
                *_command_and_parameters(words),
                tuple(context.environment.get(name) for name in VARIABLES),
                bool(self._ExecuteLocal__on_exit),
            )
        )

    monkeypatch.setattr(ExecuteLocal, "execute", note)
    service = launch.LaunchService(noninteractive=True)
    source = AnyLaunchDescriptionSource(str(file))
    service.include_launch_description(
        launch.LaunchDescription([IncludeLaunchDescription(source, launch_arguments=list(arguments.items()))])
    )
    return planned if service.run() == 0 else None


def planned_here(file: Path, arguments: dict[str, str]) -> list[Process] | None:
    try:
        nodes = plan(file, arguments).nodes
    except LaunchFileError:
        return None
    return [_process(node) for node in nodes]


def _process(node: NodeProcess) -> Process:
    settings = [f"__node:={node.name}", f"__ns:={node.namespace}"]
    remaps = [word for rule in [*settings, *(f"{a}:={b}" for a, b in node.remappings)] for word in ("-r", rule)]
    return Process(
        (f"{node.package}/{node.executable}", *node.arguments, "--ros-args", *remaps),
        tuple(_loaded(item) if isinstance(item, Path) else item for item in node.parameters),
        tuple(node.environment.get(name) for name in VARIABLES),
        node.required,
    )


def _command_and_parameters(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[object, ...]]:
    """A command without its parameter files, and what stands in these: the launch system writes temporary ones."""
    rest: list[str] = []
    parameters: list[object] = []
    iterator = iter(words)
    for word in iterator:
        if word == "--params-file":
            parameters.append(_loaded(Path(next(iterator))))
        else:
            rest.append(word)
    return tuple(rest), tuple(parameters)


def _loaded(file: Path) -> object:
    (content,) = yaml.safe_load(file.read_text(encoding="utf-8")).values()
    return content["ros__parameters"]


@pytest.mark.parametrize(("name", "arguments"), list(cases()))
def test_both_plan_the_same_or_refuse(name: str, arguments: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    file = LAUNCH / f"{name}.launch.yaml"
    assert planned_here(file, arguments) == really_planned(file, arguments, monkeypatch)


@pytest.mark.parametrize("name", NAMES)
def test_both_know_the_same_arguments(name: str) -> None:
    from launch.launch_description_sources import get_launch_description_from_any_launch_file

    file = LAUNCH / f"{name}.launch.yaml"
    real = get_launch_description_from_any_launch_file(str(file)).get_launch_arguments()
    ours = declared_arguments(file)
    assert [(argument.name, tuple(argument.choices or ()), argument.default_value is None) for argument in real] == [
        (argument.name, argument.choices, argument.default is None) for argument in ours
    ]
