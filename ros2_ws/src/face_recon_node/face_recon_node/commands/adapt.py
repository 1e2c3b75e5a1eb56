"""The command ``imuface adapt``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from face_recon_node.commands.console import one_line_errors, processes, progress_bar


def adapt(
    sessions: Annotated[list[Path], typer.Argument(help="Sessions of one person with the true face.")],
    output: Annotated[Path, typer.Option(help="Model file; its card goes beside it.")] = Path("out/model/personal.pt"),
    base: Annotated[Path | None, typer.Option(help="Model to start from; left out: the shipped one for this.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Use only the first minutes. [default: everything]")] = None,
    seed: Annotated[int, typer.Option(help="Decides about every random choice.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the model card.")] = False,
) -> None:
    """Make a personal model from a few minutes of a person's sessions.

    Five minutes of expressions and speech are a good start; half a minute is better than nothing. A running node takes
    the model over with `load_model` or its parameter `model`.

    \b
    imuface adapt sessions/anna_1
    imuface adapt sessions/anna_1 sessions/anna_2 --output anna.pt
    imuface up face face_model:=anna.pt
    """
    from face_recon_node.network import FaceNetwork
    from face_recon_node.network.face_network import ADAPTABLE
    from face_recon_node.training.personal import AdaptConfig
    from face_recon_node.training.run import adapt_model

    with one_line_errors(), progress_bar() as progress:
        config = replace(AdaptConfig(), seed=seed)
        start = FaceNetwork.load(base or ADAPTABLE)
        network = adapt_model(start, sessions, output, config, minutes, progress, processes())
    if as_json:
        typer.echo(json.dumps(network.card))
        return
    figures = network.card["figures"]
    typer.echo(
        f"last fifth of the data, not learned from: {figures['landmark_error_mm']:.2f} mm, "
        f"{figures['constant_face_mm']:.2f} mm for the person's median face"
    )
    typer.echo(f"{output}: personal model; card {output.with_suffix('.json')}")
