from __future__ import annotations

import itertools
import math
import re
from pathlib import Path

import pytest
from cobs import cobs
from fastcrc import crc16
from hypothesis import given
from hypothesis import strategies as st
from imuface_core.earphone import ACCELERATION_PER_LSB, EARS, STANDARD_GRAVITY, DeviceSample
from imuface_driver.protocol import FRAME_SIZE, PACKET_SIZE, Decoder, encode

DOCUMENT = Path(__file__).parents[4] / "docs" / "device-protocol.md"

int16 = st.integers(-(2**15), 2**15 - 1)
samples = st.builds(
    DeviceSample,
    ear=st.sampled_from(EARS),
    sequence=st.integers(0, 2**16 - 1),
    time_us=st.integers(0, 2**32 - 1),
    raw=st.tuples(int16, int16, int16, int16, int16, int16),
    battery=st.none() | st.integers(0, 100),
)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(st.lists(samples), st.lists(st.integers(0, 10_000)))
def test_what_is_encoded_is_decoded_however_the_bytes_are_cut(sent: list[DeviceSample], cuts: list[int]) -> None:
    decoder = Decoder()
    received = [s for piece in pieces(b"".join(map(encode, sent)), cuts) for s in decoder.feed(piece)]
    assert received == sent
    assert (decoder.crc_errors, decoder.malformed, decoder.bytes_discarded) == (0, 0, 0)


@given(st.lists(st.binary(max_size=200)))
def test_any_bytes_are_accepted_and_all_of_them_are_accounted_for(chunks: list[bytes]) -> None:
    decoder = Decoder()
    decoded = sum(len(decoder.feed(chunk)) for chunk in chunks)
    decoder.reset()
    data = b"".join(chunks)
    idle_delimiters = sum(1 for part in data.split(b"\0")[:-1] if not part)
    # A delimiter that ends nothing belongs to no frame and is no rubbish either.
    assert decoder.bytes_discarded + decoded * FRAME_SIZE + idle_delimiters == len(data)


@given(st.binary(max_size=300), samples)
def test_a_frame_after_rubbish_and_a_delimiter_is_decoded(rubbish: bytes, sample: DeviceSample) -> None:
    decoder = Decoder()
    assert decoder.feed(rubbish + b"\0" + encode(sample))[-1] == sample


@given(samples, st.integers(0, FRAME_SIZE - 1), st.integers(1, 255))
def test_a_changed_byte_never_yields_another_sample(sample: DeviceSample, position: int, change: int) -> None:
    frame = bytearray(encode(sample))
    frame[position] ^= change
    decoder = Decoder()
    decoded = decoder.feed(bytes(frame) + b"\0")
    assert decoded == []
    assert decoder.crc_errors + decoder.malformed >= 1


def test_the_documented_example_is_what_is_encoded() -> None:
    sample = DeviceSample("right", 0x0102, 0x03040506, (1, -2, 3, -4, 5, -6), 87)
    frame = encode(sample)
    assert (PACKET_SIZE, FRAME_SIZE, len(frame)) == (22, 24, 24)
    documented = dict(re.findall(r"^    (packet|frame)   ?((?:[0-9a-f]{2} ?)+)$", DOCUMENT.read_text(), re.MULTILINE))
    assert frame.hex(" ") == documented["frame"]
    assert cobs.decode(frame[:-1]).hex(" ") == documented["packet"]


def test_raw_values_scale_to_si_units() -> None:
    one_g = round(STANDARD_GRAVITY / ACCELERATION_PER_LSB)
    sample = DeviceSample("left", 0, 0, (0, 0, one_g, 0, 0, -20_000))
    assert sample.acceleration[2] == pytest.approx(STANDARD_GRAVITY, abs=ACCELERATION_PER_LSB)
    assert sample.angular_velocity[2] == pytest.approx(math.radians(-350.0))


@pytest.mark.parametrize(
    "sample",
    [
        DeviceSample("left", 2**16, 0, (0,) * 6),
        DeviceSample("left", 0, 2**32, (0,) * 6),
        DeviceSample("left", 0, 0, (2**15, 0, 0, 0, 0, 0)),
        DeviceSample("left", 0, 0, (0,) * 6, 101),
    ],
)
def test_values_that_do_not_fit_are_refused(sample: DeviceSample) -> None:
    with pytest.raises(ValueError, match=r"does not fit|percentage"):
        encode(sample)


def test_an_unknown_version_is_malformed() -> None:
    packet = bytes([0x20]) + bytes(PACKET_SIZE - 3)
    frame = cobs.encode(packet + crc16.ibm_3740(packet).to_bytes(2, "little")) + b"\0"
    decoder = Decoder()
    assert decoder.feed(frame) == []
    assert (decoder.malformed, decoder.crc_errors) == (1, 0)
