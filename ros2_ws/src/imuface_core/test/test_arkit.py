"""The names agree with the message, which every node and every bag relies on."""

from __future__ import annotations

import re

from imuface_core.arkit import BLENDSHAPES, INDEX, MIRRORED
from imuface_interfaces.msg import Blendshapes


def test_the_order_is_that_of_the_message_constants() -> None:
    constants = [re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() for name in BLENDSHAPES]
    assert [getattr(Blendshapes, constant) for constant in constants] == list(range(Blendshapes.COUNT))


def test_the_index_inverts_the_names() -> None:
    assert [INDEX[name] for name in BLENDSHAPES] == list(range(52))


def test_mirroring_changes_the_sides_and_twice_nothing() -> None:
    assert [MIRRORED[index] for index in MIRRORED] == list(range(52))
    for name, other in (("eyeBlinkLeft", "eyeBlinkRight"), ("jawRight", "jawLeft"), ("jawOpen", "jawOpen")):
        assert MIRRORED[INDEX[name]] == INDEX[other]
