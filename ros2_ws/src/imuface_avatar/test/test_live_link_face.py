"""Live Link Face packets against the published layout and PyLiveLinkFace."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_avatar.frame import AvatarFrame
from imuface_avatar.protocols.live_link_face import COUNT, LiveLinkFace
from pylivelinkface import FaceBlendShape, PyLiveLinkFace

Face = Callable[..., AvatarFrame]
Received = Callable[[list[bytes]], list[bytes]]
NOON = int(time.mktime((2026, 3, 1, 12, 0, 0, 0, 0, -1))) * 10**9


def test_the_bytes_are_those_of_the_layout(face: Face) -> None:
    (packet,) = LiveLinkFace(subject="Anna", rate=60).encode(face(NOON + 25_000_000, jawOpen=0.5))
    device = packet[5:41]
    assert len(device) == 36
    assert device.decode().count("-") == 4
    weights = [0.0] * COUNT
    weights[FaceBlendShape.JawOpen.value], weights[FaceBlendShape.HeadPitch.value] = 0.5, -0.0
    expected = b"\x06" + struct.pack(">i", 36) + device + struct.pack(">i", 4) + b"Anna"
    expected += struct.pack(">ifii", 12 * 3600 * 60 + 1, 0.5, 60, 1) + bytes([61]) + struct.pack(">61f", *weights)
    assert packet == expected


def test_vrcfacetracking_takes_the_default_subject(face: Face) -> None:
    (packet,) = LiveLinkFace().encode(face())
    assert len(packet) == 312  # the only length that its module reads


def test_pylivelinkface_decodes_every_shape_by_name(face: Face, received: Received) -> None:
    for number, shape in enumerate(list(FaceBlendShape)[:52]):
        name = shape.name[0].lower() + shape.name[1:]
        weight = (number + 1) / 64
        (packet,) = received(LiveLinkFace(subject="Änna").encode(face(**{name: weight})))
        found, decoded = PyLiveLinkFace.decode(packet)
        assert found
        assert decoded.name == "Änna"
        assert decoded.fps == 60
        weights = {other: decoded.get_blendshape(other) for other in list(FaceBlendShape)[:52]}
        assert weights.pop(shape) == weight
        assert set(weights.values()) == {0.0}


def test_head_and_eyes(face: Face) -> None:
    left, down, right = (
        (0.0, 0.0, 0.0998334, 0.9950042),
        (0.0, 0.0998334, 0.0, 0.9950042),
        (0.0998334, 0.0, 0.0, 0.9950042),
    )
    for head, shape, angle in (
        (left, FaceBlendShape.HeadYaw, 0.2),
        (down, FaceBlendShape.HeadPitch, -0.2),
        (right, FaceBlendShape.HeadRoll, 0.2),
    ):
        (packet,) = LiveLinkFace().encode(replace(face(), head=head))
        _, decoded = PyLiveLinkFace.decode(packet)
        assert decoded.get_blendshape(shape) == pytest.approx(angle, abs=1e-5)
    (packet,) = LiveLinkFace().encode(face(eyeLookDownLeft=1.0, eyeLookOutRight=1.0))
    _, decoded = PyLiveLinkFace.decode(packet)
    assert decoded.get_blendshape(FaceBlendShape.LeftEyePitch) > 0.5
    assert decoded.get_blendshape(FaceBlendShape.RightEyeYaw) > 0.4


@given(
    start=st.integers(0, 2 * 10**18), steps=st.lists(st.integers(1, 10**9), max_size=30), rate=st.sampled_from([24, 60])
)
def test_frame_time_is_that_of_the_stamp_and_never_runs_backwards(start: int, steps: list[int], rate: int) -> None:
    protocol = LiveLinkFace(rate=rate)
    before = None
    for step in [0, *steps]:
        start += step
        (packet,) = protocol.encode(AvatarFrame(start, np.zeros(52)))
        number, part, numerator, denominator = struct.unpack_from(">ifii", packet, 51)
        assert (numerator, denominator) == (rate, 1)
        assert 0.0 <= part < 1.0
        assert 0 <= number < 86_400 * rate
        now = number + part
        if before is not None:
            assert (now - before) % (86_400 * rate) == pytest.approx(step * rate / 1e9, abs=0.5)
        before = now


def test_is_silent_while_the_face_is_not_tracked(face: Face) -> None:
    assert LiveLinkFace().encode(replace(face(), tracking=False)) == []


@pytest.mark.parametrize("subject", ["", "x" * 256])
def test_refuses_a_subject_that_does_not_fit(subject: str) -> None:
    with pytest.raises(ValueError, match="must have 1 to 255 bytes"):
        LiveLinkFace(subject=subject)
