"""What an avatar costs: latency from a face on DDS to the datagram at the receiver, and the share of a core.

A face that moves is published at 30 Hz, with the turn of the head, to one node at a time; a socket of this machine
takes what it sends. The baseline, in the same run, is a bare subscriber of the same topic, as rclpy spins one, that
answers each message with a datagram of eight bytes. All are measured with both executors (imuface_node/executor.py);
the node has the events executor. Run it on an idle machine: ``python benchmarks/avatars.py [--seconds 60]``.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from itertools import product
from typing import Annotated

import numpy as np
import psutil
import typer
from geometry_msgs.msg import TransformStamped
from imuface_avatar.protocols import PROTOCOLS
from imuface_core import topics
from imuface_interfaces.msg import Blendshapes
from imuface_node import GraphClient, message_class, qos
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

RATE = 30.0  # Hz
SETTLING = 3.0  # s after the first datagram
PATIENCE = 60.0  # s until the first datagram
BARE = """
import socket, sys
import rclpy
from imuface_core.topics import FACE_BLENDSHAPES
from imuface_interfaces.msg import Blendshapes
from imuface_node import qos
from imuface_node.executor import make_executor, spin

rclpy.init()
node = rclpy.create_node("bare")
target = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
target.connect(("127.0.0.1", int(sys.argv[1])))
node.create_subscription(Blendshapes, FACE_BLENDSHAPES, lambda message: target.send(b"x" * 8), qos(FACE_BLENDSHAPES, 1))
executor = make_executor(EVENTS)
executor.add_node(node)
spin(executor)
"""
AVATAR = "from imuface_avatar.node import AvatarNode, main; AvatarNode.BY_EVENTS = EVENTS; main()"


def measure(name: str, by_events: bool, seconds: float) -> tuple[NDArray[np.float64], float]:
    """Latencies (N,) in ms of one node, and its share of a core; ``name`` is a protocol, or empty for the baseline."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, GraphClient("face", "/") as client:
        receiver.bind(("127.0.0.1", 0))
        port = receiver.getsockname()[1]
        command = [sys.executable, "-c", f"EVENTS = {by_events}\n{AVATAR if name else BARE}"]
        command += ["--ros-args", "-p", f"protocol:={name}", "-p", f"port:={port}"] if name else [str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return _measure(client, receiver, psutil.Process(process.pid), seconds)
        finally:
            process.kill()
            process.wait()


def _measure(
    client: GraphClient, receiver: socket.socket, process: psutil.Process, seconds: float
) -> tuple[NDArray[np.float64], float]:
    tf = message_class(topics.TF.type)
    faces = client.node.create_publisher(Blendshapes, topics.FACE_BLENDSHAPES, qos(topics.FACE_BLENDSHAPES))
    heads = client.node.create_publisher(tf, topics.TF, qos(topics.TF))
    rng = np.random.default_rng(0)
    phases, speeds = rng.uniform(0.0, 6.28, 52), rng.uniform(0.5, 6.0, 52)
    latencies: list[float] = []
    begin: float | None = None
    busy = since = 0.0
    due = time.perf_counter()
    latest = due + PATIENCE
    while begin is None or due < begin + SETTLING + seconds:
        face = Blendshapes(weights=(0.5 + 0.5 * np.sin(phases + speeds * due)).astype(np.float32))
        face.header.stamp, face.header.frame_id = client.node.get_clock().now().to_msg(), "face"
        head = TransformStamped(header=face.header, child_frame_id="face")
        head.transform.rotation.w = 1.0
        published = time.perf_counter()
        counts = begin is not None and published >= begin + SETTLING
        if counts and not latencies:
            busy, since = sum(process.cpu_times()[:2]), published
        faces.publish(face)
        heads.publish(tf(transforms=[head]))
        due += 1.0 / RATE
        arrived = _last_arrival(receiver, due)
        if arrived is not None and begin is None:
            begin = arrived
        if begin is None and due > latest:
            raise SystemExit(f"no datagram within {PATIENCE:g} s")
        if counts:
            latencies.append(1e3 * (arrived - published) if arrived is not None else np.nan)
    return np.array(latencies), (sum(process.cpu_times()[:2]) - busy) / (time.perf_counter() - since)


def _last_arrival(receiver: socket.socket, until: float) -> float | None:
    """When the last datagram before ``until`` came."""
    arrived = None
    while (wait := until - time.perf_counter()) > 0.0:
        receiver.settimeout(wait)
        try:
            receiver.recv(65_535)
        except (TimeoutError, BlockingIOError):
            break
        arrived = time.perf_counter()
    return arrived


def main(seconds: Annotated[float, typer.Option(min=1.0, help="Of each.")] = 60.0) -> None:
    """Run the benchmark."""
    table = Table(
        *("node", "executor", "p50, ms", "p99, ms", "p99 / bare", "p99 added, ms"),
        *("share of a core", "share / bare", "lost"),
    )
    base: tuple[float, float] | None = None
    for name, by_events in product(("", *PROTOCOLS), (False, True)):
        latencies, share = measure(name, by_events, seconds)
        p50, p99 = np.nanpercentile(latencies, [50, 99])
        base = base or (float(p99), share)
        table.add_row(
            *(name or "bare subscriber", "events" if by_events else "single-threaded"),
            *(f"{p50:.2f}", f"{p99:.2f}", f"{p99 / base[0]:.2f}", f"{p99 - base[0]:+.2f}"),
            *(f"{share:.1%}", f"{share / base[1]:.2f}", str(np.isnan(latencies).sum())),
        )
    console = Console(width=140)
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {seconds:g} s each at {RATE:g} Hz")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
