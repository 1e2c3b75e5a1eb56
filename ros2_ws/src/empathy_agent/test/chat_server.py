"""A small chat server with the OpenAI API over real HTTP, which says what a test tells it to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = (
    "<empathy_think><L1>You feel tired.</L1><L2>The pain comes from work.</L2><L3>You want to be heard.</L3>"
    "<L4>First listen.</L4></empathy_think><answer>It sounds hard. No wonder you are tired.</answer>"
)
GOOD_ZH = (
    "<empathy_think><L1>你感到疲惫。</L1><L2>痛苦来自工作。</L2><L3>你想被理解。</L3><L4>先听你说。</L4></empathy_think>"
    "<answer>听起来你真的累了。难怪你会难过。</answer>"
)


def events(text: str, size: int = 7) -> list[bytes]:
    """Server-sent events that carry ``text`` in pieces of ``size`` characters."""
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    data: list[dict[str, Any]] = [
        {"choices": [{"delta": {"content": piece}, "finish_reason": None}]} for piece in pieces
    ]
    data.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    data.append({"choices": [], "usage": {"completion_tokens": len(pieces)}})
    return [b"data: " + json.dumps(entry).encode() + b"\n\n" for entry in data] + [b"data: [DONE]\n\n"]


class ChatServer(ThreadingHTTPServer):
    """Answers each request with the next of ``replies``, and with the last one for ever.

    A reply is the chunks of the body, with status 200, or a status and the body. ``pause`` is slept before each chunk.
    """

    daemon_threads = True

    def __init__(self, *replies: Iterable[bytes] | tuple[int, bytes], pause: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies = list(replies)
        self.pause = pause
        self.requests: list[dict[str, Any]] = []
        self.disconnected = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.requests.append(json.loads(body) | {"path": self.path, "key": self.headers.get("Authorization")})
        reply = server.replies[min(len(server.requests), len(server.replies)) - 1]
        if isinstance(reply, tuple):
            status, text = reply
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for chunk in reply:
                time.sleep(server.pause)
                self.wfile.write(chunk)
        except OSError:
            server.disconnected.set()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve(*replies: Iterable[bytes] | tuple[int, bytes], pause: float = 0.0) -> Iterator[ChatServer]:
    """A running server."""
    server = ChatServer(*replies, pause=pause)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
