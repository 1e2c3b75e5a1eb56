"""The frames of a person: of the face and of the two earphones, under names that no two people share (REP-155)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from imuface_core.earphone import EARS, Ear

PLAIN = ("", "imuface")
"""Whoever is alone: the root and the default namespace have frames without an id."""
_ID = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*")


@dataclass(frozen=True)
class Frames:
    """Names of coordinate frames (docs/architecture.md)."""

    face: str
    imu: Mapping[Ear, str]


def frames_of(person: str) -> Frames:
    """The frames of a person, who goes by a namespace or another id: ``face``, or ``face_anna`` for ``/anna``.

    Raises:
        ValueError: the id holds what a frame's name should not.
    """
    name = person.strip("/")
    if name in PLAIN:
        ending = ""
    elif _ID.fullmatch(name):
        ending = f"_{name}"
    else:
        raise ValueError(f"a person is called '{person}' in frames: use letters, digits, '_', and '/' between them")
    return Frames(f"face{ending}", {ear: f"earphone_{ear}_imu_link{ending}" for ear in EARS})
