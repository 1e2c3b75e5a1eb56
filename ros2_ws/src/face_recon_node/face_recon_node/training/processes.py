"""Worker processes for simulating, training and measuring many people at once."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

_THREADS = "OMP_NUM_THREADS"


@contextlib.contextmanager
def worker_pool(
    processes: int, initializer: Callable[..., object] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """A pool of newly spawned processes; what still waits at its end is cancelled."""
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer, arguments)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that start within use one thread for linear algebra: as many as cores would get in each other's way.

    Sums are then rounded otherwise than in this process.
    """
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_THREADS]
        else:
            os.environ[_THREADS] = before
