"""A simulated study: the folder, what its sessions share, going on after an interruption, and wrong arguments."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
import yaml
from face_recon_node.data.segment import prepare
from face_recon_node.head.weights import neutral_landmarks
from face_recon_node.models import imu_twin_trans
from face_recon_node.models.constant import MedianFace
from face_recon_node.progress import Progress
from imuface_core.arkit import BLENDSHAPES
from imuface_core.recording import Recording
from imuface_core.session import read_session
from imuface_simulation.prompts import script
from imuface_study import published
from imuface_study import study_command as commands
from imuface_study.published import PublishedRow
from imuface_study.sessions import StudyPlan, capture_name, make_study
from imuface_study.study_command import study
from typer.testing import CliRunner, Result

ROLES = ("train", "test", "remounted", "walking")
SMALL = StudyPlan(participants=2, minutes=0.3, test_minutes=0.2, seed=3)


def quiet(what: str, done: int, of: int) -> None:
    pass


def capture(folder: Path, name: str = "Take 1.csv") -> Path:
    """Ten seconds of a mouth that opens and closes."""
    header = "Timecode,BlendShapeCount," + ",".join(weight[0].upper() + weight[1:] for weight in BLENDSHAPES)
    lines = [header]
    for frame in range(600):
        jaw = f"{0.25 - 0.25 * np.cos(frame / 20.0):.4f}"
        row = ",".join(jaw if weight == "jawOpen" else "0.0" for weight in BLENDSHAPES)
        lines.append(f"10:00:{frame // 60:02d}:{frame % 60:02d}.000,61,{row}")
    path = folder / name
    path.write_text("\n".join([*lines, ""]))
    return path


def motion(folder: Path) -> Path:
    """Three seconds of a head that slowly turns."""
    half = np.linspace(0.0, 0.2, 300)
    path = folder / "head.csv"
    np.savetxt(path, np.stack([np.cos(half), 0 * half, 0 * half, np.sin(half)], axis=1), delimiter=",")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two people with a capture, a long session and a recorded head motion."""
    folder = tmp_path_factory.mktemp("study")
    plan = StudyPlan(2, 0.3, 0.2, 0.4, 3, captures=(capture(folder),), motion=motion(folder))
    make_study(folder / "study", plan, quiet)
    return folder / "study"


def recording(study: Path, session: str) -> Recording:
    return read_session(study / session)


def gravity(recording: Recording) -> np.ndarray:
    """Direction of gravity in the still left bud."""
    assert recording.left is not None
    mean = recording.left.acceleration[:90].mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_the_folder_is_the_protocol(small: Path) -> None:
    roles = [*ROLES, "long", "performance_Take_1"]
    sessions = {f"{person}/{role}" for person in ("p01", "p02") for role in roles}
    assert {str(path.relative_to(small)) for path in small.glob("*/*")} == sessions
    assert sorted(path.name for path in small.iterdir()) == ["p01", "p02", "study.yaml"]
    about = yaml.safe_load((small / "study.yaml").read_text())
    assert about["simulated"] is True
    assert (about["seed"], about["participants"], about["minutes"], about["long"]) == (3, 2, 0.3, 0.4)
    assert about["captures"][0]["name"] == "Take 1.csv"


def test_sessions_are_as_long_as_asked_and_can_be_learned_from(small: Path) -> None:
    for role, seconds in (("train", 18.0), ("test", 12.0), ("walking", 12.0), ("long", 24.0)):
        session = recording(small, f"p01/{role}")
        assert session.left is not None
        assert session.right is not None
        assert np.ptp(session.left.stamps) * 1e-9 == pytest.approx(seconds, abs=0.2)
        (segment,) = prepare(session)
        assert segment.landmarks is not None
        assert len(segment) > 30 * (seconds - 4.0)  # calibrated in the neutral seconds, walking too


def test_a_person_has_one_head_and_others_have_others(small: Path) -> None:
    heads = {}
    for session in ("p01/train", "p01/performance_Take_1", "p02/train"):
        landmarks = recording(small, session).landmarks
        assert landmarks is not None
        heads[session] = landmarks.points[:90].mean(axis=0)  # neutral: 3 s
    np.testing.assert_allclose(heads["p01/train"], heads["p01/performance_Take_1"], atol=1e-6)
    assert np.linalg.norm(heads["p01/train"] - heads["p02/train"], axis=1).mean() > 1e-3
    points = recording(small, "p01/performance_Take_1").landmarks
    assert points is not None
    assert np.linalg.norm(neutral_landmarks(points.points) - heads["p01/train"], axis=1).mean() < 3e-3


def test_only_train_test_and_long_share_the_mounting(small: Path) -> None:
    seats = {role: gravity(recording(small, f"p01/{role}")) for role in (*ROLES, "long", "performance_Take_1")}
    turned = {role: np.degrees(np.arccos(np.clip(seat @ seats["train"], -1.0, 1.0))) for role, seat in seats.items()}
    assert max(turned["test"], turned["long"]) < 4.0
    # Each seat is another; a few degrees may be alike by chance.
    assert sum(turned[role] > 4.0 for role in ("remounted", "walking", "performance_Take_1")) >= 2


def test_sessions_of_a_role_are_not_repeated(small: Path) -> None:
    faces = []
    for session in ("p01/train", "p01/test", "p01/remounted", "p02/train"):
        truth = recording(small, session).blendshapes
        assert truth is not None
        faces.append(truth.weights[150:350])
    for index, face in enumerate(faces):
        assert all(np.abs(face - other).max() > 0.1 for other in faces[:index])


def test_a_study_is_reproducible_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = make_study(tmp_path / "study", SMALL, quiet)
    assert first.new == len(first.sessions) == 8
    before = contents(tmp_path / "study")
    shutil.rmtree(tmp_path / "study/p01/test")
    (tmp_path / "study/p02/walking/metadata.yaml").unlink()  # half-written
    (tmp_path / "study/.making/p01/test").mkdir(parents=True)
    (tmp_path / "study/.making/p01/test/test.mcap").write_bytes(b"cut off")
    assert make_study(tmp_path / "study", SMALL, quiet).new == 2
    assert contents(tmp_path / "study") == before
    assert make_study(tmp_path / "study", SMALL, quiet).new == 0


def test_processes_make_the_same_study(tmp_path: Path) -> None:
    make_study(tmp_path / "one", SMALL, quiet, processes=1)
    make_study(tmp_path / "two", SMALL, quiet, processes=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("ears", ["faint", "arbitrary"])
def test_ears_can_be_of_another_kind(ears: str) -> None:
    plan = StudyPlan(1, 0.2, 0.2, ears=ears)
    assert plan.description()["ears"] == ears
    other, anatomical = (p.sessions()[0].record() for p in (plan, StudyPlan(1, 0.2, 0.2)))
    assert other.blendshapes is not None
    assert anatomical.blendshapes is not None
    assert other.left is not None
    assert anatomical.left is not None
    assert np.array_equal(other.blendshapes.weights, anatomical.blendshapes.weights)
    assert not np.array_equal(other.left.angular_velocity, anatomical.left.angular_velocity)


def test_captures_are_named_after_their_file() -> None:
    assert capture_name(Path("x/Take 1.csv")) == "Take_1"
    assert capture_name(Path("alex_rom_3.csv.gz")) == "alex_rom_3"


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(study)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_tells_what_it_made(tmp_path: Path) -> None:
    arguments = (tmp_path / "s", "--participants", 1, "--minutes", 0.2, "--test-minutes", 0.2)
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["simulated"] is True
    assert summary["people"] == ["p01"]
    assert summary["sessions"] == [f"p01/{role}" for role in ROLES]
    assert summary["new_sessions"] == 4
    again = run(*arguments)
    assert "4 sessions of 1 simulated participants, 4 of them were there" in " ".join(again.stdout.split())


def test_published_figures_are_printed_beside_simulated_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def rows(ears: str, people: int, seed: int, progress: Progress) -> list[PublishedRow]:
        asked.append((ears, people, seed))
        return [PublishedRow("smiles", "F1", 0.85, 0.8, "somebody")]

    monkeypatch.setattr(published, "published_rows", rows)
    # The paper's network takes minutes; that its row is built from what is measured shows with any model.
    monkeypatch.setattr(imu_twin_trans, "IMUTwinTrans", MedianFace)
    monkeypatch.setattr(commands, "MOST_TRAINED", 1)
    result = run("--published", "--ears", "faint", "--participants", 3, "--seed", 2)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "| smiles | F1 | 0.85 | 0.80 | somebody |" in lines
    assert [line.split("|")[3].strip() for line in lines[-3:]] == ["2.21", "3.40", "–"]
    assert asked == [("faint", 3, 2)]
    assert json.loads(run("--published", "--json").stdout)[0]["simulated"] == 0.8


def test_the_prompts_are_printed_for_a_laboratory() -> None:
    result = run("--prompts", "--minutes", 1)
    assert result.exit_code == 0
    assert result.stdout.startswith("  0:00.0  hold a neutral face")
    steps = json.loads(run("--prompts", "--minutes", 1, "--json").stdout)
    assert len(steps) == len(result.stdout.splitlines())
    assert {step["part"] for step in steps} == {"neutral", "prompted", "speech", "free"}


def test_the_prompts_are_shown_at_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("time.monotonic", lambda: now)
    result = run("--prompts", "--paced", "--minutes", 1)
    assert result.exit_code == 0, result.output
    shown = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    expected = []
    for prompt in script(0, 60.0):
        expected += [prompt.text, *(["relax"] if prompt.part == "prompted" else [])]
    assert shown == [*expected, "thank you"]
    assert now == pytest.approx(100.0 + script(0, 60.0)[-1].end)


def other_files(folder: Path) -> list[object]:
    (folder / "notes.txt").write_text("mine")
    return [folder]


def other_study(folder: Path) -> list[object]:
    make_study(folder / "study", StudyPlan(1, 0.2, 0.2, seed=1), quiet)
    return [folder / "study", "--participants", 1, "--minutes", 0.2, "--test-minutes", 0.2]


def damaged_study(folder: Path) -> list[object]:
    (folder / "study.yaml").write_text("simulated: [")
    return [folder]


def recorded_study(folder: Path) -> list[object]:
    (folder / "study.yaml").write_text("simulated: false\n")
    return [folder]


def broken_capture(folder: Path) -> list[object]:
    path = capture(folder)
    path.write_text(path.read_text()[:-300])
    return [folder / "study", "--captures", path]


def same_names(folder: Path) -> list[object]:
    (folder / "a").mkdir()
    return [folder / "study", "--captures", capture(folder), "--captures", capture(folder / "a", "take 1.csv")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda folder: [folder / "s", "--participants", 0], "participants is 0: expected 1 to 1000"),
        (lambda folder: [folder / "s", "--minutes", 0.1], "minutes is 0.1: expected 0.2 to 600"),
        (lambda folder: [folder / "s", "--minutes", "nan"], "minutes is nan: expected 0.2 to 600"),
        (lambda folder: [folder / "s", "--test-minutes", 1000], "test_minutes is 1000: expected 0.2 to 600"),
        (lambda folder: [folder / "s", "--long", -1], "long is -1: expected 0.2 to 600"),
        (lambda folder: [folder / "s", "--seed", -1], "seed is -1: expected 0 or more"),
        (
            lambda folder: [folder / "s", "--ears", "elven"],
            "ears is 'elven': expected anatomical",
        ),
        (lambda folder: [folder / "s", "--captures", folder / "no.csv"], "No such file or directory"),
        (lambda folder: [folder / "s", "--motion", folder / "no.csv"], "No such file or directory"),
        (lambda folder: [folder / "s", "--motion", capture(folder)], "expected lines of a quaternion"),
        (lambda folder: [capture(folder)], "is a file: name a folder"),
        (lambda folder: [Path("/dev/null/study")], "Not a directory"),
        (broken_capture, "the file is cut off"),
        (same_names, "two captures are named"),
        (other_files, "holds other files and no study.yaml"),
        (other_study, "holds a study with seed 1, not 0"),
        (damaged_study, "study.yaml is damaged"),
        (recorded_study, "is not of a simulated study"),
    ],
)
def test_a_mistake_gives_one_line(tmp_path: Path, arguments: Callable[[Path], list[object]], message: str) -> None:
    given = arguments(tmp_path)
    before = contents(tmp_path)
    result = run(*given)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1
    assert contents(tmp_path) == before


def test_a_folder_that_cannot_be_written_gives_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "study"))

    monkeypatch.setattr(Path, "mkdir", refuse)
    result = run(tmp_path / "study")
    assert result.exit_code == 1
    assert "Permission denied" in result.stderr
