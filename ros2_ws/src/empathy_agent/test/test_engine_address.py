"""Addresses of servers as people write them."""

from __future__ import annotations

import pytest
from empathy_agent.engines.address import chat_endpoint, without_secrets
from empathy_agent.engines.openai_server import OpenAIServer
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("http://h", "http://h/v1/chat/completions"),
        ("http://h:8000/", "http://h:8000/v1/chat/completions"),
        ("HTTPS://H/v1", "https://h/v1/chat/completions"),
        ("http://h/v1//", "http://h/v1/chat/completions"),
        ("http://h/v4", "http://h/v4/chat/completions"),
        ("http://h/api/paas/v4/", "http://h/api/paas/v4/chat/completions"),
        ("http://h/v1beta/openai/", "http://h/v1beta/openai/chat/completions"),
        ("http://h/models/x", "http://h/models/x/chat/completions"),
        ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
        ("http://h/v4/chat/completions/", "http://h/v4/chat/completions"),
        ("http://h/chat/completions?version=3#top", "http://h/chat/completions?version=3"),
        ("http://[::1]:8000", "http://[::1]:8000/v1/chat/completions"),
        ("http://主机/v1", "http://xn--tiq422d/v1/chat/completions"),
    ],
)
def test_what_has_a_path_is_taken_as_it_is(written: str, endpoint: str) -> None:
    assert str(chat_endpoint(written)) == endpoint


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("ftp://host", "not an http:// or https:// address"),
        ("ws://host/v1", "not an http:// or https:// address"),
        ("localhost:8000", "not an http:// or https:// address"),
        ("", "not an http:// or https:// address"),
        ("/v1", "not an http:// or https:// address"),
        ("http://", "names no host"),
        ("http:///v1", "names no host"),
        ("http://:8000", "names no host"),
        ("http://ho st", "holds a space"),
        (" http://host", "holds a space"),
        ("http://host/v1\n", "holds a space"),
        ("http://host:port", "is no address"),
        ("http://host:99999999", "is no address"),
        ("http://host:0", "is no address"),
        ("http://" + "a" * 64, "is no address"),
        ("http://one..two", "is no address"),
        ("http://[::1", "is no address"),
    ],
)
def test_what_cannot_be_an_address_is_named(written: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        OpenAIServer(written, "m")
    assert repr(written) in str(caught.value)


def test_messages_hold_no_password() -> None:
    endpoint = chat_endpoint("http://user:secret@h/v1?key=secret")
    assert without_secrets(endpoint) == "http://h/v1/chat/completions"


@given(st.one_of(st.text(), st.text().map("http://{}".format), st.text().map("http://host{}".format)))
def test_any_text_is_an_endpoint_or_an_error(written: str) -> None:
    try:
        endpoint = chat_endpoint(written)
    except ValueError as error:
        assert "server_url" in str(error)  # noqa: PT017 - most texts raise none
    else:
        assert endpoint.path.endswith("/chat/completions")
