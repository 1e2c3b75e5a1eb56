"""What is installed, what is missing and how to get it."""

from __future__ import annotations

import enum
import importlib.metadata
import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from imuface_core.extras import EXTRAS
from rich.console import Console
from rich.table import Table
from serial.tools import list_ports

from imuface_bringup.launch_file import LaunchFileError, packages

_PACKAGES = (
    "imuface_core",
    "imuface_simulation",
    "imuface_node",
    "imuface_driver",
    "face_recon_node",
    "imuface_avatar",
    "imuface_hri",
    "imuface_study",
    "empathy_agent",
    "imuface_robot",
    "empathy_training",
    "imuface_bringup",
)
_PYTHONS = (3, 11), (3, 13)
"""The first and the last one that ROS 2 on PyPI is built for."""
_LIBRARIES = ("rclpy", "numpy", "rosbags", "mcap", "xllamacpp", "rerun")
# The default language model and a long recording.
_WANTED_SPACE = 4e9  # bytes
_ROUND_TRIP_PATIENCE = 10.0  # s


class Level(enum.Enum):
    """How a finding is to be taken."""

    OK = "ok"
    NOTE = "note"  # not needed, or got when first used
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``remedy`` says what to do, when there is something to do."""

    subject: str
    level: Level
    message: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self) | {"level": self.level.value}


def examine() -> list[Finding]:
    """Look at everything; a check that itself breaks is a finding too."""
    findings: list[Finding] = []
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("Python", _python),
        ("packages", _packages),
        ("TF", _tf),
        ("libraries", _libraries),
        ("extras", _extras),
        ("DDS", _dds),
        ("language models", _models),
        ("face model", _face),
        ("serial ports", _ports),
        ("Bluetooth", _bluetooth),
        ("RViz", _rviz),
        ("disk", _disk),
    ]
    for subject, check in checks:
        try:
            findings += check()
        except Exception as error:  # whatever is broken here is what the doctor is asked about
            findings.append(Finding(subject, Level.MISSING, f"{type(error).__name__}: {error}"))
    return findings


def show(findings: list[Finding]) -> None:
    """Print the findings as a table."""
    styles = {Level.OK: "green", Level.NOTE: "yellow", Level.MISSING: "bold red"}
    table = Table(show_header=False, box=None)
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        text = f"{finding.message}. {finding.remedy}" if finding.remedy else finding.message
        style = styles[finding.level]
        table.add_row(f"[{style}]{finding.level.value}[/]", finding.subject, text)
    Console(highlight=False).print(table)


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    here = f"{version} at {sys.executable}"
    if _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1]:
        yield Finding("Python", Level.OK, here)
    else:
        first, last = (".".join(map(str, python)) for python in _PYTHONS)
        yield Finding("Python", Level.MISSING, here, f"Install Python {first} to {last}, then: make setup PYTHON=...")


def _packages() -> Iterator[Finding]:
    for package in (*_PACKAGES, "imuface_interfaces"):
        try:
            yield Finding(package, Level.OK, str(packages.share_directory(package)))
        except LaunchFileError as error:
            yield Finding(package, Level.MISSING, str(error), "Run: make setup, or colcon build and source it")


def _tf() -> Iterator[Finding]:
    if importlib.util.find_spec("tf2_msgs"):
        yield Finding("tf2_msgs", Level.OK, "installed")
    else:
        remedy = "Run: make setup, or on an apt ROS 2: sudo apt install ros-$ROS_DISTRO-tf2-msgs"
        yield Finding("tf2_msgs", Level.NOTE, "not installed: all but /tf and /tf_static works without", remedy)


def _libraries() -> Iterator[Finding]:
    distributions = importlib.metadata.packages_distributions()
    for library in _LIBRARIES:
        if importlib.util.find_spec(library) is None:
            yield Finding(library, Level.MISSING, "not installed", "Run: make setup")
            continue
        names = distributions.get(library, [])
        yield Finding(library, Level.OK, importlib.metadata.version(names[0]) if names else "installed")


def _extras() -> Iterator[Finding]:
    for name, extra in EXTRAS.items():
        missing = [library for library in extra.libraries if importlib.util.find_spec(library) is None]
        if missing:
            message = f"without {', '.join(missing)}; the nodes and the demo need none of it"
            yield Finding(f"extra {name}", Level.NOTE, message, f"Get it: {extra.install}")
        else:
            yield Finding(f"extra {name}", Level.OK, "installed")


def _dds() -> Iterator[Finding]:
    """A message there and back between two participants, as between two nodes."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from std_msgs.msg import String

    contexts = [rclpy.Context(), rclpy.Context()]
    started = time.monotonic()
    for context in contexts:
        rclpy.init(context=context, args=[], signal_handler_options=rclpy.SignalHandlerOptions.NO)
    here, there = (
        rclpy.create_node(f"doctor_{os.getpid()}_{name}", context=context)
        for name, context in zip(("here", "there"), contexts, strict=True)
    )
    executors = []
    for context, node in zip(contexts, (here, there), strict=True):
        executors.append(SingleThreadedExecutor(context=context))
        executors[-1].add_node(node)
    back: list[float] = []
    answer = there.create_publisher(String, f"/doctor_{os.getpid()}/answer", 1)
    there.create_subscription(String, f"/doctor_{os.getpid()}/question", answer.publish, 1)
    here.create_subscription(String, answer.topic_name, lambda message: back.append(float(message.data)), 1)
    question = here.create_publisher(String, f"/doctor_{os.getpid()}/question", 1)
    try:
        while not back and time.monotonic() - started < _ROUND_TRIP_PATIENCE:
            question.publish(String(data=str(time.monotonic())))
            for executor in executors:
                executor.spin_once(timeout_sec=0.02)
        domain = os.environ.get("ROS_DOMAIN_ID", "0")
        where = f"{os.environ.get('RMW_IMPLEMENTATION', 'default middleware')}, domain {domain}"
        if back:
            delay = (time.monotonic() - back[0]) * 1e3
            yield Finding("DDS", Level.OK, f"round trip in {delay:.1f} ms ({where})")
        else:
            remedy = "Is the loopback interface up, and /dev/shm writable?"
            yield Finding("DDS", Level.MISSING, f"no answer in {_ROUND_TRIP_PATIENCE:g} s ({where})", remedy)
    finally:
        for context, executor, node in zip(contexts, executors, (here, there), strict=True):
            executor.shutdown()
            node.destroy_node()
            context.try_shutdown()


def _models() -> Iterator[Finding]:
    from empathy_agent.models import DEFAULT_MODEL, Store

    store = Store()
    for name, model in store.catalogue.items():
        size = f"{model.bytes / 1e6:,.0f} MB" if model.bytes else "size unknown"
        subject = f"model {name}" + (" (default)" if name == DEFAULT_MODEL else "")
        if store.is_present(name):
            yield Finding(subject, Level.OK, str(store.path(name)))
        else:
            yield Finding(subject, Level.NOTE, f"not on this machine ({size})", f"Get it: imuface models get {name}")


def _face() -> Iterator[Finding]:
    from face_recon_node.head import HeadModel
    from face_recon_node.models.file import load

    head = HeadModel.load()
    yield Finding("head model", Level.OK, f"{len(head.neutral)} vertices, {len(head.triangles)} triangles")
    load(None)
    yield Finding("face model", Level.OK, "the weights that come with Earnest load")


def _ports() -> Iterator[Finding]:
    ports = sorted(port.device for port in list_ports.comports())
    if not ports:
        yield Finding(
            "serial ports", Level.NOTE, "none", "Plug in the earphones' receiver; simulated ones need no port"
        )
    for port in ports:
        if os.access(port, os.R_OK | os.W_OK):
            yield Finding("serial port", Level.OK, port)
        else:
            remedy = "Run: sudo usermod -aG dialout $USER, and log in again"
            yield Finding("serial port", Level.NOTE, f"{port} may not be opened", remedy)


def _bluetooth() -> Iterator[Finding]:
    from imuface_driver.bluetooth.choice import Choice
    from imuface_driver.sources import BluetoothSource

    try:
        BluetoothSource(time.time_ns, Choice()).open()
    except OSError as error:
        yield Finding("Bluetooth", Level.NOTE, str(error), "Only earphones over Bluetooth need it")
    else:
        yield Finding("Bluetooth", Level.OK, "an adapter is on; imuface earphones --scan lists what is around")


def _rviz() -> Iterator[Finding]:
    rviz = shutil.which("rviz2")
    if rviz:
        yield Finding("RViz", Level.OK, f"{rviz}; start it with: make rviz")
    else:
        remedy = "Use the web viewer (imuface view), or install ros-kilted-rviz2 from apt"
        yield Finding("RViz", Level.NOTE, "not installed", remedy)


def _disk() -> Iterator[Finding]:
    from empathy_agent.models.store import default_folder

    for subject, wanted in (("disk, models", default_folder()), ("disk, recordings", Path.cwd())):
        folder = next(parent for parent in (wanted, *wanted.parents) if parent.is_dir())
        free = shutil.disk_usage(folder).free
        level = Level.OK if free > _WANTED_SPACE else Level.NOTE
        yield Finding(subject, level, f"{free / 1e9:.1f} GB free in {folder}", "" if level is Level.OK else "Free some")
