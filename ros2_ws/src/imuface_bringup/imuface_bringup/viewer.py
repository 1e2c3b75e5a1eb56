"""Rerun recordings and the web viewer. Free of ROS."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import rerun as rr
from face_recon_node.head import HeadModel
from imuface_core.bag import Bag, typestore

from imuface_bringup.scene import APPLICATION, Scene, blueprint

log = logging.getLogger(__name__)

_LOOPBACK = "127.0.0.1"
# The server keeps the newest data for browsers that come later.
_MEMORY = "512MB"
_START_PATIENCE = 15.0  # s


def to_file(path: Path, head: HeadModel) -> Scene:
    """A scene that is written to a Rerun recording."""
    recording = rr.RecordingStream(APPLICATION)
    recording.save(path, default_blueprint=blueprint())
    return Scene(recording, head)


@contextlib.contextmanager
def serve(port: int) -> Iterator[tuple[str, str]]:
    """Serve the web viewer on loopback; yields the page's address and the address to log to.

    Rerun's own server in Python listens on every interface, so its program is run instead, which can be told not to.
    Data goes through the port after ``port``. Raises ``OSError`` when the server does not start.
    """
    program = shutil.which("rerun", path=sysconfig.get_path("scripts")) or shutil.which("rerun")
    if program is None:
        raise FileNotFoundError("the rerun program is not installed; pip install rerun-sdk")
    ports = (port, port + 1)
    if any(map(_is_open, ports)):
        raise OSError(f"port {port} or {port + 1} is in use, perhaps by another viewer; name another port")
    command = [program, "--serve-web", "--bind", _LOOPBACK, "--web-viewer-port", str(port), "--port", str(port + 1)]
    server = subprocess.Popen(
        [*command, "--server-memory-limit", _MEMORY],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_until_open(server, ports)
        data = f"rerun+http://{_LOOPBACK}:{port + 1}/proxy"
        yield f"http://{_LOOPBACK}:{port}?url={quote(data, safe='')}", data
    finally:
        # The program is a script that starts the server.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def to_server(address: str, head: HeadModel) -> Scene:
    """A scene that is shown by the server at ``address``."""
    recording = rr.RecordingStream(APPLICATION)
    recording.connect_grpc(address, default_blueprint=blueprint())
    return Scene(recording, head)


def add_bag(scene: Scene, bag: Bag) -> None:
    """Show a whole recorded session. Raises ``ValueError`` when it is damaged."""
    store, types = typestore(), bag.types
    for warning in bag.warnings:
        log.warning("%s", warning)
    for message in bag.messages(set(scene.topics)):
        scene.add(message.topic, store.deserialize_cdr(message.data, types[message.topic]))
    scene.flush()


def convert(bag: Bag, output: Path, head: HeadModel) -> None:
    """Turn a recorded session into a Rerun recording. Raises as :func:`add_bag`, and ``OSError``."""
    output.parent.mkdir(parents=True, exist_ok=True)
    scene = to_file(output, head)
    add_bag(scene, bag)
    scene.close()


def show(bag: Bag, port: int, head: HeadModel) -> None:
    """Show a recorded session in the web viewer until Ctrl-C."""
    with serve(port) as (page, data):
        add_bag(to_server(data, head), bag)
        print(f"viewer: {page}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


def _wait_until_open(server: subprocess.Popen[bytes], ports: tuple[int, ...]) -> None:
    deadline = time.monotonic() + _START_PATIENCE
    while not all(map(_is_open, ports)):
        if server.poll() is not None or time.monotonic() > deadline:
            raise OSError(f"the viewer's server did not open ports {' and '.join(map(str, ports))}")
        time.sleep(0.05)


def _is_open(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex((_LOOPBACK, port)) == 0
