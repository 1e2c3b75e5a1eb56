"""Published protocols on simulated people: every row, what cannot be, and the classifiers."""

from __future__ import annotations

import numpy as np
import pytest
from face_recon_node.evaluation.affect import AffectFigures
from face_recon_node.evaluation.assessment import Assessment
from face_recon_node.evaluation.fidelity import Fidelity
from face_recon_node.evaluation.metrics import Figures
from imuface_simulation import PEOPLE
from imuface_simulation.expressions import vector
from imuface_study import published
from imuface_study.published import ACTION_UNITS, imuface_rows, published_rows, to_table


def quiet(what: str, done: int, of: int) -> None:
    pass


def test_every_row_is_measured_and_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "_EPOCHS", 15)
    monkeypatch.setattr(published, "ACTION_UNITS", dict(list(ACTION_UNITS.items())[::5]))
    reports: list[tuple[str, int, int]] = []
    rows = published_rows(
        "anatomical", 2, 0, lambda *report: reports.append(report), sessions=2, repetitions=3, draws=3
    )
    assert reports == [(what, done, 2) for what in ("action units", "smiles and frowns") for done in (1, 2)]
    for row in rows:
        assert row.simulated is not None
        assert row.simulated >= 0.0
        if row.figure.startswith(("accuracy", "F1", "share")):
            assert row.simulated <= 1.0
    # With this little training, still better than guessing one of seven.
    accuracies = {row.figure: row.simulated or 0.0 for row in rows if row.figure.startswith("accuracy")}
    assert len(accuracies) == 4
    assert min(accuracies.values()) > 1.5 / 7.0
    first = published._PEOPLE + published._MOST_PEOPLE
    assert published._smiles("anatomical", range(first, first + 2), 3, quiet) == rows[-2:]


def test_faint_ears_move_less_and_other_seeds_are_other_people() -> None:
    shifts = {
        key: [row.simulated or 0.0 for row in published._canal(key[0], key[1] << 20, 20) if row.figure.endswith("mm")]
        for key in (("anatomical", 0), ("anatomical", 1), ("faint", 0))
    }
    assert len(shifts["faint", 0]) == 6
    assert all(faint < usual for faint, usual in zip(shifts["faint", 0], shifts["anatomical", 0], strict=True))
    assert shifts["anatomical", 0] != shifts["anatomical", 1]


def test_right_ears_are_measured_as_left_ones() -> None:
    shifts, turns = published._open_jaw("faint", 5, 150)
    assert shifts.shape == turns.shape == (150, 14, 3)
    # Left and right alternate among the first eight; over people, both go the same way.
    for motion in (shifts, turns):
        left, right = motion[:, 0:8:2].mean(axis=(0, 1)), motion[:, 1:8:2].mean(axis=(0, 1))
        np.testing.assert_allclose(left, right, atol=0.2 * np.abs(left).max())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ears": "elfin"}, "ears is 'elfin': expected anatomical or"),
        ({"people": 1}, "people is 1: expected 2 to 1000"),
        ({"people": 1001}, "people is 1001"),
        ({"seed": -1}, "seed is -1"),
        ({"sessions": 1}, "1 sessions of 10 repetitions"),
        ({"sessions": 2, "repetitions": 2}, "5 repetitions altogether"),
        ({"repetitions": 0}, "of 0 repetitions"),
        ({"draws": 0}, "0 draws"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        published_rows(**{"ears": "faint", "people": 2, "seed": 0, "progress": quiet, **arguments})  # type: ignore[arg-type]


def test_there_are_32_different_action_units_that_move_an_ear() -> None:
    assert len(ACTION_UNITS) == 32
    person = PEOPLE["anatomical"](7)
    for weights in ACTION_UNITS.values():
        face = vector(weights)[None]
        assert face.max() <= 1.0
        assert max(np.abs(ear.activation(face)).max() for ear in (person.left, person.right)) > 0.0
    courses = {name: tuple(vector(weights)) for name, weights in ACTION_UNITS.items() if name != "45 blink"}
    assert len(set(courses.values())) == 31


def test_the_table_shows_what_is_missing() -> None:
    figures = Figures(1.25, 0.0, 0.0, 0.0, 0.0, 0.0, 1.5, 0.0, 0.0, 0.0)
    affect = AffectFigures(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    lines = to_table(imuface_rows(Assessment(figures, Fidelity(0.0, 0.0, {}, 2.5), affect, None)))
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|") == 6
    assert "| 2.21 | 2.50 | Yao 2025, arXiv:2501.02177 |" in lines[2]
    assert "| 3.40 | 3.00 |" in lines[3]
    assert "| – | 1.25 |" in lines[4]


def windows_of(means: np.ndarray, each: int, seed: int) -> published._Windows:
    """Noise about ``means`` (classes, 12), with the classes' numbers as labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(means)), each)
    noise = rng.normal(0.0, 1.0, (len(labels), 5, 30, 2, 6))
    return published._Windows(means[labels].reshape(-1, 1, 1, 2, 6) + noise, labels.astype(np.str_))


@pytest.mark.parametrize("classifier", [published._Discriminant, published._Network])
def test_classifiers_tell_apart_what_differs_and_guess_the_rest(
    classifier: type[published._Discriminant | published._Network],
) -> None:
    means = np.random.default_rng(0).normal(0.0, 1.0, (4, 12))
    for factor, low, high in ((1.0, 0.98, 1.0), (0.0, 0.1, 0.4)):
        trained = classifier(windows_of(factor * means, 20, 1))
        tested = windows_of(factor * means, 40, 2)
        assert low <= published._accuracy(trained, tested) <= high


def test_a_repetition_is_trained_with_or_tested_never_both() -> None:
    windows = windows_of(np.zeros((3, 12)), 10, 0)
    training, tested = published._split(windows)
    assert [list(part.labels).count("1") for part in (training, tested)] == [8, 2]
    assert not {part.tobytes() for part in training.readings} & {part.tobytes() for part in tested.readings}


def test_f1_is_that_of_smile_and_frown_alone() -> None:
    truth = np.array(["smile", "smile", "frown", "frown", "other", "other"])
    found = np.array(["smile", "other", "frown", "frown", "other", "frown"])
    assert published._f1(truth, found) == pytest.approx(0.5 * (2 / 3 + 4 / 5))
    assert published._f1(truth, np.full(6, "other")) == 0.0
