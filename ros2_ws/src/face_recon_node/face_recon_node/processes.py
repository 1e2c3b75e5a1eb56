"""Worker processes for simulating, training and measuring many people at once."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

Result = TypeVar("Result")


@contextlib.contextmanager
def worker_pool(
    processes: int, initializer: Callable[..., object] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """A pool of new processes; what still waits at its end is cancelled, after an error what runs is killed."""
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer, arguments)
    try:
        yield pool
    except BaseException:
        # It would go on for hours, or for ever when nobody takes its results any more.
        for worker in multiprocessing.active_children():
            worker.kill()
        # What is on its way to them waits for a reader until there is none (gh-94777). From 3.11.5 on the pool's own
        # thread closes it, and closed from two threads it may be closed twice.
        if sys.version_info < (3, 11, 5):
            pool._call_queue._reader.close()  # type: ignore[attr-defined]
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def on_one_core(work: Callable[..., Result], *arguments: Any) -> Result:
    """Do the work with one thread for linear algebra: as many as cores in each process get in each other's way.

    Sums are then rounded otherwise than with several.
    """
    with threadpool_limits(1):
        return work(*arguments)
