"""The queue in front of the dialogue."""

from __future__ import annotations

import queue
import time

import pytest
from chat_server import GOOD, events, serve  # type: ignore[import-not-found]
from empathy_agent.dialogue import Dialogue, DialogueError, ErrorCode, Reply
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.worker import Job, Worker

POST = "I am tired."


def code(outcome: Reply | DialogueError) -> ErrorCode | None:
    return outcome.code if isinstance(outcome, DialogueError) else None


def test_posts_are_answered_in_order() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events(GOOD)) as server:
        worker = Worker(Dialogue(OpenAIServer(server.url, "m")))
        for session in "abc":
            worker.submit(Job(POST, done.put, session_id=session))
        outcomes = [done.get(timeout=5) for _ in range(3)]
        worker.close()
    assert [outcome.session_id for outcome in outcomes if isinstance(outcome, Reply)] == ["a", "b", "c"]
    assert worker.last_reply is outcomes[-1]
    assert worker.tokens_per_second > 0


def test_a_full_queue_is_busy() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events(GOOD, size=1), pause=0.1) as server:
        worker = Worker(Dialogue(OpenAIServer(server.url, "m")), capacity=2)
        worker.submit(Job(POST, done.put))
        while worker.waiting:
            time.sleep(0.01)
        worker.submit(Job(POST, done.put))
        worker.submit(Job(POST, done.put))
        with pytest.raises(DialogueError, match="2 posts are waiting") as caught:
            worker.submit(Job(POST, done.put))
        assert caught.value.code is ErrorCode.BUSY
        started = time.monotonic()
        worker.close()
        assert time.monotonic() - started < 1.0
    assert [code(done.get_nowait()) for _ in range(3)] == [ErrorCode.CANCELED] * 3
    assert done.empty()


def test_one_post_is_cancelled_and_the_next_answered() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events(GOOD, size=1), events(GOOD), pause=0.05) as server:
        worker = Worker(Dialogue(OpenAIServer(server.url, "m")))
        first = Job(POST, done.put)
        worker.submit(first)
        worker.submit(Job(POST, done.put))
        time.sleep(0.3)
        first.cancelled.set()
        assert code(done.get(timeout=1)) is ErrorCode.CANCELED
        assert isinstance(done.get(timeout=5), Reply)
        worker.close()


def test_warm_up_gives_way_to_a_post() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events("x" * 1000, size=1), events(GOOD), pause=0.02) as server:
        worker = Worker(Dialogue(OpenAIServer(server.url, "m")), languages=["en", "zh"])
        while not server.requests:
            time.sleep(0.01)
        worker.submit(Job(POST, done.put))
        assert isinstance(done.get(timeout=5), Reply)
        worker.close()
        assert len(server.requests) == 2


def test_a_failed_warm_up_is_told_and_does_not_stop_the_worker() -> None:
    faults: queue.Queue[str] = queue.Queue()
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve((500, b"not yet"), events(GOOD)) as server:
        worker = Worker(Dialogue(OpenAIServer(server.url, "m")), languages=["en"], on_fault=faults.put)
        while not server.requests:
            time.sleep(0.01)
        worker.submit(Job(POST, done.put))
        assert isinstance(done.get(timeout=5), Reply)
        worker.close()


def test_capacity_is_checked() -> None:
    with pytest.raises(ValueError, match="queue_size"):
        Worker(Dialogue(OpenAIServer("http://127.0.0.1:1", "m")), capacity=0)
