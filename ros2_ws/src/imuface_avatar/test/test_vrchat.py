"""VRChat's avatar parameters against the documentation of VRCFaceTracking, through python-osc."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_avatar.frame import AvatarFrame
from imuface_avatar.protocols.vrchat import MAX_BITS, VrChat
from imuface_core.arkit import BLENDSHAPES
from pythonosc.osc_bundle import OscBundle

Face = Callable[..., AvatarFrame]
Received = Callable[[list[bytes]], list[bytes]]
START = 10**18
FRAME = 33_333_333


def parameters(datagrams: list[bytes], prefix: str = "") -> dict[str, float | bool]:
    start = f"/avatar/parameters/{prefix}"
    contents = [content for datagram in datagrams for content in OscBundle(datagram)]
    assert all(content.address.startswith(start) and len(content.params) == 1 for content in contents)
    return {content.address.removeprefix(start): content.params[0] for content in contents}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"jawOpen": 0.5}, {"JawOpen": 0.5}),
        ({"jawLeft": 0.5}, {"JawX": -0.5, "JawLeft": 0.5}),
        ({"jawRight": 0.5}, {"JawX": 0.5, "JawRight": 0.5}),
        ({"mouthLeft": 0.5}, {"MouthX": -0.5, "MouthUpperX": -0.5, "MouthLowerX": -0.5}),
        ({"mouthClose": 0.25}, {"MouthClosed": 0.25}),
        ({"mouthSmileLeft": 0.5}, {"MouthSmileLeft": 0.5, "MouthCornerPullLeft": 0.5, "SmileFrown": 0.25}),
        ({"mouthFrownLeft": 0.5, "mouthStretchLeft": 0.75}, {"SmileFrownLeft": -0.5, "SmileSadLeft": -0.75}),
        ({"mouthRollUpper": 1.0}, {"LipSuckUpper": 1.0, "LipSuckUpperLeft": 1.0, "LipSuck": 0.5}),
        ({"mouthFunnel": 0.5}, {"LipFunnel": 0.5, "LipFunnelLowerRight": 0.5}),
        ({"cheekPuff": 0.5}, {"CheekPuffLeft": 0.5, "CheekPuffSuckRight": 0.5}),
        ({"browInnerUp": 1.0}, {"BrowInnerUp": 1.0, "BrowUpLeft": 0.4, "BrowExpressionLeft": 0.5}),
        ({"browDownRight": 1.0}, {"BrowDownRight": 1.0, "BrowLowererRight": 1.0, "BrowExpressionRight": -1.0}),
        ({"mouthShrugLower": 0.5}, {"MouthRaiserLower": 0.5}),
        ({"eyeBlinkLeft": 1.0, "eyeWideRight": 1.0}, {"EyeLidLeft": 0.0, "EyeLidRight": 1.0, "EyeLid": 0.5}),
        ({"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0}, {"EyeLeftX": 1.0, "EyeRightX": 1.0, "EyeX": 1.0}),
        ({"eyeLookDownLeft": 1.0, "eyeLookDownRight": 1.0}, {"EyeLeftY": -1.0, "EyeY": -1.0}),
        ({"tongueOut": 0.5}, {"TongueOut": 0.5}),
    ],
)
def test_parameters_are_those_of_unified_expressions(
    face: Face, received: Received, weights: dict[str, float], expected: dict[str, float]
) -> None:
    told = parameters(received(VrChat(eyes=True).encode(face(**weights))))
    for name, value in expected.items():
        assert told[f"v2/{name}"] == pytest.approx(value, abs=1e-6), name
    assert told["ExpressionTrackingActive"] is True
    assert told["LipTrackingActive"] is True


def test_eyes_are_left_to_the_avatar_unless_asked_for(face: Face) -> None:
    told = parameters(VrChat(prefix="FT/").encode(face(eyeBlinkLeft=1.0)), "FT/")
    assert told["EyeTrackingActive"] is False
    assert not [name for name in told if name.startswith("v2/Eye")]
    assert parameters(VrChat(eyes=True).encode(face()))["EyeTrackingActive"] is True


def test_the_head_is_in_parts_of_a_right_angle(face: Face) -> None:
    left = replace(face(), head=(0.0, 0.0, 0.3826834, 0.9238795))  # 45 degrees
    told = parameters(VrChat().encode(left))
    assert [told[f"v2/Head/{angle}"] for angle in ("Yaw", "Pitch", "Roll")] == pytest.approx([-0.5, 0, 0], abs=1e-6)
    assert not [name for name in parameters(VrChat(head=False).encode(left)) if "Head" in name]


def test_only_what_has_changed_is_sent_and_everything_once_a_second(face: Face) -> None:
    protocol = VrChat(head=False)
    everything = parameters(protocol.encode(face(START)))
    assert protocol.encode(face(START + FRAME)) == []
    assert protocol.encode(face(START + 2 * FRAME, jawOpen=0.001)) == []
    assert parameters(protocol.encode(face(START + 3 * FRAME, jawOpen=0.5))) == {"v2/JawOpen": 0.5}
    assert parameters(protocol.encode(face(START + 10**9))).keys() == everything.keys()


def test_the_rate_is_limited_and_jitter_costs_no_frame() -> None:
    rng = np.random.default_rng(0)
    protocol = VrChat(rate=30.0)
    sent = 0
    for number in range(300):
        stamp = START + number * FRAME + int(rng.uniform(-5e6, 5e6))
        sent += bool(protocol.encode(AvatarFrame(stamp, rng.uniform(0, 1, 52))))
    assert sent >= 285
    protocol = VrChat(rate=10.0)
    sent = sum(bool(protocol.encode(AvatarFrame(START + n * FRAME, rng.uniform(0, 1, 52)))) for n in range(300))
    assert 98 <= sent <= 102
    assert protocol.encode(AvatarFrame(5, rng.uniform(0, 1, 52)))  # a replay that began anew is not waited for


def test_a_lost_face_is_told_at_once(face: Face) -> None:
    protocol = VrChat(rate=1.0)
    protocol.encode(face(START, jawOpen=1.0))
    told = parameters(protocol.encode(replace(face(START, jawOpen=1.0), tracking=False)))
    assert told == {"ExpressionTrackingActive": False, "LipTrackingActive": False, "EyeTrackingActive": False}


@given(
    bits=st.integers(1, MAX_BITS),
    pairs=st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=5),
)
def test_binary_parameters_hold_the_value(bits: int, pairs: list[tuple[float, float]]) -> None:
    protocol = VrChat(bits=bits, rate=120.0)
    held: dict[str, float | bool] = {}
    for number, (left, right) in enumerate(pairs):
        weights = np.array([{"jawLeft": left, "jawRight": right}.get(name, 0.0) for name in BLENDSHAPES])
        datagrams = protocol.encode(AvatarFrame(START + number * FRAME, weights))
        assert all(len(datagram) <= 4096 for datagram in datagrams)
        held.update(parameters(datagrams))
        assert {type(value) for value in held.values()} == {bool}
        size = sum(1 << bit for bit in range(bits) if held[f"v2/JawX{1 << bit}"])
        value = (-1 if held["v2/JawXNegative"] else 1) * size / ((1 << bits) - 1)
        assert abs(value - (right - left)) <= 1 / ((1 << bits) - 1) + 0.01


@pytest.mark.parametrize("prefix", ["my face/", "FT#", "a*"])
def test_refuses_a_prefix_that_is_no_address(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"vrchat\.prefix is"):
        VrChat(prefix=prefix)
