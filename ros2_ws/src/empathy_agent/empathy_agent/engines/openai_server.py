"""Engine for any server with an OpenAI-compatible chat API (llama.cpp, vLLM, SGLang, Ollama)."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import httpx
from httpx_sse import EventSource, aconnect_sse

from empathy_agent.engines import CutOff, Decoding, Engine, EngineError
from empathy_agent.engines.address import chat_endpoint, without_secrets
from empathy_agent.engines.connection import Connection, Emit
from empathy_agent.engines.events import ServerFault, Usage, fault_in, read_event
from empathy_agent.engines.thoughts import without_thoughts
from empathy_agent.prompt import Message

_LONGEST_TOKEN = 32  # characters; a text with more a token comes from a server that ignores max_tokens
_REST = 1.0  # seconds that a server may take from its last word to the end of the stream
_SILENT_REST = 30.0  # seconds for which a silent server is left alone: nobody waits for it twice
_QUOTE = 8  # characters in common with a post that make a server's error message a quotation
# A server may close a connection that was kept at the moment when it is used again.
_CLOSED_EARLY = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
_NOT_WHOLE = {
    "length": "max_tokens or the context ends it",
    "content_filter": "the server's filter ends it",
}


class OpenAIServer(Engine):
    """Streams chat completions over HTTP; any number of threads may do so at once.

    ``url`` is a bare host, the base address of the API or the endpoint itself, see :mod:`.address`.
    ``supports_grammar`` says that the server takes grammars and the sampling fields of llama.cpp or vLLM (``grammar``
    or ``structured_outputs``, ``min_p``, ``dry_multiplier``); others refuse or ignore them. ``timeout`` is the longest
    silence of the server in seconds: it must cover the evaluation of a long prompt. Raises ``ValueError`` for an
    address that cannot be one.
    """

    scaffold = False
    worked_examples = True

    def __init__(
        self,
        url: str,
        model: str,
        *,
        context: int = 8192,
        supports_grammar: bool = False,
        api_key: str = "",
        timeout: float = 120.0,
    ) -> None:
        self._endpoint = chat_endpoint(url)
        self._address = without_secrets(self._endpoint)
        self.model = model
        self.context = context
        self.supports_grammar = supports_grammar
        self.usage: Usage | None = None  # of the last reply whose server told it
        self._connection = Connection({"Authorization": f"Bearer {api_key}"} if api_key else {}, timeout)

    def stream(
        self,
        messages: Sequence[Message],
        decoding: Decoding,
        cancelled: threading.Event,
        fields: Mapping[str, Any] | None = None,
    ) -> Iterator[str]:
        """See :class:`empathy_agent.engines.Engine`. ``fields`` are added to the request."""
        body = self._body(messages, decoding) | dict(fields or {})

        async def talk(client: httpx.AsyncClient, emit: Emit[str]) -> None:
            try:
                await self._chat(client, body, decoding.whole, emit)
            except httpx.HTTPError as error:
                raise self._lost(error) from error

        return without_thoughts(self._connection.exchange(talk, cancelled))

    def post(self, path: str, body: Mapping[str, Any], cancelled: threading.Event) -> dict[str, Any]:
        """The answer of another endpoint of the same host, for engines that know their server.

        Raises as :meth:`stream`.
        """
        url = self._endpoint.copy_with(raw_path=path.encode())

        async def talk(client: httpx.AsyncClient, emit: Emit[dict[str, Any]]) -> None:
            try:
                try:
                    response = await client.post(url, json=dict(body))
                except _CLOSED_EARLY:
                    response = await client.post(url, json=dict(body))
            except httpx.HTTPError as error:
                raise self._lost(error) from error
            if response.status_code != 200:
                raise EngineError(f"{url} answered HTTP {response.status_code}: {fault_in(response.text)}")
            with _clear_errors(str(url), ()):
                emit(response.json())

        return next(self._connection.exchange(talk, cancelled))

    def close(self) -> None:
        """Close the connections; replies that are being streamed end with ``EngineError``."""
        self._connection.close()

    def drawing(self, decoding: Decoding) -> dict[str, Any]:
        """The fields of a request that say how text is drawn."""
        fields: dict[str, Any] = {"temperature": decoding.temperature}
        if decoding.stop:
            fields["stop"] = list(decoding.stop)
        if decoding.seed is not None:
            fields["seed"] = decoding.seed
        if self.supports_grammar:
            fields |= {
                "min_p": decoding.min_p,
                "dry_multiplier": decoding.dry_multiplier,
                "dry_allowed_length": 6,
                "dry_penalty_last_n": self.context,
                "dry_sequence_breakers": ["。", "\n"],
                "repeat_penalty": decoding.repeat_penalty,
                "repeat_last_n": 256,
                "repetition_penalty": decoding.repeat_penalty,  # vLLM's name
            }
            if decoding.grammar:
                # llama.cpp and vLLM; each leaves out what it does not know.
                fields |= {"grammar": decoding.grammar, "structured_outputs": {"grammar": decoding.grammar}}
        return fields

    def _body(self, messages: Sequence[Message], decoding: Decoding) -> dict[str, Any]:
        asked = {"model": self.model, "messages": list(messages), "stream": True, "max_tokens": decoding.max_tokens}
        return asked | self.drawing(decoding)

    async def _chat(self, client: httpx.AsyncClient, body: Mapping[str, Any], whole: bool, emit: Emit[str]) -> None:
        async with self._opened(client, body) as source:
            response = source.response
            if response.status_code != 200:
                await response.aread()
                raise self._refused(response, body["messages"])
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "application/json" or kind.endswith("+json"):
                finish = await self._read_whole(response, body["messages"], emit)
            elif kind == "text/html":
                raise EngineError(f"{self._address} answered with a web page; is it the address of an OpenAI API?")
            else:
                # Events are UTF-8, and what a server calls them is no reason to refuse them.
                response.headers["content-type"] = "text/event-stream"
                response.encoding = "utf-8"
                finish = await self._read_events(source, body, whole, emit)
        self._check(finish, whole)

    @contextlib.asynccontextmanager
    async def _opened(self, client: httpx.AsyncClient, body: Mapping[str, Any]) -> AsyncIterator[EventSource]:
        """The response to a request, which is sent once more on a new connection where the first was being closed."""
        async with contextlib.AsyncExitStack() as stack:

            async def ask() -> EventSource:
                return await stack.enter_async_context(aconnect_sse(client, "POST", str(self._endpoint), json=body))

            try:
                source = await ask()
            except _CLOSED_EARLY:
                source = await ask()
            yield source

    async def _read_whole(self, response: httpx.Response, messages: Sequence[Message], emit: Emit[str]) -> str:
        """The reply of a server that does not stream; gives its finish_reason."""
        response.encoding = "utf-8"
        await response.aread()
        with _clear_errors(self._address, messages):
            event = read_event(response.text)
            if not event.whole:
                raise ValueError("no message")
        if event.text:
            emit(event.text)
        self.usage = event.usage or self.usage
        return event.finish

    async def _read_events(self, source: EventSource, body: Mapping[str, Any], whole: bool, emit: Emit[str]) -> str:
        """Emit the text of a stream, its end as soon as it is certain; gives its finish_reason."""
        loop = asyncio.get_running_loop()
        finish, count, done = "", 0, False
        try:
            async with asyncio.timeout(None) as rest:
                async for sse in source.aiter_sse():
                    if done:
                        continue  # to the end, so that the connection can be used again
                    with _clear_errors(self._address, body["messages"]):
                        event = read_event(sse.data, sse.event)
                    finish = event.finish or finish
                    self.usage = event.usage or self.usage
                    # Some servers send the whole reply once more with their last event.
                    if event.text and not (event.whole and count):
                        emit(event.text)
                        count += len(event.text)
                        if count > body["max_tokens"] * _LONGEST_TOKEN:
                            return "length"
                    if event.done:
                        self._check(finish, whole)
                        emit(None)
                        done = True
                    if finish or done:
                        rest.reschedule(loop.time() + _REST)
        except TimeoutError:
            return finish
        if not (finish or done):
            raise EngineError(f"{self._address} closed the stream before the reply was complete; is its model running?")
        return finish

    def _check(self, finish: str, whole: bool) -> None:
        if finish in _NOT_WHOLE and (whole or finish != "length"):
            raise CutOff(f"the reply of {self._address} is not whole: {_NOT_WHOLE[finish]}", finish)
        if finish in ("error", "abort"):
            raise EngineError(f"{self._address} gave the reply up ({finish}); see the server's log")

    def _lost(self, error: httpx.HTTPError) -> EngineError:
        if isinstance(error, httpx.TimeoutException):
            silent = EngineError(
                f"{self._address} was silent for too long ({type(error).__name__}); is the server busy?"
            )
            silent.retry_after = _SILENT_REST
            return silent
        return EngineError(f"{self._address}: {error or type(error).__name__}; is the server running?")

    def _refused(self, response: httpx.Response, messages: Sequence[Message]) -> EngineError:
        detail = _printable(fault_in(response.text), messages)
        seconds = _retry_after(response.headers.get("retry-after", ""))
        remedy = _remedy(response.status_code, seconds)
        error = EngineError(f"{self._address} answered HTTP {response.status_code}: {detail}; {remedy}")
        error.retry_after = seconds
        return error


@contextlib.contextmanager
def _clear_errors(address: str, messages: Sequence[Message]) -> Iterator[None]:
    """Turns what the reading of the server's words raises into one clear error."""
    try:
        yield
    except ServerFault as error:
        raise EngineError(f"{address}: {_printable(str(error), messages)}") from None
    except (ValueError, RecursionError):
        # Not chained: the error of the JSON decoder holds the text.
        raise EngineError(f"{address} sent a malformed event; is it an OpenAI API?") from None


def _remedy(status: int, seconds: float) -> str:
    if status in (401, 403):
        return "check the key in OPENAI_API_KEY"
    if 300 <= status < 400 or status in (404, 405):
        return "check the server's address and the name of its model"
    if status in (429, 503):
        return f"ask again in {seconds:.0f} s" if seconds else "the server is busy; ask again later"
    if status >= 500:
        return "see the server's log"
    return "check the server's model and its context"


def _retry_after(header: str) -> float:
    """Seconds of the header Retry-After, which is a number or a date (RFC 9110, 10.2.3); 0 where it is neither."""
    try:
        if header.replace(".", "", 1).isdecimal():
            return float(header)
        return max(email.utils.parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return 0.0


def _printable(detail: str, messages: Sequence[Message]) -> str:
    """A server's message, unless it repeats what a person wrote: it may reach a log."""
    said = "\n".join(message["content"] for message in messages if message["role"] != "system")
    quotes = any(detail[start : start + _QUOTE] in said for start in range(len(detail) - _QUOTE + 1))
    return "its message quotes the post and is left out" if quotes else detail
