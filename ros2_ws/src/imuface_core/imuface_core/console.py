"""How a command tells of a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from imuface_core import extras


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Bad input, or a library that is missing, ends the command with one line and status 1."""
    try:
        with extras.explained():
            yield
    except (OSError, ValueError, ImportError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
