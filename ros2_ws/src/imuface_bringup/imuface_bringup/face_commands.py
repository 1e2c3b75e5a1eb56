"""The commands ``imuface calibrate`` and ``imuface use``: what is asked of the running face node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from face_recon_node.commands.console import progress_bar
from imuface_interfaces.action import Calibrate
from rclpy.action import ActionClient

from imuface_bringup.client import Client
from imuface_bringup.options import Namespace
from imuface_bringup.parameter_commands import RemoteNode

FACE_NODE = "face_recon_node"
_LOADING = 60.0  # s for a model to be loaded on a busy machine


def calibrate(
    duration: Annotated[
        float, typer.Option(help="Seconds of a relaxed face, 0.5 to 60; 0: as the node is set up.", min=0.0, max=60.0)
    ] = 0.0,
    namespace: Namespace = "imuface",
) -> None:
    """Take the face as it is now, relaxed, as the neutral one.

    Do it after the earphones were put in anew. Sit still with a relaxed face until the bar is full; Ctrl-C cancels, and
    the earlier calibration stays.

    \b
    imuface calibrate
    imuface calibrate --duration 10
    imuface calibrate --namespace anna
    """
    with Client(namespace) as client:
        result = _calibrated(client, duration)
    if result.error_code != Calibrate.Result.SUCCESS:
        raise ValueError(f"not calibrated: {result.message}")
    typer.echo(result.message)


def _calibrated(client: Client, duration: float) -> Calibrate.Result:
    action: ActionClient = ActionClient(client.node, Calibrate, "calibrate")
    if not client.until(action.server_is_ready):
        raise client.absence(FACE_NODE)
    RemoteNode(client, FACE_NODE)  # that has answered knows this node: what it says of the goal is not dropped
    with progress_bar() as progress:

        def show(share: float) -> None:
            progress("keep still, with a relaxed face", round(100 * share), 100)

        goal = client.answer(
            action.send_goal_async(
                Calibrate.Goal(duration=duration), feedback_callback=lambda message: show(message.feedback.progress)
            ),
            FACE_NODE,
        )
        answer = goal.get_result_async()
        try:
            client.until(lambda: answer.done() or not action.server_is_ready(), patience=3600.0)
        except KeyboardInterrupt:
            client.answer(goal.cancel_goal_async(), FACE_NODE)
            client.until(answer.done)
        if answer.done() and answer.result().result.error_code == Calibrate.Result.SUCCESS:
            show(1.0)
    if not answer.done():
        raise TimeoutError(f"{client.full(FACE_NODE)} has gone away; start it again")
    return answer.result().result


def use(
    model: Annotated[Path | None, typer.Argument(help="Model file, of `imuface adapt` or `imuface train`.")] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="The model that comes with Earnest.")] = False,
    namespace: Namespace = "imuface",
) -> None:
    """Let the running face node use another model from now on, without losing a frame.

    \b
    imuface use out/anna.npz
    imuface use --shipped
    imuface use anna.npz --namespace anna
    """
    if (model is None) != shipped:
        raise ValueError("name a model file, or give --shipped")
    # The node has a working directory of its own.
    path = str(model.resolve()) if model is not None else ""
    with Client(namespace) as client:
        remote = RemoteNode(client, FACE_NODE)
        remote.set("model", path, patience=_LOADING)
    typer.echo(f"{remote.name} uses {path or 'the shipped model'}")
