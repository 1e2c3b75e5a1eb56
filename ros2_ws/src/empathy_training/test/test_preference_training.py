"""The preference between sentences: read from ratings, learned, measured on talks held out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from empathy_agent.preference import Preference, shipped
from empathy_training.commands.empathy import empathy_app
from empathy_training.preference.data import EXAM, RATED
from empathy_training.preference.training import best, by, lot, measured, read, train
from typer.testing import CliRunner


def entry(**changes: Any) -> str:
    place = {"offered": [["That is hard."], ["You say {clause}.", "it rains"]], "ratings": "20"}
    return json.dumps({"talk": "a", "messages": ["My sister left.", "It rains."], "places": [place]} | changes)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rated.jsonl"
    path.write_text("\n".join([entry()] * 20))
    return path


def test_ratings_are_read(file: Path) -> None:
    first = read([file])[0]
    assert [sentence.text for sentence in first.sentences] == ["That is hard.", "You say it rains."]
    assert first.sentences[1].filled == (("{clause}", "it rains"),)
    assert first.ratings.tolist() == [2.0, 0.0]
    assert first.occasion.messages == ("My sister left.", "It rains.")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        entry(messages=[]),
        entry(places=[{"offered": [["a"]], "ratings": "3"}]),
        entry(places=[{"offered": [["a"]], "ratings": "12"}]),
        entry(places=[{"offered": [["{clause}"]], "ratings": "1"}]),
        entry(places=[{"offered": [[]], "ratings": "1"}]),
        entry(places=3),
    ],
)
def test_a_line_that_is_none_is_named(file: Path, line: str) -> None:
    file.write_text(entry() + "\n" + line)
    with pytest.raises(ValueError, match=r"rated\.jsonl:2 holds no rated sentences"):
        read([file])


def test_what_readers_like_is_learned(file: Path) -> None:
    places = read([file])
    preference = train(places, regularisation=1.0)
    assert measured(places, lot).rating == 1.0
    assert measured(places, lot).wrong == 0.5
    assert measured(places, by(preference)) == measured(places, best)
    assert measured(places, best).rating == 2.0


def test_the_shipped_one_chooses_better_than_lot_on_talks_that_it_has_not_seen() -> None:
    exam = read([EXAM])
    assert len(exam) > 500
    assert not {place.talk for place in exam} & {place.talk for place in read(RATED)}
    for language in ("zh", "en"):
        places = [place for place in exam if place.occasion.language == language]
        learned, chance = measured(places, by(shipped())), measured(places, lot)
        assert learned.rating > chance.rating + 0.15
        assert learned.wrong < chance.wrong - 0.08


def test_the_command_learns_from_a_file_of_ones_own(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "mine.npz"
    arguments = ["train-preference", "--rated", str(file), "--exam", str(file), "--output", str(output)]
    result = CliRunner().invoke(empathy_app, arguments)
    assert result.exit_code == 0, result.output
    assert "en  20 places  learned                    2.00  wrong 0%" in result.stdout
    assert np.isfinite(Preference.from_bytes(output.read_bytes()).weights).all()
    result = CliRunner().invoke(empathy_app, ["train-preference", "--rated", "/no/such.jsonl"])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
