"""A look into a VRM file: versions, clips, and files that are none."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
import vrm_model  # type: ignore[import-not-found]
from hypothesis import given
from hypothesis import strategies as st
from imuface_core.arkit import BLENDSHAPES
from imuface_robot.avatar import vrm
from imuface_robot.avatar.command import vrm_app
from imuface_robot.avatar.vrm import VrmError, read
from typer.testing import CliRunner


@pytest.mark.parametrize(("version", "told"), [(0, "0.0"), (1, "1.0")])
def test_a_file_tells_its_version_its_name_and_its_clips(tmp_path: Path, version: int, told: str) -> None:
    whole = read(vrm_model.write(tmp_path / "a.vrm", version))
    assert (whole.version, whole.name, whole.actions) == (told, "Alex", BLENDSHAPES)
    plain = read(vrm_model.write(tmp_path / "b.vrm", version, actions=(), name="阿月"))
    assert (plain.name, plain.actions, len(plain.presets)) == ("阿月", (), 10)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no VRM: it does not begin as binary glTF does"),
        (b"<html>" * 10, "is no VRM: it does not begin as binary glTF does"),
        (vrm_model.glb(b"{}"), "is glTF without VRM's extension; export it as VRM"),
        (vrm_model.glb(b"[]"), "is damaged"),
        (vrm_model.glb(b'{"extensions": {"VRM": 1}}'), "is damaged"),
        (vrm_model.glb(b'{"extensions": {"VRMC_vrm": {}}}'), "is damaged"),
        (vrm_model.glb(b"{}")[:-1], "breaks off"),
        (b"glTF\1\0\0\0" + vrm_model.glb(b"{}")[8:], "is glTF of version 1"),
    ],
)
def test_what_is_none_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "a.vrm"
    file.write_bytes(content)
    with pytest.raises(VrmError, match=message) as caught:
        read(file)
    assert str(file) in str(caught.value)


def test_one_that_no_browser_should_load_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vrm, "LARGEST", 100)
    with pytest.raises(VrmError, match="more than a browser should load"):
        read(vrm_model.write(tmp_path / "a.vrm"))


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["meta", "name", "title", "specVersion", "expressions", "preset"]), inner)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=40) | _ANYTHING.map(lambda of: vrm_model.glb(json.dumps({"extensions": of}).encode())))
def test_nothing_but_a_clear_error_comes_of_garbage(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "garbage.vrm"
    file.write_bytes(content)
    with pytest.raises(VrmError, match=r"garbage\.vrm"):
        read(file)


@given(_ANYTHING, st.sampled_from(["VRM", "VRMC_vrm"]))
def test_an_extension_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, extension: object, key: str) -> None:
    file = tmp_path_factory.getbasetemp() / "extension.vrm"
    file.write_bytes(vrm_model.glb(json.dumps({"extensions": {key: extension}}).encode()))
    with contextlib.suppress(VrmError):
        assert read(file).actions == ()


def test_the_command_tells_what_an_avatar_can_show(tmp_path: Path) -> None:
    file = vrm_model.write(tmp_path / "a.vrm")
    result = CliRunner().invoke(vrm_app, ["check", str(file)])
    assert result.stdout.splitlines() == [
        "'Alex', VRM 1.0, 62 expressions",
        "a clip for each of ARKit's 52 actions (perfect sync)",
    ]
    vrm_model.write(file, actions=())
    assert "it moves by VRM's presets: aa, ih, " in CliRunner().invoke(vrm_app, ["check", str(file)]).stdout
    vrm_model.write(file, actions=["jawOpen"])
    told = CliRunner().invoke(vrm_app, ["check", str(file)]).stdout
    assert "clips for 1 of 52 of ARKit's actions; without: eyeBlinkLeft, " in told
    result = CliRunner().invoke(vrm_app, ["check", "/no/such.vrm"])
    assert (result.exit_code, result.output) == (1, "error: there is no file /no/such.vrm; name an avatar's .vrm\n")
