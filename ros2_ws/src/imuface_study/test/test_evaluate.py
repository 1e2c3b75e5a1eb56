"""``imuface evaluate`` without a study: a model beside baselines, on simulated people and on recorded sessions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from face_recon_node.data.segment import prepare
from face_recon_node.evaluation.assessment import Assessment
from face_recon_node.head import HeadModel
from face_recon_node.models.file import save
from face_recon_node.models.model import Person
from face_recon_node.models.signature.model import SignatureModel
from imuface_core.session import write_session
from imuface_simulation import Participant, Performance, simulate
from imuface_study import evaluate_command as command
from imuface_study.comparison import SimulatedPeople, compare
from imuface_study.sessions import StudyPlan, make_study
from imuface_study.table import MEASURED
from typer.testing import CliRunner, Result

SHORT = ["--simulated", 2, "--minutes", 0.5, "--test-minutes", 0.25]


def quiet(what: str, done: int, of: int) -> None:
    pass


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "processes", lambda: 1)


@pytest.fixture
def run(untrained_file: Path) -> Callable[..., Result]:
    app = typer.Typer()
    app.command()(command.evaluate)

    def run(*arguments: object) -> Result:
        model = [] if "--model" in arguments else ["--model", untrained_file]
        return CliRunner().invoke(app, [str(argument) for argument in (*arguments, *model)])

    return run


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two of one person, recorded without landmarks."""
    folder = tmp_path_factory.mktemp("sessions")
    for number, name in enumerate(("monday", "tuesday")):
        face = Performance.study(5, number, 30.0)
        write_session(folder / name, simulate(face, Participant.random(5), 30.0, seed=number, start_ns=10**9))
    return [folder / "monday", folder / "tuesday"]


def models(result: Result) -> dict[str, Assessment]:
    assert result.exit_code == 0, result.output
    return {name: Assessment.from_json(found) for name, found in json.loads(result.stdout)["models"].items()}


def test_people_whose_data_is_known(run: Callable[..., Result]) -> None:
    result = run(*SHORT, "--ears", "faint", "--remounted", "--json")
    content, found = json.loads(result.stdout), models(result)
    assert content["ears"] == "faint"
    assert content["people"].startswith("2 simulated people, 0.5 min of each, tested on 0.25 min, remounted, still")
    assert list(found) == ["mean", "median", "ridge", "signature"]
    assert found["median"].fidelity.median_r == 0.0
    assert found["signature"].coverage is not None
    assert found["mean"].coverage is None
    assert found == models(run(*SHORT, "--ears", "faint", "--remounted", "--json"))
    assert found != models(run(*SHORT, "--ears", "faint", "--json"))


def test_what_is_printed_fits_a_terminal(run: Callable[..., Result]) -> None:
    result = run(*SHORT)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "Simulated ears (anatomical): these figures say nothing about people." in " ".join(result.stdout.split())
    rows = {name: line.removeprefix(name).split() for name in MEASURED for line in lines if line.startswith(name)}
    assert rows.keys() == MEASURED.keys()
    assert all(len(row) == 4 for row in rows.values())
    assert rows["weights 1 σ"][:3] == ["–", "–", "–"]


def test_people_of_whom_nothing_is_known_are_not_learned_from() -> None:
    people = SimulatedPeople(4, minutes=0.0, test_minutes=0.25)
    cases = people.cases(quiet, 1)
    readings = [case.tested.segments[0].readings for case in cases]
    for number, case in enumerate(cases):
        assert case.own is None
        known = [person.segments[0].readings for person in case.known]
        others = [readings[other] for other in range(4) if other % 3 != number % 3]
        assert all(np.array_equal(one, other) for one, other in zip(known, others, strict=True))


def test_the_only_person_of_whom_nothing_is_known_leaves_no_baselines(run: Callable[..., Result]) -> None:
    assert list(models(run("--simulated", 1, "--minutes", 0, "--test-minutes", 0.25, "--json"))) == ["signature"]


def test_a_capture_moves_the_faces_of_the_test(tmp_path: Path) -> None:
    from imuface_core.arkit import BLENDSHAPES

    header = "Timecode,BlendShapeCount," + ",".join(name[0].upper() + name[1:] for name in BLENDSHAPES)
    jaw = np.where(np.array(BLENDSHAPES) == "jawOpen", "0.5", "0.0")
    rows = [f"10:00:{frame // 60:02d}:{frame % 60:02d}.000,61,{','.join(jaw)}" for frame in range(600)]
    (tmp_path / "take.csv").write_text("\n".join([header, *rows, ""]))
    people = SimulatedPeople(1, minutes=0.3, test_minutes=0.2, performance=tmp_path / "take.csv")
    (case,) = people.cases(quiet, 1)
    assert case.own is not None
    moved = [person.segments[-1].weights.max(axis=0) > 0.1 for person in (case.tested, case.own)]
    assert [BLENDSHAPES[action] for action in np.flatnonzero(moved[0])] == ["jawOpen"]
    assert moved[1].sum() > 5
    assert "take.csv" in str(people)


def test_constants_know_the_sessions_unless_there_are_others(run: Callable[..., Result], sessions: list[Path]) -> None:
    result = run(*sessions, "--json")
    found = models(result)
    assert list(found) == ["mean", "median", "signature"]
    content = json.loads(result.stdout)
    assert (content["people"], content["ears"]) == ("monday, tuesday; nobody’s model", None)
    learned = models(run("--train", sessions[0], sessions[1], "--json"))
    assert list(learned) == ["mean", "median", "ridge", "signature"]
    own = models(run(sessions[1], "--json"))["median"]
    assert own.figures.weights_error < learned["median"].figures.weights_error


def test_a_personal_model_stays_as_it_is(
    run: Callable[..., Result], sessions: list[Path], untrained: SignatureModel, tmp_path: Path
) -> None:
    segments = prepare(simulate(Performance.study(9, 0, 30.0), Participant.random(9), 30.0, seed=9))
    untrained.fit([Person(segments, HeadModel.load().landmark_neutral)])
    save(untrained, tmp_path / "anna.npz")
    arguments = ("--model", tmp_path / "anna.npz")
    result = run(sessions[1], *arguments)
    assert "tuesday; a personal model" in result.stdout
    plain = models(run(sessions[1], *arguments, "--json"))["signature"]
    assert models(run("--train", sessions[0], sessions[1], *arguments, "--json"))["signature"] == plain
    refused = run(*SHORT, *arguments)
    assert refused.exit_code == 1
    assert "anna.npz is one person's: name sessions of that person" in " ".join(refused.output.split())


def test_sessions_of_a_simulated_study_are_said_to_be(run: Callable[..., Result], tmp_path: Path) -> None:
    make_study(tmp_path / "study", StudyPlan(1, 0.2, 0.2), quiet)
    result = run(tmp_path / "study/p01/test")
    assert result.exit_code == 0, result.output
    assert "Simulated ears: these figures say nothing about people." in " ".join(result.stdout.split())


def test_sessions_that_cannot_be_used_are_left_out(
    run: Callable[..., Result], sessions: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    models(run(sessions[0], "absent", "--json"))
    assert "absent is skipped: there is no session at absent" in caplog.text


def test_processes_find_the_same(untrained_file: Path) -> None:
    cases = SimulatedPeople(2, minutes=0.0, test_minutes=0.2).cases(quiet, 1)
    alone, beside = (compare(cases, untrained_file, 0, quiet, processes) for processes in (1, 2))
    assert alone == beside


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ears", "elven"], "ears is 'elven': expected anatomical or faint or arbitrary"),
        (["--activity", "flying"], "activity is 'flying': expected still or"),
        (["--simulated", 0], "0 simulated people: expected 1 to 1000"),
        (["--minutes", 0.1], "minutes is 0.1: expected 0.2 to 600"),
        (["--minutes", "nan"], "minutes is nan: expected 0.2 to 600"),
        (["--test-minutes", 0], "test_minutes is 0: expected 0.2 to 600"),
        (["--seed", -1], "seed is -1: expected 0 or more"),
        (["--performance", "absent.csv"], "absent.csv"),
        (["--model", "absent.npz"], "absent.npz"),
        (["--train", "a"], "name the sessions to test on"),
        (["--test", "a"], "name the sessions to test on"),
        (["absent"], "none of the sessions can be used: there is no session at absent"),
        ([*SHORT, "--minutes", 0.3], "are too few, 20 are needed"),
    ],
)
def test_a_mistake_gives_one_line(run: Callable[..., Result], arguments: list[object], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert message in " ".join(result.output.split())
