"""The table of a study: who takes part, settings, resuming, reproducing, what is skipped."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import typer
from face_recon_node.commands.evaluate import evaluate
from face_recon_node.head import HeadModel
from face_recon_node.network import FaceNetwork
from face_recon_node.rivals.constant import ConstantFace
from face_recon_node.rivals.person import Person
from face_recon_node.rivals.ridge import RidgeRegression
from face_recon_node.study import harness, settings
from face_recon_node.study.results import Key, Results, digest_of_files
from face_recon_node.study.sessions import StudyPlan, make_study
from face_recon_node.study.settings import PERFORMANCE, Participant, choose_settings, read_study, single_study
from face_recon_node.study.table import Table
from face_recon_node.training.personal import AdaptConfig
from face_recon_node.training.population import SimulatedSession
from face_recon_node.training.stretch import Stretch, prepare
from imuface_driver.session import write_session
from typer.testing import CliRunner

RUNNER = CliRunner()


def app() -> typer.Typer:
    application = typer.Typer()
    application.command()(evaluate)
    return application


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "small"
    make_study(folder, StudyPlan(participants=3, minutes=0.75, test_minutes=0.3), lambda what, done, of: None)
    for participant in ("p01", "p02", "p03"):
        shutil.rmtree(folder / participant / "walking")
        shutil.rmtree(folder / participant / "remounted")
    return folder


class StandIn(ConstantFace):
    """In the place of our model."""

    def __init__(self, model_file: Path | None) -> None:
        self._face = np.zeros(205)


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("face_recon_node.study.ours")
    module.__dict__["Ours"] = StandIn
    monkeypatch.setitem(sys.modules, module.__name__, module)


def plan(folder: Path, models: str = "constant,ridge,ours", keys: str = "within,neutral,30s,one-ear") -> harness.Plan:
    return harness.Plan(read_study(folder), choose_settings(keys.split(",")), harness.choose_models(models.split(",")))


def quiet(what: str, done: int, of: int) -> None:
    pass


def test_the_table_is_whole_resumes_and_repeats_single_rows(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reports: list[tuple[int, int]] = []
    outcome = harness.run(plan(study), tmp_path / "a", lambda what, done, of: reports.append((done, of)))
    assert len(outcome.rows) == 3 * 3 * 4
    assert not outcome.skipped
    assert reports[-1] == (36, 36)

    again = harness.run(plan(study, "ridge", "30s"), tmp_path / "b", quiet)
    rows = {row.key: row for row in outcome.rows}
    assert len(again.rows) == 3
    for row in again.rows:
        assert rows[row.key].figures == row.figures

    def refuse(*arguments: object) -> None:
        raise AssertionError("fitted once more")

    file = tmp_path / "a" / "results.jsonl"
    file.write_text(file.read_text() + '{"participant": "p0')
    monkeypatch.setattr(RidgeRegression, "fit", refuse)
    resumed = harness.run(plan(study), tmp_path / "a", quiet)
    assert resumed.reused == 36
    assert resumed.rows == outcome.rows
    assert "1 damaged lines" in caplog.text

    monkeypatch.undo()
    table = Table(plan(study), outcome)
    assert table.gain("within", "constant", "constant") == 0.0
    within, neutral = table.line("within", "ridge"), table.line("neutral", "ridge")
    assert within is not None
    assert neutral is not None
    assert within.rows[0].minutes == pytest.approx(0.7, abs=0.05)
    assert neutral.rows[0].minutes == 0.0
    table.write(tmp_path / "c", ["faces.png"])
    text = (tmp_path / "c" / "table.md").read_text()
    assert text.count("simulated") >= 6
    assert "Study small, 3 participants, seed 0" in text
    assert "| below ridge regression, all training minutes |" in text
    assert "![faces.png](faces.png)" in text
    content = json.loads((tmp_path / "c" / "results.json").read_text())
    assert content["simulated"] is True
    assert len(content["rows"]) == 36


def test_a_person_who_is_tested_is_not_trained_on(study: Path) -> None:
    everything = plan(study)
    for participant in everything.study.participants:
        others = everything.others(participant)
        assert len(others) == 2
        assert participant not in others


def test_changed_sessions_are_measured_again(study: Path) -> None:
    before = {key.digest for *_, key in plan(study).keys()}  # noqa: SIM118
    file = study / "p01" / "test" / "note.txt"
    file.write_text("x")
    digest_of_files.cache_clear()
    after = {key.digest for *_, key in plan(study).keys()}  # noqa: SIM118
    file.unlink()
    digest_of_files.cache_clear()
    assert len(before) == len(after) > len(before & after) > 0


def test_broken_sessions_are_skipped_with_the_reason(study: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(study, broken)
    for file in (broken / "p02" / "train").glob("*.mcap"):
        file.write_bytes(file.read_bytes()[:3000])
    shutil.rmtree(broken / "p03" / "test")
    (broken / "p03" / "remounted").mkdir()
    arguments = ["--table", str(broken), "--models", "constant,ridge", "--out", str(tmp_path / "out")]
    result = RUNNER.invoke(app(), [*arguments, "--settings", "within,neutral,across", "--json"])
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    measured = {(row["participant"], row["setting"]) for row in content["rows"]}
    assert measured == {("p01", "within"), ("p01", "neutral"), ("p02", "neutral")}
    reasons = "; ".join(content["skipped"].values())
    assert "damaged or incomplete" in reasons
    assert "metadata.yaml" in reasons
    assert "## Skipped" in (tmp_path / "out" / "table.md").read_text()


def test_sessions_of_one_person_wherever_they_lie(study: Path, tmp_path: Path) -> None:
    arguments = ["--table", "--train", str(study / "p01" / "train"), "--test", str(study / "p01" / "test")]
    result = RUNNER.invoke(app(), [*arguments, "--models", "constant,ridge", "--out", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content["simulated"] is False
    assert {line["setting"] for line in content["lines"]} == {"within", "30s", "one-ear"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table"], "--table takes the folder of one study"),
        (["--table", "absent"], "there is no study at absent"),
        (["--table", "STUDY", "--models", "magic"], "there is no model 'magic'"),
        (["--table", "STUDY", "--settings", "asleep"], "there is no setting 'asleep'"),
        (["--table", "STUDY", "--participants", "9"], "3 participants, not 9"),
        (["--table", "STUDY", "--train", "a"], "both --train and --test"),
        (["--table", "--train", "a"], "both --train and --test"),
        (["--table", "--train", "no", "--test", "no", "--settings", "within"], "there is no session at no"),
        (["--table", "STUDY", "--settings", "60min"], "no row could be measured"),
        (["--table", "STUDY", "--model", "absent.pt"], "absent.pt"),
    ],
)
def test_bad_arguments_end_with_one_line(study: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    named = [str(study) if argument == "STUDY" else argument for argument in arguments]
    result = RUNNER.invoke(app(), [*named, "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert message in " ".join(result.output.split())


def test_folders_that_are_no_study_are_refused(tmp_path: Path) -> None:
    (tmp_path / "p01" / "train").mkdir(parents=True)
    with pytest.raises(ValueError, match="no participant with a session called test"):
        read_study(tmp_path)
    (tmp_path / "p01" / "test").mkdir()
    assert read_study(tmp_path).simulated is False
    (tmp_path / "study.yaml").write_text("simulated: [")
    with pytest.raises(ValueError, match="damaged"):
        read_study(tmp_path)
    (tmp_path / "study.yaml").write_text("simulated: perhaps")
    with pytest.raises(ValueError, match="should say"):
        read_study(tmp_path)


def test_captures_are_tested_on_and_adapted_to_one() -> None:
    roles = {name: (Path(name),) for name in ("train", "test", f"{PERFORMANCE}b", f"{PERFORMANCE}a")}
    person = Participant("anna", 1, roles)
    plain, adapted = choose_settings(["performance", "performance-adapted"])
    assert [path.name for path in person.tests(plain)] == ["performance_a", "performance_b"]
    assert [path.name for path in person.training(adapted)] == ["performance_a"]
    assert [path.name for path in person.tests(adapted)] == ["performance_b"]
    assert not single_study([Path("a")], [Path("b")]).participants[0].takes_part(adapted)
    one = Participant("otto", 2, {name: paths for name, paths in roles.items() if not name.endswith("b")})
    assert one.takes_part(plain)
    assert not one.takes_part(adapted)


def test_without_a_calibration_the_baseline_is_the_mean_of_half_a_minute() -> None:
    whole = SimulatedSession(3, 0.9, "still", lose_ear=False).record()
    (calibrated,) = prepare(whole)
    (uncalibrated,) = prepare(settings.without_calibration(whole))
    assert whole.left is not None
    assert uncalibrated.stamps[0] >= whole.left.stamps[0] + 30e9
    rows = np.searchsorted(calibrated.stamps, uncalibrated.stamps[0]) + np.arange(5)
    early = calibrated.stamps < whole.left.stamps[0] + 30e9
    mean = calibrated.readings[early].mean(axis=0)
    # Another baseline, and another upright by the little that gravity moved.
    np.testing.assert_allclose(uncalibrated.readings[:5, :3], calibrated.readings[rows, :3] - 0.9 * mean[:3], atol=0.06)


def test_an_earbud_lost_after_the_calibration_is_absent() -> None:
    whole = SimulatedSession(3, 0.3, "still", lose_ear=False).record()
    begin = int(prepare(whole)[0].stamps[0])
    for ear, side in (("left", 0), ("right", 1)):
        stretches = prepare(settings.without_ear(whole, ear, begin))
        present = np.concatenate([stretch.present for stretch in stretches])
        assert not present[30:, side].any()
        assert present[30:, 1 - side].all()
    odd, even = (Participant("x", number, {}) for number in (1, 2))
    assert (settings.lost_ear(odd), settings.lost_ear(even)) == ("left", "right")


def test_first_minutes_are_cut_across_stretches() -> None:
    (stretch,) = prepare(SimulatedSession(3, 0.8, "still", lose_ear=False).record())
    parts = [stretch[:500], stretch[600:1000], stretch[1000:]]
    taken = settings.first_minutes(parts, 0.45)
    assert list(map(len, taken)) == [500, 310]
    assert settings.first_minutes(parts, 5.0) == []
    assert settings.first_minutes(parts, None) == parts


def test_results_that_are_no_rows_are_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text('{"participant": 1}\n[]\nnull\n\x00\n')
    results = Results(file)
    assert "4 damaged lines" in caplog.text
    assert results.get(Key("p01", "within", "ridge", 0, "x")) is None


def test_sessions_without_landmarks_are_measured_with_the_default_head(tmp_path: Path) -> None:
    for name, seed in (("train", 5), ("test", 6)):
        write_session(tmp_path / "s" / "p01" / name, SimulatedSession(seed, 0.4, "still", lose_ear=False).record())
    outcome = harness.run(plan(tmp_path / "s", "constant", "within"), tmp_path / "out", quiet)
    (row,) = outcome.rows
    assert 0.1 < row.figures.landmark_error_mm < 10.0


def test_our_model_is_the_network_until_it_knows_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    from face_recon_node.study import ours

    (stretch,) = prepare(SimulatedSession(3, 0.2, "still", lose_ear=False).record())
    neutral = (1.1 * HeadModel.load().landmark_neutral).astype(np.float32)
    model = ours.Ours(None)
    estimate = model.predict(stretch, neutral)
    assert estimate.landmarks.shape == (len(stretch), 51, 3)
    assert np.abs(estimate.landmarks - neutral).max() < 0.06
    assert estimate.landmarks_std is not None
    assert sum(1 for _ in model.frames(stretch[:5])) == 5
    seeds = []

    def adapt(base: FaceNetwork, stretches: object, *, config: AdaptConfig) -> FaceNetwork:
        seeds.append(config.seed)
        return base

    monkeypatch.setattr(ours, "adapt", adapt)
    model.fit([Person([stretch], neutral)], seed=7)
    assert seeds == [7]


def test_our_model_states_its_coverage(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Certain(StandIn):
        def predict(self, stretch: Stretch, neutral: np.ndarray):  # type: ignore[no-untyped-def]
            estimate = super().predict(stretch, neutral)
            n = len(stretch)
            return replace(
                estimate,
                landmarks_std=np.full((n, 51), 1.0, np.float32),
                weights_std=np.full((n, 52), 1e-9, np.float32),
            )

    sys.modules["face_recon_node.study.ours"].__dict__["Ours"] = Certain
    outcome = harness.run(plan(study, "ours,constant", "within"), tmp_path, quiet)
    table = Table(plan(study, "ours,constant", "within"), outcome)
    reached = {target.what: target.reached for target in table.targets()}
    assert reached["truth within 1 σ, landmarks"] is False
    line = table.line("within", "ours")
    assert line is not None
    assert line.coverage("landmarks") == 1.0
