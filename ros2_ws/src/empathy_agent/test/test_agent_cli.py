"""The commands, as a user runs them."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chat_server import GOOD, events, serve  # type: ignore[import-not-found]

pytestmark = pytest.mark.graph

COMMAND = [sys.executable, "-m", "empathy_agent.cli"]
AGENT = [sys.executable, "-c", "from empathy_agent.node import main; main()", "--ros-args"]


def run(*arguments: str, text: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], input=text, capture_output=True, text=True, timeout=60, env=os.environ | environment
    )


def test_models_list_and_path(tmp_path: Path) -> None:
    (tmp_path / "mine.gguf").write_bytes(b"model")
    config = tmp_path / "earnest" / "models.yaml"
    config.parent.mkdir()
    config.write_text(
        "mine: {title: Mine, licence: MIT, languages: [en], context: 4096, bytes: 5, sha256: null,"
        f" source: {{file: {tmp_path / 'mine.gguf'}}}}}"
    )
    listed = run("models", "list", XDG_CONFIG_HOME=str(tmp_path), COLUMNS="200")
    assert listed.returncode == 0
    assert "listener *" in listed.stdout
    assert "Mine" in listed.stdout
    assert run("models", "path", "mine", XDG_CONFIG_HOME=str(tmp_path)).stdout.strip() == str(tmp_path / "mine.gguf")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["models", "path", "smollm2-135m"], "run: imuface models get smollm2-135m"),
        (["models", "verify", "nope"], "unknown model 'nope'; known:"),
        (["ask", "--model", "nope", "hello"], "unknown model 'nope'; known:"),
        (["ask", "--model", "smollm2-135m", "hello"], "run: imuface models get smollm2-135m"),
    ],
)
def test_errors_are_one_line_and_status_1(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = run(*arguments, EARNEST_MODELS=str(tmp_path))
    assert result.returncode == 1
    assert message in result.stderr
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_broken_user_catalogue_is_named(tmp_path: Path) -> None:
    config = tmp_path / "earnest" / "models.yaml"
    config.parent.mkdir()
    config.write_text("mine: [")
    result = run("models", "list", XDG_CONFIG_HOME=str(tmp_path))
    assert result.returncode == 1
    assert f"error: {config} is not YAML" in result.stderr


@pytest.mark.parametrize("command", [["ask"], ["chat"], ["models"], ["models", "get"]])
def test_help(command: list[str]) -> None:
    result = run(*command, "--help")
    assert result.returncode == 0
    assert "Usage" in result.stdout


def test_ask_in_this_process(small_model: Path) -> None:
    result = run("ask", "--model", "smollm2-135m", "--json", "-", text="I want to die.\n")
    assert result.returncode == 0, result.stderr
    reply = json.loads(result.stdout)
    assert reply["risk"] == "crisis"
    assert reply["resources"]
    assert reply["answer"]
    assert reply["model"] == ""


def test_ask_and_chat_with_the_running_agent() -> None:
    with serve(events(GOOD), events(GOOD), events(GOOD * 50, size=1)) as server:
        parameters = {"server_url": f'"{server.url}"', "model": "m", "warm_up": "false"}
        settings = [part for name, value in parameters.items() for part in ("-p", f"{name}:={value}")]
        agent = subprocess.Popen([*AGENT, "-r", "__ns:=/t_cli", *settings], stderr=subprocess.PIPE, text=True)
        assert agent.stderr is not None
        while "is ready" not in agent.stderr.readline():
            pass
        try:
            result = run("ask", "--namespace", "t_cli", "--json", "I am tired of my job.")
            assert result.returncode == 0, result.stderr
            reply = json.loads(result.stdout)
            assert reply["answer"] == "It sounds hard. No wonder you are tired."
            assert reply["model"] == "m"
            assert reply["seconds_total"] > 0

            empty = run("ask", "--namespace", "t_cli", "-", text="")
            assert (empty.returncode, empty.stdout) == (1, "")
            assert "the text is empty" in empty.stderr

            _chat(server)
        finally:
            agent.terminate()
            agent.wait(timeout=10)


def _chat(server: object) -> None:
    """A conversation at a real terminal, with Ctrl-C in the middle of a reply."""
    ours, theirs = pty.openpty()
    chat = subprocess.Popen(
        [*COMMAND, "chat", "--namespace", "t_cli"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    seen = ""

    def until(text: str) -> None:
        nonlocal seen
        deadline = time.monotonic() + 20
        while text not in seen:
            assert time.monotonic() < deadline, seen
            if select.select([ours], [], [], 0.2)[0]:
                seen += os.read(ours, 4096).decode(errors="replace")
        seen = seen.split(text, 1)[1]

    until("you: ")
    os.write(ours, b"I am tired of my job.\n")
    until("emotions and context: ")
    until("It sounds hard.")
    until("you: ")
    server.pause = 0.05  # type: ignore[attr-defined]
    os.write(ours, b"And nobody listens.\n")
    until("emotions and context: ")
    os.kill(chat.pid, signal.SIGINT)
    until("(cancelled)")
    until("you: ")
    os.write(ours, b"/quit\n")
    assert chat.wait(timeout=10) == 0
    os.close(ours)
