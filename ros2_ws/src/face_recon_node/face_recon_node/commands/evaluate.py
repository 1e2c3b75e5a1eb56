"""The command ``imuface evaluate``."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from face_recon_node.commands.console import one_line_errors, processes, progress_bar

if TYPE_CHECKING:
    from face_recon_node.study.metrics import Figures
    from face_recon_node.study.settings import Study


def evaluate(
    sessions: Annotated[
        list[Path] | None, typer.Argument(help="Recorded sessions with the true face; with --table: the study.")
    ] = None,
    table: Annotated[bool, typer.Option("--table", help="All models in all settings of a study.")] = False,
    models: Annotated[str, typer.Option(help="Only these, with commas between. [default: all]")] = "",
    settings: Annotated[str, typer.Option(help="Only these, with commas between. [default: all]")] = "",
    participants: Annotated[int | None, typer.Option(help="Only the study's first ones. [default: all]")] = None,
    train: Annotated[list[Path] | None, typer.Option(help="Session of one person to train on, for --table.")] = None,
    test: Annotated[list[Path] | None, typer.Option(help="Session of that person to test on, for --table.")] = None,
    out: Annotated[Path, typer.Option(help="Where --table writes, and finds what it wrote.")] = Path("out/table"),
    model: Annotated[Path | None, typer.Option(help="Model file; left out: the shipped one.")] = None,
    simulated: Annotated[int, typer.Option(help="Unseen simulated participants, without sessions.")] = 12,
    minutes: Annotated[float, typer.Option(help="Minutes of each simulated participant.")] = 2.0,
    activity: Annotated[str, typer.Option(help="still, nodding, talking or walking.")] = "still",
    performance: Annotated[Path | None, typer.Option(help="Live Link Face capture that moves their faces.")] = None,
    seed: Annotated[int, typer.Option(help="Decides about every random choice.")] = 0,
    training_people: Annotated[int, typer.Option(help="Simulated people that the baselines are fitted to.")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare a model with constant faces and ridge regression on people it has not seen.

    There is a neutral calibration and nothing else of them. With sessions, those are the people.

    With --table, all models are trained and tested in all settings of a study, a folder as `imuface study` makes it:
    PARTICIPANT/train, test, remounted, walking, performance_NAME, long; or on the sessions of one person. It takes
    hours; a run that was interrupted goes on where it stopped. Writes table.md, results.json and pictures.

    \b
    imuface evaluate
    imuface evaluate --activity walking --model out/model/imu_twin_trans.pt
    imuface evaluate --table out/study
    imuface evaluate --table out/study --models constant,ridge,ours --settings within,1min
    imuface evaluate --table --train anna_monday --test anna_tuesday
    """
    if table:
        with one_line_errors():
            study = _study(sessions, train, test, participants)
            _evaluate_table(study, models, settings, seed, model, out, as_json)
        return
    from rich.console import Console
    from rich.table import Table as Columns

    from face_recon_node.head import HeadModel
    from face_recon_node.network import FaceNetwork
    from face_recon_node.training import evaluation, population, run

    with one_line_errors(), progress_bar() as progress:
        if simulated < 1 or training_people < 1 or not 0.2 <= minutes <= 600.0:
            raise ValueError("participants must be 1 or more, and minutes 0.2 to 600")
        network = FaceNetwork.load(model)
        deltas = HeadModel.load().landmark_deltas
        if sessions:
            people = run.read_people(sessions, progress)
            what = f"recorded: {', '.join(path.name for path in sessions)}"
        else:
            simulated_people = population.population(
                population.TEST, seed, simulated, minutes, activity, False, performance
            )
            people = run.simulate_people(simulated_people, "test people", progress, processes())
            face = performance.name if performance else "generated expressions"
            what = f"{simulated} simulated people, {minutes:g} min of {face}, {activity}, seed {seed}"
        baseline = run.baseline_people(seed, training_people, progress, processes())
        rows = run.compare(network, baseline, people, deltas)
        covered = evaluation.coverage(network, people, deltas)
    if as_json:
        errors = {row.predictor: asdict(row.figures) for row in rows}
        typer.echo(json.dumps({"people": what, "figures": errors, "coverage": asdict(covered)}))
        return
    known = "personal model" if network.wearer else "after neutral calibration only"
    columns = Columns(title=f"{what}; {known}", title_justify="left", box=None, padding=(0, 2, 0, 0))
    columns.add_column("", no_wrap=True)
    for row in rows:
        columns.add_column(row.predictor, justify="right")
    constant = rows[0].figures.landmark_error_mm
    cells = [_cells(row.figures, constant) for row in rows]
    for name in cells[0]:
        columns.add_row(name, *(of[name] for of in cells))
    console = Console()
    console.print(columns)
    console.print(
        f"truth within one and two standard deviations: landmarks {100 * covered.landmarks:.1f} % and "
        f"{100 * covered.landmarks_two:.1f} %, weights {100 * covered.weights:.1f} % and "
        f"{100 * covered.weights_two:.1f} % (68.3 % and 95.4 % when they are right)"
    )


def _cells(figures: Figures, constant: float) -> dict[str, str]:
    """What is printed of a predictor, beside the error of the mean face in mm."""
    from face_recon_node.study.metrics import REGIONS

    return {
        "landmarks, mm": f"{figures.landmark_error_mm:.3f}",
        "p95 of frames, mm": f"{figures.landmark_error_p95_mm:.3f}",
        "below mean face": f"{100.0 * (1.0 - figures.landmark_error_mm / constant):.1f} %",
        **{f"{region}, mm": f"{getattr(figures, f'{region}_mm'):.2f}" for region in REGIONS},
        "NME": f"{figures.nme_percent:.2f} %",
        "ARKit weights": f"{figures.weights_error:.4f}",
        "jitter, mm": f"{figures.jitter_mm:.3f}",
        "true jitter, mm": f"{figures.true_jitter_mm:.3f}",
    }


def _study(
    sessions: list[Path] | None, train: list[Path] | None, test: list[Path] | None, participants: int | None
) -> Study:
    from face_recon_node.study.settings import read_study, single_study

    if train or test:
        if sessions or not (train and test):
            raise ValueError("name a study, or both --train and --test sessions of one person")
        return single_study(train, test)
    if not sessions or len(sessions) > 1:
        raise ValueError("--table takes the folder of one study, or --train and --test sessions of one person")
    study = read_study(sessions[0])
    if participants is not None and not 1 <= participants <= len(study.participants):
        raise ValueError(f"{sessions[0]} has {len(study.participants)} participants, not {participants}")
    return replace(study, participants=study.participants[:participants])


def _evaluate_table(
    study: Study, models: str, settings: str, seed: int, model: Path | None, out: Path, as_json: bool
) -> None:
    from rich.console import Console
    from rich.table import Table as Columns

    from face_recon_node.study import harness, plots
    from face_recon_node.study.settings import choose_settings
    from face_recon_node.study.table import HEADINGS, Table, target_cells

    plan = harness.Plan(study, choose_settings(_names(settings)), harness.choose_models(_names(models)), seed, model)
    with progress_bar() as progress:
        outcome = harness.run(plan, out, progress, processes())
    if not outcome.rows:
        raise ValueError("no row could be measured: " + ("; ".join(outcome.skipped.values()) or "no session for it"))
    table = Table(plan, outcome)
    table.write(out, plots.draw(table, out))
    if as_json:
        typer.echo(json.dumps(table.to_json()))
        return
    console = Console()
    console.print(table.header())
    for setting in plan.settings:
        lines = [line for line in table.lines if line.setting is setting]
        if lines:
            columns = Columns(title=setting.title, title_justify="left", box=None, padding=(0, 1, 0, 0))
            columns.add_column("")
            for line in lines:
                columns.add_column(line.model, justify="right", no_wrap=True)
            for cells in list(zip(HEADINGS, *map(table.cells, lines), strict=True))[1:]:
                columns.add_row(*cells)
            console.print(columns)
    for target in table.targets():
        what, value, wanted, reached = target_cells(target)
        console.print(f"{what}: {value}{f', wanted {wanted}: {reached}' if wanted else ''}")
    typer.echo(f"{out / 'table.md'}: {len(outcome.rows)} rows, {outcome.reused} of them measured before")


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]
