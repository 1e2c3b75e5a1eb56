"""The server of the page: on this machine alone, for its own page alone."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_robot.page_server import LONGEST, Avatar, PageServer, typed


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def server(said: list[str]) -> Iterator[PageServer]:
    server = PageServer(0, said.append)
    yield server
    server.close()


def ask(talk: Callable[[aiohttp.ClientSession], Awaitable[Any]]) -> Any:
    """What comes of a talk with a server."""

    async def run() -> Any:
        async with aiohttp.ClientSession() as session:
            return await talk(session)

    return asyncio.run(run())


def status(url: str, **headers: str) -> int:
    async def get(session: aiohttp.ClientSession) -> int:
        async with session.get(url, headers=headers) as response:
            return response.status

    return ask(get)


def test_the_page_loads_from_nowhere_else(server: PageServer) -> None:
    async def get(session: aiohttp.ClientSession) -> tuple[str, str]:
        async with session.get(server.address) as response:
            return await response.text(), response.headers["Content-Security-Policy"]

    text, policy = ask(get)
    assert "http" not in text
    assert text.count("<script") == 2  # one of them within the page, by its hash
    [digest] = re.findall(r"script-src 'self' 'sha256-([^']+)'; style", policy)
    [script] = re.findall(r'<script type="importmap">(.*?)</script>', text)
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() == digest
    assert policy.startswith("default-src 'none';")
    for name in ("style.css", "robot.js", "motion.js", "head.js", "arkit.js", "avatar.js", "icon.svg"):
        assert status(server.address + name) == 200


@pytest.mark.parametrize(
    "path", ["robot_node.py", "../robot_node.py", "%2e%2e/robot_node.py", "page/index.html", "//etc/passwd"]
)
def test_nothing_else_is_served(server: PageServer, path: str) -> None:
    assert status(server.address + path) == 404


def test_it_listens_on_loopback_alone(server: PageServer) -> None:
    with contextlib.closing(socket.socket()) as other:
        other.bind(("127.0.0.2", server.port))  # taken if the server listened everywhere


def test_strangers_are_refused(server: PageServer) -> None:
    own = f"127.0.0.1:{server.port}"
    assert status(server.address, Host="evil.example") == 403
    assert status(server.address + "socket", Host=own, Origin="http://evil.example") == 403
    assert status(server.address + "socket", Host=own) == 403
    assert server.refused == 3


def test_words_go_both_ways_and_what_is_none_is_counted(server: PageServer, said: list[str]) -> None:
    async def talk(session: aiohttp.ClientSession) -> dict[str, Any]:
        own = f"http://127.0.0.1:{server.port}"
        async with session.ws_connect(server.address + "socket", headers={"Origin": own}) as page:
            await page.send_str('{"say": " 我很累。 "}')
            for broken in ("", "{", "[]", '{"say": 1}', '{"say": " "}', json.dumps({"say": "x" * (LONGEST + 1)})):
                await page.send_str(broken)
            await page.send_bytes(b'{"say": "bytes"}')
            while server.refused < 7:
                await asyncio.sleep(0.01)
            assert server.browsers == 1
            server.send("heard", text="我很累。")
            assert (await page.receive_json(timeout=10))["url"] == ""  # no avatar
            answer: dict[str, Any] = await page.receive_json(timeout=10)
            return answer

    assert ask(talk) == {"kind": "heard", "text": "我很累。"}
    assert said == ["我很累。"]
    deadline = time.monotonic() + 10.0
    while server.browsers:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_avatar_and_what_draws_it_are_served_and_nothing_beside_them(tmp_path: Path) -> None:
    (tmp_path / "viewer/loaders").mkdir(parents=True)
    (tmp_path / "viewer/loaders/load.js").write_text("export {};")
    (tmp_path / "viewer/key.pem").write_text("secret")
    (tmp_path / "me.vrm").write_bytes(b"glTF")

    server = PageServer(0, print, Avatar(tmp_path / "me.vrm", tmp_path / "viewer"))

    async def greeting(session: aiohttp.ClientSession) -> dict[str, Any]:
        headers = {"Origin": server.address.rstrip("/")}
        async with session.ws_connect(server.address + "socket", headers=headers) as page:
            first: dict[str, Any] = await page.receive_json(timeout=10)
            return first

    try:
        told = ask(greeting)
        assert told["kind"] == "avatar"
        assert status(server.address + told["url"].lstrip("/")) == 200
        assert status(server.address + "viewer/loaders/load.js") == 200
        for other in ("viewer/key.pem", "me.vrm", "avatar/me.vrm"):
            assert status(server.address + other) == 404
        (tmp_path / "me.vrm").unlink()  # meanwhile
        assert status(server.address + told["url"].lstrip("/")) == 404
    finally:
        server.close()


def test_a_message_that_is_too_long_ends_its_connection_alone(server: PageServer, said: list[str]) -> None:
    async def talk(session: aiohttp.ClientSession) -> bool:
        own = f"http://127.0.0.1:{server.port}"
        async with session.ws_connect(server.address + "socket", headers={"Origin": own}) as page:
            await page.send_str("x" * 1_000_000)
            await page.receive_json(timeout=10)
            await page.receive(timeout=10)
            return page.closed

    assert ask(talk)
    assert status(server.address) == 200
    assert not said


def test_a_port_in_use_is_named(server: PageServer) -> None:
    with pytest.raises(
        OSError, match=f"port {server.port} of 127.0.0.1 cannot be opened .Address already in use.; name"
    ):
        PageServer(server.port, print)


def test_a_closed_server_takes_no_harm() -> None:
    server = PageServer(0, print)
    server.close()
    server.send("heard", text="a")


@given(
    st.text()
    | st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.just("say"), inner)
    ).map(json.dumps)
)
def test_whatever_a_message_holds_it_is_words_or_none(message: str) -> None:
    text = typed(message)
    assert text is None or 0 < len(text) <= LONGEST
