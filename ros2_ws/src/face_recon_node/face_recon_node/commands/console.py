"""What the commands share: one-line errors, a progress bar, the number of processes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import imuface_core.console
import typer

from face_recon_node.progress import Progress

Sessions = Annotated[list[Path] | None, typer.Argument(help="Recorded sessions (rosbag2 folders) with the true face.")]

Topics = Annotated[
    list[str] | None, typer.Option("--topic", help="What the sessions call an ear: left=/ear_l/imu; may be repeated.")
]


@contextmanager
def one_line_errors() -> Iterator[None]:
    """As :func:`imuface_core.console.one_line_errors`, with warnings on stderr meanwhile."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    with imuface_core.console.one_line_errors():
        yield


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr for whatever is reported."""
    from rich import progress
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = progress.Progress(*columns, console=Console(stderr=True))
    task = bars.add_task("", total=None)
    total = 0

    def report(what: str, done: int, of: int) -> None:
        nonlocal total
        bars.start()  # with the first report: nothing is drawn before an early error
        if of != total or done == 1:
            bars.reset(task, total=of)
            total = of
        bars.update(task, description=what, completed=done)

    try:
        yield report
    finally:
        if total:
            bars.stop()


def processes() -> int:
    return max(1, os.cpu_count() or 1)
