"""The reference robot in a real browser, with a real agent whose model is a scripted server."""

from __future__ import annotations

import io
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vrm_model  # type: ignore[import-not-found]
from chat_server import GOOD, events, serve  # type: ignore[import-not-found]
from empathy_agent.models import ModelError
from imuface_core import topics
from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_robot.avatar.viewer import get
from matplotlib import image

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.graph,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt install chromium)"),
]
POST = "I am so tired of my job."


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens pages, which are closed at the end: one that is left open goes on drawing."""
    with ExitStack() as pages:
        yield lambda **options: pages.enter_context(browser.new_page(**options))


@pytest.fixture
def port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Shown:
    """The page in a browser: what it asked for, what went wrong, what it shows."""

    def __init__(self, page: Any, port: int) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda opened: self.requests.append(opened.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        deadline = time.monotonic() + 60.0
        while True:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline, "no page was served"
            time.sleep(0.1)
        page.goto(f"http://127.0.0.1:{port}/")

    def await_part(self, name: str) -> None:
        self.page.locator(f"li.is-there[data-part={name}]").wait_for(timeout=60_000)

    def say(self, text: str) -> None:
        self.page.fill("input", text)
        self.page.keyboard.press("Enter")

    def await_words(self, selector: str, words: str) -> None:
        self.page.locator(selector, has_text=re.compile(words)).wait_for(timeout=60_000)

    def attribute(self, part: str, name: str) -> str:
        return str(self.page.locator(f"[data-part={part}]").get_attribute(name))


def test_what_is_typed_is_answered_and_nobody_else_is_asked(
    new_page: Callable[..., Any], port: int, running: Callable[..., Any]
) -> None:
    with (
        serve(events(GOOD)) as server,
        running("empathy_agent.node", "t_page", f"server_url:={server.url}", "model:=m", "warm_up:=false"),
        running("imuface_robot.cue_node", "t_page"),
        running("imuface_robot.robot_node", "t_page", f"port:={port}"),
    ):
        shown = Shown(new_page(), port)
        shown.await_part("agent")
        shown.say("  ")  # nothing
        shown.say(POST)
        shown.await_words("#heard", POST)
        shown.await_words("#subtitle", "It sounds hard.")
        shown.await_words("#subtitle", "No wonder you are tired.")
        assert not shown.page.locator("#layers").is_visible()
        shown.page.click("#think")
        shown.await_words("#layers p >> nth=0", "You feel tired.")
        shown.await_words("#layers p >> nth=3", "First listen.")
        assert not shown.page.locator("#help").is_visible()
        shown.say("I want to kill myself.")
        shown.await_words("#help li >> nth=0", r"\w")
        shown.await_words("#subtitle", r"\w{3}")
        shown.say(POST)  # into the long answer, which is broken off
        shown.await_words("#subtitle", "^(|It sounds hard.)$")
        shown.say(POST + " <img src=http://evil.example/x onerror=alert(1)>")
        shown.await_words("#heard", "<img")
        assert shown.page.locator("#heard img").count() == 0
    assert not shown.errors
    assert {re.split(r"://|/", url)[1] for url in shown.requests} == {f"127.0.0.1:{port}"}


def test_the_head_follows_the_face_and_says_when_it_is_alone(
    new_page: Callable[..., Any], port: int, running: Callable[..., Any], graph: Callable[[str], Any]
) -> None:
    with running("imuface_robot.robot_node", "t_head", f"port:={port}"):
        shown = Shown(new_page(viewport={"width": 390, "height": 780}), port)
        client = graph("t_head")
        client.publish(topics.CUE, kind=200, amount=float("nan"), duration=1.0)  # of another version: no harm
        client.publish(topics.FACE_BLENDSHAPES, weights=np.full(52, np.nan, np.float32))
        shown.await_part("face")
        resting = shown.attribute("mouth", "d")
        laughing = np.zeros(52, np.float32)
        laughing[[17, 23, 24]] = 1.0  # jawOpen, mouthSmileLeft, mouthSmileRight
        for _ in range(60):
            client.publish(topics.FACE_BLENDSHAPES, weights=laughing)
            time.sleep(0.02)
            client.step(0.0)
        assert shown.attribute("mouth", "d") != resting
        assert float(shown.attribute("cheek-Left", "opacity")) > 0.3
        assert shown.page.evaluate("window.earnest.faces") >= 20
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= 390
        shown.say(POST)
        shown.await_words("#subtitle", "No agent is running")
    assert not shown.errors


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What draws an avatar, as the command fetches it."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed (Debian: apt install npm)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EARNEST_MODELS", str(tmp_path_factory.mktemp("models")))
        try:
            get()
        except ModelError as error:
            pytest.skip(str(error))
        yield


def picture(page: Any) -> np.ndarray:
    """How light the avatar is, 0 .. 1, by row and column."""
    shot = page.locator("#avatar").screenshot()
    light: np.ndarray = image.imread(io.BytesIO(shot))[..., :3].mean(axis=2)
    return light


@pytest.mark.usefixtures("viewer")
@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("perfect_sync", [True, False])
def test_an_avatar_is_the_persons_mirror(
    new_page: Callable[..., Any],
    port: int,
    running: Callable[..., Any],
    graph: Callable[[str], Any],
    tmp_path: Path,
    version: int,
    perfect_sync: bool,
) -> None:
    space = f"t_avatar_{version}{perfect_sync:d}"
    file = vrm_model.write(tmp_path / "a.vrm", version, BLENDSHAPES if perfect_sync else ())
    with running("imuface_robot.robot_node", space, f"port:={port}", f"vrm:={file}", "whole_face:=true"):
        page = new_page(viewport={"width": 600, "height": 600}, reduced_motion="reduce")
        shown = Shown(page, port)
        page.locator("#avatar").wait_for(timeout=60_000)
        assert not page.locator("#head").is_visible()
        client = graph(space)

        def after(seen: Callable[[np.ndarray], bool], *names: str) -> np.ndarray:
            """The picture as soon as it shows what is to be seen of a face; a busy machine draws few of them."""
            weights = np.zeros(52, np.float32)
            weights[[INDEX[name] for name in names]] = 1.0
            deadline = time.monotonic() + 60.0
            while True:
                for _ in range(20):
                    client.publish(topics.FACE_BLENDSHAPES, weights=weights)
                    time.sleep(0.02)
                    client.step(0.0)
                if seen(now := picture(page)):
                    return now
                assert time.monotonic() < deadline, f"{names} cannot be seen"

        rest = after(lambda now: page.evaluate("earnest.faces > 10"))
        middle = rest.shape[1] // 2

        def moved(now: np.ndarray) -> tuple[int, int]:
            """How much of the left and of the right half looks other than at rest."""
            other = np.abs(now - rest) > 0.1
            return int(other[:, :middle].sum()), int(other[:, middle:].sum())

        after(lambda now: (now < 0.3).sum() > 1.2 * (rest < 0.3).sum(), "jawOpen")  # a mouth is dark
        after(lambda now: sum(moved(now)) < 10)
        left = moved(after(lambda now: sum(moved(now)) > 40, "mouthSmileLeft"))
        after(lambda now: sum(moved(now)) < 10)
        right = moved(after(lambda now: sum(moved(now)) > 40, "mouthSmileRight"))
        if perfect_sync:  # the person's left is on the left of the picture
            assert left[0] > 5 * left[1]
            assert right[1] > 5 * right[0]
        else:  # VRM's own smile knows no sides
            assert min(*left, *right) > 15
    assert not shown.errors
    assert all(re.match(rf"(blob:)?(http|ws)://127\.0\.0\.1:{port}/", url) for url in shown.requests)


def test_a_file_that_is_no_avatar_ends_in_one_line(running: Callable[..., Any], port: int, tmp_path: Path) -> None:
    (tmp_path / "a.vrm").write_text("<html>")
    options = (f"port:={port}", f"vrm:={tmp_path / 'a.vrm'}", "required:=true")
    with running("imuface_robot.robot_node", "t_no_avatar", *options) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "a.vrm is no VRM" in output
    assert "Traceback" not in output


def test_the_page_says_when_the_robot_is_gone_and_comes_back(
    new_page: Callable[..., Any], port: int, running: Callable[..., Any]
) -> None:
    with running("imuface_robot.robot_node", "t_gone", f"port:={port}"):
        shown = Shown(new_page(), port)
        shown.page.locator("#say button:enabled").wait_for(timeout=30_000)
    shown.await_words("#subtitle", "not running any more")
    assert shown.page.locator("#say button").is_disabled()
    with running("imuface_robot.robot_node", "t_gone", f"port:={port}"):
        shown.page.locator("#say button:enabled").wait_for(timeout=60_000)
        assert shown.page.inner_text("#subtitle") == ""


def test_a_port_in_use_ends_in_one_line(running: Callable[..., Any], port: int) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with running("imuface_robot.robot_node", "t_port", f"port:={port}", "required:=true") as process:
            output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be opened" in output
    assert "Traceback" not in output
