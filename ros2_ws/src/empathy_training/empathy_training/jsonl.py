"""Files of what readers have said, a line of JSON for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def read_lines(files: Iterable[Path], read: Callable[[dict[str, Any]], T], what: str) -> list[T]:
    """Every line of the files, read.

    Raises:
        OSError: a file cannot be read.
        ValueError: ``read`` cannot make anything of a line; the message names file, line and ``what`` it should hold.
    """
    found = []
    for file in files:
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            try:
                found.append(read(json.loads(line)))
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise ValueError(f"{file}:{number} holds no {what}: {error}") from error
    return found
