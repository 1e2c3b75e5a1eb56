"""Serves the reference robot's page on this machine alone, and keeps a WebSocket to each browser that shows it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from empathy_agent.models.store import sha256
from imuface_core.vrm import PRESETS

LOOPBACK = "127.0.0.1"
LONGEST = 4000
"""Characters of what may be typed; the agent's ``max_characters`` unless it was changed."""
_PAGE = resources.files("imuface_robot").joinpath("page")
_FILES = ("index.html", "style.css", "robot.js", "motion.js", "head.js", "avatar.js", "arkit.js", "icon.svg")
_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_WAITING = 200  # messages for one browser
_FRAMES_WAITING = 3  # a browser that does not keep up sees fewer faces, and all of the words


@dataclass(frozen=True)
class Avatar:
    """A VRM model in the place of the drawn head, and the folder of the libraries that draw it."""

    model: Path
    viewer: Path


class PageServer:
    """A web server on a thread of its own; ``on_say`` gets what is typed, on that thread.

    Only pages of this very server may open the WebSocket (its Origin and Host are checked), and the page may load from
    nowhere else (its Content-Security-Policy).

    Raises:
        OSError: the port is in use, or the avatar cannot be read.
    """

    def __init__(self, port: int, on_say: Callable[[str], None], avatar: Avatar | None = None) -> None:
        self._on_say = on_say
        self._files: dict[str, Traversable] = {f"/{name}": _PAGE.joinpath(name) for name in _FILES}
        self._files["/"] = self._files.pop("/index.html")
        page = self._files["/"].read_text("utf-8")
        # The only script within the page, and the only one that may be there: where a viewer's libraries are.
        import_map = page.partition('<script type="importmap">')[2].partition("</script>")[0]
        self._import_map = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
        model = ""
        if avatar is not None:
            model = (
                f"/avatar/{sha256(avatar.model)}.vrm"  # another name for another content: a page shows the one of now
            )
            self._files[model] = avatar.model
            viewer = {file.relative_to(avatar.viewer).as_posix(): file for file in avatar.viewer.rglob("*.js")}
            self._files |= {f"/viewer/{name}": file for name, file in viewer.items()}
        presets = {name: sums for (_, name), sums in PRESETS.items()}
        self._greeting = json.dumps({"kind": "avatar", "url": model, "presets": presets})
        self._browsers: set[asyncio.Queue[str]] = set()
        self.refused = 0
        """Requests of strangers and messages that are none."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="page", daemon=True)
        self._thread.start()
        try:
            self._runner, self.port = self._call(self._start(port)).result()
        except OSError as error:
            self._end()
            reason = os.strerror(error.errno or 0)  # aiohttp's own words name the port once more
            raise OSError(f"port {port} of {LOOPBACK} cannot be opened ({reason}); name another port") from None

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://{LOOPBACK}:{self.port}/"

    @property
    def browsers(self) -> int:
        """How many browsers show the page."""
        return len(self._browsers)

    def send(self, kind: str, **content: Any) -> None:
        """Tell all browsers; from any thread."""
        text = json.dumps({"kind": kind, **content}, ensure_ascii=False)
        with contextlib.suppress(RuntimeError):  # closed
            self._loop.call_soon_threadsafe(self._spread, text, _FRAMES_WAITING if kind == "face" else _WAITING)

    def close(self) -> None:
        """Stop serving."""
        self._call(self._runner.cleanup()).result()
        self._end()

    # On the server's thread ---------------------------------------------------------------------------------------

    async def _start(self, port: int) -> tuple[web.AppRunner, int]:
        application = web.Application(middlewares=[self._guard])
        application.router.add_get("/socket", self._socket)
        for path in self._files:
            application.router.add_get(path, self._file)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, port).start()
        except OSError:
            await runner.cleanup()
            raise
        return runner, runner.addresses[0][1]

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        # A page from elsewhere can let its own name mean this machine: the name is looked at, too.
        if request.host not in (f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"):
            self.refused += 1
            raise web.HTTPForbidden(text="this page is for this machine alone")
        return await handler(request)

    async def _file(self, request: web.Request) -> web.Response:
        file = self._files[request.path]
        kind = _KINDS.get(file.name.rpartition(".")[2], "application/octet-stream")
        # An avatar's pictures are blobs of the page's own.
        policy = (
            f"default-src 'none'; script-src 'self' 'sha256-{self._import_map}'; style-src 'self'; "
            f"img-src 'self' blob:; connect-src 'self' blob: ws://{request.host}"
        )
        try:
            body = file.read_bytes()
        except OSError as error:
            raise web.HTTPNotFound(text=f"{file.name}: {error.strerror}") from error
        return web.Response(
            body=body,
            content_type=kind,
            charset="utf-8" if kind.startswith(("text/", "image/")) else None,
            headers={"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Frame-Options": "DENY"},
        )

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        if request.headers.get("Origin") != f"http://{request.host}":
            self.refused += 1
            raise web.HTTPForbidden(text="only the robot's own page may listen and speak here")
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=8 * LONGEST)
        await socket.prepare(request)
        queue: asyncio.Queue[str] = asyncio.Queue()
        queue.put_nowait(self._greeting)
        self._browsers.add(queue)
        sending = asyncio.ensure_future(_forward(queue, socket))
        try:
            async for message in socket:
                if (text := typed(message.data if message.type is WSMsgType.TEXT else None)) is None:
                    self.refused += 1
                else:
                    self._on_say(text)
        finally:
            self._browsers.discard(queue)
            sending.cancel()
        return socket

    def _spread(self, text: str, most: int) -> None:
        for queue in self._browsers:
            if queue.qsize() < most:
                queue.put_nowait(text)

    def _call(self, coroutine: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def typed(message: str | None) -> str | None:
    """The words in a message of the page, ``{"say": "..."}``; None where it is none."""
    try:
        text = json.loads(message or "")["say"].strip()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return text if 0 < len(text) <= LONGEST else None


async def _forward(queue: asyncio.Queue[str], socket: web.WebSocketResponse) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await socket.send_str(await queue.get())
