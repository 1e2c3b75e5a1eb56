"""Worker processes end with those who started them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
import torch
from face_recon_node.processes import on_one_core, worker_pool


def _interrupted_at_once() -> None:
    with worker_pool(1) as pool:
        pool.submit(len, bytes(50_000_000))  # more than a pipe holds
        raise KeyboardInterrupt


def _interrupted_at_work() -> None:
    with worker_pool(1) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        pool.submit(time.sleep, 600.0)
        time.sleep(0.5)
        raise KeyboardInterrupt


@pytest.mark.parametrize("interrupted", [_interrupted_at_once, _interrupted_at_work])
def test_what_a_worker_does_ends_with_an_interrupt(interrupted: Callable[[], None]) -> None:
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - begin < 60.0


def test_a_worker_keeps_to_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # the tests' own limit is one
    with worker_pool(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2
        assert pool.submit(on_one_core, torch.get_num_threads).result() == 1
