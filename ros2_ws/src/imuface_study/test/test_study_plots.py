"""Pictures of a table that was made up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from face_recon_node.evaluation.affect import AffectFigures, Bin
from face_recon_node.evaluation.assessment import Assessment
from face_recon_node.evaluation.fidelity import ActionFidelity, Fidelity
from face_recon_node.evaluation.metrics import Figures
from face_recon_node.head import HeadModel
from imuface_study import plots
from imuface_study.harness import EXAMPLE_FRAMES, Outcome, Plan
from imuface_study.results import Key, Row
from imuface_study.settings import Participant, Study, choose_settings
from imuface_study.table import Table

KEYS = ("within", "across", "neutral", "30s", "1min", "2min", "30s-remounted")
MODELS = ("median", "ridge", "imu_twin_trans", "signature")
BINS = Bin(0.45, 0.46, 0.5, 30), Bin(0.85, 0.86, 0.7, 60)


def made_up(keys: Sequence[str] = KEYS, simulated: bool = True) -> Table:
    rng = np.random.default_rng(0)
    people = tuple(Participant(f"p{number:02d}", number, {}) for number in range(1, 5))
    rows = []
    for key in keys:
        for model in MODELS:
            for person in people:
                actions = {"jawOpen": ActionFidelity(*rng.uniform(0.0, 1.0, 2).tolist())}
                assessment = Assessment(
                    Figures(*rng.uniform(1.0, 2.0, 10).tolist()),
                    Fidelity(float(rng.uniform(0.0, 1.0)), 0.5, actions, 2.0),
                    AffectFigures(*rng.uniform(0.0, 1.0, 6).tolist()),
                    None,
                )
                name = Key(person.name, key, model, 0, "")
                rows.append(Row(name, assessment, BINS[: person.number], 1000, 0.1, 0.1, 500.0, 4.9, 900))
    plan = Plan(Study("made up", people, "faint" if simulated else None), choose_settings(keys), MODELS)
    return Table(plan, Outcome(rows))


def keep_examples(folder: Path, setting: str) -> None:
    weights = np.zeros((EXAMPLE_FRAMES, 52), np.float32)
    seconds = np.arange(EXAMPLE_FRAMES) / 30.0
    weights[:, 17] = 0.5 + 0.5 * np.sin(seconds)
    weights[:, 2] = 0.5 + 0.5 * np.sin(0.7 * seconds)
    (folder / "examples").mkdir(exist_ok=True)
    for model, share in (("signature", 0.8), ("ridge", 0.3)):
        np.savez_compressed(
            folder / "examples" / f"{setting}-{model}.npz",
            seconds=seconds,
            true_weights=weights,
            weights=share * weights,
            true_landmarks=HeadModel.load().landmarks(weights),
            landmarks=HeadModel.load().landmarks(share * weights),
        )


def test_all_pictures_are_drawn(tmp_path: Path) -> None:
    keep_examples(tmp_path, "within")
    names = plots.draw(made_up(), tmp_path)
    assert names == [
        "participants_within.png", "fidelity_within.png", "participants_across.png", "fidelity_across.png",
        "participants_neutral.png", "fidelity_neutral.png", "reliability.png", "minutes.png", "time_within.png",
        "faces_within.png",
    ]  # fmt: skip
    for name in names:
        assert (tmp_path / name).stat().st_size > 5000


@pytest.mark.parametrize("simulated", [True, False])
def test_every_picture_says_when_ears_are_simulated(tmp_path: Path, simulated: bool) -> None:
    keep_examples(tmp_path, "within")
    for _, figure in plots._figures(made_up(("within",), simulated), tmp_path):
        assert ("simulated ears" in figure.get_suptitle()) is simulated


def test_pictures_that_rows_do_not_allow_are_left_out(tmp_path: Path) -> None:
    assert plots.draw(made_up(("walking",)), tmp_path) == []


def test_a_damaged_example_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep_examples(tmp_path, "within")
    for name in ("within-signature.npz", "within-ridge.npz"):
        (tmp_path / "examples" / name).write_bytes(b"PK nothing")
    names = ["participants_within.png", "fidelity_within.png", "reliability.png"]
    assert plots.draw(made_up(("within",)), tmp_path) == names
    assert "within-signature.npz" in caplog.text


def test_the_reliability_counts_frames_alike() -> None:
    table = made_up(("within",))
    lines = {str(line.get_label()): line for line in plots._reliability(table).axes[0].get_lines()}
    np.testing.assert_allclose(np.asarray(lines["within"].get_xydata()), [[0.46, 0.5], [0.86, 0.7]])
