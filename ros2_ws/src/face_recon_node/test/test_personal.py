"""Personal models from short sessions: what the card says of them, what is advised, and the command."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from face_recon_node.commands.adapt import adapt as adapt_command
from face_recon_node.data.segment import Segment, prepare
from face_recon_node.evaluation.assessment import Assessment, assess
from face_recon_node.head import HeadModel
from face_recon_node.models.catalogue import choose
from face_recon_node.models.constant import MedianFace
from face_recon_node.models.file import load
from face_recon_node.models.model import Person
from face_recon_node.models.signature.model import SignatureModel
from face_recon_node.training.personal import FOLLOWS, RECOMMENDED_MINUTES, Trial, adapt_model, advice, tried
from imuface_core.recording import ImuTrack, Recording
from imuface_core.session import write_session
from imuface_simulation import PEOPLE, Performance, simulate
from typer.testing import CliRunner

SEED, SECONDS = 3, 50.0


@cache
def recording(gain: float = 1.0, seconds: float = SECONDS) -> Recording:
    performance = Performance.study(SEED, 1, seconds)
    performance = replace(performance, frames=performance.frames * np.float32(gain))
    return simulate(performance, PEOPLE["anatomical"](SEED), seconds, seed=SEED, start_ns=1_700_000_000 * 10**9)


@cache
def segments() -> tuple[Segment, ...]:
    return tuple(prepare(recording()))


def person() -> Person:
    return Person(segments(), HeadModel.load().landmark_neutral)


def lost(track: ImuTrack | None, rows: slice) -> ImuTrack:
    assert track is not None
    kept = np.delete(np.arange(len(track.stamps)), rows)
    return ImuTrack(*(values[kept] for values in vars(track).values()))


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, whole = tmp_path_factory.mktemp("sessions"), recording()
    recordings = {
        "anna_1": whole,
        "anna_still": recording(0.02),
        "anna_left": replace(whole, left=lost(whole.left, slice(900, 1350))),
        "anna_right": replace(whole, right=lost(whole.right, slice(900, 1350))),
        "anna_short": recording(1.0, 15.0),
    }
    for name, made in recordings.items():
        write_session(folder / name, made)
    return {name: folder / name for name in recordings}


def quiet(what: str, done: int, of: int) -> None:
    pass


def test_a_personal_model_comes_with_a_card(
    untrained: SignatureModel, sessions: dict[str, Path], tmp_path: Path
) -> None:
    reports: list[str] = []
    absent, output = tmp_path / "anna_2", tmp_path / "new" / "anna.npz"
    progress: Callable[[str, int, int], None] = lambda what, done, of: reports.append(what)  # noqa: E731
    made = adapt_model(untrained, [sessions["anna_1"], absent], output, None, progress)
    found, card = load(output), json.loads(output.with_suffix(".card.json").read_text())
    assert isinstance(found, SignatureModel)
    assert found.card == made.card == card
    assert made.face is not None
    assert found.face is not None
    assert reports == ["sessions"] * 2 + ["trial without the last fifth of the data", "signatures of all of it"]
    assert card["personal"] is True
    assert card["simulated"] is False
    assert card["model"] == "signature"
    assert card["minutes"] == pytest.approx((SECONDS - 3.3) / 60.0, abs=0.02)
    assert card["sessions"] == ["anna_1"]
    assert "there is no session" in card["skipped_sessions"]["anna_2"]
    assert card["session_warnings"] == {}
    for name in ("figures", "resting_face"):
        assert Assessment.from_json(card[name]).figures.landmark_error_mm > 0.0
    assert Assessment.from_json(card["figures"]).coverage is not None
    # A network that has learned nothing does not follow, and three quarters of a minute are few.
    assert "follows hardly better" in card["advice"][0]
    assert "0.8 minutes are few" in card["advice"][1]
    # The trial left no trace: all of the data is in the model.
    again = untrained.fit([person()]).signatures
    np.testing.assert_allclose(found.signatures.response, again.response, atol=1e-4)


def test_the_figures_are_those_of_data_that_was_not_learned_from() -> None:
    trial, frames = tried(choose("ridge"), person()), sum(map(len, segments()))
    (segment,) = segments()
    cut = round(0.8 * frames)
    first = Person([segment[:cut]], person().neutral)
    for found, model in ((trial.model, choose("ridge")), (trial.resting, MedianFace())):
        assert found == assess(model.fit([first]), [segment[cut:]], person().neutral)
    assert trial.model != assess(choose("ridge").fit([person()]), [segment[cut:]], person().neutral)


def test_the_first_minutes_are_all_that_is_used(
    untrained: SignatureModel, sessions: dict[str, Path], tmp_path: Path
) -> None:
    made = adapt_model(untrained, [sessions["anna_1"]], tmp_path / "anna.npz", 0.6, quiet)
    assert made.card["minutes"] == 0.6
    for minutes in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"minutes is {minutes}, must be positive"):
            adapt_model(untrained, [sessions["anna_1"]], tmp_path / "none.npz", minutes, quiet)
    assert not (tmp_path / "none.npz").exists()


def measured(median_r: float, error: float) -> Assessment:
    whole = assess(MedianFace().fit([person()]), segments(), person().neutral)
    return replace(whole, fidelity=replace(whole.fidelity, median_r=median_r, expressive_error_mm=error))


def test_a_face_that_follows_needs_no_advice_and_one_that_does_not_is_told_why() -> None:
    head, minutes = HeadModel.load(), 1.0 + RECOMMENDED_MINUTES
    enough = list(segments()) * (1 + round(minutes * 60.0 / SECONDS))
    resting = measured(0.0, 3.0)
    assert Trial(measured(0.5, 2.0), resting).follows
    assert advice(Trial(measured(0.5, 2.0), resting), segments(), head) == []
    for better in (measured(FOLLOWS - 0.05, 2.0), measured(0.5, 3.1)):
        trial = Trial(better, resting)
        assert not trial.follows
        first, *rest = advice(trial, enough, head)
        assert f"correlation of the actions that move {better.fidelity.median_r:.2f}" in first
        assert "3.00 mm for a resting face" in first
        (only,) = rest
        assert "push both buds in" in only
    few = advice(trial, segments(), head)
    assert [line for line in few if "minutes are few" in line]
    assert not [line for line in few if "push both buds in" in line]


# The command --------------------------------------------------------------------------------------------------------


def invoked(*arguments: object) -> Any:
    app = typer.Typer()
    app.command()(adapt_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_prints_plain_lines_or_the_card(
    untrained_file: Path, sessions: dict[str, Path], tmp_path: Path
) -> None:
    output = tmp_path / "anna.npz"
    arguments = (sessions["anna_1"], "--base", untrained_file, "--output", output)
    result = invoked(*arguments)
    assert result.exit_code == 0, result.output
    card = json.loads(output.with_suffix(".card.json").read_text())
    figures, resting = card["figures"], card["resting_face"]
    lines = result.stdout.splitlines()
    assert lines[0].startswith("last fifth of the data, not learned from")
    error, at_rest = (each["figures"]["landmark_error_mm"] for each in (figures, resting))
    assert f"  landmarks: {error:.2f} mm ({at_rest:.2f} mm)" in lines
    correlation = f"{figures['fidelity']['median_r']:.2f} ({resting['fidelity']['median_r']:.2f})"
    assert f"  actions that move, median correlation: {correlation}" in lines
    assert [line.removeprefix("note: ") for line in lines if line.startswith("note: ")] == card["advice"]
    assert lines[-1] == f"{output}: personal model; card {tmp_path / 'anna.card.json'}"
    assert len(lines) == 7 + len(card["advice"])
    as_json = invoked(*arguments, "--json")
    assert as_json.exit_code == 0, as_json.output
    assert json.loads(as_json.stdout) == card


@pytest.mark.parametrize(
    ("session", "words"),
    [
        ("anna_still", "only 0 % of the frames show an expression: act the prompts out"),
        ("anna_left", "the left earbud is missing in"),
        ("anna_right", "the right earbud is missing in"),
    ],
)
def test_what_is_wrong_with_a_session_is_said(
    untrained_file: Path, sessions: dict[str, Path], tmp_path: Path, session: str, words: str
) -> None:
    result = invoked(sessions[session], "--base", untrained_file, "--output", tmp_path / "anna.npz")
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if words in line]
    assert line.startswith("note: ")
    for other in ("only 0 %", "left earbud", "right earbud"):
        assert (other in result.stdout) == (other in words)


@pytest.mark.parametrize(
    ("session", "arguments", "message"),
    [
        ("anna_1", ["--minutes", "100"], "the sessions hold less than 100 minutes of calibrated frames"),
        ("anna_1", ["--minutes", "-2"], "minutes is -2.0, must be positive"),
        ("anna_1", ["--base", "absent.npz"], "model file absent.npz does not exist"),
        ("anna_short", [], "20 are needed: record for longer"),
        ("absent_1", [], "none of the sessions can be used: there is no session at "),
    ],
)
def test_what_the_command_cannot_do_is_one_line(
    untrained_file: Path,
    sessions: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    session: str,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.CRITICAL)
    base = [] if "--base" in arguments else ["--base", untrained_file]
    result = invoked(sessions.get(session, tmp_path / session), *base, *arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert message in line
    assert not result.stdout
    assert not list(tmp_path.iterdir())
