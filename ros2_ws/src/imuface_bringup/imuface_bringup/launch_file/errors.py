"""What goes wrong in a launch file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LaunchFileError(ValueError):
    """A launch file, an argument or a substitution is wrong; the message names where, what and the remedy."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """``known`` names as the end of an error message, led by the one that ``name`` was probably meant to be."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    meant = f"did you mean '{close[0]}'? " if close else ""
    return f"{meant}known: {', '.join(names) or 'none'}"
