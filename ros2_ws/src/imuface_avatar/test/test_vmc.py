"""VMC packets against the protocol's pages, python-osc and vmcp."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from imuface_avatar.frame import AvatarFrame
from imuface_avatar.protocols.vmc import Vmc
from imuface_core.arkit import BLENDSHAPES, INDEX
from pythonosc.osc_bundle import OscBundle
from vmcp.events import (
    BlendShapeApplyEvent,
    BlendShapeEvent,
    BoneTransformEvent,
    RelativeTimeEvent,
    RootTransformEvent,
    StateEvent,
)

Face = Callable[..., AvatarFrame]
Received = Callable[[list[bytes]], list[bytes]]
EVENTS = {
    event.ADDRESS_PATTERN: event
    for event in (
        BlendShapeApplyEvent,
        BlendShapeEvent,
        BoneTransformEvent,
        RelativeTimeEvent,
        RootTransformEvent,
        StateEvent,
    )
}


def message(address: str, tags: str = "", *arguments: str | float) -> bytes:
    """An OSC 1.0 message as an element of a bundle, by the letter of the specification."""

    def text(value: str) -> bytes:
        raw = value.encode() + b"\0"
        return raw + b"\0" * (-len(raw) % 4)

    parts = [text(address), text("," + tags)]
    for tag, argument in zip(tags, arguments, strict=True):
        parts.append(text(str(argument)) if tag == "s" else struct.pack(f">{tag}", argument))
    body = b"".join(parts)
    return struct.pack(">i", len(body)) + body


def test_the_bytes_are_those_of_the_specification(face: Face) -> None:
    vmc = Vmc()
    vmc.encode(face(10**18))
    (datagram,) = vmc.encode(face(10**18 + 500_000_000, jawOpen=0.5, mouthSmileLeft=1.0))
    given = {"jawOpen": 0.5, "mouthSmileLeft": 1.0}
    expected = b"#bundle\0" + struct.pack(">Q", 1)
    expected += message("/VMC/Ext/OK", "iiii", 1, 3, 0, 1)
    expected += message("/VMC/Ext/T", "f", 0.5)
    expected += message("/VMC/Ext/Root/Pos", "sfffffff", "root", 0, 0, 0, 0, 0, 0, 1)
    expected += message("/VMC/Ext/Bone/Pos", "sfffffff", "Head", 0, 0, 0, 0.0, -0.0, -0.0, 1)
    for name in BLENDSHAPES:
        expected += message("/VMC/Ext/Blend/Val", "sf", name[0].upper() + name[1:], given.get(name, 0.0))
    expected += message("/VMC/Ext/Blend/Apply")
    assert datagram == expected
    assert len(datagram) < 8192  # what a server of python-osc takes


@pytest.mark.parametrize("naming", ["perfect_sync", "arkit", "vrm0", "vrm1"])
def test_vmcp_understands_every_message(face: Face, received: Received, naming: str) -> None:
    (datagram,) = received(Vmc(naming=naming).encode(face(jawOpen=0.75, mouthSmileLeft=0.5, mouthSmileRight=0.5)))
    bundle = OscBundle(datagram)
    events = [
        EVENTS[content.address].from_message_data("test", content.address, tuple(content.params)) for content in bundle
    ]
    assert [type(event) for event in events[:4]] == [
        StateEvent,
        RelativeTimeEvent,
        RootTransformEvent,
        BoneTransformEvent,
    ]
    assert isinstance(events[-1], BlendShapeApplyEvent)
    shapes = {event.key: event.value for event in events if isinstance(event, BlendShapeEvent)}
    jaw, smile = {
        "perfect_sync": ("JawOpen", "MouthSmileLeft"),
        "arkit": ("jawOpen", "mouthSmileLeft"),
        "vrm0": ("A", "Joy"),
        "vrm1": ("aa", "happy"),
    }[naming]
    assert shapes[jaw] == 0.75
    assert shapes[smile] == 0.5
    assert len(shapes) == (52 if naming in ("perfect_sync", "arkit") else 10)


def test_goes_by_name_where_orders_differ(face: Face) -> None:
    (datagram,) = Vmc(naming="arkit").encode(face(jawLeft=0.25, jawRight=0.5, mouthLeft=0.75, mouthRight=1.0))
    values = {m.params[0]: m.params[1] for m in OscBundle(datagram) if m.address == "/VMC/Ext/Blend/Val"}
    assert [values[name] for name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight")] == [0.25, 0.5, 0.75, 1.0]


def test_the_head_is_turned_in_the_axes_of_unity(face: Face) -> None:
    half = math.sin(math.pi / 4), math.cos(math.pi / 4)
    turned = {
        "left": ((0.0, 0.0, half[0], half[1]), (0.0, -half[0], 0.0, half[1])),  # about y (up), which is clockwise there
        "down": ((0.0, half[0], 0.0, half[1]), (half[0], 0.0, 0.0, half[1])),  # about x (right)
        "tilted to the right": ((half[0], 0.0, 0.0, half[1]), (0.0, 0.0, -half[0], half[1])),  # about z (ahead)
    }
    for head, unity in turned.values():
        (datagram,) = Vmc().encode(replace(face(), head=head))
        (bone,) = (content for content in OscBundle(datagram) if content.address == "/VMC/Ext/Bone/Pos")
        assert bone.params[0] == "Head"
        assert bone.params[4:] == pytest.approx(unity, abs=1e-6)


def test_says_when_the_face_is_not_tracked(face: Face) -> None:
    vmc = Vmc(head=False)
    for tracking in (True, False):
        (datagram,) = vmc.encode(replace(face(), tracking=tracking))
        contents = {content.address: content for content in OscBundle(datagram)}
        assert contents["/VMC/Ext/OK"].params == [1, 3, 0, int(tracking)]
        assert "/VMC/Ext/Bone/Pos" not in contents


def test_numpy_never_shows_in_a_datagram() -> None:
    weights = np.zeros(52)
    weights[INDEX["jawOpen"]] = np.float32(1.0)
    (datagram,) = Vmc().encode(AvatarFrame(10**18, weights))
    assert {type(value) for content in OscBundle(datagram) for value in content.params} == {str, float, int}
