"""Pairwise judging over real HTTP: both orders, ties, resuming, a judge that says nothing useful."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chat_server import ChatServer, events, serve  # type: ignore[import-not-found]
from empathy_agent.engines import Engine
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_training.corpus.examples import Example
from empathy_training.evaluation.judge import judge_pairs, points, preferences
from sample import make_example  # type: ignore[import-not-found]

ANSWERS = {"warm": ["A desk in the corridor would sting anyone."], "cool": ["Take it up with {first} HR."]}


def example() -> Example:
    return make_example(post="My desk was moved to the corridor. {second}", answer="That hurts.")


def opener(server: ChatServer) -> Callable[[], Engine]:
    return lambda: OpenAIServer(server.url, "judge")


def test_a_preference_that_survives_the_swap_counts(tmp_path: Path) -> None:
    with serve(events("A"), events("The better one is B.")) as server:
        found = judge_pairs([example()], ANSWERS, opener(server), "j", tmp_path / "j.jsonl")
        first, second = (request["messages"][0]["content"] for request in server.requests)
    assert first.index(ANSWERS["warm"][0]) < first.index(ANSWERS["cool"][0])
    assert second.index(ANSWERS["cool"][0]) < second.index(ANSWERS["warm"][0])
    assert example().post in first, "what looks like a place in a text is left as it is"
    assert preferences(found) == {"cool": {"warm": [0.0]}, "warm": {"cool": [1.0]}}
    assert points(found) == [{"cool": 0.0, "warm": 1.0}]


@pytest.mark.parametrize("said", ["A", "A or B, who knows", "Apples", ""])
def test_a_judge_that_likes_the_first_or_names_none_gives_a_tie(said: str, tmp_path: Path) -> None:
    with serve(events(said)) as server:
        found = judge_pairs([example()], ANSWERS, opener(server), "j", tmp_path / "j.jsonl")
    assert preferences(found) == {"cool": {"warm": [0.5]}, "warm": {"cool": [0.5]}}


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with serve(events("A"), events("B")) as server:
        judge_pairs([example()], ANSWERS, opener(server), "j", path)
        path.write_text(path.read_text().splitlines()[0] + "\n")
        judge_pairs([example()], ANSWERS, opener(server), "j", path)
        assert len(server.requests) == 3
        judge_pairs([example()], ANSWERS, opener(server), "j", path)
        assert len(server.requests) == 3
        judge_pairs([example()], ANSWERS, opener(server), "another judge", path)
        assert len(server.requests) == 5


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "j.jsonl").write_text('{"judge": "j"}\n')
    with serve(events("A")) as server, pytest.raises(ValueError, match=r"j\.jsonl, line 1: .*; delete the line"):
        judge_pairs([example()], ANSWERS, opener(server), "j", tmp_path / "j.jsonl")
