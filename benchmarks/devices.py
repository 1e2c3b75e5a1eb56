"""Do the decoders of the earphones keep up, and what do they make of damaged packets?

    .venv/bin/python benchmarks/devices.py [--seconds 1] [--damaged 1000000] [--json]

For each device, and for the serial frames: how many times real time one core decodes and stamps two ears at 104 Hz.
Then damaged packets: flipped, replaced, inserted and removed bytes, and noise behind the head. "invalid" passed though
the documentation of the packet forbids it (none may); "wrong" passed with other readings than were sent: the odds of
the checksum, or of size and range for OpenEarable, which has none. Run it on an idle machine.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from imuface_core.earphone import DeviceSample, Sample
from imuface_driver.devices import DEVICES
from imuface_driver.ear import EarReceiver
from imuface_driver.protocol import Decoder, encode
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "ros2_ws/src/imuface_driver/test"))
from device_packets import PACKETS, damage, mutated, noisy  # type: ignore[import-not-found]

REAL_TIME = 2 * 104.0  # samples/s
WANTED = 200.0  # times real time
PACKETS_HELD = 2000


def times_real_time(packets: list[bytes], feed: Callable[[bytes], Any], seconds: float) -> float:
    """How many times faster than two ears at 104 Hz packets become stamped samples."""
    receiver = EarReceiver("left")
    count, arrival_ns = 0, 1_700_000_000_000_000_000
    begin = time.process_time()
    while time.process_time() - begin < seconds:
        for packet in packets:
            arrival_ns += 10_000_000
            sample: Sample
            for sample in feed(packet):
                receiver.receive(sample, arrival_ns)
                count += 1
    return count / (time.process_time() - begin) / REAL_TIME


def speeds(seconds: float) -> dict[str, float]:
    """Times real time, by device."""
    frames = [encode(DeviceSample("left", i, i * 9615, (0, 0, 8192, 1, 2, 3), 80)) for i in range(PACKETS_HELD)]
    result = {"serial frames": times_real_time(frames, Decoder().feed, seconds)}
    for name, packet in PACKETS.items():
        feed = partial(DEVICES[name].decoder().feed, DEVICES[name].notify[0])
        result[name] = times_real_time([packet(i) for i in range(PACKETS_HELD)], feed, seconds)
    return result


def main(
    seconds: Annotated[float, typer.Option(help="Of measurement, for each device.")] = 1.0,
    damaged: Annotated[int, typer.Option(help="Damaged packets, for each device.")] = 1_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run the benchmark."""
    logging.disable(logging.WARNING)  # damaged packets are meant
    console = Console(highlight=False, markup=False)
    speed = speeds(seconds)
    damages = {
        f"{name}, {how.__name__}": asdict(damage(name, damaged // 2, 0, how))
        for name in PACKETS
        for how in (mutated, noisy)
    }
    good = min(speed.values()) >= WANTED and not any(each["invalid"] for each in damages.values())
    if as_json:
        console.print_json(json.dumps({"times real time": speed, "damaged": damages}))
    else:
        table = Table("device", "times real time", f"of the wanted {WANTED:.0f}")
        for name, times in speed.items():
            table.add_row(name, f"{times:.0f}", f"{times / WANTED:.1f}")
        console.print(table)
        table = Table("damaged packets of", "packets", "taken", "invalid", "wrong", "wrong per million")
        for name, each in damages.items():
            rate = 1e6 * each["wrong"] / max(each["packets"], 1)
            table.add_row(name, *(str(count) for count in each.values()), f"{rate:.0f}")
        console.print(table)
    raise typer.Exit(not good)


if __name__ == "__main__":
    typer.run(main)
