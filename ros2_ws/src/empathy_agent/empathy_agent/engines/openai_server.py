"""Engine for any server with an OpenAI-compatible chat API (llama.cpp, vLLM, SGLang, Ollama)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx

from empathy_agent.engines import Cancelled, Decoding, EngineError
from empathy_agent.prompt import Message

_POLL = 0.1  # seconds between looks at `cancelled`


class OpenAIServer:
    """Streams chat completions over HTTP.

    ``url`` is the base address, with or without ``/v1``. ``supports_grammar`` says that the server takes llama.cpp's
    sampling fields (``grammar``, ``min_p``, ``dry_multiplier``); others refuse or ignore them. ``timeout`` is the
    longest silence of the server in seconds: it must cover the evaluation of a long prompt. Raises ``ValueError`` for
    an address that is not http(s).
    """

    worked_examples = True

    def __init__(
        self,
        url: str,
        model: str,
        *,
        context: int = 8192,
        supports_grammar: bool = False,
        scaffold: bool = False,
        api_key: str = "",
        timeout: float = 120.0,
    ) -> None:
        if httpx.URL(url).scheme not in ("http", "https"):
            raise ValueError(f"server_url {url!r} is not an http:// or https:// address")
        self.model = model
        self.context = context
        self.supports_grammar = supports_grammar
        self.scaffold = scaffold
        self._base = url.rstrip("/").removesuffix("/v1")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = httpx.Timeout(timeout, connect=5.0)

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """See :class:`empathy_agent.engines.Engine`."""
        # A blocking read cannot be interrupted from another thread; a task can, whatever it is waiting for. Closing
        # the connection makes the server stop generating.
        with asyncio.Runner() as runner:
            texts = self._texts(self._body(messages, decoding))
            while True:
                text = runner.run(_next(texts, cancelled))
                if text is None:
                    return
                yield text

    def close(self) -> None:
        """Nothing to release: the server is not ours."""

    def _body(self, messages: Sequence[Message], decoding: Decoding) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            "stream": True,
            "max_tokens": decoding.max_tokens,
            "temperature": decoding.temperature,
        }
        if decoding.stop:
            body["stop"] = list(decoding.stop)
        if decoding.seed is not None:
            body["seed"] = decoding.seed
        if self.supports_grammar:
            body |= {
                "min_p": decoding.min_p,
                "dry_multiplier": decoding.dry_multiplier,
                "dry_allowed_length": 6,
                "dry_penalty_last_n": self.context,
                "dry_sequence_breakers": ["。", "\n"],
                "repeat_penalty": decoding.repeat_penalty,
                "repeat_last_n": 256,
            }
            if decoding.grammar:
                body["grammar"] = decoding.grammar
        return body

    async def _texts(self, body: dict[str, Any]) -> AsyncIterator[str]:
        url = f"{self._base}/v1/chat/completions"
        finished = False
        try:
            async with (
                # Proxies of the environment are not meant for a server on this machine or in the lab.
                httpx.AsyncClient(timeout=self._timeout, headers=self._headers, trust_env=False) as client,
                client.stream("POST", url, json=body) as response,
            ):
                if response.status_code != 200:
                    raise EngineError(f"{url} answered HTTP {response.status_code}: {_detail(await response.aread())}")
                async for line in response.aiter_lines():
                    if not line.startswith("data:"):
                        continue  # empty lines, comments and other fields of server-sent events
                    data = line.removeprefix("data:").strip()
                    if data == "[DONE]":
                        return
                    text, finished_now = _read_event(data, url)
                    finished = finished or finished_now
                    if text:
                        yield text
        except httpx.TimeoutException as error:
            raise EngineError(f"{url} was silent for too long ({type(error).__name__}); is the server busy?") from error
        except httpx.HTTPError as error:
            raise EngineError(f"{url}: {error or type(error).__name__}; is the server running?") from error
        if not finished:
            raise EngineError(f"{url} closed the stream before the reply was complete")


async def _next(texts: AsyncIterator[str], cancelled: threading.Event) -> str | None:
    task = asyncio.ensure_future(anext(texts, None))
    while not task.done():
        await asyncio.wait({task}, timeout=_POLL)
        if cancelled.is_set():
            task.cancel()
            await asyncio.wait({task})
            raise Cancelled
    return task.result()


def _read_event(data: str, url: str) -> tuple[str, bool]:
    """Text of one event, and whether it is the last one with text."""
    try:
        event = json.loads(data)
        if "error" in event:
            raise EngineError(f"{url}: {_detail(json.dumps(event['error']).encode())}")
        if not event["choices"]:
            return "", False  # usage statistics
        choice = event["choices"][0]
        return choice["delta"].get("content") or "", choice.get("finish_reason") is not None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise EngineError(f"{url} sent a malformed event ({type(error).__name__}); is it an OpenAI API?") from error


def _detail(body: bytes) -> str:
    """The server's own words, short. A server's error does not quote the prompt, so this may be logged."""
    text = body.decode("utf-8", "replace")
    try:
        content = json.loads(text)
        content = content.get("error", content)
        text = content.get("message", text) if isinstance(content, dict) else str(content)
    except (ValueError, AttributeError):
        pass
    return " ".join(text.split())[:200]
