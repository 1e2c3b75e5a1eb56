"""How many people does one machine carry? A driver and a face node for each, and one listener to all.

    .venv/bin/python benchmarks/people.py [--people 10] [--duration 60]

Real processes over DDS: for each person simulated earphones at 30 Hz (``imuface_driver``) and ``face_recon_node``, in a
namespace of their own. The listener counts samples of the left ear and faces, and notes how old a face is when it
arrives. All figures are of simulated earphones; processor shares are of one core.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import rclpy
from imuface_core import topics
from imuface_core.stamps import SECOND
from imuface_interfaces.msg import FacialLandmarks
from imuface_node import qos
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Imu

WARM_UP = 10.0  # seconds after the first face of the last person
PATIENCE = 180.0  # seconds for all to start
NODES = {"driver": "imuface_driver.node", "face": "face_recon_node.node"}


class Listener:
    """Stamps of samples of the left ear, and stamps and arrivals of faces, by person."""

    def __init__(self, people: list[str]) -> None:
        self.node = rclpy.create_node("listener")
        self.samples: dict[str, list[int]] = defaultdict(list)
        self.faces: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for person in people:
            for kind, topic, note in (
                (Imu, topics.IMU["left"], self._on_sample),
                (FacialLandmarks, topics.FACE_LANDMARKS, self._on_face),
            ):
                # As bytes: decoding would keep the listener from noting arrivals.
                self.node.create_subscription(
                    kind, f"/{person}/{topic}", partial(note, person), qos(topic, 1000), raw=True
                )
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.1)

    def _on_sample(self, person: str, data: bytes) -> None:
        self.samples[person].append(_stamp(data))

    def _on_face(self, person: str, data: bytes) -> None:
        self.faces[person].append((_stamp(data), time.time_ns()))


def _stamp(data: bytes) -> int:
    """Nanoseconds of the header, which is the first field."""
    sec, nanosec = np.frombuffer(data, "<u4", 2, 4).tolist()
    return int(sec * SECOND + nanosec)


def start(stack: contextlib.ExitStack, module: str, person: str, *arguments: str) -> psutil.Process:
    """A node process that ends with the stack."""
    command = [sys.executable, "-c", f"from {module} import main; main()", "--ros-args", "-r", f"__ns:=/{person}"]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait, 30)
    stack.callback(process.send_signal, signal.SIGINT)
    return psutil.Process(process.pid)


def busy(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--duration", type=float, default=60.0, help="seconds to measure")
    options = parser.parse_args()
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    profile = Path(__file__).parents[1] / "launch" / "fastdds.xml"
    os.environ.setdefault("FASTDDS_DEFAULT_PROFILES_FILE", str(profile))
    people = [f"person_{number}" for number in range(options.people)]
    rclpy.init()
    listener = Listener(people)
    processes: dict[str, list[psutil.Process]] = defaultdict(list)
    with contextlib.ExitStack() as stack:
        for number, person in enumerate(people):
            seed = ("-p", f"simulated.participant:={number}", "-p", f"simulated.seed:={number}")
            processes["face"].append(start(stack, NODES["face"], person))
            processes["driver"].append(start(stack, NODES["driver"], person, *seed))
        deadline = time.monotonic() + PATIENCE
        while len(listener.faces) < len(people):
            listener.spin(0.5)
            if time.monotonic() > deadline:
                raise SystemExit(f"faces of {len(listener.faces)} of {len(people)} people within {PATIENCE:g} s")
        listener.spin(WARM_UP)
        before, began = {name: busy(each) for name, each in processes.items()}, time.time_ns()
        listener.spin(options.duration)
        shares = {name: (busy(each) - before[name]) / options.duration for name, each in processes.items()}
        ended = time.time_ns()
        listener.spin(2.0)  # for what is under way
    samples = {person: {s for s in stamps if began <= s < ended} for person, stamps in listener.samples.items()}
    faces = {person: {stamp for stamp, _ in listener.faces[person]} for person in people}
    lost = sum(len(samples[person] - faces[person]) for person in people)
    ages = [(arrival - s) * 1e-6 for person in people for s, arrival in listener.faces[person] if s in samples[person]]
    print(f"{options.people} people, {options.duration:g} s, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"samples of left ears {sum(map(len, samples.values()))}, without a face {lost}")
    p50, p99 = np.percentile(ages, [50, 99])
    print(f"age of a face as it arrives: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    for name, share in shares.items():
        print(f"{name} nodes: {share:.0%} of one core, {share / options.people:.1%} each")
    return lost > 0


if __name__ == "__main__":
    sys.exit(main())
