"""Frames: plain for one person, never shared by two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_core.frames import PLAIN, Frames, frames_of

NAMESPACES = st.from_regex(r"/?([a-z_][a-z0-9_]{0,5}(/[a-z_][a-z0-9_]{0,5}){0,2})?", fullmatch=True)


def names(of: Frames) -> set[str]:
    return {of.face, *of.imu.values()}


@pytest.mark.parametrize("namespace", ["", "/", "imuface", "/imuface", "/imuface/"])
def test_one_person_has_plain_frames_of(namespace: str) -> None:
    assert names(frames_of(namespace)) == {"face", "earphone_left_imu_link", "earphone_right_imu_link"}


def test_another_namespace_is_in_every_frame() -> None:
    assert frames_of("/alice").face == frames_of("alice").face == "face_alice"
    assert frames_of("/alice").imu["left"] == "earphone_left_imu_link_alice"


@given(NAMESPACES, NAMESPACES)
def test_two_people_share_no_frame(one: str, other: str) -> None:
    same = one.strip("/") == other.strip("/") or {one.strip("/"), other.strip("/")} <= set(PLAIN)
    assert (names(frames_of(one)) == names(frames_of(other))) is same
    assert names(frames_of(one)).isdisjoint(names(frames_of(other))) is not same


@given(st.text(max_size=12))
def test_any_id_gives_names_or_a_reason(person: str) -> None:
    try:
        found = names(frames_of(person))
    except ValueError as error:
        found, reason = set(), str(error)
    assert len(found) == 3 or f"'{person}'" in reason
    assert all(name.isascii() and " " not in name and name[0] != "/" for name in found)
