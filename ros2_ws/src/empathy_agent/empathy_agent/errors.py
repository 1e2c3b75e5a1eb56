"""Other libraries' errors, for people."""

from __future__ import annotations


def first_line(error: Exception) -> str:
    """What an error says, without the pages that Transformers and YAML add."""
    return str(error).strip().partition("\n")[0]
