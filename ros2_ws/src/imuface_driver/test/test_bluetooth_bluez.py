"""bleak itself, as the driver uses it, against a stand-in for bluetoothd on a private D-Bus."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from imuface_driver.bluetooth.choice import Choice
from imuface_driver.devices import DEVICES
from imuface_driver.sources import BluetoothSource

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed")
BUD = Path(__file__).with_name("emulated_bluez.py")
COMPUTER = ["--adapter", "00:00:00:11:11:11", "--adapter", "00:00:00:22:22:22", "--auto-enable"]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes on a system bus of the test's own, and ends them with it."""
    processes: list[subprocess.Popen[str]] = []
    address = f"unix:path={tmp_path}/bus"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)

    def run(*command: str | Path) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(BUD.parent)}
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
        return processes[-1]

    daemon = run("dbus-daemon", "--session", "--nofork", "--print-address", f"--address={address}")
    assert daemon.stdout is not None
    daemon.stdout.readline()
    yield run
    for process in reversed(processes):
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def bluez(start: Callable[..., Any], *options: str) -> None:
    start(sys.executable, "-c", "from bluezoo.bluezoo import main; main()", "-q", *options)
    for _ in range(100):
        listing = [
            "dbus-send",
            "--system",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
            "org.freedesktop.DBus.ListNames",
        ]
        if "org.bluez" in subprocess.run(listing, capture_output=True, text=True, timeout=10).stdout:
            return
        time.sleep(0.1)
    raise AssertionError("bluezoo does not start")


def opened() -> str:
    """What the source says when it is opened."""
    try:
        BluetoothSource(time.time_ns, Choice()).open()
    except OSError as error:
        return str(error)
    return ""


def test_what_is_missing_is_told_from_each_other(
    start: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "BlueZ does not run" in opened()
    with monkeypatch.context() as patch:
        patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nowhere")
        assert "the system D-Bus, the way to BlueZ, is not there (No such file or directory)" in opened()
    bluez(start)
    assert "there is no Bluetooth adapter" in opened()


def test_an_adapter_that_is_off_is_told(start: Callable[..., Any]) -> None:
    bluez(start, *COMPUTER[:2])
    assert "Bluetooth is switched off" in opened()


def test_a_bud_is_found_connected_read_and_let_go(
    start: Callable[..., Any], run_source: Callable[..., Any], wait_for: Callable[..., None]
) -> None:
    bluez(start, *COMPUTER)
    bud = start(sys.executable, BUD, "--name", "imuface L")
    assert bud.stdout.readline() == "advertising\n"
    source = BluetoothSource(time.time_ns, Choice((DEVICES["xiao"],), {"left": "imuface L"}), "hci0")
    with run_source(source) as sink:
        wait_for(lambda: len(sink.samples["left"]) > 150)
        health = source.health["left"]
        rate, _ = health.rate_and_jitter()
        assert rate == pytest.approx(104.0, rel=0.02)
        assert health.battery in (64, 80)
        assert (health.lost, health.out_of_order, health.resyncs) == (0, 0, 0)
        assert source.counters()["cut_packets"] == 0
        wait_for(lambda: not source.fault)
