"""``firmware/``, compiled for this machine: the encoder against the driver, the sketch on a stand-in for its board."""

from __future__ import annotations

import ctypes
import itertools
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from imuface_core.earphone import EARS, SEQUENCE_PERIOD, TIME_PERIOD_US, DeviceSample, Ear
from imuface_driver.devices import xiao
from imuface_driver.protocol import BATTERY_UNKNOWN, FRAME_SIZE, Decoder, encode

FIRMWARE = Path(__file__).parents[4] / "firmware" / "imuface"
STAND_IN = FIRMWARE.parent / "stand_in"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wno-parentheses", "-Werror")
PERIOD_US = 1e6 / 104


def compiler(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name} on the PATH")
    return path


class Sample(ctypes.Structure):
    """``struct imu_sample``"""

    _fields_ = (("time_us", ctypes.c_uint32), ("imu", ctypes.c_int16 * 6))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    file = tmp_path_factory.mktemp("firmware") / "packet.so"
    flags = ["-std=c99", *WARNINGS, "-shared", "-fPIC"]
    subprocess.run([compiler("cc"), *flags, "-o", file, FIRMWARE / "packet.c"], check=True)
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


# The sketch ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[0, 1], ids=EARS)
def sketch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ear, Path]:
    """The sketch of an ear, as a program."""
    folder = tmp_path_factory.mktemp("sketch")
    subprocess.run([compiler("cc"), "-std=c99", "-c", FIRMWARE / "packet.c", "-o", folder / "packet.o"], check=True)
    flags = ["-std=gnu++11", *WARNINGS, f"-DRIGHT={request.param}", f"-I{STAND_IN}", f"-I{FIRMWARE}"]
    program = folder / "sketch"
    sources = [STAND_IN / "main.cpp", folder / "packet.o"]
    subprocess.run([compiler("c++"), *flags, *sources, "-o", program], check=True)
    return EARS[request.param], program


def run(program: Path, **settings: int) -> tuple[list[DeviceSample], list[DeviceSample], int]:
    """What came by radio and by cable, and how many samples the sensor took."""
    settings = {"SECONDS": 20, **settings}
    done = subprocess.run(
        [program],
        env={name: str(value) for name, value in settings.items()},
        capture_output=True,
        text=True,
        check=True,
    )
    radio, cable = xiao.XiaoDecoder(), Decoder()
    samples: dict[str, list[DeviceSample]] = {"notify": [], "serial": []}
    taken = 0
    for line in done.stdout.splitlines():
        _, what, value = line.split()
        if what == "notify":
            samples[what] += radio.feed(xiao.SAMPLES, bytes.fromhex(value))
        elif what == "serial":
            samples[what] += cable.feed(bytes.fromhex(value))
        elif what == "taken":
            taken = int(value)
    assert not any(radio.counters().values())
    assert not cable.crc_errors + cable.malformed
    for sample in samples["notify"] + samples["serial"]:
        k = (sample.sequence + 2**15) % 2**16 - 2**15  # what the sensor of the stand-in puts into its sample k
        assert sample.raw[3] == k
        assert sample.raw[1:3] == (1, 8192)
    return samples["notify"], samples["serial"], taken


def test_the_sketch_sends_every_sample_with_its_time_over_all_wraps(sketch: tuple[Ear, Path]) -> None:
    ear, program = sketch
    samples, cable, taken = run(program, SECONDS=700)  # the counter of the clock wraps at 512 s, the numbers at 630 s
    assert not cable
    assert {(sample.ear, sample.battery) for sample in samples} == {(ear, 82)}
    assert taken - 20 < len(samples) <= taken
    steps = [(b.sequence - a.sequence) % 2**16 for a, b in itertools.pairwise(samples)]
    assert set(steps) == {1}
    times = [(b.time_us - a.time_us) % TIME_PERIOD_US for a, b in itertools.pairwise(samples)]
    assert max(abs(time - PERIOD_US) for time in times) < 32  # the counter ticks every 30.5 us
    assert sum(times) == pytest.approx(PERIOD_US * len(times), abs=64)


def test_what_the_sketch_misses_shows_in_the_numbers_and_costs_no_other_sample(sketch: tuple[Ear, Path]) -> None:
    whole, _, taken = run(sketch[1], STALL=50)
    steps = [(b.sequence - a.sequence) % 2**16 for a, b in itertools.pairwise(whole)]
    missed = [step for step in steps if step > 1]
    assert len(missed) == pytest.approx(taken / 54, abs=2)  # 45 ms after each 50 samples
    assert set(missed) == {5}
    assert len(whole) > taken - sum(step - 1 for step in missed) - 10
    failing, _, _ = run(sketch[1], FAIL=7)
    assert {(b.sequence - a.sequence) % 2**16 for a, b in itertools.pairwise(failing)} == {1, 2}


def test_a_cable_gets_the_same_samples(sketch: tuple[Ear, Path]) -> None:
    radio, cable, taken = run(sketch[1], SERIAL=1)
    assert len(cable) > taken - 5
    sent = {sample.sequence: sample for sample in cable}
    assert radio
    assert all(sent[sample.sequence] == sample for sample in radio)


def test_the_sensor_rests_while_nobody_listens(sketch: tuple[Ear, Path]) -> None:
    _, _, taken = run(sketch[1], SECONDS=5)
    assert taken == pytest.approx(104 * 5 - 104, abs=110)
