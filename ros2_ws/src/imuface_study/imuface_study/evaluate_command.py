"""The command ``imuface evaluate``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from face_recon_node.commands.console import Topics, one_line_errors, processes, progress_bar

if TYPE_CHECKING:
    from face_recon_node.progress import Progress

    from imuface_study.settings import Study


def evaluate(
    sessions: Annotated[
        list[Path] | None, typer.Argument(help="Sessions of one person with the true face; with --table: the study.")
    ] = None,
    table: Annotated[bool, typer.Option("--table", help="All models in all settings of a study.")] = False,
    models: Annotated[str, typer.Option(help="For --table, with commas between. [default: all]")] = "",
    settings: Annotated[str, typer.Option(help="For --table, with commas between. [default: all]")] = "",
    participants: Annotated[int | None, typer.Option(help="Only the study's first ones. [default: all]")] = None,
    train: Annotated[list[Path] | None, typer.Option(help="Session of the person to learn from first.")] = None,
    test: Annotated[list[Path] | None, typer.Option(help="Session of that person to test on, for --table.")] = None,
    out: Annotated[Path, typer.Option(help="Where --table writes, and finds what it wrote.")] = Path("out/table"),
    model: Annotated[Path | None, typer.Option(help="Model file; left out: the shipped one.")] = None,
    simulated: Annotated[int, typer.Option(help="Simulated people, without sessions.")] = 12,
    ears: Annotated[str, typer.Option(help="Theirs: anatomical, faint or arbitrary.")] = "anatomical",
    minutes: Annotated[float, typer.Option(help="Of each one's own data; 0: neutral calibration only.")] = 5.0,
    test_minutes: Annotated[float, typer.Option(help="Of each one's test.")] = 1.5,
    remounted: Annotated[bool, typer.Option("--remounted", help="The buds are put in anew for the test.")] = False,
    activity: Annotated[str, typer.Option(help="In the test: still, nodding, talking or walking.")] = "still",
    performance: Annotated[Path | None, typer.Option(help="Captured face, for the tests.")] = None,
    topic: Topics = None,
    seed: Annotated[int, typer.Option(help="Decides about every random choice.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a model beside constant faces and ridge regression.

    Without sessions: on simulated people whom no model has seen. All models learn from the same minutes of each; with
    --minutes 0, the baselines learn from the other people's tests, and the model is as it is.

    With sessions: on these, each by itself. With --train, all models learn from that session first, but a personal
    model stays as it is. Without, the model is as it is, and the constant faces are those of each tested session
    itself, so they know its true faces.

    With --table, all models are fitted and tested in all settings of a study, a folder as `imuface study` makes it:
    PARTICIPANT/train, test, remounted, walking, performance_NAME, long; or on the sessions of one person. It takes
    hours; a run that was interrupted goes on where it stopped. Writes table.md, results.json and pictures.

    \b
    imuface evaluate
    imuface evaluate --ears faint --activity walking --remounted
    imuface evaluate --model out/anna.npz anna_tuesday
    imuface evaluate --train anna_monday anna_tuesday
    imuface evaluate --table out/study --models median,ridge,signature --settings within,1min
    imuface evaluate --table --train anna_monday --test anna_tuesday
    """
    with one_line_errors(), progress_bar() as progress:
        if table:
            study = _study(sessions, train, test, participants)
            _evaluate_table(study, models, settings, seed, model, out, progress, as_json)
            return
        from face_recon_node.data.sessions import is_simulated
        from face_recon_node.models.file import load
        from imuface_core.bag import named_topics

        from imuface_study.comparison import SimulatedPeople, compare, recorded_cases
        from imuface_study.settings import caveat
        from imuface_study.table import MEASURED, shown

        if test or (train and not sessions):
            raise ValueError("name the sessions to test on; --test is for --table")
        personal = load(model).face is not None
        if sessions:
            warning = caveat() if any(map(is_simulated, [*sessions, *(train or ())])) else ""
            what = f"{', '.join(path.name for path in sessions)}; {'a personal' if personal else 'nobody’s'} model"
            cases = recorded_cases(sessions, train or (), named_topics(topic or ()))
        elif personal:
            raise ValueError(f"{model} is one person's: name sessions of that person")
        else:
            people = SimulatedPeople(simulated, ears, minutes, test_minutes, remounted, activity, performance, seed)
            warning, what = caveat(ears), str(people)
            cases = people.cases(progress, processes())
        found = compare(cases, model, seed, progress, processes())
    if as_json:
        measured = {name: assessment.to_json() for name, assessment in found.items()}
        typer.echo(json.dumps({"people": what, "ears": None if sessions else ears, "models": measured}))
        return
    _print(f"{warning} {what}".strip(), ["", *found], zip(MEASURED, *map(shown, found.values()), strict=True))


def _print(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns below a title; the first one is text."""
    from rich.console import Console
    from rich.table import Table as Columns

    columns = Columns(box=None, padding=(0, 1, 0, 0))
    columns.add_column(headings[0], no_wrap=True)
    for heading in headings[1:]:
        columns.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        columns.add_row(*row)
    Console(markup=False).print(title, columns)


def _study(
    sessions: list[Path] | None, train: list[Path] | None, test: list[Path] | None, participants: int | None
) -> Study:
    from imuface_study.settings import read_study, single_study

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
    study: Study,
    models: str,
    settings: str,
    seed: int,
    model: Path | None,
    out: Path,
    progress: Progress,
    as_json: bool,
) -> None:
    from imuface_study import harness, plots
    from imuface_study.settings import choose_settings
    from imuface_study.table import HEADINGS, Table, target_cells

    plan = harness.Plan(study, choose_settings(_names(settings)), harness.choose_models(_names(models)), seed, model)
    outcome = harness.run(plan, out, progress, processes())
    if not outcome.rows:
        raise ValueError("no row could be measured: " + ("; ".join(outcome.skipped.values()) or "no session for it"))
    table = Table(plan, outcome)
    table.write(out, plots.draw(table, out))
    if as_json:
        typer.echo(json.dumps(table.to_json()))
        return
    typer.echo(table.header())
    for setting in plan.settings:
        lines = [line for line in table.lines if line.setting is setting]
        if lines:
            rows = list(zip(HEADINGS, *map(table.cells, lines), strict=True))[1:]
            _print(setting.title, ["", *(line.model for line in lines)], rows)
    _print("targets", ("what", "value", "wanted", "reached"), map(target_cells, table.targets()))
    typer.echo(f"{out / 'table.md'}: {len(outcome.rows)} rows, {outcome.reused} of them measured before")


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]
