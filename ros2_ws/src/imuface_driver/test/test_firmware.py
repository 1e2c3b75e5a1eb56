"""The encoder of ``firmware/``, compiled for this machine: what it makes is decoded, and is what Python makes."""

from __future__ import annotations

import ctypes
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from imuface_core.earphone import EARS, SEQUENCE_PERIOD, TIME_PERIOD_US, DeviceSample
from imuface_driver.devices import xiao
from imuface_driver.protocol import BATTERY_UNKNOWN, FRAME_SIZE, encode

FIRMWARE = Path(__file__).parents[4] / "firmware" / "imuface"


class Sample(ctypes.Structure):
    """``struct imu_sample``"""

    _fields_ = (("time_us", ctypes.c_uint32), ("imu", ctypes.c_int16 * 6))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler on the PATH")
    file = tmp_path_factory.mktemp("firmware") / "packet.so"
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wno-parentheses", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", file, FIRMWARE / "packet.c"], check=True)
    result = ctypes.CDLL(str(file))
    result.encode_packet.restype = ctypes.c_size_t
    result.encode_packet.argtypes = [
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_uint16,
        ctypes.POINTER(Sample),
        ctypes.c_size_t,
        ctypes.c_uint8,
    ]
    result.encode_frame.restype = None
    result.encode_frame.argtypes = [*result.encode_packet.argtypes[:4], ctypes.c_uint8]
    return result


def batch(generator: random.Random, count: int) -> list[DeviceSample]:
    """Samples that follow one another, with the values in which encoders go wrong among them."""
    ear = generator.choice(EARS)
    battery = generator.choice([None, 0, 100, generator.randrange(101)])
    first = generator.choice([0, 255, 65_535, generator.randrange(SEQUENCE_PERIOD)])
    time_us = generator.choice([0, 65_536, TIME_PERIOD_US - 1, generator.randrange(TIME_PERIOD_US)])
    samples = []
    for index in range(count):
        raw = tuple(generator.choice([0, -1, 256, generator.randrange(-(2**15), 2**15)]) for _ in range(6))
        sequence = (first + index) % SEQUENCE_PERIOD
        samples.append(DeviceSample(ear, sequence, time_us, raw, battery))  # type: ignore[arg-type]
        time_us = (time_us + generator.choice([0, 9615, 65_535])) % TIME_PERIOD_US
    return samples


def in_c(samples: list[DeviceSample]) -> ctypes.Array[Sample]:
    return (Sample * len(samples))(*(Sample(each.time_us, (ctypes.c_int16 * 6)(*each.raw)) for each in samples))


def charge(sample: DeviceSample) -> int:
    return BATTERY_UNKNOWN if sample.battery is None else sample.battery


def test_packets_are_decoded_to_what_was_encoded(library: ctypes.CDLL) -> None:
    generator, decoder = random.Random(0), xiao.XiaoDecoder()
    for _ in range(2000):
        samples = batch(generator, generator.randrange(1, 17))
        packet = ctypes.create_string_buffer(300)
        right = EARS.index(samples[0].ear)
        size = library.encode_packet(
            packet, right, samples[0].sequence, in_c(samples), len(samples), charge(samples[0])
        )
        assert size == xiao.packet_size(len(samples))
        assert decoder.feed(xiao.SAMPLES, packet.raw[:size]) == samples
    assert not any(decoder.counters().values())


def test_frames_are_byte_for_byte_those_of_the_driver(library: ctypes.CDLL) -> None:
    generator = random.Random(1)
    for _ in range(2000):
        (sample,) = batch(generator, 1)
        frame = ctypes.create_string_buffer(FRAME_SIZE)
        library.encode_frame(frame, EARS.index(sample.ear), sample.sequence, in_c([sample]), charge(sample))
        assert frame.raw == encode(sample)


def test_the_sketch_and_the_profile_agree() -> None:
    sketch = (FIRMWARE / "imuface.ino").read_text()
    assert f'SERVICE[] = "{xiao.SERVICE}"' in sketch
    assert f'SAMPLES[] = "{xiao.SAMPLES}"' in sketch
    assert f"BATCH = {xiao.BATCH};" in sketch
    assert all(xiao.DEVICE.matches(name) for name in re.findall(r"\"(imuface-[LR])\"", sketch))
