"""The queue in front of the dialogue."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from chat_server import GOOD, events, serve  # type: ignore[import-not-found]
from empathy_agent.chain import Delta, Layer
from empathy_agent.dialogue import Dialogue, DialogueError, ErrorCode, Reply
from empathy_agent.engines import Cancelled, Decoding, Engine, EngineError
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.prompt import Message
from empathy_agent.safety import Risk
from empathy_agent.session import Sessions
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
    assert worker.characters_per_second > 0


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
        first, second = Job(POST, done.put), Job(POST, done.put)
        worker.submit(first)
        worker.submit(second)
        time.sleep(0.3)
        worker.cancel(second)
        assert code(done.get_nowait()) is ErrorCode.CANCELED  # one that waits ends at once
        worker.submit(Job(POST, done.put))
        worker.cancel(first)
        assert code(done.get(timeout=1)) is ErrorCode.CANCELED
        assert isinstance(done.get(timeout=5), Reply)
        worker.close()


def test_a_crisis_is_answered_at_once_whatever_the_model_does_and_never_busy() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    crises: list[Reply | DialogueError] = []
    with serve(events(GOOD, size=1), pause=0.2) as server:
        worker = Worker(Dialogue(OpenAIServer(server.url, "m")), capacity=1)
        mine = Job(POST, done.put, session_id="mine")
        worker.submit(mine)
        while worker.waiting:
            time.sleep(0.01)
        worker.submit(Job(POST, done.put, session_id="other"))
        deltas: list[Delta] = []
        worker.submit(Job("I want to kill myself", crises.append, deltas.append, session_id="mine", locale="en-US"))
        (reply,) = crises
        assert isinstance(reply, Reply)
        assert reply.risk is Risk.CRISIS
        assert "988" in "".join(reply.resources)
        assert {delta.layer for delta in deltas} == set(Layer)
        assert code(done.get(timeout=2)) is ErrorCode.CANCELED  # what was being said in the same session
        assert mine.cancelled.is_set()
        worker.close()


def test_a_worrying_post_with_a_full_queue_gets_its_help_lines() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events(GOOD, size=1), pause=0.2) as server:
        worker = Worker(Dialogue(OpenAIServer(server.url, "m")), capacity=1)
        for _ in range(2):
            worker.submit(Job(POST, lambda outcome: None))
            while worker.waiting and not worker.busy:
                time.sleep(0.01)
        worker.submit(Job("I feel hopeless.", done.put, locale="en-US"))
        reply = done.get_nowait()
        assert isinstance(reply, Reply)
        assert reply.risk is Risk.CONCERN
        assert reply.model == ""
        assert "988" in "".join(reply.resources)
        worker.close()


def test_several_people_are_answered_at_once_and_each_in_order() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events(GOOD), pause=0.02) as server:
        worker = Worker(Dialogue(OpenAIServer(server.url, "m")), capacity=20, parallel=10)
        started = time.monotonic()
        for turn in range(2):
            for person in range(10):
                worker.submit(Job(f"I keep thinking of {turn}.", done.put, session_id=str(person)))
        outcomes = [done.get(timeout=20) for _ in range(20)]
        assert time.monotonic() - started < 15.0
        worker.close()
    assert all(isinstance(outcome, Reply) for outcome in outcomes)
    prompts = [request["messages"] for request in server.requests]
    assert sum("thinking of 0" in prompt[-1]["content"] for prompt in prompts) == 10
    assert sum("thinking of 0" in str(prompt) and "thinking of 1" in str(prompt[-1]) for prompt in prompts) == 10


def test_a_new_utterance_interrupts_the_reply_before_it_if_asked_to() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events(GOOD, size=1), events(GOOD), pause=0.05) as server:
        worker = Worker(Dialogue(OpenAIServer(server.url, "m")), turn_taking="interrupt")
        worker.submit(Job(POST, done.put, session_id="s"))
        while not server.requests:
            time.sleep(0.01)
        worker.submit(Job("And there is more.", done.put, session_id="s"))
        assert code(done.get(timeout=0.5)) is ErrorCode.CANCELED
        assert isinstance(done.get(timeout=5), Reply)
        worker.close()


class Instant(Engine):
    """Says one good reply at once, and does ``then``; it does not look at ``cancelled`` any more."""

    model, context = "instant", 8192
    supports_grammar = scaffold = worked_examples = False
    then: Any = staticmethod(lambda: None)

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """The reply."""
        yield GOOD
        self.then()

    def close(self) -> None:
        """Nothing to release."""


def test_a_turn_that_is_cancelled_at_its_very_end_is_not_remembered() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    engine = Instant()
    dialogue = Dialogue(engine)
    worker = Worker(dialogue)
    job = Job(POST, done.put, session_id="s")
    told: list[bool] = []
    engine.then = lambda: told.append(worker.cancel(job))
    worker.submit(job)
    assert code(done.get(timeout=5)) is ErrorCode.CANCELED
    assert told == [True]
    assert dialogue.sessions.memory("s").turns == []
    worker.close()


def test_a_cancellation_that_comes_after_the_reply_is_decided_has_no_effect() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    told: list[bool] = []

    class Late(Sessions):
        def add(self, *arguments: Any, **options: Any) -> None:
            super().add(*arguments, **options)
            told.append(worker.cancel(job))

    dialogue = Dialogue(Instant(), sessions=Late())
    worker = Worker(dialogue)
    job = Job(POST, done.put, session_id="s")
    worker.submit(job)
    assert isinstance(done.get(timeout=5), Reply)
    assert told == [False]
    assert len(dialogue.sessions.memory("s").turns) == 1
    crisis = Job("I want to kill myself", done.put, session_id="s")
    worker.submit(crisis)
    assert isinstance(done.get(timeout=5), Reply)
    assert not worker.cancel(crisis)
    worker.close()


def test_who_was_answered_is_remembered_and_nobody_else_whenever_the_cancellation_comes() -> None:
    outcomes: queue.Queue[tuple[str, Reply | DialogueError]] = queue.Queue()
    engine = Instant()
    dialogue = Dialogue(engine, sessions=Sessions(max_sessions=1000))
    worker = Worker(dialogue, capacity=1000, parallel=2)
    list(dialogue.respond(POST))  # loads what the first turn loads
    engine.then = lambda: time.sleep(0.002)
    count = 150
    for number in range(count):
        name = str(number)
        job = Job(POST, lambda outcome, name=name: outcomes.put((name, outcome)), session_id=name)  # type: ignore[misc]
        worker.submit(job)
        time.sleep(0.02 * number / count if number < count - 1 else 1.0)  # the last one too late
        worker.cancel(job)
    told = dict(outcomes.get(timeout=5) for _ in range(count))
    assert {name: bool(dialogue.sessions.memory(name).turns) for name in told} == {
        name: isinstance(outcome, Reply) for name, outcome in told.items()
    }
    assert len({type(outcome) for outcome in told.values()}) == 2
    worker.close()


def test_what_is_being_answered_or_waits_is_forgotten_too() -> None:
    done: dict[str, queue.Queue[Reply | DialogueError]] = {name: queue.Queue() for name in "ab"}
    with serve(events(GOOD), events(GOOD, size=1), events(GOOD), pause=0.02) as server:
        dialogue = Dialogue(OpenAIServer(server.url, "m"))
        worker = Worker(dialogue)
        worker.submit(Job(POST, done["a"].put, session_id="a"))
        assert isinstance(done["a"].get(timeout=5), Reply)
        worker.submit(Job("My cat Tilly has died.", done["a"].put, session_id="a"))
        while len(server.requests) < 2:
            time.sleep(0.01)
        worker.submit(Job("Tilly was old.", done["a"].put, session_id="a"))
        worker.submit(Job(POST, done["b"].put, session_id="b"))
        assert worker.forget("a") == 1
        assert [code(done["a"].get(timeout=5)) for _ in range(2)] == [ErrorCode.CANCELED] * 2
        assert isinstance(done["b"].get(timeout=5), Reply)
        assert dialogue.sessions.memory("a").turns == []
        assert worker.forget() == 1
        worker.close()


class Broken(Dialogue):
    """Fails in ways that nobody foresaw."""

    fault: BaseException = TypeError("can only concatenate str")

    def answer(self, *arguments: Any, **options: Any) -> Any:
        if self.fault is not None:
            fault, self.fault = self.fault, None  # type: ignore[assignment]
            raise fault
        return super().answer(*arguments, **options)


def test_an_unforeseen_error_fails_one_post_alone() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events(GOOD)) as server:
        worker = Worker(Broken(OpenAIServer(server.url, "m")))
        for _ in range(2):
            worker.submit(Job(POST, done.put))
        failed = done.get(timeout=5)
        assert code(failed) is ErrorCode.ENGINE_FAILED
        assert "concatenate" not in str(failed)  # it may hold what the person said
        assert isinstance(done.get(timeout=5), Reply)
        assert worker.replaced == 0
        worker.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_replaced_and_its_post_is_told() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events(GOOD)) as server:
        dialogue = Broken(OpenAIServer(server.url, "m"))
        dialogue.fault = SystemExit()
        worker = Worker(dialogue)
        worker.submit(Job(POST, done.put))
        while worker._threads[0].is_alive():
            time.sleep(0.01)
        worker.mend()
        assert code(done.get_nowait()) is ErrorCode.ENGINE_FAILED
        assert worker.replaced == 1
        worker.submit(Job(POST, done.put))
        assert isinstance(done.get(timeout=5), Reply)
        worker.close()


def test_a_receiver_that_fails_does_not_end_the_thread() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()

    def refuse(outcome: object) -> None:
        raise RuntimeError("no")

    with serve(events(GOOD)) as server:
        worker = Worker(Dialogue(OpenAIServer(server.url, "m")))
        worker.submit(Job(POST, refuse))
        worker.submit(Job(POST, done.put))
        assert isinstance(done.get(timeout=5), Reply)
        worker.close()


def test_what_is_said_so_far_is_prepared_and_gives_way_to_the_post() -> None:
    prepared: queue.Queue[str] = queue.Queue()
    done: queue.Queue[Reply | DialogueError] = queue.Queue()

    class Preparing(Dialogue):
        def prepare(self, text: str, locale: str, session_id: str, cancelled: threading.Event) -> None:
            prepared.put(text)
            assert cancelled.wait(5.0)
            raise Cancelled

    with serve(events(GOOD)) as server:
        worker = Worker(Preparing(OpenAIServer(server.url, "m")))
        worker.prepare("I am", "", "s")
        assert prepared.get(timeout=2) == "I am"
        worker.submit(Job(POST, done.put, session_id="s"))
        assert isinstance(done.get(timeout=2), Reply)
        worker.close()


class Warming(Dialogue):
    """Gets ready until it is told to stop."""

    def __init__(self, *arguments: Any, fault: Exception | None = None) -> None:
        super().__init__(*arguments)
        self.fault, self.languages = fault, queue.Queue[str]()

    def warm_up(self, language: str, cancelled: threading.Event) -> None:
        self.languages.put(language)
        if self.fault is not None:
            raise self.fault
        assert cancelled.wait(5.0)
        raise Cancelled


def test_warm_up_gives_way_to_a_post() -> None:
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events(GOOD)) as server:
        dialogue = Warming(OpenAIServer(server.url, "m"))
        worker = Worker(dialogue, languages=["en"])
        assert dialogue.languages.get(timeout=2) == "en"
        worker.submit(Job(POST, done.put))
        assert isinstance(done.get(timeout=2), Reply)
        worker.close()


@pytest.mark.parametrize("fault", [EngineError("not yet"), TypeError("what")])
def test_a_failed_warm_up_is_told_and_does_not_stop_the_worker(fault: Exception) -> None:
    faults: queue.Queue[str] = queue.Queue()
    done: queue.Queue[Reply | DialogueError] = queue.Queue()
    with serve(events(GOOD)) as server:
        worker = Worker(Warming(OpenAIServer(server.url, "m"), fault=fault), languages=["en"], on_fault=faults.put)
        assert faults.get(timeout=2) in ("not yet", "unforeseen TypeError")
        worker.submit(Job(POST, done.put))
        assert isinstance(done.get(timeout=5), Reply)
        worker.close()


def test_capacity_is_checked() -> None:
    dialogue = Dialogue(OpenAIServer("http://127.0.0.1:1", "m"))
    with pytest.raises(ValueError, match="queue_size"):
        Worker(dialogue, capacity=0)
    with pytest.raises(ValueError, match="parallel"):
        Worker(dialogue, parallel=0)
    with pytest.raises(ValueError, match="turn_taking 'both' is none of queue, interrupt"):
        Worker(dialogue, turn_taking="both")
