"""The main job, start to end: simulated earphones, a face, a long post, an empathetic reply, and what that took."""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from empathy_agent.chain import Delta, Layer
from empathy_agent.client import AgentClient
from empathy_agent.dialogue import Reply
from empathy_agent.engines import Cancelled
from empathy_agent.models import DEFAULT_MODEL, Store
from face_recon_node.head import HeadModel
from face_recon_node.models.file import load as load_model
from face_recon_node.training.personal import adapt_model
from imuface_core.bag import Bag
from imuface_core.session import write_session
from imuface_simulation import Participant, Performance, simulate
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from imuface_bringup import environment, report, viewer
from imuface_bringup.launch_file import NodeProcess, Plan, plan
from imuface_bringup.observer import Observer
from imuface_bringup.process import Graph, NodeError
from imuface_bringup.report import Window

_NAMESPACE = "imuface"
_READY_PATIENCE = 90.0  # s for all nodes to be active and the neutral calibration to be over
_QUIET_PATIENCE = 40.0  # s for the agent to prepare its instructions
_QUIET_SHARE = 0.15  # of one core: what an idle agent stays below
_IDLE_SECONDS = 40.0  # of face alone, for the figures and the picture
_GENERATING_SECONDS = 1.0  # below which there is nothing to say of what a generating agent costs: no language model ran
_REPLY_PATIENCE = 180.0  # s without a word; for the first one two idle cores need 15, two busy ones 90
_PERSON = "person.npz"
_RESULTS = ("bag", "training", "log", _PERSON, "person.card.json", "demo.rrd", "face.png", "reply.json")
_TRAINING_MINUTES = 5.0  # of the person's data, as in the paper


@dataclass(frozen=True)
class Run:
    """What was seen while the graph ran."""

    idle: Window
    generating: Window
    latencies: np.ndarray  # (N, 2) int64: stamp, and time from stamp to publication, ns
    face_cpu: float  # share of one core while the agent was idle
    reply: Reply


def run(
    out: Path,
    *,
    view: bool = False,
    model: str = "",
    performance: Path | None = None,
    unknown: bool = False,
    head: Path | None = None,
) -> int:
    """Run the demo and leave its results in ``out``; the exit code.

    ``unknown``: without a personal model. ``head``: file of the head that the person has; None: the shipped one.

    Raises ``OSError``, ``ValueError`` or :class:`NodeError` with a message for people when anything fails.
    """
    console = Console(highlight=False)
    head_model = HeadModel.load(head)
    model = model or DEFAULT_MODEL
    _get(model, console)
    if performance is not None and not performance.is_file():
        raise FileNotFoundError(f"no performance at {performance}")
    language = "zh" if "zh" in Store().model(model).languages else "en"
    post = importlib.resources.files("imuface_bringup").joinpath("data", f"post_{language}.txt").read_text("utf-8")
    arguments = {"model": model, "out": str(out), "performance": str(performance or ""), "head": str(head or "")}
    if not unknown:
        arguments["face_model"] = str(out / _PERSON)
    if view:
        arguments |= {"view": "true", "record": "false", "robot": "true"}
    nodes = plan(environment.share() / "launch" / "demo.launch.yaml", arguments)
    if not view:  # which leaves no results of its own
        _clear(out)
    (out / "log").mkdir(parents=True, exist_ok=True)
    if not unknown:
        _personal(out, console)

    graph = Graph(nodes.nodes, _Log(out / "log", console).report)
    with graph, Observer(_NAMESPACE) as observer, AgentClient(_NAMESPACE) as agent:
        job = _Job(graph, nodes, observer, agent, console)
        job.await_ready()
        seen = job.converse(post)
        if view:
            console.print("Ctrl-C ends the demo.")
            with contextlib.suppress(KeyboardInterrupt):
                graph.wait()
            return 0
    console.print("[bold]Evaluating[/] the recording")
    return _evaluate(out, seen, head_model, console)


def _personal(out: Path, console: Console) -> None:
    """Have the demo's person record a session of the study's protocol, and make their personal model of it.

    The buds stay where they are between this session and the demo's: the same ``mount_seed``.
    """
    seconds = 60.0 * _TRAINING_MINUTES
    with console.status("five minutes of the person's data, and a personal model of them"):
        started = time.monotonic()
        recording = simulate(
            Performance.study(0, 1, seconds), Participant.random(0), seconds, seed=1, mount_seed=0, start_ns=10**18
        )
        shutil.rmtree(out / "training", ignore_errors=True)
        write_session(out / "training", recording)
        adapt_model(load_model(None), [out / "training"], out / _PERSON, None, lambda *_: None, simulated=True)
    console.print(
        f"[bold]Personal model[/] of {_TRAINING_MINUTES:g} simulated minutes, recorded and made in {_since(started)}"
    )


class _Job:
    """The steps of the demo on a running graph."""

    def __init__(self, graph: Graph, nodes: Plan, observer: Observer, agent: AgentClient, console: Console) -> None:
        self._graph = graph
        self._nodes = {node.executable: node for node in nodes.nodes}
        self._observer = observer
        self._agent = agent
        self._console = console

    def await_ready(self) -> None:
        """Wait until every node is active, the face is calibrated and the agent has prepared itself."""
        started = time.monotonic()
        for name in [node.name for node in self._nodes.values() if node.name]:
            self._await(partial(self._is_up, name), _READY_PATIENCE, f"waiting for {name}")
        self._await(self._is_calibrated, _READY_PATIENCE, "calibrating on the neutral face")
        self._console.print(f"[bold]Running[/]: {len(self._nodes)} nodes, calibrated after {_since(started)}")
        self._await(self._is_quiet, _QUIET_PATIENCE, "the agent prepares its instructions", required=False)

    def converse(self, post: str) -> Run:
        """Watch the face alone for a while, then have the post answered. Raises when no reply comes."""
        idle_start = self._observer.now_ns()
        face = psutil.Process(self._graph.process_id(self._nodes["face_recon_node"]))
        cpu = _cpu_seconds(face)
        with self._console.status(f"the face alone, {_IDLE_SECONDS:g} s"):
            self._watch(_IDLE_SECONDS)
        idle = Window(idle_start, self._observer.now_ns())
        cpu = (_cpu_seconds(face) - cpu) / idle.seconds

        self._console.print(f"[bold]Post[/] of {len(post)} characters, and the chain of empathy as it is written:")
        asked_ns = self._observer.now_ns()
        reply = self._ask(post)
        generating = Window(asked_ns, self._observer.now_ns())
        self._watch(1.0)
        return Run(idle, generating, np.array(self._observer.latencies, dtype=np.int64), cpu, reply)

    def _ask(self, post: str) -> Reply:
        layer: Layer | None = None
        try:
            for item in self._agent.respond(post, patience=_REPLY_PATIENCE):
                self._graph.check()
                if isinstance(item, Reply):
                    self._console.print()
                    return item
                assert isinstance(item, Delta)
                if item.layer is not layer:
                    layer = item.layer
                    self._console.print(f"\n[bold cyan]{layer.name.lower().replace('_', ' ')}[/]")
                self._console.print(item.text, end="", markup=False, soft_wrap=True)
        except Cancelled as error:
            raise NodeError(f"the agent wrote nothing for {_REPLY_PATIENCE:g} s") from error
        raise NodeError("the agent ended without a reply")

    def _await(self, condition: Callable[[], bool], patience: float, what: str, *, required: bool = True) -> None:
        deadline = time.monotonic() + patience
        with self._console.status(what):
            while not condition():
                self._graph.check()
                if time.monotonic() > deadline:
                    if required:
                        raise NodeError(f"{what}: not done after {patience:g} s; see the logs")
                    return
                time.sleep(0.1)

    def _watch(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._graph.check()
            time.sleep(0.05)

    def _is_up(self, name: str) -> bool:
        parts = self._observer.health(name).values()
        for health in parts:
            if health.failed:
                raise NodeError(f"{name} {health.message}")
        return any(health.ok for health in parts)

    def _is_calibrated(self) -> bool:
        health = self._observer.health("face_recon_node").get("calibration")
        return health is not None and health.values["calibrated"] == "True" and health.values["progress"] == "1.00"

    def _is_quiet(self) -> bool:
        """Whether the agent has used little CPU for a second: its engine may be a process of its own."""
        agent = psutil.Process(self._graph.process_id(self._nodes["empathy_agent"]))
        before = _cpu_seconds(agent)
        self._watch(1.0)
        return _cpu_seconds(agent) - before < _QUIET_SHARE


def _cpu_seconds(process: psutil.Process) -> float:
    total = 0.0
    for member in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = member.cpu_times()
            total += times.user + times.system
    return total


def _evaluate(out: Path, seen: Run, head: HeadModel, console: Console) -> int:
    bag = out / "bag"
    session = report.load(bag)
    whole = Window(seen.idle.start_ns, seen.generating.end_ns)
    error = session.landmark_error(whole, head.landmark_neutral)
    report.draw_faces(bag, session, whole, head, out / "face.png")
    with Bag(bag) as recorded:
        viewer.convert(recorded, out / "demo.rrd", head)
    (out / "reply.json").write_text(json.dumps(_as_dict(seen.reply), ensure_ascii=False, indent=2) + "\n", "utf-8")

    table = Table(title="Earnest, the whole loop on simulated ears", title_justify="left", show_header=False)
    table.add_row(
        "rates: left ear, right ear, landmarks",
        ", ".join(
            f"{session.rate(stamps, whole):.1f}"
            for stamps in (session.left_stamps, session.right_stamps, session.face_stamps)
        )
        + " Hz",
    )
    for name, window in (("agent idle", seen.idle), ("agent generating", seen.generating)):
        if window.seconds < _GENERATING_SECONDS:
            continue
        chosen = seen.latencies[window.of(seen.latencies[:, 0]), 1] * 1e-6
        p50, p99 = np.percentile(chosen, (50, 99)) if len(chosen) else (np.nan, np.nan)
        losses = session.losses(window)
        table.add_row(f"IMU stamp to landmarks, {name}", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms")
        table.add_row(f"frames lost, {name}", f"{losses.missing} of {losses.expected}")
    table.add_row("face_recon_node, agent idle", f"{100 * seen.face_cpu:.0f} % of one core")
    table.add_row(
        "landmark error (simulated ears)",
        f"{error.reconstructed:.2f} mm; a face that never moves: {error.mean_face:.2f} mm (mean of this "
        f"performance), {error.neutral_face:.2f} mm (neutral); {error.frames} frames",
    )
    follows = report.face_fidelity(bag, whole, head)
    table.add_row(
        "does the face follow? (simulated ears)",
        f"median correlation of the {len(follows.actions)} actions that move {follows.median_r:.2f}, "
        f"{100 * follows.share_r70:.0f} % of them at .7 or more; "
        + ", ".join(
            f"{name} {follows.actions[name].r:.2f} (gain {follows.actions[name].gain:.2f})"
            for name in ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "browInnerUp")
            if name in follows.actions
        ),
    )
    table.add_row("model", seen.reply.model or "none: the safety gate answered")
    table.add_row(
        "post to first token, to full reply",
        f"{seen.reply.seconds_to_first_token:.1f} s, {seen.reply.seconds_total:.1f} s",
    )
    console.print(table)
    console.print(f"{out}: bag (imuface replay), demo.rrd (rerun), face.png, reply.json, log", soft_wrap=True)
    return 0


def _as_dict(reply: Reply) -> dict[str, object]:
    """The fields of ``imuface_interfaces/EmpathyReply``."""
    return {
        "session_id": reply.session_id,
        **{layer.name.lower(): reply.chain[layer] for layer in Layer},
        "locale": reply.locale,
        "risk": reply.risk.name,
        "resources": list(reply.resources),
        "model": reply.model,
        "seconds_to_first_token": round(reply.seconds_to_first_token, 3),
        "seconds_total": round(reply.seconds_total, 3),
    }


def _get(name: str, console: Console) -> None:
    store = Store()
    if store.is_present(name):
        return
    columns = (TextColumn("fetching {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(name, total=None)
        store.get(name, lambda done, total: progress.update(task, completed=done, total=total))


class _Log:
    """Keeps what the nodes say in a file each; warnings and errors are shown too."""

    def __init__(self, folder: Path, console: Console) -> None:
        self._folder = folder
        self._console = console

    def report(self, node: NodeProcess, line: str) -> None:
        with (self._folder / f"{node.executable}.log").open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        if any(mark in line for mark in ("[WARN]", "[ERROR]", "[FATAL]", "viewer:", "robot:")):
            self._console.print(f"{node.name}: {line}", style="yellow", markup=False, soft_wrap=True)


def _clear(out: Path) -> None:
    """Remove what an earlier demo left in ``out``, and nothing else."""
    for name in _RESULTS:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _since(start: float) -> str:
    return f"{time.monotonic() - start:.1f} s"
