"""The answers as they are told, sentence by sentence."""

from __future__ import annotations

import queue
import time

from chat_server import GOOD, GOOD_ZH, events, serve  # type: ignore[import-not-found]
from empathy_agent.chain import Layer
from empathy_agent.dialogue import Dialogue, DialogueError, ErrorCode, Reply
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.safety import Risk
from empathy_agent.telling import Sentence, State, Telling
from empathy_agent.worker import Job, Worker

POST = "I am tired of my job, and of my boss."


class Told:
    """A dialogue whose answers are told."""

    def __init__(self, url: str) -> None:
        self.sentences: list[Sentence] = []
        self.outcomes: queue.Queue[Reply | DialogueError] = queue.Queue()
        dialogue = Dialogue(OpenAIServer(url, "m"))
        self.worker = Worker(dialogue, capacity=1)
        self._telling = Telling(dialogue, self.sentences.append)

    def job(self, text: str, session_id: str = "") -> Job:
        job = Job(text, self.outcomes.put, session_id=session_id)
        self._telling.follow(job)
        return job

    def answered(self, text: str, session_id: str = "") -> Reply | DialogueError:
        self.worker.submit(self.job(text, session_id))
        return self.outcomes.get(timeout=10)

    def until(self, count: int) -> None:
        deadline = time.monotonic() + 10.0
        while len(self.sentences) < count:
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_the_sentences_come_in_order_and_make_the_answer() -> None:
    with serve(events(GOOD_ZH), events(GOOD)) as server:
        told = Told(server.url)
        reply = told.answered("最近公司换了新老板，每天都催我交报告，周末也没有休息。", "s")
        assert isinstance(reply, Reply)
        told.answered(POST, "s")
        told.worker.close()
    first, second = told.sentences[:3], told.sentences[3:]
    assert "".join(sentence.text for sentence in first) == reply.chain[Layer.ANSWER]
    assert [(s.index, s.state) for s in first] == [(0, State.SAID), (1, State.SAID), (2, State.END)]
    assert {(s.locale, s.session_id, s.turn) for s in first} == {("zh-CN", "s", "story")}
    assert [s.text for s in second] == ["It sounds hard.", "No wonder you are tired.", ""]
    assert second[0].turn == "more"
    assert len({s.reply_id for s in first}) == len({s.reply_id for s in second}) == 1
    assert first[0].reply_id != second[0].reply_id


def test_a_fixed_text_is_told_in_sentences_and_the_concern_stays() -> None:
    with serve(events(GOOD)) as server:
        told = Told(server.url)
        told.answered("I want to kill myself.", "s")
        count = len(told.sentences)
        assert count > 3
        assert {s.risk for s in told.sentences} == {Risk.CRISIS}
        assert all("\n" not in s.text and s.text == s.text.strip() for s in told.sentences)
        told.answered(POST, "s")
        told.worker.close()
    assert {s.risk for s in told.sentences[count:]} == {Risk.CONCERN}


def test_what_a_crisis_interrupts_is_closed_before_its_answer() -> None:
    slow = GOOD.replace("</answer>", " You do much." * 60 + "</answer>")
    with serve(events(slow), pause=0.01) as server:
        told = Told(server.url)
        told.worker.submit(told.job(POST, "s"))
        told.until(1)
        told.worker.submit(told.job("I want to kill myself.", "s"))
        outcomes = [told.outcomes.get(timeout=10) for _ in range(2)]
        told.worker.close()
    replies = [s.reply_id for s in told.sentences]
    change = replies.index(replies[-1])
    assert set(replies[:change]).isdisjoint(replies[change:])
    assert told.sentences[change - 1].state is State.CANCELED
    assert told.sentences[change - 1].index == change - 1
    assert [s.state for s in told.sentences].count(State.CANCELED) == 1
    assert {isinstance(outcome, Reply) for outcome in outcomes} == {True, False}


def test_nobodys_posts_do_not_close_each_other() -> None:
    with serve(events(GOOD)) as server:
        told = Told(server.url)
        for _ in range(2):
            told.answered(POST)
        told.worker.close()
    assert [s.state for s in told.sentences if not s.text] == [State.END, State.END]


def test_what_is_not_answered_is_told_too() -> None:
    with serve(events(GOOD, size=1), pause=0.05) as server:
        told = Told(server.url)
        first = told.job(POST)
        told.worker.submit(first)
        while told.worker.waiting:
            time.sleep(0.01)
        told.worker.submit(told.job(POST))
        refused = told.job(POST)
        try:
            told.worker.submit(refused)
        except DialogueError as error:  # as the node does
            refused.on_done(error)
        assert [(s.state, s.index, s.text) for s in told.sentences] == [(State.FAILED, 0, "")]
        told.worker.cancel(first)
        told.worker.close()
    codes = [told.outcomes.get(timeout=5) for _ in range(3)]
    assert [c.code for c in codes if isinstance(c, DialogueError)].count(ErrorCode.CANCELED) == 2
    assert [s.state for s in told.sentences[1:]] == [State.CANCELED, State.CANCELED]
