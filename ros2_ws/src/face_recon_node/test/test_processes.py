"""Worker processes end with those who started them."""

from __future__ import annotations

import time
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue

import pytest
import torch
from face_recon_node.training.processes import on_one_core, worker_pool

_sent: SimpleQueue


def _connect(sent: SimpleQueue) -> None:
    global _sent
    _sent = sent


def _send_more_than_a_pipe_holds() -> None:
    _sent.put(b"begun")
    _sent.put(bytes(1 << 24))


def test_a_worker_that_nobody_listens_to_does_not_hold_up_the_end() -> None:
    sent = get_context("spawn").SimpleQueue()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), worker_pool(1, _connect, (sent,)) as pool:
        pool.submit(_send_more_than_a_pipe_holds)
        assert sent.get() == b"begun"
        raise KeyboardInterrupt
    assert time.monotonic() - begin < 60.0


def test_a_worker_keeps_to_one_core() -> None:
    with worker_pool(1) as pool:
        assert pool.submit(on_one_core, torch.get_num_threads).result() == 1
