"""The engine for OpenAI-compatible servers against real HTTP servers, well and ill behaved."""

from __future__ import annotations

import email.utils
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chat_server import GOOD, Answer, Reply, event, events, serve, whole  # type: ignore[import-not-found]
from empathy_agent.engines import DROPPED, Cancelled, CutOff, Decoding, EngineError, complete
from empathy_agent.engines.events import Usage
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.prompt import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROMPT = [Message(role="user", content="hello")]


def generate(url: str, decoding: Decoding | None = None, **options: Any) -> str:
    engine = OpenAIServer(url, "some-model", **options)
    try:
        return "".join(engine.stream(PROMPT, decoding or Decoding(), threading.Event()))
    finally:
        engine.close()


def delta(content: Any, **choice: Any) -> bytes:
    return event({"choices": [{"delta": {"content": content}, **choice}]})


@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/v4", "/v4/chat/completions"),
        ("/api/paas/v4", "/api/paas/v4/chat/completions"),
        ("/api/paas/v4/chat/completions", "/api/paas/v4/chat/completions"),
    ],
)
def test_streams_text(suffix: str, path: str) -> None:
    with serve(events(GOOD)) as server:
        assert generate(server.url + suffix) == GOOD
        assert server.requests[0]["path"] == path


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


STOP = {"choices": [{"delta": {}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    "idle",
    [
        event({"choices": [{"delta": None}]}),
        event({"choices": [{"index": 0}]}),
        event({"choices": [{"delta": {"role": "assistant", "content": None}}]}),
        event({"choices": [{"delta": {"content": ""}, "finish_reason": ""}]}),
        event({"choices": [{"delta": {"reasoning_content": "Let me think.", "reasoning": "Hm."}}]}),
        event({"choices": [{"delta": {"content": [{"type": "thinking", "thinking": "Hm."}]}}]}),
        event({"choices": [None]}),
        event({"choices": []}),
        event({"choices": None}),
        event({"error": None, "choices": [{"delta": {}}]}),
        event({"usage": {"prompt_tokens": 3, "completion_tokens": 1}}),
        event({"prompt_filter_results": []}),
        event({}),
        event(None),
        b"data:\n\n",
        b"data: \n\n",
        b"data\n\n",
        b": keep-alive\n\n",
        b"event: ping\ndata: {}\n\n",
        b"id: 7\nretry: 1000\n\n",
        b"\n\n\n",
    ],
    ids=repr,
)
def test_events_without_text_are_ignored(idle: bytes) -> None:
    stop = event(STOP)
    with serve([idle, delta("so"), idle, idle, delta(" far"), idle, stop, idle, b"data: [DONE]\n\n", idle]) as server:
        assert generate(server.url) == "so far"


@pytest.mark.parametrize("between", ["\u2028", "\u2029", "\u0085", "\x0b", "\x1e", "\r", "\n", "\r\n"])
def test_line_separators_in_strings_end_no_line(between: str) -> None:
    text = f"one{between}two"
    # As they are where JSON allows it, and escaped, which it always does.
    raw = json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=False).encode()
    with serve([b"data: " + raw + b"\n\n", *events(text)]) as server:
        assert generate(server.url) == text + text


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_of_any_kind_cut_anywhere(end: bytes) -> None:
    body = b"".join(events("深呼吸 and rest", size=3)).replace(b"\n", end)
    body = body.replace(rb"\u6df1", "深".encode())
    with serve([body[start : start + 1] for start in range(len(body))]) as server:
        assert generate(server.url) == "深呼吸 and rest"


def test_content_in_parts_is_joined() -> None:
    parts = ["I ", {"type": "text", "text": "hear"}, {"type": "image_url"}, {"text": " you"}, None, 7, {"text": None}]
    with serve([delta(parts, finish_reason="stop")]) as server:
        assert generate(server.url) == "I hear you"


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=latin-1", "application/problem+json"])
def test_a_server_that_does_not_stream(kind: str) -> None:
    with serve(whole("你 hear me", kind=kind)) as server:
        assert generate(server.url) == "你 hear me"


def test_a_message_in_the_place_of_deltas_counts_once() -> None:
    message = {"choices": [{"message": {"content": "all of it"}, "finish_reason": "stop"}]}
    with serve([event(message)], [delta("all "), delta("of it"), event(message)]) as server:
        assert generate(server.url) == "all of it"
        assert generate(server.url) == "all of it"


@pytest.mark.parametrize(
    "kind", ["text/event-stream; charset=latin-1", "text/plain", "application/octet-stream", ""], ids=repr
)
def test_events_are_read_whatever_the_server_calls_them(kind: str) -> None:
    body = [b"data: " + json.dumps({"choices": [{"delta": {"content": "心"}}]}, ensure_ascii=False).encode() + b"\n\n"]
    with serve(Answer([*body, event(STOP)], headers={"Content-Type": kind})) as server:
        assert generate(server.url) == "心"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((500, b'{"error": {"message": "out of memory"}}'), "HTTP 500: out of memory; see the server's log"),
        ((404, b"<html>not here</html>"), "HTTP 404: <html>not here</html>; check the server's address and the name"),
        ((401, b""), "HTTP 401: ; check the key in OPENAI_API_KEY"),
        ((503, b"loading"), "HTTP 503: loading; the server is busy"),
        ((307, b""), "HTTP 307: ; check the server's address"),
        ((400, b'{"error": "no such model"}'), "HTTP 400: no such model; check the server's model"),
        ((422, b'{"error": {"message": null}}'), "HTTP 422: {"),
        ([b"data: {broken\n\n"], "malformed event; is it an OpenAI API"),
        ([b"data: []\n\n"], "malformed event"),
        ([b'data: "text"\n\n'], "malformed event"),
        ([b"data: " + b"[" * 100_000 + b"\n\n"], "malformed event"),
        ([event({"choices": {"0": {}}})], "malformed event"),
        ([event({"choices": ["x"]})], "malformed event"),
        ([event({"choices": [{"delta": "x"}]})], "malformed event"),
        ([delta(3)], "malformed event"),
        ([event({"error": {"message": "context exceeded"}})], "context exceeded"),
        ([event({"error": "context exceeded"})], "context exceeded"),
        ([event({"object": "error", "message": "context exceeded"})], "context exceeded"),
        ([b"event: error\n" + event({"detail": "boom"})], "boom"),
        (events("half")[:1], "before the reply was complete"),
        ([], "before the reply was complete"),
        ([b"\xff\xfe not a stream at all"], "before the reply was complete"),
        (Answer(events("half")[:1], cut=True), "is the server running"),
        (Answer([b"<html>log in</html>"], headers={"Content-Type": "text/html"}), "answered with a web page"),
        (Answer([b"{broken"], headers={"Content-Type": "application/json"}), "malformed"),
        (Answer([b"{}"], headers={"Content-Type": "application/json"}), "malformed"),
        (Answer([event({"error": "busy"})[6:]], headers={"Content-Type": "application/json"}), "busy"),
        (events("some", finish="abort"), r"gave the reply up \(abort\)"),
    ],
    ids=repr,
)
def test_ill_behaved_servers(reply: Reply, message: str) -> None:
    with serve(reply) as server, pytest.raises(EngineError, match=message) as caught:
        generate(server.url)
    assert server.url in str(caught.value)
    assert not isinstance(caught.value, CutOff)


def test_a_message_that_quotes_a_post_is_not_passed_on() -> None:
    post = [Message(role="system", content="Listen to people."), Message(role="user", content="我昨天把存折藏起来了")]
    quote = {"error": {"message": "invalid input: '我昨天把存折藏起来了'"}}
    with serve((422, json.dumps(quote).encode()), [event(quote)], (400, b"Listen to people.")) as server:
        engine = OpenAIServer(server.url, "m")
        for detail in ("quotes the post", "quotes the post", "Listen to people"):
            with pytest.raises(EngineError, match=detail) as caught:
                list(engine.stream(post, Decoding(), threading.Event()))
            assert "存折" not in str(caught.value)
        engine.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("1.5", 1.5), ("-3", 0.0), ("soon", 0.0), ("", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_a_server_says_when_to_ask_again(header: str, seconds: float) -> None:
    with (
        serve(Answer([b"slow down"], 429, {"Retry-After": header})) as server,
        pytest.raises(EngineError, match=r"HTTP 429: slow down; .*ask again") as caught,
    ):
        generate(server.url)
    assert caught.value.retry_after == seconds


def test_a_server_says_at_what_time_to_ask_again() -> None:
    date = email.utils.formatdate(time.time() + 60.0, usegmt=True)
    with serve(Answer([], 503, {"Retry-After": date})) as server, pytest.raises(EngineError) as caught:
        generate(server.url)
    assert 50.0 < caught.value.retry_after <= 60.0


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_reply_that_is_not_whole(reason: str, streams: bool) -> None:
    with serve(events("It sounds ha", finish=reason) if streams else whole("It sounds ha", reason)) as server:
        engine = OpenAIServer(server.url, "m")
        given: list[str] = []
        with pytest.raises(CutOff, match="is not whole") as caught:
            given.extend(engine.stream(PROMPT, Decoding(), threading.Event()))  # keeps what came before the exception
        assert caught.value.reason == reason
        assert server.url in str(caught.value)
        assert "".join(given) == "It sounds ha"
        if reason == "length":
            assert complete(engine, PROMPT, Decoding(whole=False), threading.Event()) == "It sounds ha"
        else:
            with pytest.raises(CutOff):
                complete(engine, PROMPT, Decoding(whole=False), threading.Event())
        engine.close()


def test_thoughts_are_kept_out_and_the_rest_streams() -> None:
    thought = "<think>They want <answer>advice</answer>.</think>\n"
    with serve(events(thought + GOOD, size=5), events(thought.removeprefix("<think>") + GOOD, size=5)) as server:
        engine = OpenAIServer(server.url, "m")
        opened = list(engine.stream(PROMPT, Decoding(), threading.Event()))
        closed = list(engine.stream(PROMPT, Decoding(), threading.Event()))
        engine.close()
    assert DROPPED not in opened
    assert len(opened) > 10
    assert "".join(opened).strip() == GOOD
    place = closed.index(DROPPED)
    assert "".join(closed[place + 1 :]).strip() == GOOD
    assert "advice" in "".join(closed[:place])


def test_usage_is_known_where_the_server_tells_it() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}}
    broken = {"choices": [], "usage": {"prompt_tokens": "many"}, "timings": []}
    with serve([*events("a")[:2], event(usage), event(broken), b"data: [DONE]\n\n"]) as server:
        engine = OpenAIServer(server.url, "m")
        assert engine.usage is None
        list(engine.stream(PROMPT, Decoding(), threading.Event()))
        assert engine.usage == Usage(prompt=9, cached=4)
        engine.close()


def test_no_server() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EngineError, match="is the server running"):
        generate(f"http://127.0.0.1:{port}")


def test_a_silent_server_times_out() -> None:
    with serve(events("late"), pause=2.0) as server, pytest.raises(EngineError, match="silent for too long") as caught:
        generate(server.url, timeout=0.2)
    assert caught.value.retry_after > 0.0


def endless() -> Iterator[bytes]:
    more = delta("more ")
    while True:
        yield more


@pytest.mark.parametrize("pause", [0.01, 5.0], ids=["while text comes", "while the prompt is evaluated"])
def test_cancel_is_quick_and_stops_the_server(pause: float) -> None:
    cancelled = threading.Event()
    moment: list[float] = []

    def cancel() -> None:
        moment.append(time.monotonic())
        cancelled.set()

    with serve(endless(), pause=pause) as server:
        engine = OpenAIServer(server.url, "m")
        threading.Timer(0.3, cancel).start()
        with pytest.raises(Cancelled):
            for _ in engine.stream(PROMPT, Decoding(), cancelled):
                pass
        assert time.monotonic() - moment[0] < 0.2
        if pause < 1.0:
            assert server.disconnected.wait(2.0)
        with pytest.raises(Cancelled):
            next(engine.stream(PROMPT, Decoding(), cancelled))
        assert len(server.requests) == 1
        engine.close()


def test_a_reader_that_stops_early_stops_the_server() -> None:
    with serve(endless(), pause=0.01) as server:
        stream = OpenAIServer(server.url, "m").stream(PROMPT, Decoding(), threading.Event())
        next(iter(stream))
        stream.close()  # type: ignore[attr-defined]
        assert server.disconnected.wait(2.0)


def test_a_server_that_ignores_max_tokens_is_cut_off() -> None:
    with serve(endless()) as server:
        with pytest.raises(CutOff):
            generate(server.url, Decoding(max_tokens=100))
        assert server.disconnected.wait(2.0)


def test_a_server_that_sends_without_end_does_not_fill_the_memory() -> None:
    def line() -> Iterator[bytes]:
        while True:
            yield b"x" * 1_000_000

    with serve(line()) as server, pytest.raises(EngineError, match="sends without end"):
        generate(server.url)


def test_replies_share_a_connection() -> None:
    with serve(events(GOOD)) as server:
        engine = OpenAIServer(server.url, "m")
        for _ in range(5):
            assert complete(engine, PROMPT, Decoding(), threading.Event()) == GOOD
            time.sleep(0.05)  # the end of the stream is read after the reply
        assert server.connections == 1
        engine.close()


def test_a_connection_that_is_closed_when_it_is_used_again_costs_no_reply() -> None:
    with serve(events(GOOD), Answer([], 0), events(GOOD)) as server:
        engine = OpenAIServer(server.url, "m")
        for _ in range(2):
            assert complete(engine, PROMPT, Decoding(), threading.Event()) == GOOD
        assert len(server.requests) == 3
        engine.close()


def test_a_server_that_closes_every_connection_is_not_asked_for_ever() -> None:
    with serve(Answer([], 0)) as server:
        with pytest.raises(EngineError, match="is the server running"):
            generate(server.url)
        assert len(server.requests) == 2


def test_a_stream_that_stays_open_after_its_end_is_left() -> None:
    def stays() -> Iterator[bytes]:
        yield from (delta("done", finish_reason="stop"), b"data: [DONE]\n\n")
        while True:
            time.sleep(0.1)
            yield b": ping\n\n"

    with serve(stays()) as server:
        started = time.monotonic()
        assert generate(server.url) == "done"
        assert time.monotonic() - started < 0.9
        assert server.disconnected.wait(3.0)


def test_a_stream_without_an_end_is_left_after_its_finish_reason() -> None:
    def stays() -> Iterator[bytes]:
        yield delta("done", finish_reason="stop")
        time.sleep(8.0)

    with serve(stays()) as server:
        started = time.monotonic()
        assert generate(server.url) == "done"
        assert time.monotonic() - started < 3.0


def test_ten_streams_at_once_from_ten_threads() -> None:
    def speak(number: int) -> tuple[str, float]:
        started = time.monotonic()
        stream = engine.stream([Message(role="user", content=str(number))], Decoding(), threading.Event())
        text = next(iter(stream))
        first = time.monotonic() - started
        return text + "".join(stream), first

    with serve(events(GOOD, size=2), pause=0.01) as server, ThreadPoolExecutor(10) as threads:
        engine = OpenAIServer(server.url, "m")
        started = time.monotonic()
        replies = list(threads.map(speak, range(30)))
        took = time.monotonic() - started
        engine.close()
        assert [text for text, _ in replies] == [GOOD] * 30
        # One after the other they would take 30 times as long as one.
        assert took < 15 * len(events(GOOD, size=2)) * 0.01
        assert server.connections <= 20
        assert {request["messages"][0]["content"] for request in server.requests} == {str(n) for n in range(30)}


def test_close_ends_what_streams_and_what_comes() -> None:
    with serve(endless(), pause=0.01) as server:
        engine = OpenAIServer(server.url, "m")
        stream = iter(engine.stream(PROMPT, Decoding(max_tokens=10_000), threading.Event()))
        next(stream)
        engine.close()
        engine.close()
        with pytest.raises(EngineError, match="the engine was closed"):
            list(stream)
        with pytest.raises(EngineError, match="the engine was closed"):
            list(engine.stream(PROMPT, Decoding(), threading.Event()))
        assert server.disconnected.wait(2.0)


def test_little_is_added_to_the_time_to_the_first_text() -> None:
    with serve(events(GOOD)) as server:
        engine = OpenAIServer(server.url, "m")
        times = []
        for _ in range(100):
            started = time.monotonic()
            stream = engine.stream(PROMPT, Decoding(), threading.Event())
            next(iter(stream))
            times.append(time.monotonic() - started)
            list(stream)
        engine.close()
    # The server's thread competes with ours here; the figures of docs/engines.md come from two processes.
    assert sorted(times)[50] < 0.01


def test_a_server_keeps_nothing_for_us() -> None:
    engine = OpenAIServer("http://127.0.0.1:1", "m")
    engine.prefill(PROMPT, threading.Event())
    engine.save("key")
    assert not engine.restore("key")
    engine.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
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
