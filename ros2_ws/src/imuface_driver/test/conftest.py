"""What the tests of the sources share."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from imuface_core.earphone import Ear
from imuface_driver.ear import ImuSample
from imuface_driver.sources import Source
from numpy.typing import NDArray

# What several tests share is imported by its name.
sys.path.insert(0, str(Path(__file__).parent))

EMULATOR = Path(__file__).with_name("emulated_earphones.py")


class Collector:
    """A sink that keeps what it gets, and when."""

    def __init__(self) -> None:
        self.samples: dict[Ear, list[ImuSample]] = {"left": [], "right": []}
        self.arrivals: dict[Ear, list[int]] = {"left": [], "right": []}
        self.references: list[tuple[int, NDArray[np.float32]]] = []

    def imu(self, sample: ImuSample) -> None:
        self.samples[sample.ear].append(sample)
        self.arrivals[sample.ear].append(time.time_ns())

    def reference(self, stamp_ns: int, weights: NDArray[np.float32]) -> None:
        self.references.append((stamp_ns, weights))


@contextlib.contextmanager
def running(source: Source) -> Iterator[Collector]:
    """The source, opened and run in a thread as the node does, and closed at the end."""
    sink, stop = Collector(), threading.Event()
    source.open()
    thread = threading.Thread(target=source.run, args=(sink, stop))
    thread.start()
    try:
        yield sink
    finally:
        stop.set()
        thread.join(timeout=5.0)
        source.close()
        assert not thread.is_alive()


@pytest.fixture
def run_source() -> Callable[[Source], contextlib.AbstractContextManager[Collector]]:
    return running


@pytest.fixture
def emulate() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts emulated earphones and waits for their device node; ends them with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(link: Path, truth: Path, *options: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, EMULATOR, "--link", link, "--truth", truth, *options]
        processes.append(subprocess.Popen([str(word) for word in command]))
        wait_for(link.exists)
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], object], timeout: float = 20.0) -> None:
    """Wait until ``condition`` holds; fail after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(name="wait_for")
def wait_for_fixture() -> Callable[..., None]:
    return wait_for
