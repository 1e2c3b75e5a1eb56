"""The command ``imuface train``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from face_recon_node.commands.console import Sessions, Topics, one_line_errors, processes, progress_bar

if TYPE_CHECKING:
    from face_recon_node.models.model import FaceModel


def train(
    sessions: Sessions = None,
    model: Annotated[
        str, typer.Option(help="signature: pretrain the shared network; any other of the family: fit it to sessions.")
    ] = "signature",
    output: Annotated[Path | None, typer.Option(help="Model file. [default: out/model/MODEL.npz]")] = None,
    people: Annotated[int | None, typer.Option(help="Simulated people to learn from. [default: 2400]")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps. [default: 8000]")] = None,
    captures: Annotated[
        list[Path] | None, typer.Option(help="Captured face that moves some of the faces; may be repeated.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Keeps simulated people and the training's state.")] = Path(
        "out/pretraining"
    ),
    topic: Topics = None,
    seed: Annotated[int, typer.Option(help="Decides about every random choice.")] = 0,
) -> None:
    """Train a face model.

    The signature model's network is learned once, from simulated people, and is the same for everybody; a person's own
    part is made with `imuface adapt`. It takes an hour or more on two cores; a run that was interrupted goes on where
    it stopped. All other models, such as the paper's IMUTwinTrans, are fitted to the sessions.

    \b
    imuface train --seed 0 --captures capture.csv.gz
    imuface train --model imu_twin_trans sessions/anna_1 --output out/model/anna_paper.npz
    """
    output = output or Path("out/model") / f"{model}.npz"
    with one_line_errors(), progress_bar() as progress:
        if model == "signature":
            from face_recon_node.models import file
            from face_recon_node.training.pretraining import PretrainingConfig, pretrain

            if sessions:
                raise ValueError("the signature model is pretrained on simulated people; for sessions: imuface adapt")
            config = PretrainingConfig(seed=seed, captures=tuple(map(str, captures or ())))
            config = replace(config, people=config.people if people is None else people)
            config = replace(config, steps=config.steps if steps is None else steps)
            trained: FaceModel = pretrain(config, folder, progress, processes())
            file.save(trained, output)
        else:
            from imuface_core.bag import named_topics

            from face_recon_node.models.catalogue import choose
            from face_recon_node.training.personal import adapt_model

            if not sessions:
                raise ValueError(f"name the sessions that '{model}' is fitted to")
            names = named_topics(topic or ())
            trained = adapt_model(choose(model), sessions, output, None, progress, seed, names=names)
    typer.echo(json.dumps(trained.card["figures"], indent=2))
    note = " (simulated)" if trained.card["simulated"] else ""
    typer.echo(f"{output}: trained{note}")
