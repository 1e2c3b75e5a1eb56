"""Engines that take over from one another, over real connections."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from chat_server import GOOD, Answer, Reply, events, serve  # type: ignore[import-not-found]
from empathy_agent.engines import DROPPED, Cancelled, CutOff, Decoding, Engine, EngineError, complete
from empathy_agent.engines.factory import open_engine
from empathy_agent.engines.fallback import Fallback
from empathy_agent.engines.llama_cpp import LlamaCpp
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.models import TEST_MODEL, ModelError, Store
from empathy_agent.prompt import Message

PROMPT = [Message(role="user", content="hello")]
DOWN = (500, b"boom")
LIMITED = Answer([], 429, {"Retry-After": "20"})


def ask(engine: Engine, decoding: Decoding | None = None) -> list[str]:
    return list(engine.stream(PROMPT, decoding or Decoding(), threading.Event()))


def ending(chunks: Iterable[str]) -> str:
    """What counts of a stream."""
    chunks = list(chunks)
    place = max((index for index, chunk in enumerate(chunks) if chunk == DROPPED), default=-1)
    return "".join(chunks[place + 1 :])


@pytest.mark.parametrize(
    ("first", "asked", "failures"),
    [
        ([events("from one")], (1, 0), {}),
        ([DOWN, events("from one")], (2, 0), {"one": 1}),
        ([DOWN], (2, 1), {"one": 2}),
        ([LIMITED], (1, 1), {"one": 1}),
        ([Answer([], cut=True)], (2, 1), {"one": 2}),
        ([[b"garbage\n\n"]], (2, 1), {"one": 2}),
    ],
    ids=["well", "once", "twice", "limited", "dies", "garbage"],
)
def test_what_fails_before_its_first_text_is_asked_again_and_replaced(
    first: Sequence[Reply], asked: tuple[int, int], failures: dict[str, int]
) -> None:
    told: list[tuple[str, str]] = []
    with serve(*first) as one, serve(events("from two")) as two:
        engine = Fallback(
            [OpenAIServer(one.url, "one"), OpenAIServer(two.url, "two")],
            on_failure=lambda model, error: told.append((model, str(error))),
        )
        chunks = ask(engine)
        used = "two" if asked[1] else "one"
        assert "".join(chunks) == f"from {used}"
        assert engine.model == used
        assert (len(one.requests), len(two.requests)) == asked
        assert dict(engine.failures) == failures
        assert [model for model, _ in told] == ["one"] * sum(failures.values())
        assert all(one.url in message for _, message in told)
        engine.close()


def test_what_fails_in_the_middle_is_replaced_and_what_it_said_is_dropped() -> None:
    half = Answer(events(GOOD)[:5], cut=True)
    with serve(half) as one, serve(events(GOOD)) as two:
        engine = Fallback([OpenAIServer(one.url, "one"), OpenAIServer(two.url, "two")])
        chunks = ask(engine)
        assert chunks.count(DROPPED) == 2  # of the first attempt, and of the second
        assert ending(chunks) == GOOD
        assert complete(engine, PROMPT, Decoding(), threading.Event()) == GOOD
        engine.close()


def test_an_engine_that_failed_rests() -> None:
    with serve(DOWN, DOWN, events("from one")) as one, serve(events("from two")) as two:
        engine = Fallback([OpenAIServer(one.url, "one"), OpenAIServer(two.url, "two")], rest=0.5)
        assert engine.current.model == "one"
        assert [ending(ask(engine)) for _ in range(2)] == ["from two"] * 2
        assert len(one.requests) == 2
        assert engine.current.model == "two"
        time.sleep(0.6)
        assert ending(ask(engine)) == "from one"
        assert engine.model == engine.current.model == "one"
        engine.close()


def test_with_none_left_the_error_names_all() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    with serve(DOWN) as two:
        engine = Fallback([OpenAIServer(gone, "one"), OpenAIServer(two.url, "two")])
        with pytest.raises(EngineError, match=r"no engine answered: .*is the server running\?; .*HTTP 500: boom"):
            ask(engine)
        # All rest, so all are asked: nobody is left without an attempt.
        with pytest.raises(EngineError, match="no engine answered"):
            ask(engine)
        assert len(two.requests) == 4
        engine.close()


def test_one_engine_alone_is_asked_twice_and_its_own_error_is_told() -> None:
    with serve(DOWN, events("here"), DOWN, DOWN) as server:
        engine = Fallback([OpenAIServer(server.url, "m")])
        assert ending(ask(engine)) == "here"
        with pytest.raises(EngineError, match=r"^http.*HTTP 500: boom"):
            ask(engine)
        engine.close()


def test_a_cut_off_reply_is_no_failure() -> None:
    with serve(events("half", finish="length")) as one, serve(events("from two")) as two:
        engine = Fallback([OpenAIServer(one.url, "one"), OpenAIServer(two.url, "two")])
        with pytest.raises(CutOff):
            ask(engine)
        assert (len(one.requests), len(two.requests), dict(engine.failures)) == (1, 0, {})
        engine.close()


@pytest.mark.parametrize("reply", [[], Answer([], 503, {"Retry-After": "2"})], ids=["silent", "waiting to ask again"])
def test_cancel_is_quick(reply: Reply) -> None:
    cancelled = threading.Event()
    with serve(reply, pause=0.0) as one, serve(events("x" * 1000, size=1), pause=0.05) as two:
        engine = Fallback([OpenAIServer(one.url, "one"), OpenAIServer(two.url, "two")])
        threading.Timer(0.6, cancelled.set).start()
        with pytest.raises(Cancelled):
            list(engine.stream(PROMPT, Decoding(), cancelled))
        assert cancelled.is_set()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            list(engine.stream(PROMPT, Decoding(), cancelled))
        assert time.monotonic() - started < 0.2
        engine.close()


def test_each_engine_gets_a_prompt_of_its_own() -> None:
    def build(engine: Engine) -> tuple[Sequence[Message], Decoding]:
        grammar = "root ::= 'a'" if engine.supports_grammar else ""
        return [Message(role="user", content=f"for {engine.model}")], Decoding(grammar=grammar)

    with serve(DOWN) as one, serve(events("here")) as two:
        engine = Fallback(
            [
                OpenAIServer(one.url, "one", context=8192),
                OpenAIServer(two.url, "two", context=4096, supports_grammar=True),
            ]
        )
        assert ending(engine.ask(build, threading.Event())) == "here"
        assert one.requests[0]["messages"][0]["content"] == "for one"
        assert two.requests[0]["messages"][0]["content"] == "for two"
        assert "grammar" in two.requests[0]
        assert (engine.context, engine.supports_grammar, engine.scaffold) == (4096, True, False)
        ask(engine, Decoding(grammar="root ::= 'b'"))
        assert "grammar" not in one.requests[-1]
        engine.close()


def test_ten_threads_share_it() -> None:
    with serve(DOWN) as one, serve(events(GOOD), pause=0.005) as two:
        engine = Fallback([OpenAIServer(one.url, "one"), OpenAIServer(two.url, "two")])
        texts: list[str] = []
        threads = [threading.Thread(target=lambda: texts.append(ending(ask(engine)))) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert texts == [GOOD] * 10
        assert engine.failures["one"] == len(one.requests)
        engine.close()


def test_none_at_all() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Fallback([])


def test_the_factory_opens_a_fallback(small_model: Path) -> None:
    with serve(DOWN) as server:
        engine = open_engine("far", server_url=server.url, fallback=TEST_MODEL)
        assert isinstance(engine, Fallback)
        assert [one.model for one in engine.engines] == ["far", TEST_MODEL]
        text = ending(ask(engine, Decoding(max_tokens=4, whole=False)))
        assert text
        assert engine.model == TEST_MODEL
        local = engine.engines[1]
        assert isinstance(local, LlamaCpp)
        engine.close()


def test_the_factory_names_what_is_wrong_with_a_fallback(tmp_path: Path) -> None:
    store = Store(folder=tmp_path)
    with pytest.raises(ModelError, match="imuface models get smollm2-135m"):
        open_engine("m", server_url="http://127.0.0.1:1", fallback=TEST_MODEL, store=store)
    with pytest.raises(ModelError, match="unknown model 'nope'"):
        open_engine("m", server_url="http://127.0.0.1:1", fallback="nope", store=store)
    with pytest.raises(ValueError, match="the fallback smollm2-135m is the model itself"):
        open_engine(TEST_MODEL, fallback=TEST_MODEL, store=store)


def test_what_the_current_engine_keeps() -> None:
    class Remembers(Engine):
        model, context, supports_grammar, scaffold, worked_examples = "r", 1, False, False, False

        def __init__(self) -> None:
            self.asked: list[str] = []

        def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
            yield "text"

        def prefill(self, messages: Sequence[Message], cancelled: threading.Event) -> None:
            self.asked.append(messages[0]["content"])

        def restore(self, key: str) -> bool:
            self.asked.append(f"restore {key}")
            return True

        def save(self, key: str) -> None:
            self.asked.append(f"save {key}")

        def close(self) -> None:
            self.asked.append("close")

    one, two = Remembers(), Remembers()
    engine = Fallback([one, two])
    engine.prefill(PROMPT, threading.Event())
    engine.save("k")
    assert engine.restore("k")
    engine.close()
    assert one.asked == ["hello", "save k", "restore k", "close"]
    assert two.asked == ["close"]
