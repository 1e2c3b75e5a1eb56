"""The ``imuface`` command.

Everything that takes time to import is imported by the command that needs it, so that ``imuface --help`` is quick.
"""

from __future__ import annotations

import importlib
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imuface_bringup.options import Namespace

if TYPE_CHECKING:
    from imuface_bringup.launch_file import Plan

app = typer.Typer(
    name="imuface",
    help="Earnest: from earphones to a face to an empathetic reply.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def up(
    launch_file: Annotated[str, typer.Argument(metavar="FILE|NAME", help="Launch file, or name of one of ours.")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[NAME:=VALUE]...", help="Launch arguments.")] = None,
    show_args: Annotated[bool, typer.Option("--show-args", help="List the launch arguments instead.")] = False,
) -> None:
    """Start the nodes of a launch file.

    Each node is a process of its own, as with `ros2 launch`; Ctrl-C ends them all.

    \b
    imuface up demo
    imuface up face namespace:=anna participant:=3
    imuface up launch/demo.launch.yaml performance:=capture.csv.gz view:=true
    imuface up --show-args earphones
    """
    from imuface_bringup import launch_file as launch

    _environment()
    file = _find_launch_file(launch_file)
    if show_args:
        for argument in launch.declared_arguments(file):
            choices = f" One of: {', '.join(argument.choices)}." if argument.choices else ""
            default = "(required)" if argument.default is None else f"(default '{argument.default}')"
            typer.echo(f"{argument.name} {default}\n    {argument.description}.{choices}")
        return
    raise typer.Exit(_run(launch.plan(file, _assignments(arguments or []))))


@app.command()
def record(
    folder: Annotated[Path | None, typer.Argument(help="Folder to write; default: session_<date>_<time>.")] = None,
    namespace: Namespace = "imuface",
    everything: Annotated[bool, typer.Option("--all", help="The reconstructed face and diagnostics too.")] = False,
    mesh: Annotated[bool, typer.Option("--mesh", help="The mesh too, which is large.")] = False,
    dialogue: Annotated[bool, typer.Option("--dialogue", help="The person's words and the replies too.")] = False,
    camera: Annotated[str | None, typer.Option(help="Add the true face: number of a camera, or a video file.")] = None,
    face_model: Annotated[Path | None, typer.Option(help="With a camera: a face_landmarker.task file.")] = None,
    pupil_distance: Annotated[float | None, typer.Option(help="With a camera: between the pupils, mm.")] = None,
) -> None:
    """Record a session until Ctrl-C.

    A session holds both ears and, where it is known, the true face. It is a rosbag2 folder (MCAP): training data, a
    test case, and something to replay.

    With --camera the face that it sees is the true one; no picture is written (docs/camera.md).

    \b
    imuface record sessions/anna_1
    imuface record sessions/anna_1 --camera 0 --pupil-distance 61.5
    imuface record --all --dialogue --namespace anna
    """
    import datetime

    if folder is None:
        folder = Path(f"session_{datetime.datetime.now():%Y%m%d_%H%M%S}")
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; recordings are not overwritten: name another folder")
    flags = {"all_topics": everything, "mesh": mesh, "dialogue": dialogue}
    if camera is not None:
        from imuface_bringup import camera_recording

        _environment()
        nodes = camera_recording.plan_nodes(folder, namespace, camera, face_model, pupil_distance, flags)
        code = _run(nodes)
        if code == 0:
            typer.echo(f"reference moved by {camera_recording.align(folder, namespace)} to where the ears move")
        raise typer.Exit(code)
    if face_model is not None or pupil_distance is not None:
        raise ValueError("--face-model and --pupil-distance go with --camera")
    _run_node("imuface_bringup.recorder_node", namespace, {"path": str(folder), **flags})


@app.command()
def replay(
    bag: Annotated[Path, typer.Argument(help="Recorded session: a rosbag2 folder, or a file of one.")],
    rate: Annotated[str, typer.Option(help="Speed, or `max`: as fast as possible.")] = "1.0",
    loop: Annotated[bool, typer.Option("--loop", help="Start again at the end.")] = False,
    face: Annotated[bool, typer.Option("--face", help="Reconstruct the face anew.")] = False,
    view: Annotated[bool, typer.Option("--view", help="Serve the web viewer.")] = False,
    person: Annotated[str, typer.Option(help="Namespace in the bag, if it has several.")] = "",
    topic: Annotated[list[str] | None, typer.Option(help="What the bag calls an ear: left=/ear_l/imu.")] = None,
    namespace: Namespace = "imuface",
) -> None:
    """Play a recorded session.

    Its times go out on /clock. With --face, only what the face is made from is played, and --rate max goes at the
    pace of the reconstruction without losing a sample; the landmarks are the same, byte for byte, each time.

    \b
    imuface replay sessions/anna_1
    imuface replay sessions/anna_1 --face --rate max
    imuface replay rosbag2_2026 --topic left=/ear_l/imu --topic right=/ear_r/imu
    """
    from imuface_core.bag import Bag, named_topics

    from imuface_bringup import launch_file as launch

    _environment()
    with Bag(bag, person or None, named_topics(topic or ())):  # says at once what is wrong with it
        pass
    flags = {name: str(value).lower() for name, value in (("loop", loop), ("face", face), ("view", view))}
    chosen = {"person": person, "topics": " ".join(topic or ())}
    arguments = {"bag": str(bag), "rate": _rate(rate), "namespace": namespace, **chosen, **flags}
    raise typer.Exit(_run(launch.plan(_find_launch_file("replay"), arguments)))


@app.command()
def view(
    source: Annotated[Path | None, typer.Argument(metavar="[BAG]", help="Recorded session; default: live.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write a Rerun recording (.rrd) and show nothing.")] = None,
    port: Annotated[int, typer.Option(help="Port of the web page.", min=1, max=65534)] = 9090,
    head: Annotated[Path | None, typer.Option(help="Head model to show, such as a personal one.")] = None,
    person: Annotated[str, typer.Option(help="Namespace in the bag, if it has several.")] = "",
    topic: Annotated[list[str] | None, typer.Option(help="What the bag calls an ear: left=/ear_l/imu.")] = None,
    namespace: Namespace = "imuface",
) -> None:
    """Show face, ears and dialogue in the browser.

    Live, or from a recorded session.

    \b
    imuface view
    imuface view out/demo/bag
    imuface view out/demo/bag --save demo.rrd --head anna-head.npz
    imuface view rosbag2_2026 --topic left=/ear_l/imu --topic right=/ear_r/imu
    """
    _environment()
    if source is None:
        _run_node(
            "imuface_bringup.viewer_node", namespace, {"save": str(save or ""), "port": port, "head": str(head or "")}
        )
        return
    from face_recon_node.head import HeadModel
    from imuface_core.bag import Bag, named_topics

    from imuface_bringup import viewer

    model = HeadModel.load(head)
    with Bag(source, person or None, named_topics(topic or ())) as bag:
        if save is None:
            viewer.show(bag, port, model)
            return
        viewer.convert(bag, save, model)
        typer.echo(f"wrote {save}")


@app.command()
def avatar(
    protocol: Annotated[str, typer.Option(help="vmc, vrchat or live_link_face.")] = "vmc",
    host: Annotated[
        str, typer.Option(help="Machine of the avatar's program; another one is sent the face.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its UDP port; 0: the usual one.", min=0, max=65535)] = 0,
    preset: Annotated[str, typer.Option(help="measured, lively (stronger than measured), or mouth only.")] = "measured",
    gain: Annotated[list[str] | None, typer.Option(help="Strength of one action: jawOpen=1.5.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="Option of the protocol: naming=vrm0.")] = None,
    head: Annotated[bool, typer.Option("--head/--no-head", help="Turn the avatar's head, too.")] = True,
    allow_many: Annotated[bool, typer.Option("--allow-many", help="Let the host be a broadcast address.")] = False,
    namespace: Namespace = "imuface",
) -> None:
    """Show the running face on an avatar until Ctrl-C.

    Start a face first (imuface up face), or both at once (imuface up avatar). docs/avatars.md lists the protocols'
    options and the programs that understand them.

    \b
    imuface avatar
    imuface avatar --protocol vrchat --option prefix=FT/ --preset lively
    imuface avatar --protocol live_link_face --host 192.168.1.20
    imuface avatar --option naming=vrm0 --gain jawOpen=1.5 --gain mouthSmileLeft=2
    """
    import dataclasses

    import yaml
    from imuface_avatar.protocols import PROTOCOLS

    from imuface_bringup.launch_file.errors import suggestion

    if protocol not in PROTOCOLS:
        raise ValueError(f"no protocol '{protocol}'; {suggestion(protocol, PROTOCOLS)}")
    known = [field.name for field in dataclasses.fields(PROTOCOLS[protocol])]
    chosen: dict[str, object] = {}
    for pair in option or []:
        name, separator, value = pair.partition("=")
        if not separator:
            raise ValueError(f"--option '{pair}' is not of the form name=value")
        if name not in known:
            raise ValueError(f"{protocol} has no option '{name}'; {suggestion(name, known)}")
        chosen[f"{protocol}.{name}"] = yaml.safe_load(value) if value else ""
    own = {"protocol": protocol, "host": host, "port": port, "allow_many": allow_many, "preset": preset}
    own |= {"gains": " ".join(gain or []), "head": head}
    _run_node("imuface_avatar.node", namespace, {**own, **chosen})


@app.command()
def robot(
    port: Annotated[int, typer.Option(help="Port of the page.", min=1, max=65535)] = 8770,
    mute: Annotated[bool, typer.Option("--mute", help="Subtitles only.")] = False,
    listen: Annotated[bool, typer.Option("--listen", help="Hear what you say (docs/robots.md).")] = False,
    headphones: Annotated[
        bool, typer.Option("--headphones", help="Hear you while it speaks, too; only where its voice is in your ears.")
    ] = False,
    vrm: Annotated[
        Path | None, typer.Option(help="Avatar in the place of the drawn head (imuface vrm get, once).")
    ] = None,
    whole_face: Annotated[
        bool, typer.Option("--whole-face", help="Your whole face, as an avatar shows it, not what a robot mirrors.")
    ] = False,
    namespace: Namespace = "imuface",
) -> None:
    """Show the reference robot in the browser until Ctrl-C.

    It mirrors the running face, takes what you type, and answers with the running agent's words, aloud where espeak-ng
    is installed. Start both first (imuface up full), or all at once (imuface up full robot:=true). The page is for this
    machine alone. docs/robots.md says how to plug in another robot.

    \b
    imuface robot
    imuface robot --mute --port 9000 --namespace anna
    imuface robot --listen
    imuface robot --headphones
    imuface robot --vrm me.vrm --whole-face
    """
    import shutil

    from imuface_bringup import launch_file as launch

    _environment()
    speech = not mute and shutil.which("espeak-ng") is not None
    if not speech and not mute:
        typer.echo("no voice: espeak-ng is not installed (Debian: apt install espeak-ng); subtitles only", err=True)
    arguments = {"namespace": namespace, "robot_port": str(port), "vrm": str(vrm.absolute()) if vrm else ""}
    chosen = {"speech": speech, "listen": listen or headphones, "headphones": headphones, "whole_face": whole_face}
    arguments |= {name: str(value).lower() for name, value in chosen.items()}
    raise typer.Exit(_run(launch.plan(_find_launch_file("robot"), arguments)))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results; those of an earlier demo go.")] = Path("out/demo"),
    live: Annotated[bool, typer.Option("--view", help="Open the live viewer and run until Ctrl-C instead.")] = False,
    model: Annotated[str, typer.Option(help="Model of the catalogue; left out: the default.")] = "",
    performance: Annotated[Path | None, typer.Option(help="Captured face to perform (docs/avatars.md).")] = None,
    unknown: Annotated[bool, typer.Option("--unknown", help="Know nothing of the person but a neutral face.")] = False,
    head: Annotated[Path | None, typer.Option(help="Head of the person, as of `imuface head`.")] = None,
) -> None:
    """Run the whole loop on simulated earphones.

    First the simulated person records five minutes for a personal model, as in the paper; it takes some seconds. Leaves
    the recording, a picture of the face and the reply behind, and prints what was measured.

    \b
    imuface demo
    imuface demo --performance capture.csv.gz --out out/capture
    imuface demo --view
    imuface demo --unknown --out out/unknown
    imuface demo --head anna-head.npz
    """
    from imuface_bringup import demo as job

    _environment()
    raise typer.Exit(job.run(out, view=live, model=model, performance=performance, unknown=unknown, head=head))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Say what is missing and how to get it.

    The exit code is 1 when something that Earnest needs is missing.

    \b
    imuface doctor
    imuface doctor --json
    """
    from imuface_bringup import doctor as checks

    _environment()
    findings = checks.examine()
    if as_json:
        typer.echo(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        checks.show(findings)
    raise typer.Exit(int(any(finding.level is checks.Level.MISSING for finding in findings)))


def _forwarding(module: str, name: str) -> Callable[[typer.Context], None]:
    def forward(context: typer.Context) -> None:
        _environment()
        target = getattr(importlib.import_module(module), name)
        if not isinstance(target, typer.Typer):
            command = target
            target = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
            target.command()(command)
        target(args=list(context.args), prog_name=f"imuface {context.info_name}")

    return forward


# Commands of the other packages: everything after their name, --help too, is theirs.
_FORWARDED = {
    "bag": ("imuface_bringup.bag_commands", "bag_app", "Look into a bag, and make a whole one of what is left of it."),
    "calibrate": ("imuface_bringup.face_commands", "calibrate", "Take the face as it is now as the neutral one."),
    "use": ("imuface_bringup.face_commands", "use", "Let the running face node use another model."),
    "params": ("imuface_bringup.parameter_commands", "params_app", "List, print and set parameters of running nodes."),
    "earphones": ("imuface_bringup.earphone_commands", "earphones", "Show how both ears do; --scan: what is around."),
    "pair": ("imuface_bringup.earphone_commands", "pair", "Find out whether the left bud is in the left ear."),
    "topics": ("imuface_bringup.topic_commands", "topics", "List a person's topics, with rates and who is on them."),
    "echo": ("imuface_bringup.topic_commands", "echo", "Print the messages of a topic."),
    "import": (
        "imuface_driver.recordings.command",
        "import_recordings",
        "Make a session of what earphones recorded by themselves.",
    ),
    "mounting": (
        "face_recon_node.commands.mounting",
        "measure",
        "Measure how the earphones sit, from a recording of a few movements.",
    ),
    "reconstruct": (
        "face_recon_node.commands.reconstruct",
        "reconstruct",
        "Reconstruct the faces of a recorded session without nodes.",
    ),
    "head": ("face_recon_node.commands.head", "head", "Make a personal head from a scan."),
    "models": ("empathy_agent.cli", "models_app", "List, fetch and verify language models."),
    "hearing": (
        "imuface_robot.hearing.command",
        "hearing_app",
        "Fetch the speech recogniser's model; try it.",
    ),
    "vrm": (
        "imuface_robot.avatar.command",
        "vrm_app",
        "Fetch what draws a VRM avatar in the robot's page; look into one.",
    ),
    "chat": ("empathy_agent.cli", "chat", "Talk with the running agent in the terminal."),
    "ask": ("empathy_agent.cli", "ask", "Answer one post, from an argument or from stdin."),
    "forget": ("imuface_bringup.dialogue_commands", "forget", "Let the running agent forget a session."),
    "empathy": ("empathy_training.commands.empathy", "empathy_app", "Data and training of the empathetic model."),
    "train": ("face_recon_node.commands.train", "train", "Train a face model."),
    "adapt": (
        "face_recon_node.commands.adapt",
        "adapt",
        "Make a personal model from a few minutes of a person's sessions.",
    ),
    "study": ("imuface_study.study_command", "study", "Make the sessions of a study with simulated participants."),
    "reference": (
        "face_recon_node.commands.reference",
        "reference",
        "Add the true face in a video to a recorded session.",
    ),
    "evaluate": ("imuface_study.evaluate_command", "evaluate", "Measure face models."),
}
_FORWARD = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
for _name, (_module, _function, _help) in _FORWARDED.items():
    app.command(_name, help=_help, context_settings=_FORWARD)(_forwarding(_module, _function))


def main() -> None:
    """Entry point: bad input ends in one line, not in a traceback."""
    from imuface_bringup.process import NodeError

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except (OSError, ValueError, ImportError, NodeError) as error:
        typer.echo(f"imuface: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _environment() -> None:
    from imuface_bringup import environment

    environment.complete()


def _find_launch_file(name: str) -> Path:
    from imuface_bringup import environment
    from imuface_bringup.launch_file.errors import suggestion

    file = Path(name)
    if file.suffix in (".yaml", ".yml"):
        if not file.is_file():
            raise FileNotFoundError(f"no launch file {file}")
        return file
    folder = environment.share() / "launch"
    ours = {path.name.removesuffix(".launch.yaml"): path for path in folder.glob("*.launch.yaml")}
    if name not in ours:
        raise FileNotFoundError(f"no launch file '{name}'; {suggestion(name, ours)}")
    return ours[name]


def _assignments(arguments: list[str]) -> dict[str, str]:
    pairs = {}
    for argument in arguments:
        name, separator, value = argument.partition(":=")
        if not separator or not name:
            raise ValueError(f"launch argument '{argument}' is not of the form name:=value")
        if name in pairs:
            raise ValueError(f"launch argument '{name}' is given twice")
        pairs[name] = value
    return pairs


def _rate(text: str) -> str:
    if text == "max":
        return "0.0"
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.0 < rate < float("inf"):
        raise ValueError(f"rate '{text}' is neither a positive number nor max")
    return str(rate)


def _run(plan: Plan) -> int:
    """Run a plan in the foreground; the exit code."""
    from imuface_bringup.console import NodeConsole
    from imuface_bringup.process import Graph, stop_on_signals

    graph = Graph(plan.nodes, NodeConsole(plan.nodes).report)
    with stop_on_signals(graph), graph:
        graph.wait()
    return int(graph.failed)


def _run_node(module: str, namespace: str, parameters: dict[str, object]) -> None:
    """Run the node of a module in this process; it ends with status 1 when the node cannot start."""
    _environment()
    arguments = [module, "--ros-args", "-r", f"__ns:=/{namespace.strip('/')}"]
    for name, value in {**parameters, "required": True}.items():
        arguments += ["-p", f"{name}:={json.dumps(value)}"]
    importlib.import_module(module).main(arguments)


if __name__ == "__main__":
    main()
