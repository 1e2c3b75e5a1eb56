"""A small chat server with the OpenAI API over real HTTP, which says what a test tells it to."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Answer:
    """A reply in full: the chunks of the body, and whether the connection is cut after them; with status 0, at once."""

    body: Iterable[bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/event-stream"})
    cut: bool = False


Reply = Iterable[bytes] | tuple[int, bytes] | Answer


def event(content: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(content).encode() + b"\n\n"


def events(text: str, size: int = 7, finish: str = "stop") -> list[bytes]:
    """Server-sent events that carry ``text`` in pieces of ``size`` characters."""
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    data: list[dict[str, Any]] = [
        {"choices": [{"delta": {"content": piece}, "finish_reason": None}]} for piece in pieces
    ]
    data.append({"choices": [{"delta": {}, "finish_reason": finish}]})
    data.append({"choices": [], "usage": {"completion_tokens": len(pieces)}})
    return [*map(event, data), b"data: [DONE]\n\n"]


def whole(text: str | None, finish: str = "stop", kind: str = "application/json") -> Answer:
    """The answer of a server that does not stream."""
    content = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}]}
    return Answer([json.dumps(content).encode()], headers={"Content-Type": kind})


class ChatServer(ThreadingHTTPServer):
    """Answers each request with the next of ``replies``, and with the last one for ever.

    A reply is an ``Answer``, or the chunks of the body, with status 200, or a status and the body. ``pause`` is slept
    before each chunk.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *replies: Reply, pause: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies = list(replies)
        self.pause = pause
        self.requests: list[dict[str, Any]] = []
        self.connections = 0
        self.disconnected = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next_reply(self, request: dict[str, Any]) -> Reply:
        """Take down a request; what to say to it."""
        with self._lock:
            self.requests.append(request)
            return self.replies[min(len(self.requests), len(self.replies)) - 1]

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer
    protocol_version = "HTTP/1.1"  # connections are used again
    disable_nagle_algorithm = True
    timeout = 10

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body) | {"path": self.path, "key": self.headers.get("Authorization")}
        reply = self.server.next_reply(request)
        if isinstance(reply, tuple):
            reply = Answer([reply[1]], reply[0], {})
        elif not isinstance(reply, Answer):
            reply = Answer(reply)
        if not reply.status:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in (reply.headers | {"Transfer-Encoding": "chunked"}).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for chunk in reply.body:
                time.sleep(self.server.pause)
                if chunk:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            if not reply.cut:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.server.disconnected.set()
            reply = Answer((), cut=True)
        if reply.cut:
            # Without a farewell, as a process that is killed.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve(*replies: Reply, pause: float = 0.0) -> Iterator[ChatServer]:
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
