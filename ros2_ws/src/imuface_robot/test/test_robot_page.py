"""The reference robot in a real browser, with a real agent whose model is a scripted server."""

from __future__ import annotations

import io
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
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
    browser: Any, port: int, running: Callable[..., Any]
) -> None:
    with (
        serve(events(GOOD)) as server,
        running("empathy_agent.node", "t_page", f"server_url:={server.url}", "model:=m", "warm_up:=false"),
        running("imuface_robot.cue_node", "t_page"),
        running("imuface_robot.robot_node", "t_page", f"port:={port}"),
    ):
        shown = Shown(browser.new_page(), port)
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
        shown.page.close()
    assert not shown.errors
    assert {re.split(r"://|/", url)[1] for url in shown.requests} == {f"127.0.0.1:{port}"}


def test_the_head_follows_the_face_and_says_when_it_is_alone(
    browser: Any, port: int, running: Callable[..., Any], graph: Callable[[str], Any]
) -> None:
    with running("imuface_robot.robot_node", "t_head", f"port:={port}"):
        shown = Shown(browser.new_page(viewport={"width": 390, "height": 780}), port)
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
        shown.page.close()
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
    browser: Any,
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
        page = browser.new_page(viewport={"width": 600, "height": 600}, reduced_motion="reduce")
        shown = Shown(page, port)
        page.locator("#avatar").wait_for(timeout=60_000)
        assert not page.locator("#head").is_visible()
        client = graph(space)

        def after(*names: str) -> np.ndarray:
            weights = np.zeros(52, np.float32)
            weights[[INDEX[name] for name in names]] = 1.0
            for _ in range(40):
                client.publish(topics.FACE_BLENDSHAPES, weights=weights)
                time.sleep(0.02)
                client.step(0.0)
            return picture(page)

        rest, opened = after(), after("jawOpen")
        assert (opened < 0.3).sum() > 1.2 * (rest < 0.3).sum()  # a mouth is dark
        left, right = (np.abs(after(f"mouthSmile{side}") - rest) > 0.1 for side in ("Left", "Right"))
        middle = rest.shape[1] // 2
        if perfect_sync:  # the person's left is on the left of the picture
            assert left[:, :middle].sum() > 5 * left[:, middle:].sum()
            assert right[:, middle:].sum() > 5 * right[:, :middle].sum()
        else:  # VRM's own smile knows no sides
            assert left[:, :middle].sum() > 20
            assert left[:, middle:].sum() > 20
        page.close()
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
    browser: Any, port: int, running: Callable[..., Any]
) -> None:
    with running("imuface_robot.robot_node", "t_gone", f"port:={port}"):
        shown = Shown(browser.new_page(), port)
        shown.page.locator("#say button:enabled").wait_for(timeout=30_000)
    shown.await_words("#subtitle", "not running any more")
    assert shown.page.locator("#say button").is_disabled()
    with running("imuface_robot.robot_node", "t_gone", f"port:={port}"):
        shown.page.locator("#say button:enabled").wait_for(timeout=60_000)
        assert shown.page.inner_text("#subtitle") == ""
        shown.page.close()


def test_a_port_in_use_ends_in_one_line(running: Callable[..., Any], port: int) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with running("imuface_robot.robot_node", "t_port", f"port:={port}", "required:=true") as process:
            output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be opened" in output
    assert "Traceback" not in output
