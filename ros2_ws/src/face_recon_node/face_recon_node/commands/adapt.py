"""The command ``imuface adapt``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from face_recon_node.commands.console import Topics, one_line_errors, progress_bar


def adapt(
    sessions: Annotated[list[Path], typer.Argument(help="Sessions of one person with the true face.")],
    output: Annotated[Path, typer.Option(help="Model file; its card goes beside it.")] = Path("out/model/personal.npz"),
    base: Annotated[Path | None, typer.Option(help="Model to start from; left out: the shipped one.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Use only the first minutes. [default: everything]")] = None,
    topic: Topics = None,
    seed: Annotated[int, typer.Option(help="Decides about every random choice of models that have one.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the model card.")] = False,
) -> None:
    """Make a personal model from a few minutes of a person's sessions; it takes seconds.

    Five minutes of expressions and speech are a good start; half a minute is better than nothing. What it is worth is
    measured on the last fifth of the data: where the face follows hardly better than one that rests, it is said why and
    what to record. A running node takes the model over with `imuface use`.

    \b
    imuface adapt sessions/anna_1
    imuface adapt sessions/anna_1 sessions/anna_2 --output anna.npz
    imuface up face face_model:=anna.npz
    """
    from imuface_core.bag import named_topics

    from face_recon_node.models.file import load
    from face_recon_node.training.personal import adapt_model

    with one_line_errors(), progress_bar() as progress:
        model = adapt_model(load(base), sessions, output, minutes, progress, seed, names=named_topics(topic or ()))
    card = model.card
    if as_json:
        typer.echo(json.dumps(card))
        return
    found, resting = card["figures"], card["resting_face"]
    typer.echo("last fifth of the data, not learned from (in brackets: the person's median face):")
    for name, unit, path in (
        ("actions that move, median correlation", "", ("fidelity", "median_r")),
        ("of them, share with .7 or more", "", ("fidelity", "share_r70")),
        ("landmarks", " mm", ("figures", "landmark_error_mm")),
        ("landmarks of expressive frames", " mm", ("fidelity", "expressive_error_mm")),
        ("valence, correlation", "", ("affect", "valence_r")),
    ):
        here, there = (content[path[0]][path[1]] for content in (found, resting))
        typer.echo(f"  {name}: {here:.2f}{unit} ({there:.2f}{unit})")
    for line in card["advice"]:
        typer.echo(f"note: {line}")
    typer.echo(f"{output}: personal model; card {output.with_suffix('.card.json')}")
