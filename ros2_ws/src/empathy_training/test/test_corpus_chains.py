"""Layers for answers that have none, from a real server over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat_server import GOOD, events, serve  # type: ignore[import-not-found]
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_training.corpus.chains import write_chains
from empathy_training.corpus.examples import Example, read_examples, write_examples
from sample import make_example  # type: ignore[import-not-found]


def example(number: int = 1) -> Example:
    return make_example(
        id=f"en-{number}",
        post="My desk was moved to the corridor on Monday, and nobody says why.",
        answer="A desk in the corridor would sting anyone. Ask whoever signed the floor plan.",
    )


def test_layers_are_written_beside_the_answer_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "chains.jsonl"
    with serve(events(GOOD)) as server:
        written = write_chains([example()], OpenAIServer(server.url, "writer"), path)
        (request,) = server.requests
    assert written.written == 1
    (found,) = read_examples(path).examples
    assert found.L1 == "You feel tired."
    assert found.answer == example().answer
    assert found.chain_by.startswith("writer, prompt ")
    prompt = request["messages"][0]["content"]
    assert example().post in prompt
    assert example().answer in prompt


def test_unusable_layers_are_tried_again_then_counted(tmp_path: Path) -> None:
    cut, chinese = GOOD[: GOOD.index("<L3>")], GOOD.replace("You feel tired.", "你很累，真的很累。")
    with serve(events(cut), events(cut), events(chinese), events(GOOD)) as server:
        written = write_chains([example(1), example(2)], OpenAIServer(server.url, "writer"), tmp_path / "c.jsonl")
        assert len(server.requests) == 4
    assert written.written == 1
    assert written.refused == {"the model left out L3, L4": 1}
    assert [found.id for found in read_examples(tmp_path / "c.jsonl").examples] == ["en-2"]


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "chains.jsonl"
    with serve(events(GOOD)) as server:
        engine = OpenAIServer(server.url, "writer")
        write_chains([example(1)], engine, path)
        again = write_chains([example(1), example(2)], engine, path)
        assert len(server.requests) == 2
    assert (again.written, again.there) == (1, 1)
    assert len(read_examples(path).examples) == 2


def test_a_damaged_file_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "chains.jsonl"
    write_examples(path, [example()])
    path.write_text(path.read_text() + '{"id": ')
    with serve(events(GOOD)) as server, pytest.raises(ValueError, match=r"chains\.jsonl, line 2: Invalid JSON"):
        write_chains([example(2)], OpenAIServer(server.url, "writer"), path)
