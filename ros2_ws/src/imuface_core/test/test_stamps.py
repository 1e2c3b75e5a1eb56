from __future__ import annotations

from builtin_interfaces.msg import Time
from hypothesis import given
from hypothesis import strategies as st
from imuface_core.stamps import SECOND, set_ns, to_ns


@given(st.integers(-(2**31) * SECOND, 2**31 * SECOND - 1))
def test_a_stamp_holds_every_nanosecond(ns: int) -> None:
    stamp = Time()
    set_ns(stamp, ns)
    assert to_ns(stamp) == ns
    assert 0 <= stamp.nanosec < SECOND
