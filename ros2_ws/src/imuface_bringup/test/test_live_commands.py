"""The commands that ask running nodes, with real nodes over DDS."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import rclpy
import yaml
from face_recon_node.models.file import load, save
from hypothesis import given
from hypothesis import strategies as st
from imuface_bringup import cli, environment
from imuface_bringup.client import Client
from imuface_bringup.launch_file import NodeProcess, plan
from imuface_bringup.launch_file.node import Parameters
from imuface_bringup.observer import Observer
from imuface_bringup.parameter_commands import read, told
from imuface_bringup.process import Graph
from imuface_bringup.topic_commands import as_yaml
from imuface_interfaces.msg import AffectState
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor, ParameterType
from rclpy.parameter import Parameter
from rclpy.task import Future
from sensor_msgs.msg import PointCloud2

pytestmark = pytest.mark.graph

IMUFACE = Path(sysconfig.get_path("scripts")) / "imuface"
PERSON = "live"
FACE = f"/{PERSON}/face_recon_node"
DRIVER = f"/{PERSON}/imuface_driver"


def imuface(*arguments: str | Path, person: str = PERSON) -> subprocess.CompletedProcess[str]:
    """The command in this process, which has imported what takes a new one a second; test_cli.py runs the real one."""
    command = [str(IMUFACE), *map(str, arguments), "--namespace", person]
    code, output, errors, on_sigterm = 0, StringIO(), StringIO(), signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", command)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            try:
                cli.main()
            except SystemExit as exit:
                code = int(exit.code or 0)
            finally:
                signal.signal(signal.SIGTERM, on_sigterm)
    return subprocess.CompletedProcess(command, code, output.getvalue(), errors.getvalue())


def refused(*arguments: str | Path, person: str = PERSON) -> str:
    """The one line with which a command fails."""
    result = imuface(*arguments, person=person)
    assert result.returncode == 1, result.stdout
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("imuface: ")]
    assert "Traceback" not in result.stderr
    return line.removeprefix("imuface: ")


def test_a_node_that_does_not_know_the_asker_yet_is_asked_again() -> None:
    asked: list[Future] = []

    def ask() -> Future:
        asked.append(Future())
        if len(asked) == 2:
            asked[-1].set_result(None)
        return asked[-1]

    with Client(PERSON) as client:
        assert client.meet(lambda: True, ask)
        assert len(asked) == 2
        assert not client.meet(lambda: True, Future)


def done(*arguments: str | Path) -> str:
    """What a command that succeeds prints."""
    result = imuface(*arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def face() -> Iterator[Observer]:
    """A person's earphones and face, once there are faces."""
    environment.complete()
    file = environment.share() / "launch" / "face.launch.yaml"
    with Observer(PERSON) as observer, Graph(plan(file, {"namespace": PERSON}).nodes, lambda node, line: None):
        deadline = time.monotonic() + 60
        while len(observer.latencies) < 150:
            assert time.monotonic() < deadline, "no faces"
            time.sleep(0.1)
        yield observer


def test_calibrate(face: Observer) -> None:
    deadline = time.monotonic() + 90
    while face.health("face_recon_node")["calibration"].values["progress"] != "1.00":  # one of an attempt before
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert done("calibrate", "--duration", "0.5") == "left ear: calibrated; right ear: calibrated\n"
    assert refused("calibrate", "--duration", "0.2") == (
        "not calibrated: calibration duration is 0.2 s, must be 0.5 to 60"
    )
    command = [str(IMUFACE), "calibrate", "--duration", "60", "--namespace", PERSON]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 30
        # A report may be one of the short calibration before; two of them cannot.
        seen: set[str] = set()
        while len(seen) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            seen |= {face.health("face_recon_node")["calibration"].values["progress"]} - {"1.00"}
        assert refused("calibrate") == "not calibrated: another calibration is running: wait for it"
    finally:
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "not calibrated: cancelled: the earlier calibration stays" in errors


def test_use(face: Observer, tmp_path: Path) -> None:
    model = tmp_path / "anna.npz"
    save(load(None), model)
    here = Path(os.path.relpath(model))
    assert done("use", here) == f"{FACE} uses {model}\n"
    assert done("params", "face_recon_node", "model") == f"{model}\n"
    assert f"refuses: model file {tmp_path}/none.npz does not exist" in refused("use", tmp_path / "none.npz")
    assert done("use", "--shipped") == f"{FACE} uses the shipped model\n"
    assert refused("use") == refused("use", model, "--shipped") == "name a model file, or give --shipped"


@pytest.mark.usefixtures("face")
def test_params_lists_prints_and_sets() -> None:
    assert {FACE, DRIVER} <= set(done("params").splitlines())
    listed = done("params", "imuface_driver")
    assert "rate = 30.0  (double; 10 to 208; changes before configuring)\n    samples per second" in listed
    assert (
        'source = "simulated"  (string; one of simulated, bluetooth, serial, udp, bag; changes before configuring)'
        in listed
    )
    assert "autostart = true  (bool; changes at start only; read-only)" in listed
    assert done("params", FACE, "publish_mesh", "false") == "publish_mesh = false\n"
    assert done("params", "face_recon_node", "publish_mesh") == "false\n"
    done("params", "face_recon_node", "publish_mesh", "true")


@pytest.mark.usefixtures("face")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("imuface_driver", "rate", "-5.0"), f"{DRIVER} refuses: rate is -5.0, must be 10 to 208"),
        (("imuface_driver", "rate", "60"), f"{DRIVER} refuses: rate stays 30.0: it can be changed before"),
        (("imuface_driver", "rate", "fast"), "rate is 'fast', must be a number"),
        (("imuface_driver", "required", "true"), f"{DRIVER} refuses: required stays False: it is read at the start"),
        (("imuface_driver", "rat"), f"{DRIVER} has no parameter 'rat'; did you mean 'rate'?"),
        (("imuface_drive",), f"no node /{PERSON}/imuface_drive answers within 5 s; did you mean '{DRIVER}'?"),
        (("imuface_driver", "rate", "--restart"), "--restart goes with a new value"),
    ],
)
def test_params_tells_why_not(arguments: tuple[str, ...], message: str) -> None:
    assert refused("params", *arguments).startswith(message)


def test_params_restarts_a_node(face: Observer) -> None:
    assert done("params", "imuface_driver", "simulated.seed", "7", "--restart") == "simulated.seed = 7\n"
    assert done("params", "imuface_driver", "simulated.seed") == "7\n"
    error = refused("params", "imuface_driver", "source", "serial", "--restart")
    assert error.startswith(f"{DRIVER} does not start: cannot be configured: source is serial, but neither")
    assert error.endswith("; source is simulated again")
    # For what it would never take, it stays up.
    assert "must be 10 to 208" in refused("params", "imuface_driver", "rate", "0", "--restart")
    frames = len(face.latencies)
    deadline = time.monotonic() + 30
    while len(face.latencies) < frames + 30:
        assert time.monotonic() < deadline, "no faces after the restart"
        time.sleep(0.1)


@pytest.mark.usefixtures("face")
def test_topics() -> None:
    rows = {line.split("  ")[0]: line.split() for line in done("topics", "--seconds", "2").splitlines()}
    _, rate, kind, publishers, subscribers = rows[f"/{PERSON}/left/imu/data_raw"]
    assert 20 < float(rate) < 40
    assert (kind, publishers, subscribers) == ("sensor_msgs/Imu", "imuface_driver", "face_recon_node")
    assert rows[f"/{PERSON}/face/landmarks"][2:4] == ["imuface_interfaces/FacialLandmarks", "face_recon_node"]
    assert "/diagnostics" in rows
    assert not any("_action" in name or "rosout" in name for name in rows)


@pytest.mark.usefixtures("face")
def test_echo() -> None:
    messages = list(yaml.safe_load_all(done("echo", "face/affect", "--count", "2")))
    assert [set(message) for message in messages[:2]] == [set(AffectState.get_fields_and_field_types())] * 2
    assert messages[0]["header"]["frame_id"] == f"face_{PERSON}"
    # Messages of an action's type are not ours to read.
    name = f"/{PERSON}/calibrate/_action/feedback"
    assert refused("echo", name) == (
        f"{name} carries imuface_interfaces/action/Calibrate_FeedbackMessage, a type that is not installed here"
    )
    assert refused("echo", "face/affec").startswith(
        f"nobody publishes /{PERSON}/face/affec within 5 s; did you mean 'face/affect'?"
    )
    silent = f"/{PERSON}/imuface_driver/transition_event"
    assert refused("echo", silent, "--timeout", "1") == f"nothing came on {silent} for 1 s; --timeout 0 waits on"


def test_forget() -> None:
    server: Parameters = {"model": "m", "server_url": "http://127.0.0.1:9", "warm_up": False}
    agent = NodeProcess("empathy_agent", "empathy_agent", namespace=f"/{PERSON}", parameters=(server,))
    with Observer(PERSON) as observer, Graph([agent], lambda node, line: None):
        deadline = time.monotonic() + 60
        while not any(health.ok for health in observer.health("empathy_agent").values()):
            assert time.monotonic() < deadline, "no agent"
            time.sleep(0.1)
        assert done("forget", "anna") == "forgot 0 sessions and 0 transcripts\n"
        assert refused("forget") == refused("forget", "anna", "--all") == "name a session, or give --all"
        assert done("params", "empathy_agent", "acknowledge", "true") == "acknowledge = true\n"
        assert refused("params", "empathy_agent", "locale", "zh-CN").endswith("or start with locale:=zh-CN")


@pytest.mark.parametrize(
    "command",
    [["forget", "anna"], ["calibrate"], ["use", "--shipped"], ["params"], ["topics"], ["echo", "face/affect"]],
)
def test_nobody_there_is_said(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client.until, "__defaults__", (0.5,))  # the five seconds are waited for above
    assert "within 5 s" in refused(*command, person="nobody")


@pytest.mark.parametrize("command", ["calibrate", "use", "params", "topics", "echo", "forget", "reconstruct"])
def test_every_one_of_them_has_an_example(command: str) -> None:
    assert f"\n  imuface {command}" in done(command, "--help")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Parameter.Type.BOOL, "True", True),
        (Parameter.Type.BOOL, "yes", None),
        (Parameter.Type.INTEGER, "7", 7),
        (Parameter.Type.INTEGER, "7.5", None),
        (Parameter.Type.INTEGER, str(2**63), None),
        (Parameter.Type.DOUBLE, "60", 60.0),
        (Parameter.Type.DOUBLE, "1e3", 1000.0),
        (Parameter.Type.STRING, "60", "60"),
        (Parameter.Type.DOUBLE_ARRAY, "[1.0]", None),
    ],
)
def test_a_value_is_read_as_its_type(kind: Any, text: str, value: Any) -> None:
    descriptor = ParameterDescriptor(name="x", type=kind.value)
    if value is None:
        with pytest.raises(ValueError, match=r"^x is "):
            read(descriptor, text)
    else:
        assert read(descriptor, text) == value
        assert type(read(descriptor, text)) is type(value)


@given(
    st.sampled_from([Parameter.Type.BOOL, Parameter.Type.INTEGER, Parameter.Type.DOUBLE]),
    st.text() | st.integers().map(str),
)
def test_any_text_is_a_value_that_can_be_sent_or_refused(kind: Any, text: str) -> None:
    with contextlib.suppress(ValueError):
        value = read(ParameterDescriptor(name="x", type=kind.value), text)
        Parameter("x", kind, value).to_parameter_msg()  # asserts that it can be


def test_parameters_of_other_nodes_are_told_too() -> None:
    descriptor = ParameterDescriptor(name="gain", type=ParameterType.PARAMETER_DOUBLE)
    assert told(descriptor, 1.5) == "gain = 1.5  (double)\n    not described"
    descriptor.floating_point_range = [FloatingPointRange(from_value=0.0, to_value=2.0)]
    assert told(descriptor, 1.5).startswith("gain = 1.5  (double; 0 to 2)")


def test_long_arrays_are_cut_and_numbers_are_what_they_hold() -> None:
    with rclpy.init():
        cloud = yaml.safe_load(as_yaml(PointCloud2(data=bytes(range(200)))))
        assert cloud["data"] == [*range(64), "and 136 more"]
        affect = AffectState(valence=0.1, expression="悲伤", action_unit_intensities=[0.2])
        text = as_yaml(affect)
    assert yaml.safe_load(text)["valence"] == 0.1
    assert yaml.safe_load(text)["action_unit_intensities"] == [0.2]
    assert "expression: 悲伤" in text
