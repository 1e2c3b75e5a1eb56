"""Where a server takes chat completions."""

from __future__ import annotations

import re

import httpx

_CHAT = "/chat/completions"


def chat_endpoint(server_url: str) -> httpx.URL:
    """The address that chat completions are posted to.

    A bare host gets the path of the OpenAI API, ``/v1``. A path is taken as the base of the API, whatever its version,
    and one that ends with ``/chat/completions`` as the endpoint itself. Raises ``ValueError`` naming the address.
    """
    if re.search(r"\s", server_url):
        raise ValueError(f"server_url {server_url!r} holds a space; remove it")
    try:
        url = httpx.URL(server_url)
    except (httpx.InvalidURL, ValueError) as error:
        raise ValueError(f"server_url {server_url!r} is no address: {error}") from None
    if url.scheme not in ("http", "https"):
        raise ValueError(f"server_url {server_url!r} is not an http:// or https:// address")
    if not url.host:
        raise ValueError(f"server_url {server_url!r} names no host; write it as http://HOST:PORT")
    try:
        url.raw_host.decode("ascii").encode("idna")  # as the resolver does, with names up to 63 characters
    except UnicodeError as error:
        raise ValueError(f"server_url {server_url!r} is no address: {error}") from None
    if url.port is not None and not 0 < url.port < 65536:
        raise ValueError(f"server_url {server_url!r} is no address: ports end at 65535")
    path = re.sub("/+", "/", url.path).rstrip("/")
    if not path.endswith(_CHAT):
        path = (path or "/v1") + _CHAT
    return url.copy_with(path=path, fragment=None)


def without_secrets(url: httpx.URL) -> str:
    """The address for messages: without user, password and query."""
    return str(url.copy_with(username="", password="", query=None))
