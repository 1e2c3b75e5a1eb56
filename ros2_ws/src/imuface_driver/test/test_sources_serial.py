"""The serial source on real pseudo-terminals, against emulated earphones in a process of their own."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import time
import tty
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imuface_core.earphone import ACCELERATION_PER_LSB, EARS, DeviceSample, Ear
from imuface_driver.ear import ImuSample
from imuface_driver.protocol import encode
from imuface_driver.sources import SerialSource, Source

pytestmark = pytest.mark.timing


def indices(samples: list) -> np.ndarray:
    return np.array([round(sample.acceleration[0] / ACCELERATION_PER_LSB) for sample in samples])


def stamp_errors(samples: list, truth: list[int]) -> np.ndarray:
    """Stamp - true sampling time, seconds."""
    return np.array([sample.stamp_ns - truth[i] for sample, i in zip(samples, indices(samples), strict=True)]) * 1e-9


def test_two_ears_on_one_port_that_drifts_jitters_drops_corrupts_and_is_unplugged(
    tmp_path: Path,
    emulate: Callable[..., subprocess.Popen[bytes]],
    run_source: Callable[[Source], AbstractContextManager[Any]],
    wait_for: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    link, truth_file = tmp_path / "ttyEAR", tmp_path / "truth.json"
    device = emulate(link, truth_file)
    source = SerialSource(str(link), 115200, time.time_ns)
    with run_source(source) as sink:
        wait_for(lambda: len(sink.samples["right"]) > 120)
        device.send_signal(signal.SIGUSR1)
        wait_for(lambda: source.fault)
        time.sleep(1.0)
        device.send_signal(signal.SIGUSR1)
        wait_for(lambda: not source.fault)
        before = len(sink.samples["right"])
        wait_for(lambda: len(sink.samples["right"]) > before + 60)
        device.terminate()
        assert device.wait(timeout=5) == 0
    truth = json.loads(truth_file.read_text())
    for ear in EARS:
        samples, health = sink.samples[ear], source.health[ear]
        received = indices(samples)
        assert np.all(np.diff(received) > 0)
        assert np.all(np.diff([sample.stamp_ns for sample in samples]) > 0)
        assert health.lost == received[-1] - received[0] + 1 - len(received)
        assert health.lost >= 25  # the second without the port
        assert (health.resyncs, health.battery) == (0, 73)
        errors = stamp_errors(samples, truth[ear])[30:]
        arrivals = (np.array(sink.arrivals[ear][30:]) - [truth[ear][i] for i in received[30:]]) * 1e-9
        assert errors.min() > -0.5e-3
        assert np.percentile(errors, 90) < 2e-3
        assert np.std(errors) < 0.5 * np.std(arrivals)
    counters = source.counters()
    assert counters["reconnects"] == 1
    assert counters["crc_errors"] + counters["malformed_frames"] >= 3
    assert f"{link} was unplugged" in caplog.text
    assert f"{link} is back (reconnect 1)" in caplog.text


def test_one_port_for_each_ear_whatever_the_frames_say(
    tmp_path: Path,
    emulate: Callable[..., subprocess.Popen[bytes]],
    run_source: Callable[[Source], AbstractContextManager[Any]],
    wait_for: Callable[..., None],
) -> None:
    sources: dict[Ear, SerialSource] = {}
    for ear in EARS:
        link = tmp_path / ear
        # Both devices run the same firmware and call themselves left.
        emulate(link, tmp_path / f"{ear}.json", "--ears", "left")
        sources[ear] = SerialSource(str(link), 115200, time.time_ns, ear)
    with run_source(sources["left"]) as left, run_source(sources["right"]) as right:
        wait_for(lambda: len(left.samples["left"]) > 30 and len(right.samples["right"]) > 30)
    assert not left.samples["right"]
    assert not right.samples["left"]


def test_noise_and_a_reboot_are_counted(
    run_source: Callable[[Source], AbstractContextManager[Any]], wait_for: Callable[..., None]
) -> None:
    main, terminal = os.openpty()
    tty.setraw(terminal)
    source = SerialSource(os.ttyname(terminal), 115200, time.time_ns)

    def frame(sequence: int, time_us: int) -> bytes:
        return encode(DeviceSample("left", sequence, time_us, (sequence, 0, 0, 0, 0, 0)))

    try:
        with run_source(source) as sink:
            os.write(main, b"\x17 boot: hello\r\n" + bytes(range(256)) + b"\0" + frame(7, 9_000_000))
            wait_for(lambda: len(sink.samples["left"]) == 1)
            time.sleep(0.05)
            os.write(main, frame(0, 1_000) + frame(1, 34_000))
            wait_for(lambda: len(sink.samples["left"]) == 3)
    finally:
        os.close(main)
        os.close(terminal)
    assert source.counters()["malformed_frames"] >= 1
    assert source.counters()["bytes_discarded"] >= 256
    assert (source.health["left"].resyncs, source.health["left"].lost) == (1, 0)


@pytest.mark.parametrize(
    ("bytes_sent", "words"),
    [(b"ax=0.01 ay=0.02 az=9.81\r\n" * 60, "sends lines of text"), (bytes(range(1, 256)) * 6, "hold no frame")],
)
def test_what_is_no_frames_is_said(bytes_sent: bytes, words: str) -> None:
    source = SerialSource("/dev/ttyX", 115200, lambda: 0)
    sink = Ignore()
    for start in range(0, len(bytes_sent), 100):
        source.deliver_bytes(bytes_sent[start : start + 100], sink)
    assert words in source.fault
    for sequence in range(3):
        source.deliver_bytes(
            b"\0" + encode(DeviceSample("left", sequence, 1000 * sequence, (0, 0, 8192, 0, 0, 0))), sink
        )
    assert source.fault == ""


class Ignore:
    """A sink for samples that nobody looks at."""

    def imu(self, sample: ImuSample) -> None:
        pass

    def reference(self, stamp_ns: int, weights: np.ndarray) -> None:
        pass


def test_a_missing_port_is_named_with_those_that_exist(tmp_path: Path) -> None:
    source = SerialSource(str(tmp_path / "ttyNONE"), 115200, time.time_ns)
    with pytest.raises(OSError, match=r"ttyNONE.*No such file.*ports of this machine: "):
        source.open()


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(OSError, match=r"cannot open serial port .*notes\.txt"):
        SerialSource(str(tmp_path / "notes.txt"), 115200, time.time_ns).open()


def test_a_port_in_use_is_refused() -> None:
    main, terminal = os.openpty()
    first = SerialSource(os.ttyname(terminal), 115200, time.time_ns)
    first.open()
    try:
        with pytest.raises(OSError, match="cannot open serial port"):
            SerialSource(os.ttyname(terminal), 115200, time.time_ns).open()
    finally:
        first.close()
        os.close(main)
        os.close(terminal)
