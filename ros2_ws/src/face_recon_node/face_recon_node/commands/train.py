"""The command ``imuface train``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from face_recon_node.commands.console import Sessions, one_line_errors, processes, progress_bar


def train(
    sessions: Sessions = None,
    output: Annotated[Path, typer.Option(help="Model file; card and configuration go beside it.")] = Path(
        "out/model/imu_twin_trans.pt"
    ),
    config: Annotated[Path | None, typer.Option(help="YAML as an earlier run wrote it beside its model.")] = None,
    simulated: Annotated[int | None, typer.Option(help="Simulated participants to train on. [default: 240]")] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes of each simulated participant. [default: 3]")] = None,
    captures: Annotated[
        list[Path] | None, typer.Option(help="Live Link Face CSV that moves some of the faces; may be repeated.")
    ] = None,
    anatomical: Annotated[int | None, typer.Option(help="Further ones with ears of anatomy only. [default: 0]")] = None,
    anyone: Annotated[bool, typer.Option("--anyone", help="For use without any data of the person.")] = False,
    start: Annotated[Path | None, typer.Option(help="Model file to start from; left out: from scratch.")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps. [default: 3500]")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="At its highest. [default: 0.002]")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides about every random choice. [default: 0]")] = None,
) -> None:
    """Train IMUTwinTrans on simulated participants and recorded sessions.

    \b
    imuface train --simulated 240 --minutes 3 --seed 0
    imuface train --simulated 0 --output out/anna.pt anna_monday anna_tuesday
    """
    from face_recon_node.training.run import train_model
    from face_recon_node.training.trainer import TrainingConfig

    with one_line_errors(), progress_bar() as progress:
        settings = TrainingConfig.read(config) if config else TrainingConfig()
        settings = replace(
            settings,
            simulated=settings.simulated if simulated is None else simulated,
            minutes=settings.minutes if minutes is None else minutes,
            captures=settings.captures if captures is None else tuple(str(path) for path in captures),
            anatomical=settings.anatomical if anatomical is None else anatomical,
            anyone=settings.anyone or anyone,
            start=settings.start if start is None else str(start),
            steps=settings.steps if steps is None else steps,
            learning_rate=settings.learning_rate if learning_rate is None else learning_rate,
            seed=settings.seed if seed is None else seed,
        )
        network = train_model(settings, sessions or [], output, progress, processes())
    typer.echo(json.dumps(network.card["figures"], indent=2))
    note = " (simulated)" if network.card["simulated"] else ""
    typer.echo(f"{output}: trained{note}; card {output.with_suffix('.json')}, {output.with_suffix('.yaml')}")
