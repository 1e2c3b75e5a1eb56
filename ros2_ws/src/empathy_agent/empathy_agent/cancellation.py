"""The wish to end a turn without a reply, and the moment from which it comes too late."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Cancellation(threading.Event):
    """Cancels a turn when it is set before the turn's reply is decided; set later, it stays unset.

    So whoever cancels and whoever replies, on whatever threads, agree on which of the two happened.
    """

    def __init__(self) -> None:
        super().__init__()
        # Re-entrant: a signal handler may set it on the thread that decides.
        self._deciding = threading.RLock()
        self._decided = False

    def set(self) -> None:
        """Cancel the turn, unless its reply is decided."""
        with self._deciding:
            if not self._decided:
                super().set()

    def decide(self, remember: Callable[[], None] = lambda: None) -> bool:
        """Decide on the reply, and ``remember`` it, unless the turn is cancelled; whether it was decided."""
        with self._deciding:
            self._decided = True
            if self.is_set():
                return False
            remember()
            return True
