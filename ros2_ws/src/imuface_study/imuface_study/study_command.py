"""The command ``imuface study``."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from face_recon_node.commands.console import one_line_errors, processes, progress_bar

if TYPE_CHECKING:
    from imuface_simulation.prompts import Prompt

MOST_TRAINED = 4
"""People whom the paper's network is trained for with --published: minutes for each."""


def study(
    folder: Annotated[Path, typer.Argument(help="Folder of the study.")] = Path("out/study"),
    participants: Annotated[int, typer.Option(help="How many people.")] = 12,
    minutes: Annotated[float, typer.Option(help="Minutes of each training session.")] = 5.0,
    test_minutes: Annotated[float, typer.Option(help="Minutes of each test session.")] = 1.5,
    long: Annotated[float, typer.Option(help="Minutes of a long session of each; 0: none.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Decides who the people are and what they do.")] = 0,
    captures: Annotated[list[Path] | None, typer.Option(help="Captured face to perform; may be repeated.")] = None,
    ears: Annotated[
        str, typer.Option(help="anatomical, faint: they hardly move, or arbitrary: without any anatomy.")
    ] = "anatomical",
    motion: Annotated[
        Path | None, typer.Option(help="Recorded head orientations, for the remounted and the captured sessions.")
    ] = None,
    prompts: Annotated[bool, typer.Option("--prompts", help="Print what people are asked to do, and stop.")] = False,
    paced: Annotated[bool, typer.Option("--paced", help="With --prompts: show each of them at its time.")] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Print published figures beside such ears', and stop.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make the sessions of a study with simulated participants.

    Each has a training session, a test session with the same mounting of the earbuds, one remounted, one walking, and
    one for each capture. A study that was interrupted goes on where it stopped. With --prompts: what a person is asked
    to do in a session of that many --minutes, for a laboratory. With --published: how near simulated ears come to what
    was measured on people, which takes minutes for each participant.

    \b
    imuface study
    imuface study out/captured --captures a.csv --captures b.csv.gz --long 60
    imuface study --prompts --paced --minutes 5 --seed 7
    imuface study --published --participants 16
    """
    from imuface_simulation.prompts import script

    from imuface_study.sessions import StudyPlan, make_study

    with one_line_errors():
        plan = StudyPlan(participants, minutes, test_minutes, long, seed, ears, tuple(captures or ()), motion)
        if prompts:
            _tell(script(seed, 60.0 * minutes), paced, as_json)
            return
        if published:
            _tell_published(ears, participants, seed, as_json)
            return
        with progress_bar() as progress:
            made = make_study(folder, plan, progress, processes())
    names = list(dict.fromkeys(session.participant for session in made.sessions))
    if as_json:
        sessions = [str(session.path) for session in made.sessions]
        summary = {"study": str(folder), "people": names, "sessions": sessions, "new_sessions": made.new}
        typer.echo(json.dumps({**summary, **plan.description()}))
        return
    kept = f", {len(made.sessions) - made.new} of them were there" if made.new < len(made.sessions) else ""
    typer.echo(f"{folder}: {len(made.sessions)} sessions of {len(names)} simulated participants{kept}")


def _tell_published(ears: str, people: int, seed: int, as_json: bool) -> None:
    """Print what others have published beside the same on simulated people."""
    from face_recon_node.evaluation.assessment import assess
    from face_recon_node.models.imu_twin_trans import IMUTwinTrans

    from imuface_study.comparison import SimulatedPeople
    from imuface_study.published import imuface_rows, published_rows, to_table
    from imuface_study.results import mean_assessment

    with progress_bar() as progress:
        rows = published_rows(ears, people, seed, progress)
        cases = SimulatedPeople(min(people, MOST_TRAINED), ears, seed=seed).cases(progress, processes())
        found = []
        for done, case in enumerate(cases, 1):
            assert case.own is not None
            model = IMUTwinTrans().fit([case.own], seed)
            found.append(assess(model, case.tested.segments, case.tested.neutral))
            progress("the paper's recipe", done, len(cases))
        rows += imuface_rows(mean_assessment(found))
    typer.echo(json.dumps([asdict(row) for row in rows]) if as_json else "\n".join(to_table(rows)))


def _tell(prompts: list[Prompt], paced: bool, as_json: bool) -> None:
    """Print what a person is asked to do; ``paced``: one at a time."""
    if as_json:
        rows = [{"start": p.start, "relax": p.relax, "end": p.end, "part": p.part, "text": p.text} for p in prompts]
        typer.echo(json.dumps(rows))
        return
    began = time.monotonic()
    for prompt in prompts:
        if paced:
            _show(prompt.text, began + prompt.start)
            if prompt.relax < prompt.end:
                _show("relax", began + prompt.relax)
        else:
            typer.echo(f"{int(prompt.start) // 60:3d}:{prompt.start % 60:04.1f}  {prompt.text}")
    if paced:
        _show("thank you", began + prompts[-1].end)


def _show(text: str, at: float) -> None:
    """Fill the terminal with ``text`` when the clock says ``at``."""
    from rich.console import Console

    time.sleep(max(0.0, at - time.monotonic()))
    console = Console(highlight=False)
    console.clear()
    console.print(f"\n\n\n      [bold]{text}[/]\n")
