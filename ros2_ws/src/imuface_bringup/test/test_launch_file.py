from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from imuface_avatar.gains import PRESETS
from imuface_avatar.protocols import PROTOCOLS
from imuface_bringup.launch_file import LaunchFileError, NodeProcess, declared_arguments, plan
from imuface_bringup.launch_file.document import SCHEMA
from imuface_simulation import ACTIVITIES, PEOPLE

LAUNCH = Path(__file__).parents[4] / "launch"
LAUNCH_FILES = sorted(LAUNCH.glob("*.launch.yaml"))


def write(folder: Path, text: str, name: str = "x.launch.yaml") -> Path:
    file = folder / name
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return file


def nodes(folder: Path, text: str, **arguments: str) -> tuple[NodeProcess, ...]:
    return plan(write(folder, text), arguments).nodes


def test_an_argument_has_a_default_and_can_be_set(tmp_path: Path) -> None:
    text = """
        launch:
          - arg: {name: who, default: ada, description: "the person"}
          - node: {pkg: p, exec: e, output: screen, name: "n_$(var who)"}
    """
    assert nodes(tmp_path, text)[0].name == "n_ada"
    assert nodes(tmp_path, text, who="bob")[0].name == "n_bob"
    (argument,) = declared_arguments(tmp_path / "x.launch.yaml")
    assert (argument.name, argument.default, argument.description) == ("who", "ada", "the person")


def test_namespaces_and_environment_end_with_their_group(tmp_path: Path) -> None:
    inner, outer = nodes(
        tmp_path,
        """
        launch:
          - group:
              - push_ros_namespace: {namespace: a}
              - push_ros_namespace: {namespace: b}
              - set_env: {name: E, value: "1"}
              - node: {pkg: p, exec: e, name: n, output: screen}
          - node: {pkg: p, exec: e, name: n, output: screen}
        """,
    )
    assert (inner.namespace, inner.environment) == ("/a/b", {"E": "1"})
    assert (outer.namespace, outer.environment) == ("/", {})


@pytest.mark.parametrize(
    ("given", "namespace"),
    [("a", "/outer/a"), ("a/", "/outer/a"), ("/lab/a/", "/lab/a"), ("/", "/"), ("", "/outer")],
)
def test_a_namespace_is_relative_or_absolute(tmp_path: Path, given: str, namespace: str) -> None:
    text = """
        launch:
          - arg: {name: who}
          - push_ros_namespace: {namespace: outer}
          - push_ros_namespace: {namespace: $(var who)}
          - node: {pkg: p, exec: e, name: n, output: screen}
    """
    assert nodes(tmp_path, text, who=given)[0].namespace == namespace


def test_the_environment_has_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
        launch:
          - set_env: {name: EARNEST_TEST, value: $(env EARNEST_TEST none)}
          - node: {pkg: p, exec: e, name: n, output: screen}
    """
    assert nodes(tmp_path, text)[0].environment == {"EARNEST_TEST": "none"}
    monkeypatch.setenv("EARNEST_TEST", "mine")
    assert nodes(tmp_path, text)[0].environment == {"EARNEST_TEST": "mine"}


@pytest.mark.parametrize(("value", "ran"), [("true", True), ("1", True), ("False", False), ("0", False)])
def test_conditions(tmp_path: Path, value: str, ran: bool) -> None:
    text = """
        launch:
          - arg: {name: c}
          - node: {if: $(var c), pkg: p, exec: e, name: n, output: screen}
    """
    assert bool(nodes(tmp_path, text, c=value)) == ran


def test_parameters_keep_their_types(tmp_path: Path) -> None:
    file = write(tmp_path, "/**: {ros__parameters: {z: 1}}", "p.yaml")
    (node,) = nodes(
        tmp_path,
        """
        launch:
          - arg: {name: number, default: "1"}
          - arg: {name: empty, default: ""}
          - node:
              pkg: p
              exec: e
              name: n
              output: screen
              param:
                - {name: literal_text, value: "30"}
                - {name: literal_int, value: 3}
                - {name: as_int, value: $(var number), type: int}
                - {name: as_float, value: $(var number), type: float}
                - {name: as_truth, value: $(var number), type: bool}
                - {name: as_text, value: $(var number), type: str}
                - {name: empty_text, value: $(var empty), type: str}
                - from: $(dirname)/p.yaml
        """,
    )
    assert [item if isinstance(item, Path) else repr(item) for item in node.parameters] == [
        "{'literal_text': '30'}",
        "{'literal_int': 3}",
        "{'as_int': 1}",
        "{'as_float': 1.0}",
        "{'as_truth': True}",
        "{'as_text': '1'}",
        "{'empty_text': ''}",
        file,
    ]


def test_a_node_keeps_remappings_arguments_and_conduct(tmp_path: Path) -> None:
    (node,) = nodes(
        tmp_path,
        """
        launch:
          - arg: {name: path, default: "a path"}
          - node:
              pkg: p
              exec: e
              name: n
              output: screen
              on_exit: shutdown
              args: --flag 'two words' -d $(var path)/x -f $(var path)
              remap:
                - {from: a, to: b}
        """,
    )
    assert node.remappings == (("a", "b"),)
    assert node.arguments == ("--flag", "two words", "-d", "a path/x", "-f", "a path")
    assert node.required


def test_an_included_file_is_found_beside_its_parent_and_takes_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(
        tmp_path / "sub",
        "launch: [{arg: {name: a, default: d}}, {node: {pkg: p, exec: $(var a), name: n, output: screen}}]",
    )
    text = "launch: [{include: {file: $(dirname)/sub/x.launch.yaml}}]"
    assert nodes(tmp_path, text)[0].executable == "d"
    assert nodes(tmp_path, text, a="given")[0].executable == "given"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("launch: [", "line 1"),
        ("", "single key 'launch'"),
        ("[]", "single key 'launch'"),
        ("launch: 3", "not a list of actions"),
        ("launch: [node]", "mapping with one key"),
        ("launch: [{node: {}, arg: {}}]", r"x.launch.yaml:1: .*mapping with one key"),
        ("launch:\n  - nod: {pkg: p}", r"x.launch.yaml:2: unknown action 'nod'; did you mean 'node'"),
        ("launch: [{node: 3}]", "expected a mapping"),
        ("launch: [{node: {pkg: p}}]", "missing key 'exec'"),
        ("launch: [{node: {pkg: p, exec: e, nam: x}}]", "unknown key 'nam'; did you mean 'name'"),
        ("launch: [{node: {pkg: p, exec: e, pkg: q}}]", "'pkg' given twice"),
        ("launch: [{node: {pkg: 3, exec: e, name: n, output: screen}}]", 'is not text; quote it: pkg: "3"'),
        ("launch: [{node: {if: false, pkg: p, exec: e, name: n, output: screen}}]", 'quote it: if: "false"'),
        ('launch: [{node: {if: "maybe", pkg: p, exec: e, name: n, output: screen}}]', "'if' is 'maybe'"),
        ("launch: [{node: {pkg: p, exec: e, name: 1x, output: screen}}]", "not a node name"),
        ("launch: [{push_ros_namespace: {namespace: a-b}}]", "not a namespace"),
        ("launch: [{node: {pkg: p, exec: e, name: n, output: log}}]", "output 'log'; only 'screen'"),
        ("launch: [{node: {pkg: p, exec: e, name: n, output: screen, on_exit: explode}}]", "on_exit"),
        ("launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: {name: a}}}]", "not a list of mappings"),
        ("launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: [{value: 1}]}}]", "missing key 'name'"),
        ("launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: [{name: a}]}}]", "missing key 'value'"),
        (
            "launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: [{name: a, value: x, type: int}]}}]",
            "not of type int",
        ),
        (
            "launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: [{name: a, value: '', type: bool}]}}]",
            "not of type bool",
        ),
        (
            "launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: [{name: a, value: '[', type: bool}]}}]",
            "not of type bool",
        ),
        (
            "launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: [{name: a, value: 1, type: complex}]}}]",
            "type 'complex'",
        ),
        (
            "launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: [{name: a, value: [1, 2]}]}}]",
            "neither a plain value",
        ),
        (
            "launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: [{name: a, value: $(dirname)}]}}]",
            "neither a plain value",
        ),
        (
            "launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: [{from: /nowhere.yaml}]}}]",
            "does not exist",
        ),
        (
            "launch: [{node: {pkg: p, exec: e, name: n, output: screen, param: [{from: a, name: b}]}}]",
            "unknown key 'name'",
        ),
        ('launch: [{node: {pkg: p, exec: e, name: n, output: screen, args: "it\'s"}}]', "cannot be split"),
        ("launch: [{node: {pkg: p, exec: e, name: n, output: screen, respawn: true}}]", "unknown key 'respawn'"),
        ("launch: [{set_env: {name: a, value: $(var b)}}]", "not set"),
        ("launch: [{set_env: {name: a, value: $(env EARNEST_NOT_SET)}}]", "no default"),
        ("launch: [{set_env: {name: a, value: $(find-pkg-share no_such_package)}}]", "not installed"),
        ("launch: [{set_env: {name: a, value: $(eval 1+1)}}]", "unknown substitution"),
        ("launch: [{group: {scoped: true}}]", "group: 'children' is not a list of actions"),
        ("launch: [{arg: {name: a, description: needed}}]", r"a:=\.\.\. \(needed\)"),
        ("launch: [{arg: {name: a, default: x, choice: [{value: y}]}}]", "known: y"),
        ("launch: [{include: {file: $(dirname)/none.launch.yaml}}]", "No such file"),
        ("launch: [{include: {file: $(dirname)/other.launch.py}}]", "not a YAML launch file"),
        ("launch: [{include: {file: $(dirname)/x.launch.yaml}}]", "include itself"),
        ("launch: [{arg: {name: 2001-13-45, default: x}}]", "not usable as YAML"),
    ],
)
def test_a_broken_file_is_refused_with_file_and_reason(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(LaunchFileError, match=message) as caught:
        plan(file)
    assert str(file) in str(caught.value)


def test_binary_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.launch.yaml"
    file.write_bytes(b"\xff\xfe\x00launch")
    with pytest.raises(LaunchFileError, match="UTF-8"):
        plan(file)


def test_an_unknown_argument_names_the_known_ones(tmp_path: Path) -> None:
    file = write(tmp_path, "launch: [{arg: {name: performance, default: x}}, {arg: {name: view, default: y}}]")
    with pytest.raises(LaunchFileError, match=r"'performence'; did you mean 'performance'\? known: performance, view"):
        plan(file, {"performence": "z"})


_keys = st.sampled_from(sorted({*SCHEMA, *(key for keys in SCHEMA.values() for key in keys), "value", "from"}))
_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4), max_leaves=12
)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(SCHEMA)), _values, min_size=1, max_size=1), max_size=4))
def test_any_document_is_planned_or_refused(tmp_path_factory: pytest.TempPathFactory, actions: list[object]) -> None:
    file = tmp_path_factory.mktemp("any") / "x.launch.yaml"
    file.write_text(yaml.safe_dump({"launch": actions}), encoding="utf-8")
    try:
        plan(file)
    except LaunchFileError as error:
        message = str(error)
    else:
        return
    assert str(file) in message


@pytest.mark.parametrize("file", LAUNCH_FILES, ids=lambda file: file.name)
def test_our_launch_files_keep_to_the_given_namespace_and_to_this_machine(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    required = {"replay.launch.yaml": {"bag": "some/bag"}, "record.launch.yaml": {"path": "some/bag"}}
    arguments = {"namespace": "person_b", **required.get(file.name, {})}
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    found = plan(file, arguments).nodes
    assert found
    assert {node.namespace for node in found} == {"/person_b"}
    assert {node.environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] for node in found} == {"LOCALHOST"}
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    found = plan(file, arguments).nodes
    assert {node.environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] for node in found} == {"SUBNET"}


def test_the_expected_launch_files_are_there() -> None:
    names = [file.name.removesuffix(".launch.yaml") for file in LAUNCH_FILES]
    assert names == ["avatar", "demo", "earphones", "face", "full", "hri", "record", "replay", "robot", "rviz"]


def test_a_parameter_file_reaches_every_node_and_comes_last(tmp_path: Path) -> None:
    mine = write(tmp_path, "/**: {ros__parameters: {}}", "mine.yaml")
    for name, chosen in {"demo": {"view": "1"}, "record": {"path": "x"}, "replay": {"bag": "x", "view": "1"}}.items():
        for node in plan(LAUNCH / f"{name}.launch.yaml", chosen | {"params_file": str(mine)}).nodes:
            assert node.parameters[-1] == mine


def test_what_a_launch_is_about_ends_it() -> None:
    matter = (
        "avatar_node",
        "hri_node",
        "recorder_node",
        "camera_node",
        "viewer_node",
        "player_node",
        "robot_node",
        "speech_node",
    )
    arguments = {
        "avatar": {},
        "hri": {},
        "demo": {"view": "1"},
        "record": {"path": "x"},
        "replay": {"bag": "x", "view": "1"},
    }
    arguments |= {"robot": {"speech": "1"}, "full": {"robot": "1"}}
    for name, chosen in arguments.items():
        for node in plan(LAUNCH / f"{name}.launch.yaml", chosen).nodes:
            matters = node.executable in matter
            assert node.required == matters
            assert ({"required": True} in node.parameters) == matters


def test_choices_are_those_of_the_simulation() -> None:
    arguments = {argument.name: argument for argument in declared_arguments(LAUNCH / "earphones.launch.yaml")}
    assert set(arguments["ears"].choices) == set(PEOPLE)
    assert set(arguments["activity"].choices) == set(ACTIVITIES)


def test_the_avatar_speaks_every_protocol() -> None:
    arguments = {argument.name: argument for argument in declared_arguments(LAUNCH / "avatar.launch.yaml")}
    assert set(arguments["protocol"].choices) == set(PROTOCOLS)
    assert set(arguments["preset"].choices) == set(PRESETS)


def test_the_robot_comes_on_demand_beside_the_whole_person() -> None:
    def executables(name: str, **arguments: str) -> set[str]:
        return {node.executable for node in plan(LAUNCH / f"{name}.launch.yaml", arguments).nodes}

    robot = {"cue_node", "robot_node"}
    assert executables("robot") == robot
    assert executables("robot", speech="true") == robot | {"speech_node"}
    assert executables("robot", listen="true", headphones="true") == robot | {"listen_node"}
    assert not executables("full") & robot
    assert executables("full", robot="true") == executables("full") | robot


def test_the_demo_is_recorded_and_viewed_on_demand() -> None:
    def executables(**arguments: str) -> set[str]:
        return {node.executable for node in plan(LAUNCH / "demo.launch.yaml", arguments).nodes}

    everything = {"imuface_driver", "face_recon_node", "reference_node", "empathy_agent", "recorder_node"}
    assert executables() == everything
    assert executables(view="true", record="false") == everything - {"recorder_node"} | {"viewer_node"}
