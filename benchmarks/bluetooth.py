"""Earphones over Bluetooth: are their stamps right, is every loss counted, and what does the driver cost?

    .venv/bin/python benchmarks/bluetooth.py [--minutes 30] [--figure docs/images/bluetooth-time.png] [--no-cpu]

The first table is of an emulated pair (simulated controllers, real HCI and GATT, in leaping time): both clocks off by
50 ppm, a connection event every 20 ms, 2 % of the packets lost, three disconnections, a reboot. The second is of real
driver processes with two ears at 104 Hz: over Bluetooth (bleak, against a stand-in for bluetoothd on a private D-Bus,
which needs dbus-daemon), and over a serial port, the baseline, in the same run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import psutil
import typer
from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).parents[1] / "ros2_ws" / "src" / "imuface_driver" / "test"
sys.path.insert(0, str(TESTS))
RATE = 104.0
COMPUTER = "00:00:00:11:11:11"
BUDS = ("00:00:00:22:22:22", "00:00:00:33:33:33")


def main(
    minutes: Annotated[float, typer.Option(help="Of device time.")] = 30.0,
    figure: Annotated[Path | None, typer.Option(help="Picture of the stamps' errors to write.")] = None,
    cpu: Annotated[bool, typer.Option(help="Measure the driver, too.")] = True,
    seconds: Annotated[float, typer.Option(help="Of measuring the driver.")] = 30.0,
) -> None:
    logging.getLogger("bumble").setLevel(logging.ERROR)
    logging.getLogger("imuface_driver").setLevel(logging.ERROR)
    worn(60.0 * minutes, figure)
    if cpu:
        costs(seconds)


def worn(duration: float, figure: Path | None) -> None:
    from emulated_bluetooth import leaping_loop, wear  # type: ignore[import-not-found]

    short, long = 0.003 * duration, 0.02 * duration
    away = {
        "left": [(0.2 * duration, short), (0.35 * duration, 2.0), (0.5 * duration, long)],
        "right": [(0.2 * duration, 3.0), (0.5 * duration, long), (0.8 * duration, short)],
    }
    begin = time.monotonic()
    with asyncio.Runner(loop_factory=leaping_loop) as runner:
        wearings = runner.run(wear(duration, away, {"right": [duration * 0.65]}))
    table = Table(title=f"{duration / 60:g} minutes of a pair, in {time.monotonic() - begin:.0f} s")
    for column in (
        "ear",
        "samples",
        "twice",
        "out of order",
        "missing",
        "counted",
        "p50 ms",
        "p99 ms",
        "most ms",
        "back s",
    ):
        table.add_column(column, justify="right")
    for wearing in wearings:
        indices, errors = wearing.indices, np.abs(wearing.errors) * 1e3
        stamps = np.array([sample.stamp_ns for sample in wearing.samples])
        backwards = (np.diff(indices) <= 0).sum() + (np.diff(stamps) <= 0).sum()
        counts = (len(indices), len(indices) - len(set(indices)), backwards, wearing.missing, wearing.health.lost)
        spread = (f"{each:.3f}" for each in np.percentile(errors, [50, 99, 100]))
        table.add_row(wearing.ear, *map(str, counts), *spread, f"{max(wearing.recoveries):.2f}")
    Console(width=120).print(table)
    if figure is not None:
        draw(wearings, figure)


def draw(wearings: list, figure: Path) -> None:
    """Error of each arrival and of each stamp over time, and how they are spread."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    canvas, rows = pyplot.subplots(2, 2, figsize=(9.0, 5.0), width_ratios=(3, 1), sharey="row", layout="constrained")
    for wearing, (over_time, spread) in zip(wearings, rows, strict=True):
        truth = np.array(wearing.sampler.truth)[wearing.indices]
        minutes = (truth - truth[0]) * 60e-9 / 3600
        late = (np.array(wearing.arrivals) - truth) * 1e-6
        for values, colour, label in ((late, "#bbbbbb", "arrival"), (wearing.errors * 1e3, "#c0392b", "stamp")):
            over_time.plot(minutes, values, ".", markersize=1.0, color=colour, label=label, rasterized=True)
            spread.hist(values, np.arange(-5.0, 70.0, 0.5), orientation="horizontal", color=colour, log=True)
        over_time.set_title(f"{wearing.ear} ear, clock {wearing.sampler.drift * 1e6:+.0f} ppm", loc="left", fontsize=10)
        over_time.set_ylabel("later than sampled, ms")
        over_time.set_ylim(-5.0, 70.0)
    rows[0][0].legend(markerscale=8.0, loc="upper right")
    rows[1][0].set_xlabel("minutes")
    rows[1][1].set_xlabel("samples")
    canvas.savefig(figure, dpi=120)


def costs(seconds: float) -> None:
    table = Table(title=f"The driver, two ears at {RATE:g} Hz, {seconds:g} s each, on {os.cpu_count()} cores")
    for column in ("source", "% of a core", "samples", "µs per sample", "to serial"):
        table.add_column(column, justify="right")
    baseline = None
    for name, source in (("serial", serial), ("bluetooth", bluetooth)):
        with source() as parameters:
            used, samples = measure(parameters, seconds)
        each = used / samples * 1e6
        baseline = baseline or each
        table.add_row(name, f"{100 * used / seconds:.1f}", str(samples), f"{each:.0f}", f"{each / baseline:.2f}")
    Console().print(table)


def measure(parameters: dict[str, str], seconds: float) -> tuple[float, int]:
    """Processor time of a driver, and the samples that it received meanwhile."""
    from imuface_bringup.observer import Observer

    command = [sys.executable, "-c", "from imuface_driver.node import main; main()", "--ros-args", "-r", "__ns:=/bench"]
    for name, value in parameters.items():
        command += ["-p", f"{name}:={value}"]
    with process(*command) as driver, Observer("bench") as observer:

        def received() -> list[int]:
            return [int(part.values.get("received", 0)) for part in observer.health("imuface_driver").values()]

        deadline = time.monotonic() + 60.0
        while len(received()) < len(BUDS) or min(received()) < RATE:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the driver receives nothing: {observer.health('imuface_driver')}")
            time.sleep(0.1)
        time.sleep(3.0)
        watched = psutil.Process(driver.pid)
        before, used = sum(received()), sum(watched.cpu_times()[:2])
        time.sleep(seconds)
        return sum(watched.cpu_times()[:2]) - used, sum(received()) - before


@contextlib.contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(20)


@contextlib.contextmanager
def serial() -> Iterator[dict[str, str]]:
    """Two ears on one serial port, which lose and damage nothing."""
    with tempfile.TemporaryDirectory() as folder:
        link = f"{folder}/ttyEAR"
        options = ["--truth", f"{folder}/truth", "--rate", str(RATE), "--drop", "0", "--corrupt", "0"]
        with process(sys.executable, str(TESTS / "emulated_earphones.py"), "--link", link, *options):
            while not os.path.exists(link):
                time.sleep(0.1)
            yield {"source": "serial", "serial.left_port": link, "serial.right_port": link}


@contextlib.contextmanager
def bluetooth() -> Iterator[dict[str, str]]:
    """Two buds behind a stand-in for bluetoothd."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.environ |= {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/bus", "PYTHONPATH": str(TESTS)}
        address = f"--address=unix:path={folder}/bus"
        stack.enter_context(process("dbus-daemon", "--session", "--nofork", address))
        time.sleep(1.0)
        bluez = "from bluezoo.bluezoo import main; main()"
        adapters = [word for each in (COMPUTER, *BUDS) for word in ("--adapter", each)]
        options = ["-q", "--auto-enable", *adapters]
        stack.enter_context(process(sys.executable, "-c", bluez, *options))
        time.sleep(2.0)
        for ear in range(len(BUDS)):
            options = ["--name", f"imuface {ear}", "--adapter", f"hci{ear + 1}", "--ear", str(ear)]
            stack.enter_context(process(sys.executable, str(TESTS / "emulated_bluez.py"), *options))
        time.sleep(3.0)
        yield {"source": "bluetooth", "bluetooth.adapter": "hci0"}


if __name__ == "__main__":
    typer.run(main)
