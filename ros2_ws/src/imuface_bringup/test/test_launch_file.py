from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from imuface_bringup.launch_file import LaunchFileError, NodeProcess, declared_arguments, plan
from imuface_bringup.launch_file.document import SCHEMA

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
          - node: {pkg: p, exec: e, name: "n_$(var who)"}
    """
    assert nodes(tmp_path, text)[0].name == "n_ada"
    assert nodes(tmp_path, text, who="bob")[0].name == "n_bob"
    (argument,) = declared_arguments(tmp_path / "x.launch.yaml")
    assert (argument.name, argument.default, argument.description) == ("who", "ada", "the person")


def test_namespaces_environment_and_variables_end_with_their_group(tmp_path: Path) -> None:
    inner, unscoped, outer = nodes(
        tmp_path,
        """
        launch:
          - let: {name: v, value: outside}
          - group:
              - push_ros_namespace: {namespace: a}
              - push_ros_namespace: {namespace: b}
              - set_env: {name: E, value: "1"}
              - let: {name: v, value: inside}
              - node: {pkg: p, exec: "$(var v)", namespace: c}
          - group:
              scoped: false
              children:
                - push_ros_namespace: {namespace: stays}
                - unset_env: {name: F}
                - node: {pkg: p, exec: e, namespace: /absolute}
          - node: {pkg: p, exec: "$(var v)"}
        """,
    )
    assert (inner.namespace, inner.executable, inner.environment) == ("/a/b/c", "inside", {"E": "1"})
    assert unscoped.namespace == "/absolute"
    assert (outer.namespace, outer.executable, outer.environment) == ("/stays", "outside", {"F": None})


@pytest.mark.parametrize(("value", "ran"), [("true", True), ("1", True), ("False", False), ("0", False)])
def test_conditions(tmp_path: Path, value: str, ran: bool) -> None:
    text = """
        launch:
          - arg: {name: c}
          - node: {if: $(var c), pkg: p, exec: yes_node}
          - node: {unless: $(var c), pkg: p, exec: no_node}
          - group:
              if: $(var c)
              children:
                - node: {pkg: p, exec: grouped}
    """
    found = [node.executable for node in nodes(tmp_path, text, c=value)]
    assert found == (["yes_node", "grouped"] if ran else ["no_node"])


def test_parameters_keep_their_types(tmp_path: Path) -> None:
    file = write(tmp_path, "/**: {ros__parameters: {z: 1}}", "p.yaml")
    (node,) = nodes(
        tmp_path,
        """
        launch:
          - arg: {name: number, default: "30"}
          - arg: {name: empty, default: ""}
          - node:
              pkg: p
              exec: e
              param:
                - {name: literal_text, value: "30"}
                - {name: literal_int, value: 3}
                - {name: list, value: [1.0, 2.0]}
                - {name: as_yaml, value: $(var number)}
                - {name: as_float, value: $(var number), type: float}
                - {name: as_text, value: $(var number), type: str}
                - {name: empty_text, value: $(var empty), type: str}
                - from: $(dirname)/p.yaml
                - name: outer
                  param:
                    - {name: a, value: true}
                    - {name: b, value: $(var number)x}
        """,
    )
    assert node.parameters == (
        {"literal_text": "30"},
        {"literal_int": 3},
        {"list": [1.0, 2.0]},
        {"as_yaml": 30},
        {"as_float": 30.0},
        {"as_text": "30"},
        {"empty_text": ""},
        file,
        {"outer": {"a": True, "b": "30x"}},
    )
    assert isinstance(node.parameters[4], dict)
    assert isinstance(node.parameters[4]["as_float"], float)


def test_a_node_keeps_remappings_arguments_and_conduct(tmp_path: Path) -> None:
    (node,) = nodes(
        tmp_path,
        """
        launch:
          - node:
              pkg: p
              exec: e
              output: screen
              respawn: "true"
              respawn_delay: 1.5
              on_exit: shutdown
              args: --flag 'two words'
              remap:
                - {from: a, to: b}
              env:
                - {name: E, value: x}
        """,
    )
    assert node.remappings == (("a", "b"),)
    assert node.arguments == ("--flag", "two words")
    assert (node.respawn, node.respawn_delay, node.required, node.output) == (True, 1.5, True, "screen")
    assert node.environment == {"E": "x"}


def test_an_included_file_takes_arguments_and_is_found_beside_its_parent(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(
        tmp_path / "sub",
        "launch: [{arg: {name: a, default: d}}, {arg: {name: b, default: e}}, {node: {pkg: $(var a), exec: $(var b)}}]",
    )
    (node,) = nodes(
        tmp_path,
        """
        launch:
          - include: {file: $(dirname)/sub/x.launch.yaml, arg: [{name: a, value: given}]}
        """,
        b="from_above",
    )
    assert (node.package, node.executable) == ("given", "from_above")
    # What the parent settles, the command line cannot set.
    assert [argument.name for argument in declared_arguments(tmp_path / "x.launch.yaml")] == ["b"]


def test_arguments_of_a_conditional_include_are_known(tmp_path: Path) -> None:
    write(tmp_path, "launch: [{arg: {name: inner, default: x}}]", "y.launch.yaml")
    file = write(tmp_path, 'launch: [{include: {if: "false", file: $(dirname)/y.launch.yaml}}]')
    assert plan(file, {"inner": "z"}).nodes == ()


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
        ("launch: [{node: {pkg: 3, exec: e}}]", 'is not text; quote it: pkg: "3"'),
        ("launch: [{node: {if: false, pkg: p, exec: e}}]", 'quote it: if: "false"'),
        ('launch: [{node: {if: "maybe", pkg: p, exec: e}}]', "'if' is 'maybe'"),
        ('launch: [{node: {if: "1", unless: "1", pkg: p, exec: e}}]', "both"),
        ("launch: [{node: {pkg: p, exec: e, name: 1x}}]", "not a node name"),
        ("launch: [{node: {pkg: p, exec: e, namespace: a-b}}]", "not a namespace"),
        ("launch: [{node: {pkg: p, exec: e, output: scren}}]", "did you mean 'screen'"),
        ("launch: [{node: {pkg: p, exec: e, respawn_delay: -1.0}}]", "respawn_delay"),
        ("launch: [{node: {pkg: p, exec: e, respawn: sometimes}}]", "respawn"),
        ("launch: [{node: {pkg: p, exec: e, on_exit: explode}}]", "on_exit"),
        ("launch: [{node: {pkg: p, exec: e, param: {name: a}}}]", "not a list of mappings"),
        ("launch: [{node: {pkg: p, exec: e, param: [{value: 1}]}}]", "missing key 'name'"),
        ("launch: [{node: {pkg: p, exec: e, param: [{name: a}]}}]", "either a value"),
        ("launch: [{node: {pkg: p, exec: e, param: [{name: a, value: x, type: int}]}}]", "not of type int"),
        ("launch: [{node: {pkg: p, exec: e, param: [{name: a, value: 1, type: complex}]}}]", "type 'complex'"),
        ("launch: [{node: {pkg: p, exec: e, param: [{name: a, value: [1, x]}]}}]", "lists of one of them"),
        ("launch: [{node: {pkg: p, exec: e, param: [{name: a, value: {}}]}}]", "ROS knows"),
        ("launch: [{node: {pkg: p, exec: e, param: [{from: /nowhere.yaml}]}}]", "does not exist"),
        ("launch: [{node: {pkg: p, exec: e, param: [{from: a, name: b}]}}]", "stands alone"),
        ("launch: [{let: {name: a, value: $(var b)}}]", "not set"),
        ("launch: [{let: {name: a, value: $(env EARNEST_NOT_SET)}}]", "no default"),
        ("launch: [{let: {name: a, value: $(find-pkg-share no_such_package)}}]", "not installed"),
        ("launch: [{let: {name: a, value: $(eval 1+1)}}]", "unknown substitution"),
        ("launch: [{group: {scoped: x, children: []}}]", "not true or false"),
        ("launch: [{group: {scoped: true}}]", "missing key 'children'"),
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


_keys = st.sampled_from(sorted({*SCHEMA, *(key for keys in SCHEMA.values() for key in keys), "value", "if", "from"}))
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
def test_our_launch_files_are_valid_and_live_in_the_given_namespace(file: Path) -> None:
    required = {"replay.launch.yaml": {"bag": "some/bag"}, "record.launch.yaml": {"path": "some/bag"}}
    arguments = {"namespace": "person_b", **required.get(file.name, {})}
    found = plan(file, arguments).nodes
    assert found
    assert {node.namespace for node in found} == {"/person_b"}
    assert all(node.output == "screen" for node in found)


def test_the_expected_launch_files_are_there() -> None:
    names = [file.name.removesuffix(".launch.yaml") for file in LAUNCH_FILES]
    assert names == ["demo", "earphones", "face", "full", "record", "replay"]


def test_the_demo_is_recorded_and_viewed_on_demand() -> None:
    def executables(**arguments: str) -> set[str]:
        return {node.executable for node in plan(LAUNCH / "demo.launch.yaml", arguments).nodes}

    everything = {"imuface_driver", "face_recon_node", "reference_node", "empathy_agent", "recorder_node"}
    assert executables() == everything
    assert executables(view="true", record="false") == everything - {"recorder_node"} | {"viewer_node"}
