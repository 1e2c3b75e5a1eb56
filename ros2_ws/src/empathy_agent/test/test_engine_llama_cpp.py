"""The embedded engine with a small real model."""

from __future__ import annotations

import math
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from empathy_agent.engines import Cancelled, CutOff, Decoding, EngineError
from empathy_agent.engines.factory import open_engine
from empathy_agent.engines.llama_cpp import LlamaCpp
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.engines.prompt_cache import PromptCache
from empathy_agent.models import TEST_MODEL, ModelError, Store
from empathy_agent.prompt import Message

PROMPT = [Message(role="user", content="Tell me about the sea.")]


@pytest.fixture(scope="module")
def engine(small_model: Path) -> Iterator[LlamaCpp]:
    engine = LlamaCpp(small_model, TEST_MODEL, context=2048, prompt_format="chatml", scaffold=True)
    yield engine
    engine.close()


def generate(engine: LlamaCpp, decoding: Decoding) -> str:
    return "".join(engine.stream(PROMPT, decoding, threading.Event()))


def evaluated(engine: LlamaCpp, prompt: list[Message]) -> int:
    """Tokens of a prompt that the engine has to evaluate."""
    list(engine.stream(prompt, Decoding(max_tokens=2, whole=False), threading.Event()))
    assert engine.usage is not None
    return engine.usage.prompt - engine.usage.cached


def preamble(language: str) -> list[Message]:
    sentence = {"en": "You listen to people. ", "fr": "Tu es une personne qui ecoute. "}[language]
    return [
        Message(role="system", content=sentence * 20),
        Message(role="user", content="Letter: hello"),
        Message(role="assistant", content="<answer>Hello.</answer>"),
    ]


def user(text: str) -> list[Message]:
    return [Message(role="user", content=text)]


def test_streams_in_pieces(engine: LlamaCpp) -> None:
    pieces = list(engine.stream(PROMPT, Decoding(max_tokens=12, whole=False), threading.Event()))
    assert len(pieces) > 5
    assert any(letter.isalpha() for letter in "".join(pieces))


def test_stop_strings_and_grammar(engine: LlamaCpp) -> None:
    assert generate(engine, Decoding(grammar='root ::= "one two three"')) == "one two three"
    assert generate(engine, Decoding(grammar='root ::= "one two three"', stop=(" three",))) == "one two"


@pytest.mark.parametrize(("letters", "least"), [("[a-z ]", 40), ("[一-鿿，]", 10)], ids=["en", "zh"])
def test_the_grammar_holds_any_model_to_the_format_and_the_script(engine: LlamaCpp, letters: str, least: int) -> None:
    # This model writes nonsense, so what holds is the grammar.
    grammar = f'root ::= "<L1>" {letters}{{{least},{least + 20}}} "</L1>"'
    text = generate(engine, Decoding(grammar=grammar, temperature=1.0, seed=1))
    assert re.fullmatch(f"<L1>{letters}{{{least},{least + 20}}}</L1>", text)


def test_a_broken_grammar_is_an_error(engine: LlamaCpp) -> None:
    with pytest.raises(EngineError, match="HTTP 400"):
        generate(engine, Decoding(grammar="root ::= undefined-rule"))


def test_a_prompt_beyond_the_context_is_an_error(engine: LlamaCpp) -> None:
    prompt = [Message(role="user", content="sea " * 4000)]
    with pytest.raises(EngineError, match="context"):
        list(engine.stream(prompt, Decoding(), threading.Event()))


def test_a_reply_that_max_tokens_ends_is_not_whole(engine: LlamaCpp) -> None:
    with pytest.raises(CutOff) as caught:
        generate(engine, Decoding(max_tokens=5, grammar="root ::= [a-z ]{500}"))
    assert caught.value.reason == "length"


def test_cancel_within_a_fifth_of_a_second(engine: LlamaCpp) -> None:
    cancelled = threading.Event()
    stream = engine.stream(PROMPT, Decoding(max_tokens=1000, grammar="root ::= [a-z ]{1500}"), cancelled)
    next(iter(stream))
    cancelled.set()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        list(stream)
    assert time.monotonic() - started < 0.2
    moment: list[float] = []
    waiting = threading.Event()

    def cancel() -> None:
        moment.append(time.monotonic())
        waiting.set()

    threading.Timer(0.3, cancel).start()
    with pytest.raises(Cancelled):
        engine.prefill(user("cold water " * 900), waiting)
    assert time.monotonic() - moment[0] < 0.2


def test_a_known_beginning_is_evaluated_ahead(engine: LlamaCpp) -> None:
    post = "Letter: My boss told me yesterday, in front of the whole office, that I would have to leave in March."
    prompt = preamble("en") + user(post)
    assert evaluated(engine, prompt) > 100
    evaluated(engine, PROMPT)  # something else, and then the post bit by bit
    for known in (0, 20, 45, 80):
        engine.prefill(preamble("en") + user(post[:known]), threading.Event())
        assert engine.usage is not None
        assert 0 < engine.usage.prompt - engine.usage.cached < 20
    # The words that were not known, the end of the post's turn and the beginning of the reply's.
    assert evaluated(engine, prompt) < 16
    turn = [*prompt, Message(role="assistant", content="<answer>That hurts.</answer>"), *user("Letter: Yes.")]
    assert evaluated(engine, turn) < 40


def test_a_new_process_takes_up_what_was_evaluated(
    small_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def start() -> LlamaCpp:
        return LlamaCpp(small_model, TEST_MODEL, context=2048, prompt_format="chatml", prompts=tmp_path / "prompts")

    ask = {language: preamble(language) + user("Letter: It rains.") for language in ("en", "fr")}
    first = start()
    assert not first.restore("en")
    cold = evaluated(first, ask["en"])
    assert cold > 100
    for language in ("en", "fr"):
        first.prefill(preamble(language), threading.Event())
        first.save(language)
    first.prefill(preamble("en") + user("a secret"), threading.Event())
    evaluated(first, ask["en"])
    first.save("secret")  # another prompt has come since
    assert not first.restore("secret")
    first.close()
    files = list((tmp_path / "prompts").iterdir())
    assert len(files) == 2

    second = start()
    assert second.restore("en")
    assert second.restore("fr")
    # Both, although there is one slot: the one restored first lies in the cache in memory.
    assert evaluated(second, ask["fr"]) < 20
    assert evaluated(second, ask["en"]) < 20
    # A process that is killed is started again, warm.
    os.kill(second.pid, signal.SIGKILL)
    os.waitid(os.P_PID, second.pid, os.WEXITED | os.WNOWAIT)
    assert evaluated(second, ask["en"]) < 20
    second.close()

    for file in files:
        file.write_bytes(file.read_bytes()[:-1000])
    third = start()
    assert not third.restore("en")
    assert "damaged" in caplog.text
    assert evaluated(third, ask["en"]) == cold
    third.close()


def test_a_prompt_that_llama_cpp_cannot_read_or_that_is_of_another_template(
    small_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = LlamaCpp(small_model, TEST_MODEL, context=2048, prompt_format="chatml", prompts=tmp_path)
    engine.prefill(preamble("en"), threading.Event())
    engine.save("en")
    (file,) = tmp_path.iterdir()
    other = LlamaCpp(small_model, TEST_MODEL, context=2048, prompt_format="llama2", prompts=tmp_path)
    assert not other.restore("en")
    other.close()
    # Wrong content under the hash that belongs to it.
    partial = tmp_path / "x.partial"
    partial.write_bytes(bytes(400) + file.read_bytes()[400:])
    PromptCache(tmp_path).add(partial, file.name.rpartition("-")[0])
    assert not engine.restore("en")
    assert "could not be restored" in caplog.text
    assert evaluated(engine, preamble("en") + user("Letter: It rains.")) > 0
    engine.close()


def test_a_folder_that_cannot_be_written_costs_time_only(
    small_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "prompts").write_text("a file")
    engine = LlamaCpp(small_model, TEST_MODEL, context=2048, prompt_format="chatml", prompts=tmp_path / "prompts")
    engine.prefill(preamble("en"), threading.Event())
    engine.save("en")
    assert "could not be kept" in caplog.text
    assert not engine.restore("en")
    assert generate(engine, Decoding(grammar='root ::= "one"')) == "one"
    engine.close()


def test_conversations_at_once_keep_what_was_evaluated(small_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="parallel 0"):
        LlamaCpp(small_model, TEST_MODEL, parallel=0)
    engine = LlamaCpp(small_model, TEST_MODEL, context=2048, prompt_format="chatml", parallel=3, prompts=tmp_path)
    engine.prefill(preamble("en"), threading.Event())
    engine.save("en")  # the other slots take it up
    talks = {name: preamble("en") + user(f"Letter: I am {name}. " + f"{name} walks by the sea. " * 8) for name in "ABC"}
    for talk in talks.values():
        assert evaluated(engine, talk) < 100
    for name, talk in talks.items():
        talk += [Message(role="assistant", content="<answer>Go on.</answer>"), *user(f"Letter: {name} is tired.")]
        assert evaluated(engine, talk) < 40
    # And at the same time.
    decoding = Decoding(grammar="root ::= [a-z ]{30}")
    streams = [iter(engine.stream(talk, decoding, threading.Event())) for talk in talks.values()]
    texts = [next(stream) for stream in streams]
    texts = [text + "".join(stream) for text, stream in zip(texts, streams, strict=True)]
    assert [len(text) for text in texts] == [30] * 3
    engine.close()


def test_the_model_yields_the_cores(engine: LlamaCpp) -> None:
    assert psutil.Process(engine.pid).nice() == min(os.nice(0) + 15, 19)
    for task in Path(f"/proc/{engine.pid}/task").iterdir():
        assert os.sched_getscheduler(int(task.name)) == os.SCHED_BATCH


def test_only_the_holder_of_the_key_is_served(engine: LlamaCpp) -> None:
    connections = [c for c in psutil.Process(engine.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert [connection.laddr.ip for connection in connections] == ["127.0.0.1"]
    stranger = OpenAIServer(f"http://127.0.0.1:{connections[0].laddr.port}", "m")
    with pytest.raises(EngineError, match="HTTP 401"):
        list(stranger.stream(PROMPT, Decoding(), threading.Event()))
    for action in ("save", "restore", "erase"):
        with pytest.raises(EngineError, match="HTTP 401"):
            stranger.post(f"/slots/0?action={action}", {"filename": "x"}, threading.Event())
    stranger.close()


def test_a_model_process_that_dies_is_an_error_and_is_started_again(small_model: Path) -> None:
    engine = LlamaCpp(small_model, TEST_MODEL, context=2048, prompt_format="chatml")
    stream = engine.stream(PROMPT, Decoding(grammar="root ::= [a-z ]{1500}"), threading.Event())
    next(iter(stream))
    dead = engine.pid
    os.kill(dead, signal.SIGKILL)
    with pytest.raises(EngineError, match=r"127\.0\.0\.1"):
        list(stream)
    assert generate(engine, Decoding(grammar='root ::= "one"')) == "one"
    assert engine.pid != dead
    engine.close()
    engine.close()
    assert not psutil.pid_exists(engine.pid)
    with pytest.raises(EngineError, match="the engine was closed"):
        generate(engine, Decoding())


@pytest.mark.parametrize("content", [b"", b"GGUF", b"not a model" * 1000], ids=["empty", "cut off", "text"])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.gguf"
    file.write_bytes(content)
    with pytest.raises(EngineError, match=r"bad\.gguf does not load in llama\.cpp"):
        LlamaCpp(file, "bad")


def test_the_factory_names_what_is_wrong(tmp_path: Path) -> None:
    store = Store(folder=tmp_path)
    with pytest.raises(ModelError, match="imuface models get"):
        open_engine(TEST_MODEL, store=store)
    with pytest.raises(ModelError, match="unknown model"):
        open_engine("nope", store=store)
    with pytest.raises(ValueError, match="needs the parameter model"):
        open_engine(server_url="http://127.0.0.1:1")
    with pytest.raises(ValueError, match="threads -1"):
        open_engine(threads=-1)
    for seconds in (0.0, -1.0, 3601.0, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"server_timeout {seconds} must be above 0 and at most 3600 s"):
            open_engine("m", server_url="http://127.0.0.1:1", server_timeout=seconds)
