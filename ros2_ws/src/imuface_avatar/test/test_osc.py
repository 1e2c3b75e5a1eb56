"""Elements and bundles against python-osc."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from imuface_avatar.osc import MAX_DATAGRAM, Element, bundles
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="#*,/?[]{}"), max_size=12)


@given(name=NAMES, numbers=st.lists(st.floats(width=32, allow_nan=False), max_size=8), flag=st.booleans())
def test_is_what_python_osc_builds(name: str, numbers: list[float], flag: bool) -> None:
    message, bundle = OscMessageBuilder(f"/a/{name}"), OscBundleBuilder(IMMEDIATELY)
    message.add_arg(name)
    message.add_arg(flag)
    for number in numbers:
        message.add_arg(number)
    bundle.add_content(message.build())
    element = Element(f"/a/{name}", name, flag, numbers="f" * len(numbers))
    assert bundles([element(*numbers)]) == [bundle.build().dgram]


@given(sizes=st.lists(st.integers(1, 700), max_size=60), limit=st.integers(3000, MAX_DATAGRAM))
def test_no_bundle_is_too_long_and_nothing_is_lost(sizes: list[int], limit: int) -> None:
    elements = [Element("/a", "x" * size, numbers="i")(number) for number, size in enumerate(sizes)]
    datagrams = bundles(elements, limit)
    assert all(len(datagram) <= limit for datagram in datagrams)
    assert [content.params[1] for datagram in datagrams for content in OscBundle(datagram)] == list(range(len(sizes)))
