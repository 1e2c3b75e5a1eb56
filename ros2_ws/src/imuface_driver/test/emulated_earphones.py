"""Earphones on a pseudo-terminal, run as a process of its own: drifts, jitters, drops, corrupts, and is unplugged.

The device node is a link at a fixed path, like those of udev: it goes when the device is unplugged and points to
another terminal when it is back. SIGUSR1 unplugs it or plugs it in again, SIGUSR2 silences the right ear, SIGTERM ends
it. Each sample carries its index in the first raw value (see INDEX_PERIOD); the true sampling times of all samples are
written at the end, as JSON: {ear: [host ns of sample 0, 1, ...]}.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import signal
import time
import tty
from pathlib import Path

from imuface_core.earphone import SEQUENCE_PERIOD, TIME_PERIOD_US, DeviceSample
from imuface_driver.protocol import encode

INDEX_PERIOD = 30_000  # samples; the index must fit an int16
FIRST_SEQUENCE = 65_500  # wraps soon
BOOT_US = TIME_PERIOD_US - 3_000_000  # wraps after three seconds


class Device:
    """The pseudo-terminal and the link to it."""

    def __init__(self, link: Path) -> None:
        self._link = link
        self._descriptors: tuple[int, int] | None = None

    def plug(self) -> None:
        self._descriptors = os.openpty()
        main, terminal = self._descriptors
        tty.setraw(terminal)
        os.set_blocking(main, False)
        temporary = self._link.with_suffix(".new")
        temporary.symlink_to(os.ttyname(terminal))
        temporary.rename(self._link)

    def toggle(self) -> None:
        if self._descriptors is None:
            self.plug()
            return
        self._link.unlink()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = None

    def write(self, data: bytes) -> None:
        if self._descriptors is not None:
            with contextlib.suppress(BlockingIOError):  # nobody reads: what does not fit is lost, as on a wire
                os.write(self._descriptors[0], data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--link", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--ears", nargs="+", choices=["left", "right"], default=["left", "right"])
    parser.add_argument("--rate", type=float, default=30.0, help="Hz")
    parser.add_argument("--drift", type=float, default=80.0, help="ppm; the right ear drifts the other way")
    parser.add_argument("--jitter", type=float, default=0.003, help="mean of the exponential delay, s")
    parser.add_argument("--drop", type=float, default=0.03, help="share of samples that are not sent")
    parser.add_argument("--corrupt", type=float, default=0.03, help="share of frames with one changed byte")
    arguments = parser.parse_args()

    asked: set[int] = set()
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
        signal.signal(number, lambda number, frame: asked.add(number))
    generator = random.Random(1)
    device = Device(arguments.link)
    device.plug()
    begin = time.time_ns()
    period_ns = round(1e9 / arguments.rate)
    drift = {"left": arguments.drift * 1e-6, "right": -arguments.drift * 1e-6}
    truth: dict[str, list[int]] = {ear: [] for ear in arguments.ears}
    for index in itertools.count():
        if signal.SIGTERM in asked:
            break
        if signal.SIGUSR1 in asked:
            asked.remove(signal.SIGUSR1)
            device.toggle()
        for offset, ear in enumerate(arguments.ears):
            elapsed_ns = index * period_ns + offset * period_ns // 3
            truth[ear].append(begin + elapsed_ns)
            delay_ns = generator.expovariate(1.0 / arguments.jitter) * 1e9
            time.sleep(max(begin + elapsed_ns + delay_ns - time.time_ns(), 0.0) * 1e-9)
            silent = ear == "right" and signal.SIGUSR2 in asked
            if silent or generator.random() < arguments.drop:
                continue
            time_us = (BOOT_US + round(elapsed_ns * 1e-3 * (1.0 + drift[ear]))) % TIME_PERIOD_US
            a, b, p, q, r = (generator.randrange(-3, 4) for _ in range(5))
            sequence = (FIRST_SEQUENCE + index) % SEQUENCE_PERIOD
            frame = bytearray(encode(DeviceSample(ear, sequence, time_us, (index % INDEX_PERIOD, a, b, p, q, r), 73)))
            if generator.random() < arguments.corrupt:
                frame[generator.randrange(len(frame))] ^= generator.randrange(1, 256)
            device.write(bytes(frame))
    arguments.truth.write_text(json.dumps(truth))


if __name__ == "__main__":
    main()
