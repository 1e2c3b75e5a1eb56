"""What one event of a streamed chat completion says, and one whole completion of a server that does not stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


class ServerFault(Exception):  # noqa: N818 - the server's error, in its own words
    """The server reports an error in the place of text."""


@dataclass(frozen=True)
class Usage:
    """What became of a prompt: its tokens, and how many of them the server had evaluated before."""

    prompt: int
    cached: int


@dataclass(frozen=True)
class Event:
    """``text`` may be empty; ``whole`` says that it is the reply from its beginning. ``finish`` is the finish_reason,
    empty until the reply ends; ``done`` the end of the stream.
    """

    text: str = ""
    whole: bool = False
    finish: str = ""
    usage: Usage | None = None
    done: bool = False


_NOTHING = Event()


def read_event(data: str, name: str = "") -> Event:
    """Read the data of one server-sent event called ``name``.

    Events that carry nothing are none: no data, null, no choices (usage statistics, content filters), a delta of null
    or without text. Fields for thoughts (``reasoning_content``) are not looked at. Raises ``ValueError`` for what is
    not of the OpenAI form, ``ServerFault`` for an error that the server reports.
    """
    data = data.strip()
    if data == "[DONE]":
        return Event(done=True)
    if name == "error":
        raise ServerFault(fault_in(data))
    # Servers leave control characters in strings.
    content = json.loads(data, strict=False) if data else None
    if content is None:
        return _NOTHING
    content = _mapping(content, "the event")
    if content.get("error") or content.get("object") == "error":
        raise ServerFault(fault_in(data))
    usage = usage_in(content)
    choices = content.get("choices") or []
    if not isinstance(choices, list):
        raise ValueError("choices is no list")
    choice = _mapping(choices[0] if choices else None, "a choice")
    finish = choice.get("finish_reason") or ""
    whole = choice.get("delta") is None and choice.get("message") is not None
    message = _mapping(choice.get("message" if whole else "delta"), "a delta")
    return Event(_text(message.get("content")), whole, str(finish), usage)


def fault_in(body: str) -> str:
    """The server's own words in a body that reports an error, short."""
    text = body
    try:
        content = json.loads(body, strict=False)
        content = content.get("error") or content
        text = str(content.get("message") or body) if isinstance(content, dict) else str(content)
    except (ValueError, AttributeError):
        pass
    return " ".join(text.split())[:200]


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no object")
    return value


def _text(content: Any) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(map(_part, content))
    raise ValueError("content is no text")


def _part(part: Any) -> str:
    """The text of one part; other kinds, such as thoughts and pictures, have none."""
    if isinstance(part, dict):
        part = part.get("text") if part.get("type", "text") == "text" else None
    return part if isinstance(part, str) else ""


def usage_in(content: dict[str, Any]) -> Usage | None:
    """From llama.cpp's timings, or the usage of the OpenAI API; None where neither is told."""
    try:
        if timings := content.get("timings"):
            cached = max(int(timings["cache_n"]), 0)
            return Usage(cached + int(timings["prompt_n"]), cached)
        if usage := content.get("usage"):
            details = usage.get("prompt_tokens_details") or {}
            return Usage(int(usage["prompt_tokens"]), int(details.get("cached_tokens") or 0))
    except (KeyError, TypeError, ValueError, AttributeError):
        pass  # statistics are not worth a reply
    return None
