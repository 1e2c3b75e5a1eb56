"""One HTTP client for all threads of a process that talk to a server."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

import httpx

from empathy_agent.engines import Cancelled, EngineError
from empathy_agent.engines.address import without_secrets

_POLL = 0.05  # seconds between looks at `cancelled`
_MOST_BYTES = 32 << 20  # of one response; a reply has some hundred kilobytes of events
# Idle connections are given up before common servers close theirs (uvicorn, llama.cpp: 5 s): a request that is sent
# into a connection which is just being closed would be lost.
_KEEP_SECONDS = 4.0
_CLOSED = "the engine was closed"

T = TypeVar("T")
Emit = Callable[[T | None], None]
"""Takes the items of an exchange; None is the end, after which nobody listens."""


class Connection:
    """Carries exchanges with a server on a thread of their own, as many at once as there are callers.

    A blocking read cannot be interrupted from another thread; a task of an event loop can, whatever it waits for.
    Cancelling it closes the connection, which makes servers stop generating. ``timeout`` is the longest silence of the
    server in seconds.
    """

    def __init__(self, headers: dict[str, str], timeout: float) -> None:
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=5.0, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=16, keepalive_expiry=_KEEP_SECONDS),
            # Proxies of the environment are not meant for a server on this machine or in the lab.
            trust_env=False,
            event_hooks={"response": [_bound]},
        )
        self._running: set[concurrent.futures.Future[None]] = set()
        self._closed = False
        self._lock = threading.Lock()

    def exchange(
        self, talk: Callable[[httpx.AsyncClient, Emit[T]], Coroutine[Any, Any, None]], cancelled: threading.Event
    ) -> Iterator[T]:
        """Run ``talk`` and give what it emits, as it emits it.

        Raises what ``talk`` raises, ``Cancelled``, and ``EngineError`` after :meth:`close`.
        """
        items: queue.SimpleQueue[T | Exception | None] = queue.SimpleQueue()

        async def pump() -> None:
            try:
                await talk(self._client, items.put)
            except Exception as error:
                items.put(error)
            else:
                items.put(None)

        if cancelled.is_set():
            raise Cancelled
        future = self._start(pump())
        try:
            while True:
                waiting = False
                try:
                    item = items.get(timeout=_POLL)
                except queue.Empty:
                    waiting = True
                if cancelled.is_set():
                    raise Cancelled
                if waiting:
                    if future.cancelled():
                        raise EngineError(_CLOSED)
                    continue
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End all exchanges and close the connections; idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            running = list(self._running)
        for future in running:
            future.cancel()
        with contextlib.suppress(concurrent.futures.TimeoutError):
            asyncio.run_coroutine_threadsafe(self._client.aclose(), _event_loop()).result(timeout=5)

    def _start(self, work: Coroutine[Any, Any, None]) -> concurrent.futures.Future[None]:
        with self._lock:
            if self._closed:
                work.close()
                raise EngineError(_CLOSED)
            future = asyncio.run_coroutine_threadsafe(work, _event_loop())
            self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future


_loop_lock = threading.Lock()
_loops: list[asyncio.AbstractEventLoop] = []


def _event_loop() -> asyncio.AbstractEventLoop:
    """The loop of all connections of this process, in a thread that ends with it."""
    with _loop_lock:
        if not _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="engine connections", daemon=True).start()
            _loops.append(loop)
        return _loops[0]


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, address: str) -> None:
        self._stream = stream
        self._address = address

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        async for block in self._stream:
            count += len(block)
            if count > _MOST_BYTES:
                raise EngineError(f"{self._address} sends without end; is it an OpenAI API?")
            yield block

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx.Response) -> None:
    """A server that sends without end does not fill the memory."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    response.stream = _Bounded(response.stream, without_secrets(response.request.url))
