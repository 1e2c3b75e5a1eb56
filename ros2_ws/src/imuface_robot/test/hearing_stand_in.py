"""A listen node whose detector and recogniser are stand-ins: loud is speech, and its length is what is said."""

from __future__ import annotations

from typing import Any

import imuface_node
import numpy as np
from imuface_robot import listen_node
from imuface_robot.hearing.recogniser import Recogniser, Transcript
from imuface_robot.hearing.sources import RATE, Sound


class Loudness:
    """Takes loudness for speech."""

    def __call__(self, block: Sound) -> float:
        return float(np.abs(block).max() > 0.1)

    def reset(self) -> None:
        """Nothing to forget."""


def recognise(sound: Sound) -> Transcript:
    return Transcript(f"{round(np.count_nonzero(sound) / RATE)} words", "en-US")


class StandIn(listen_node.ListenNode):
    """Needs no library and no model."""

    def make_recogniser(self) -> Recogniser:
        return recognise


def main(args: list[str] | None = None) -> None:
    listen_node.Silero = Loudness  # type: ignore[misc, assignment]
    make: Any = StandIn
    imuface_node.main(make, args)
