"""The table of a study: who takes part, settings, resuming, reproducing, what is skipped."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from face_recon_node.data.segment import first_minutes, prepare
from face_recon_node.evaluation.affect import AffectFigures, Bin
from face_recon_node.evaluation.assessment import Assessment
from face_recon_node.evaluation.fidelity import ActionFidelity, Fidelity
from face_recon_node.evaluation.metrics import Coverage, Figures
from face_recon_node.head import HeadModel
from face_recon_node.models import file
from face_recon_node.models.constant import MedianFace
from face_recon_node.models.file import save
from face_recon_node.models.model import Person
from face_recon_node.models.ridge import RidgeRegression
from imuface_core.arkit import BLENDSHAPES
from imuface_core.recording import Recording
from imuface_core.session import write_session
from imuface_simulation import Participant as Simulated
from imuface_simulation import Performance, simulate
from imuface_study import harness, settings
from imuface_study.evaluate_command import evaluate
from imuface_study.results import Key, Results, Row, digest_of_files
from imuface_study.sessions import StudyPlan, make_study
from imuface_study.settings import PERFORMANCE, Participant, Study, choose_settings, read_study, single_study
from imuface_study.table import MEASURED, Table
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


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch, untrained_file: Path) -> None:
    for module in (file, harness):
        monkeypatch.setattr(module, "SHIPPED", untrained_file)


def plan(
    folder: Path, models: str = "median,ridge,signature", keys: str = "within,neutral,30s,one-ear"
) -> harness.Plan:
    return harness.Plan(read_study(folder), choose_settings(keys.split(",")), harness.choose_models(models.split(",")))


def recording(seed: int, minutes: float) -> Recording:
    seconds = 60.0 * minutes
    return simulate(Performance.natural(seed, seconds), Simulated.random(seed), seconds, seed=seed, start_ns=10**9)


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
        assert rows[row.key].assessment == row.assessment

    def refuse(*arguments: object) -> None:
        raise AssertionError("fitted once more")

    kept = tmp_path / "a" / "results.jsonl"
    kept.write_text(kept.read_text() + '{"participant": "p0')
    monkeypatch.setattr(RidgeRegression, "fit", refuse)
    resumed = harness.run(plan(study), tmp_path / "a", quiet)
    assert resumed.reused == 36
    assert resumed.rows == outcome.rows
    assert "1 damaged lines" in caplog.text

    table = Table(plan(study), outcome)
    within, neutral = table.line("within", "ridge"), table.line("neutral", "ridge")
    assert within is not None
    assert neutral is not None
    assert within.rows[0].minutes == pytest.approx(0.7, abs=0.05)
    assert neutral.rows[0].minutes == 0.0
    table.write(tmp_path / "c", ["faces.png"])
    text = (tmp_path / "c" / "table.md").read_text()
    assert text.count("simulated") >= 6
    assert "Study small, 3 participants, seed 0" in text
    assert "Simulated ears (anatomical): these figures say nothing about people." in text
    assert "| jawOpen r, remounted / same mounting | – |" in text
    assert "| ridge regression |" in text
    assert "![faces.png](faces.png)" in text
    content = json.loads((tmp_path / "c" / "results.json").read_text())
    assert (content["simulated"], content["ears"]) == (True, "anatomical")
    assert len(content["rows"]) == 36


def test_a_person_who_is_tested_is_not_trained_on(study: Path) -> None:
    everything = plan(study)
    for participant in everything.study.participants:
        others = everything.others(participant)
        assert len(others) == 2
        assert participant not in others


def test_changed_sessions_are_measured_again(study: Path) -> None:
    before = {key.digest for *_, key in plan(study).keys()}  # noqa: SIM118
    note = study / "p01" / "test" / "note.txt"
    note.write_text("x")
    digest_of_files.cache_clear()
    after = {key.digest for *_, key in plan(study).keys()}  # noqa: SIM118
    note.unlink()
    digest_of_files.cache_clear()
    assert len(before) == len(after) > len(before & after) > 0


def test_broken_sessions_are_skipped_with_the_reason(study: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(study, broken)
    for bag in (broken / "p02" / "train").glob("*.mcap"):
        bag.write_bytes(bag.read_bytes()[:30])
    shutil.rmtree(broken / "p03" / "test")
    (broken / "p03" / "remounted").mkdir()
    arguments = ["--table", str(broken), "--models", "median,ridge", "--out", str(tmp_path / "out")]
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
    result = RUNNER.invoke(app(), [*arguments, "--models", "median,ridge", "--out", str(tmp_path), "--json"])
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
        (["--table", "STUDY", "--model", "absent.npz"], "absent.npz"),
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
    (tmp_path / "study.yaml").write_text("simulated: true\nears: faint")
    assert read_study(tmp_path).ears == "faint"
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
    whole = recording(3, 0.9)
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
    whole = recording(3, 0.3)
    begin = int(prepare(whole)[0].stamps[0])
    for ear, side in (("left", 0), ("right", 1)):
        segments = prepare(settings.without_ear(whole, ear, begin))
        present = np.concatenate([segment.present for segment in segments])
        assert not present[30:, side].any()
        assert present[30:, 1 - side].all()
    odd, even = (Participant("x", number, {}) for number in (1, 2))
    assert (settings.lost_ear(odd), settings.lost_ear(even)) == ("left", "right")


def test_first_minutes_are_cut_across_segments() -> None:
    (segment,) = prepare(recording(3, 0.8))
    parts = [segment[:500], segment[600:1000], segment[1000:]]
    taken = first_minutes(parts, 0.45)
    assert list(map(len, taken)) == [500, 310]
    assert first_minutes(parts, 5.0) == []
    assert first_minutes(parts, None) == parts


def test_results_that_are_no_rows_are_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = tmp_path / "results.jsonl"
    kept.write_text('{"participant": 1}\n[]\nnull\n\x00\n')
    results = Results(kept)
    assert "4 damaged lines" in caplog.text
    assert results.get(Key("p01", "within", "ridge", 0, "x")) is None


def test_sessions_without_landmarks_are_measured_with_the_default_head(tmp_path: Path) -> None:
    for name, seed in (("train", 5), ("test", 6)):
        write_session(tmp_path / "s" / "p01" / name, recording(seed, 0.4))
    outcome = harness.run(plan(tmp_path / "s", "median", "within"), tmp_path / "out", quiet)
    (row,) = outcome.rows
    assert 0.1 < row.assessment.figures.landmark_error_mm < 10.0


def test_the_signature_model_knows_the_person_or_nobody(study: Path, tmp_path: Path, untrained_file: Path) -> None:
    rows = harness.run(plan(study, "signature", "within,neutral"), tmp_path, quiet).rows
    nobody = file.load(untrained_file).parameters
    for row in rows:
        assert (row.parameters > nobody) is (row.key.setting == "within")
        assert row.assessment.coverage is not None
        assert row.fit_seconds > 0.0
        assert sum(each.frames for each in row.reliability) == row.frames
    content = json.loads(json.dumps(Table(plan(study, "signature", "within,neutral"), harness.Outcome(rows)).to_json()))
    line, neutral = content["lines"]
    assert (line["setting"], neutral["setting"]) == ("within", "neutral")
    assert {"r", "gain"} == set(line["fidelity"]["actions"]["jawOpen"])
    assert {"median_r", "share_r70", "expressive_error_mm"} < set(line["fidelity"])
    assert {"valence_r", "arousal_r", "macro_f1", "ece"} < set(line["affect"])
    assert {"landmarks", "weights"} < set(line["coverage"])


def test_a_file_of_another_model_is_no_signature_model(study: Path, tmp_path: Path) -> None:
    segments = prepare(recording(3, 0.2))
    save(MedianFace().fit([Person(segments, HeadModel.load().landmark_neutral)]), tmp_path / "median.npz")
    arguments = ["--table", str(study), "--model", str(tmp_path / "median.npz"), "--out", str(tmp_path / "out")]
    result = RUNNER.invoke(app(), arguments)
    assert result.exit_code == 1
    assert "median.npz is of a median model" in " ".join(result.output.split())


def assessment(scale: float) -> Assessment:
    """Of a face that shows ``scale`` of everything, and is as honest as it is true."""
    actions = {name: ActionFidelity(scale, scale) for name in BLENDSHAPES}
    return Assessment(
        Figures(2.0 - scale, *[1.0] * 9),
        Fidelity(scale, scale, actions, 3.0),
        AffectFigures(scale, scale, scale, 1.0 - scale, scale, 1.0 - scale),
        Coverage(*[0.7 * scale] * 4),
    )


def made_up(ears: str | None, scales: dict[tuple[str, str], list[float]]) -> Table:
    """Rows of people p01, p02 and so on, by setting and model; a scale below 0 leaves a person out."""
    people = tuple(Participant(f"p{number:02d}", number, {}) for number in range(1, 4))
    rows = [
        Row(Key(person.name, *place, 0, ""), assessment(scale), (), 1000, 0.1, 0.1, 500.0, 4.9, 900)
        for place, values in scales.items()
        for person, scale in zip(people, values, strict=True)
        if scale >= 0.0
    ]
    settings = choose_settings(["within", "across"])
    return Table(harness.Plan(Study("made up", people, ears), settings, ("median", "signature")), harness.Outcome(rows))


def test_targets_of_a_faithful_face_are_reached() -> None:
    same = dict.fromkeys([(key, model) for key in ("within", "across") for model in ("median", "signature")], [1.0] * 3)
    targets = made_up("anatomical", same).targets()
    assert all(target.reached for target in targets), targets
    half = made_up("anatomical", same | {("across", "signature"): [0.5] * 3})
    missed = {target.what for target in half.targets() if not target.reached}
    assert "jawOpen r, remounted / same mounting" in missed
    assert "mm / that of the median face, across" in missed
    assert all("remounted" in what or "across" in what for what in missed)


def test_targets_are_lower_for_faint_ears_and_open_without_rows() -> None:
    lines = {("within", "signature"): [0.7] * 3}
    reached = {target.what: target.reached for target in made_up("faint", lines).targets()}
    assert (reached["median r"], reached["smile r"], reached["jawOpen r"]) == (True, True, False)
    assert reached["ECE"] is reached["overconfident neutral"] is reached["landmarks 1 σ"] is False
    assert reached["jawOpen r, remounted / same mounting"] is reached["mm / that of the median face, within"] is None
    assert {target.what: target.reached for target in made_up(None, lines).targets()}["smile r"] is False
    assert all(target.reached is None for target in made_up("faint", {}).targets())


def test_ratios_compare_the_same_people() -> None:
    table = made_up(None, {("within", "signature"): [0.4, 0.8, -1.0], ("across", "signature"): [-1.0, 0.4, 0.1]})
    value = MEASURED["median r"][0]
    assert table.ratio(value, ("across", "signature"), ("within", "signature")) == pytest.approx(0.5)
    assert table.ratio(value, ("across", "signature"), ("within", "median")) is None


@pytest.mark.parametrize(
    ("ears", "said"),
    [("faint", "Simulated ears (faint): these figures say nothing about people."), (None, "Recorded sessions.")],
)
def test_the_header_names_the_ears(ears: str | None, said: str) -> None:
    assert made_up(ears, {}).header().startswith(said)


def test_rows_come_back_from_their_json() -> None:
    for coverage in (Coverage(0.1, 0.2, 0.3, 0.4), None):
        known = replace(assessment(0.5), coverage=coverage)
        row = Row(Key("p", "within", "ridge", 0, "x"), known, (Bin(0.5, 0.4, 0.3, 9),), 10, 0.1, 0.2, 3.0, 1.0, 9)
        assert Row.from_json(json.loads(json.dumps(row.to_json()))) == row
