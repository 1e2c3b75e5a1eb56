"""Generating replies: from a real server, from a real tiny model and its adapter, and the whole command."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from chat_server import GOOD, GOOD_ZH, events, serve  # type: ignore[import-not-found]
from empathy_agent.engines import Cancelled, Decoding, EngineError
from empathy_agent.prompt import Message
from empathy_training.commands.empathy import empathy_app
from empathy_training.corpus.examples import Example, write_examples
from empathy_training.evaluation.replies import answerable, generate, read_replies
from empathy_training.evaluation.systems import System, parse_systems
from hypothesis import given
from hypothesis import strategies as st
from sample import make_example  # type: ignore[import-not-found]
from typer.testing import CliRunner


def example(number: int, language: str = "en", post: str = "") -> Example:
    posts = {"en": f"My desk was moved to the corridor on day {number}.", "zh": f"我的桌子第{number}天被搬到走廊里了。"}
    answers = {"en": "A desk in the corridor would sting anyone.", "zh": "换到走廊里坐，谁都会难受。"}
    return make_example(
        id=f"{language}-{number}", locale=language, post=post or posts[language], answer=answers[language]
    )


def test_replies_are_kept_and_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    path, examples = tmp_path / "replies.jsonl", [example(1), example(2)]
    with serve(events(GOOD), (500, b"overloaded"), events("no format at all")) as server:
        (system,) = parse_systems([f"ours={server.url}#m"])
        with pytest.raises(EngineError, match="HTTP 500"):
            generate(examples, system.label, system.spec, system.open, path)
        first, second = generate(examples, system.label, system.spec, system.open, path)
        assert len(server.requests) == 3
        assert server.requests[0]["seed"] == 0
        again = generate(examples, system.label, system.spec, system.open, path)
        assert len(server.requests) == 3
    assert again == [first, second] == read_replies(path)
    assert (first.valid, first.answer) == (True, "It sounds hard. No wonder you are tired.")
    assert (second.valid, second.answer, second.text) == (False, "", "no format at all")


def test_a_crisis_is_not_given_to_a_model() -> None:
    examples = [example(1), example(2, post="I am going to kill myself tonight.")]
    assert answerable(examples) == examples[:1]


def test_a_damaged_file_of_replies_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text("{}\n")
    with pytest.raises(ValueError, match=r"r\.jsonl, line 1: Field required; delete the line"):
        read_replies(tmp_path / "r.jsonl")


@given(st.binary(max_size=60))
def test_any_bytes_give_replies_or_a_value_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    try:
        read_replies(path)
    except ValueError as error:
        message = str(error)
    else:
        return
    assert "any.jsonl, line" in message


def test_systems() -> None:
    assert parse_systems(["a=b", "c", "http://h/v1?x=1#m", "l=http://h?x=1#m"]) == [
        System("a", "b"),
        System("c", "c"),
        System("http://h/v1?x=1#m", "http://h/v1?x=1#m"),
        System("l", "http://h?x=1#m"),
    ]
    for texts, message in ((["a=b", "a=c"], "stands twice"), (["=b"], "is not LABEL=SPEC"), (["counsellor=b"], "own")):
        with pytest.raises(ValueError, match=message):
            parse_systems(texts)
    with pytest.raises(OSError, match="unknown model 'nope'"):
        System("nope", "nope").open()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with an untrained model."""
    pytest.importorskip("torch", reason="needs requirements-empathy.txt")
    from empathy_agent.engines.base_model import save_tiny_base

    folder = tmp_path_factory.mktemp("tiny") / "tiny"
    save_tiny_base(folder, ["a few words", "几个字"])
    return folder


def test_a_folder_is_run_by_transformers(tiny: Path) -> None:
    engine = System("t", str(tiny)).open()
    prompt = [Message(role="user", content="My desk was moved.")]
    decoding = Decoding(max_tokens=20, temperature=1.0, seed=3, whole=False)
    said = "".join(engine.stream(prompt, decoding, threading.Event()))
    assert said == "".join(engine.stream(prompt, decoding, threading.Event())) != ""
    assert engine.worked_examples
    cancelled = threading.Event()
    stream = engine.stream(prompt, Decoding(max_tokens=3000, temperature=1.0, seed=3), cancelled)
    next(stream)
    start = time.monotonic()
    cancelled.set()
    with pytest.raises(Cancelled):
        list(stream)
    assert time.monotonic() - start < 2.0
    with pytest.raises(EngineError, match="does not fit the 4096 tokens"):
        list(engine.stream([Message(role="user", content="word " * 5000)], decoding, threading.Event()))
    engine.close()


def test_a_folder_that_does_not_load_is_named(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{")
    with pytest.raises(EngineError, match="does not load"):
        System("t", str(tmp_path)).open()


def test_the_whole_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="needs requirements-empathy.txt")
    monkeypatch.chdir(tmp_path)
    examples = [example(1), example(2, "zh"), example(3, post="I am going to kill myself tonight.")]
    write_examples(tmp_path / "posts.jsonl", examples)
    # Posts in turn for each system, then the judge: for each post the pairs in both orders.
    said = [GOOD, GOOD_ZH, GOOD.replace("hard", "very hard"), "", *["A", "B"] * 2]
    with serve(*map(events, said)) as server:
        command = ["evaluate", "posts.jsonl", "--output", "out", "--judge", f"{server.url}#judge"]
        for label in ("one", "two"):
            command += ["--system", f"{label}={server.url}#{label}"]
        done = CliRunner().invoke(empathy_app, command)
    assert done.exit_code == 0, done.stderr
    assert "left out 1 posts of people in acute danger" in done.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    both = results["tables"]["all"]
    assert set(results["tables"]) == {"all", "zh", "en"}
    assert both["one"]["format"]["value"] == 1.0
    assert both["two"]["format"]["value"] == 0.5
    assert both["two"]["language"]["value"] == 0.5
    assert results["tables"]["zh"]["one"]["bertscore"]["value"] is None
    assert 0.0 < results["tables"]["en"]["one"]["bertscore"]["value"] < 1.0
    assert results["preferred"]["one"]["two"]["value"] == 1.0
    assert results["standings"]["one"]["mean_rank"]["value"] == 1.0
    table = (tmp_path / "out" / "results.md").read_text()
    assert "| | one | two | counsellor |" in table
    assert "| Distinct-2 |" in table
    for picture in ("metrics.png", "win_at_k.png"):
        assert (tmp_path / "out" / picture).stat().st_size > 1000
        assert f"![{picture}]({picture})" in table
