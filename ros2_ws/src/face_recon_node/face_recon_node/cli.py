"""The commands ``imuface train`` and ``imuface evaluate``."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from face_recon_node.training.run import Progress

Sessions = Annotated[list[Path] | None, typer.Argument(help="Recorded sessions (rosbag2 folders) with the true face.")]


def train(
    sessions: Sessions = None,
    output: Annotated[Path, typer.Option(help="Model file; card and configuration go beside it.")] = Path(
        "out/model/imu_twin_trans.pt"
    ),
    config: Annotated[Path | None, typer.Option(help="YAML as an earlier run wrote it beside its model.")] = None,
    simulated: Annotated[int | None, typer.Option(help="Simulated participants to train on. [default: 240]")] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes of each simulated participant. [default: 3]")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps. [default: 3500]")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides about every random choice. [default: 0]")] = None,
) -> None:
    """Train IMUTwinTrans on simulated participants and recorded sessions.

    \b
    imuface train --simulated 240 --minutes 3 --seed 0
    imuface train --simulated 0 --output out/anna.pt anna_monday anna_tuesday
    """
    from face_recon_node.training.run import train_model
    from face_recon_node.training.trainer import TrainingConfig

    with _one_line_errors(), _progress() as progress:
        settings = TrainingConfig.read(config) if config else TrainingConfig()
        settings = replace(
            settings,
            simulated=settings.simulated if simulated is None else simulated,
            minutes=settings.minutes if minutes is None else minutes,
            steps=settings.steps if steps is None else steps,
            seed=settings.seed if seed is None else seed,
        )
        network = train_model(settings, sessions or [], output, progress, _processes())
    typer.echo(json.dumps(network.card["figures"], indent=2))
    note = " (simulated)" if network.card["simulated"] else ""
    typer.echo(f"{output}: trained{note}; card {output.with_suffix('.json')}, {output.with_suffix('.yaml')}")


def evaluate(
    sessions: Sessions = None,
    model: Annotated[Path | None, typer.Option(help="Model file; left out: the shipped one.")] = None,
    simulated: Annotated[int, typer.Option(help="Unseen simulated participants, without sessions.")] = 12,
    minutes: Annotated[float, typer.Option(help="Minutes of each simulated participant.")] = 2.0,
    activity: Annotated[str, typer.Option(help="still, nodding, talking or walking.")] = "still",
    performance: Annotated[Path | None, typer.Option(help="Live Link Face capture that moves their faces.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulated participants.")] = 0,
    training_people: Annotated[int, typer.Option(help="Simulated people that the baselines are fitted to.")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare a model with constant faces and ridge regression on people it has not seen.

    There is a neutral calibration and nothing else of them. With sessions, those are the people.

    \b
    imuface evaluate
    imuface evaluate --activity walking --model out/model/imu_twin_trans.pt
    """
    from rich.console import Console
    from rich.table import Table

    from face_recon_node.head import HeadModel
    from face_recon_node.network import FaceNetwork
    from face_recon_node.training import data, evaluation, run

    with _one_line_errors(), _progress() as progress:
        if simulated < 1 or training_people < 1 or not 0.2 <= minutes <= 600.0:
            raise ValueError("participants must be 1 or more, and minutes 0.2 to 600")
        network = FaceNetwork.load(model)
        deltas = HeadModel.load().landmark_deltas
        if sessions:
            test = run.read_people(sessions, progress)
            what = f"{len(sessions)} recorded sessions"
        else:
            people = data.population(data.TEST, seed, simulated, minutes, activity, False, performance)
            test = run.simulate_people(people, "test people", progress, _processes())
            face = performance.name if performance else "generated expressions"
            what = f"{simulated} simulated people, {minutes:g} min of {face}, {activity}, seed {seed}"
        baseline = run.baseline_people(seed, training_people, progress, _processes())
        rows = run.compare(network, baseline, test, deltas)
        covered = evaluation.coverage(network, test, deltas)
    if as_json:
        errors = {row.predictor: asdict(row.figures) for row in rows}
        typer.echo(json.dumps({"people": what, "figures": errors, "coverage": asdict(covered)}))
        return
    table = Table(title=f"Landmark error after neutral calibration only: {what}")
    for heading in ("predictor", "mean mm", "p95 mm", "below mean face", "ARKit weights"):
        table.add_column(heading, justify="left" if heading == "predictor" else "right")
    constant = rows[0].figures.landmark_error_mm
    for row in rows:
        figures = row.figures
        below = f"{100.0 * (1.0 - figures.landmark_error_mm / constant):.1f} %"
        table.add_row(
            row.predictor,
            f"{figures.landmark_error_mm:.3f}",
            f"{figures.landmark_error_p95_mm:.3f}",
            below,
            f"{figures.weights_error:.4f}",
        )
    console = Console()
    console.print(table)
    console.print(
        f"truth within one standard deviation: landmarks {100 * covered.landmarks:.1f} %, "
        f"weights {100 * covered.weights:.1f} % (68.3 % when they are right)"
    )


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Bad input ends the command with one line and status 1."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    try:
        yield
    except (OSError, ValueError, ImportError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on stderr for whatever is reported."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=None)
        total = 0

        def report(what: str, done: int, of: int) -> None:
            nonlocal total
            if of != total or done == 1:
                bars.reset(task, total=of)
                total = of
            bars.update(task, description=what, completed=done)

        yield report


def _processes() -> int:
    return max(1, os.cpu_count() or 1)
