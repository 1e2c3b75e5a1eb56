"""The embedded engine with a small real model."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from empathy_agent.chain import Layer
from empathy_agent.engines import Cancelled, Decoding, EngineError
from empathy_agent.engines.factory import open_engine
from empathy_agent.engines.llama_cpp import LlamaCpp
from empathy_agent.grammar import chain_grammar
from empathy_agent.language import is_in_language
from empathy_agent.models import TEST_MODEL, ModelError, Store
from empathy_agent.parser import ChainParser
from empathy_agent.prompt import Message

PROMPT = [Message(role="user", content="Tell me about the sea.")]


@pytest.fixture(scope="module")
def engine(small_model: Path) -> Iterator[LlamaCpp]:
    engine = LlamaCpp(small_model, TEST_MODEL, context=2048, prompt_format="chatml", scaffold=True)
    yield engine
    engine.close()


def generate(engine: LlamaCpp, decoding: Decoding) -> str:
    return "".join(engine.stream(PROMPT, decoding, threading.Event()))


def test_streams_in_pieces(engine: LlamaCpp) -> None:
    pieces = list(engine.stream(PROMPT, Decoding(max_tokens=12), threading.Event()))
    assert len(pieces) > 5
    assert any(letter.isalpha() for letter in "".join(pieces))


def test_stop_strings_and_grammar(engine: LlamaCpp) -> None:
    assert generate(engine, Decoding(grammar='root ::= "one two three"')) == "one two three"
    assert generate(engine, Decoding(grammar='root ::= "one two three"', stop=(" three",))) == "one two"


@pytest.mark.parametrize("scaffold", [True, False], ids=["scaffold", "free"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_grammar_holds_any_model_to_the_format_and_the_language(
    engine: LlamaCpp, language: str, scaffold: bool
) -> None:
    # Shorter sentences than the shipped grammar allows: this model writes nonsense without end.
    grammar = chain_grammar(language, scaffold, "post").replace("{8,260}", "{8,20}").replace("{3,90}", "{3,6}")
    parser = ChainParser()
    parser.feed(generate(engine, Decoding(grammar=grammar, temperature=1.0, seed=1)))
    _, chain = parser.finish()
    assert chain.valid
    assert all(is_in_language(chain[layer], language) for layer in Layer)


def test_a_broken_grammar_is_an_error(engine: LlamaCpp) -> None:
    with pytest.raises(EngineError, match="HTTP 400"):
        generate(engine, Decoding(grammar="root ::= undefined-rule"))


def test_a_prompt_beyond_the_context_is_an_error(engine: LlamaCpp) -> None:
    prompt = [Message(role="user", content="sea " * 4000)]
    with pytest.raises(EngineError, match="context"):
        list(engine.stream(prompt, Decoding(), threading.Event()))


def test_cancel_within_a_second(engine: LlamaCpp) -> None:
    cancelled = threading.Event()
    stream = engine.stream(PROMPT, Decoding(max_tokens=1000, grammar="root ::= [a-z ]{1500}"), cancelled)
    next(iter(stream))
    cancelled.set()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        list(stream)
    assert time.monotonic() - started < 1.0


def test_the_model_yields_the_cores(engine: LlamaCpp) -> None:
    assert psutil.Process(engine.pid).nice() == os.nice(0) + 15
    for task in Path(f"/proc/{engine.pid}/task").iterdir():
        assert os.sched_getscheduler(int(task.name)) == os.SCHED_BATCH


def test_only_the_holder_of_the_key_is_served(engine: LlamaCpp) -> None:
    connections = [c for c in psutil.Process(engine.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert [connection.laddr.ip for connection in connections] == ["127.0.0.1"]
    from empathy_agent.engines.openai_server import OpenAIServer

    stranger = OpenAIServer(f"http://127.0.0.1:{connections[0].laddr.port}", "m")
    with pytest.raises(EngineError, match="HTTP 401"):
        list(stranger.stream(PROMPT, Decoding(), threading.Event()))


def test_a_model_process_that_dies_is_an_error_and_close_ends_it(small_model: Path) -> None:
    engine = LlamaCpp(small_model, TEST_MODEL, context=2048, prompt_format="chatml")
    stream = engine.stream(PROMPT, Decoding(grammar="root ::= [a-z ]{1500}"), threading.Event())
    next(iter(stream))
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match=r"127\.0\.0\.1"):
        list(stream)
    os.waitid(os.P_PID, engine.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(EngineError, match="ended with status -9"):
        engine.stream(PROMPT, Decoding(), threading.Event())
    engine.close()
    engine.close()
    assert not psutil.pid_exists(engine.pid)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"not a model" * 1000], ids=["empty", "cut off", "text"])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.gguf"
    file.write_bytes(content)
    with pytest.raises(EngineError, match=r"bad\.gguf does not load in llama\.cpp"):
        LlamaCpp(file, "bad")


def test_the_factory_names_what_is_wrong(tmp_path: Path) -> None:
    store = Store(folder=tmp_path)
    with pytest.raises(ModelError, match="imuface models get"):
        open_engine(store=store)
    with pytest.raises(ModelError, match="unknown model"):
        open_engine("nope", store=store)
    with pytest.raises(ValueError, match="needs the parameter model"):
        open_engine(server_url="http://127.0.0.1:1")
    with pytest.raises(ValueError, match="threads -1"):
        open_engine(threads=-1)
