"""The engine for OpenAI-compatible servers against real HTTP servers, well and ill behaved."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from chat_server import GOOD, events, serve  # type: ignore[import-not-found]
from empathy_agent.engines import Cancelled, Decoding, EngineError
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.prompt import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROMPT = [Message(role="user", content="hello")]


def generate(url: str, decoding: Decoding | None = None, **options: object) -> str:
    engine = OpenAIServer(url, "some-model", **options)  # type: ignore[arg-type]
    return "".join(engine.stream(PROMPT, decoding or Decoding(), threading.Event()))


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_streams_text(suffix: str) -> None:
    with serve(events(GOOD)) as server:
        assert generate(server.url + suffix) == GOOD
        assert server.requests[0]["path"] == "/v1/chat/completions"


def test_sampling_fields_go_to_servers_that_know_them() -> None:
    decoding = Decoding(grammar='root ::= "a"', stop=("x",), seed=3)
    with serve(events("a")) as server:
        generate(server.url, decoding)
        generate(server.url, decoding, supports_grammar=True, api_key="secret")
        plain, llama = server.requests
    assert plain["stop"] == ["x"]
    assert plain["seed"] == 3
    assert "grammar" not in plain
    assert "dry_multiplier" not in plain
    assert plain["key"] is None
    assert llama["grammar"] == 'root ::= "a"'
    assert llama["key"] == "Bearer secret"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((500, b'{"error": {"message": "out of memory"}}'), "HTTP 500: out of memory"),
        ((404, b"<html>not here</html>"), "HTTP 404: <html>not here</html>"),
        ((401, b""), "HTTP 401"),
        ([b"data: {broken\n\n"], "malformed event"),
        ([b"data: []\n\n"], "malformed event"),
        ([b'data: {"choices": [{}]}\n\n'], "malformed event"),
        ([b'data: {"choices": [{"delta": "x"}]}\n\n'], "malformed event"),
        ([b'data: {"error": {"message": "context exceeded"}}\n\n'], "context exceeded"),
        (events("half")[:1], "before the reply was complete"),
        ([], "before the reply was complete"),
        ([b"\xff\xfe not a stream at all"], "before the reply was complete"),
    ],
)
def test_ill_behaved_servers(reply: list[bytes] | tuple[int, bytes], message: str) -> None:
    with serve(reply) as server, pytest.raises(EngineError, match=message) as caught:
        generate(server.url)
    assert server.url in str(caught.value)


def test_comments_and_other_fields_are_skipped() -> None:
    with serve([b": ping\n\n", b"event: message\n", *events("text")]) as server:
        assert generate(server.url) == "text"


def test_no_server() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EngineError, match="is the server running"):
        generate(f"http://127.0.0.1:{port}")


def test_a_silent_server_times_out() -> None:
    with serve(events("late"), pause=2.0) as server, pytest.raises(EngineError, match="silent for too long"):
        generate(server.url, timeout=0.2)


def endless() -> Iterator[bytes]:
    event = events("more ")[0]
    while True:
        yield event


@pytest.mark.parametrize("pause", [0.01, 5.0], ids=["while text comes", "while the prompt is evaluated"])
def test_cancel_is_quick_and_stops_the_server(pause: float) -> None:
    cancelled = threading.Event()
    with serve(endless(), pause=pause) as server:
        threading.Timer(0.3, cancelled.set).start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            for _ in OpenAIServer(server.url, "m").stream(PROMPT, Decoding(), cancelled):
                pass
        assert time.monotonic() - started < 1.0
        if pause < 1.0:
            assert server.disconnected.wait(2.0)


def test_a_reader_that_stops_early_stops_the_server() -> None:
    with serve(endless(), pause=0.01) as server:
        stream = OpenAIServer(server.url, "m").stream(PROMPT, Decoding(), threading.Event())
        next(iter(stream))
        stream.close()  # type: ignore[attr-defined]
        assert server.disconnected.wait(2.0)


@pytest.mark.parametrize("url", ["ftp://host", "localhost:8000", "", "/v1"])
def test_address_is_checked(url: str) -> None:
    with pytest.raises(ValueError, match="http://"):
        OpenAIServer(url, "m")


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"data: ", b"{", b'"choices": [', b"\n\n"]))))
def test_any_bytes_give_text_or_a_clear_error(body: list[bytes]) -> None:
    with serve(body) as server:
        try:
            generate(server.url)
        except EngineError as error:
            message = str(error)
        else:
            return
    assert server.url in message
