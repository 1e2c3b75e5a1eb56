"""The whole dialogue over a real HTTP server whose model is a script."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest
from chat_server import GOOD, GOOD_ZH, events, serve  # type: ignore[import-not-found]
from empathy_agent.cancellation import Cancellation
from empathy_agent.chain import Delta, Layer
from empathy_agent.dialogue import Dialogue, DialogueError, ErrorCode, Reply
from empathy_agent.engines import Cancelled, Decoding, Engine, EngineError
from empathy_agent.engines.fallback import Fallback
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.prompt import Message
from empathy_agent.safety import Risk
from empathy_agent.safety.normalise import simplified
from empathy_agent.script import writer
from empathy_agent.session import Sessions

POST = "I am so tired of my job and nobody listens to me."
GOOD_AGAIN = GOOD.replace(
    "It sounds hard. No wonder you are tired.", "Nobody listens to you there. That wears anyone out."
)


def run(dialogue: Dialogue, text: str, **options: object) -> tuple[list[Delta], Reply]:
    *deltas, reply = dialogue.respond(text, **options)  # type: ignore[arg-type]
    assert isinstance(reply, Reply)
    assert all(isinstance(delta, Delta) for delta in deltas)
    return deltas, reply  # type: ignore[return-value]


def varied(count: int) -> list[list[bytes]]:
    """Replies that say something else each time."""
    said = "It sounds hard. No wonder you are tired."
    return [events(GOOD.replace(said, f"I hear the {chr(97 + index) * 9} in it.")) for index in range(count)]


def streamed(deltas: Iterable[Delta]) -> dict[Layer, str]:
    texts: dict[Layer, str] = {}
    for delta in deltas:
        texts[delta.layer] = texts.get(delta.layer, "") + delta.text
    return texts


def test_what_is_too_long_already_is_not_prepared() -> None:
    prepared: list[str] = []

    class Noting(OpenAIServer):
        def prefill(self, messages: Sequence[Message], cancelled: threading.Event) -> None:
            prepared.append(messages[-1]["content"])

    dialogue = Dialogue(Noting("http://127.0.0.1:1", "m"), max_characters=20)
    for text in ("I cannot", "I cannot sleep since", "I cannot sleep since Monday"):
        dialogue.prepare(text, "", "s", threading.Event())
    assert prepared == ["I cannot", "I cannot sleep since"]


def test_a_reply_streams_layer_by_layer() -> None:
    with serve(events(GOOD)) as server:
        deltas, reply = run(Dialogue(OpenAIServer(server.url, "m")), POST, session_id="s", locale="en-US")
    assert [delta.layer for delta in deltas] == sorted(delta.layer for delta in deltas)
    assert streamed(deltas) == reply.chain.texts
    assert reply.chain.valid
    assert (reply.session_id, reply.locale, reply.risk, reply.resources, reply.model) == (
        "s",
        "en-US",
        Risk.NONE,
        [],
        "m",
    )
    assert 0 < reply.seconds_to_first_token <= reply.seconds_total


def test_the_prompt_is_in_the_language_of_the_post_and_holds_the_face() -> None:
    with serve(events(GOOD_ZH)) as server:
        _, reply = run(
            Dialogue(OpenAIServer(server.url, "m")), "工作好累，没有人听我说。", affect=lambda language: f"脸{language}"
        )
        sent = server.requests[0]["messages"]
    assert reply.locale == "zh-CN"
    assert "倾听" in sent[0]["content"]
    assert "脸zh" in sent[-1]["content"]


def test_history_is_sent_and_bounded_by_the_context() -> None:
    with serve(*varied(7)) as server:
        dialogue = Dialogue(
            OpenAIServer(server.url, "m", context=8192), sessions=Sessions(max_turns=9), max_characters=4000
        )
        for turn in range(6):
            run(dialogue, f"turn {turn} " + "really " * 550, session_id="s")
        run(dialogue, POST, session_id="other")
        sent = [request["messages"] for request in server.requests]
    assert len(sent[1]) == len(sent[0]) + 2
    assert len(sent[6]) == len(sent[0])
    last = "".join(message["content"] for message in sent[5])
    assert "turn 4" in last
    assert "turn 0" not in last


def test_the_limits_of_the_memory_are_those_that_were_asked_for() -> None:
    sessions = Sessions(max_turns=1, retention=60.0)
    with serve(*varied(3)) as server:
        dialogue = Dialogue(OpenAIServer(server.url, "m"), sessions=sessions)
        for turn in range(3):
            run(dialogue, f"turn {turn}", session_id="s")
        sent = str(server.requests[-1]["messages"])
    assert dialogue.sessions is sessions
    assert "turn 1" in sent
    assert "turn 0" not in sent


@pytest.mark.parametrize(
    "bad", ["no tags at all", GOOD.replace("It sounds hard. No wonder you are tired.", "It is your fault.")]
)
def test_an_unfit_reply_is_asked_for_once_more_without_history(bad: str) -> None:
    with serve(events(GOOD), events(bad), events(GOOD_AGAIN)) as server:
        dialogue = Dialogue(OpenAIServer(server.url, "m"))
        run(dialogue, POST, session_id="s")
        deltas, reply = run(dialogue, POST, session_id="s")
        lengths = [len(request["messages"]) for request in server.requests]
    assert reply.chain[Layer.ANSWER] == "Nobody listens to you there. That wears anyone out."
    assert "fault" not in "".join(delta.text for delta in deltas)
    assert lengths[1] == lengths[0] + 2
    assert lengths[2] == lengths[0]


@pytest.mark.parametrize(
    ("planted", "check"),
    [
        ("听起来很难。", "language"),
        ("Call 0800 555 1234.", "number"),
        ("It is your fault.", "blame"),
        ("You have clinical depression.", "diagnosis"),
    ],
)
def test_a_bad_sentence_is_left_out_counted_and_never_streamed(planted: str, check: str) -> None:
    with serve(events(GOOD.replace("It sounds hard.", "It sounds hard. " + planted))) as server:
        deltas, reply = run(Dialogue(OpenAIServer(server.url, "m")), POST)
    assert reply.chain[Layer.ANSWER] == "It sounds hard. No wonder you are tired."
    assert streamed(deltas) == reply.chain.texts
    assert reply.stopped == {check: 1}


def test_only_whole_sentences_leave() -> None:
    with serve(events(GOOD, size=1)) as server:
        deltas, _ = run(Dialogue(OpenAIServer(server.url, "m")), POST)
    assert [delta.text for delta in deltas if delta.layer is Layer.ANSWER] == [
        "It sounds hard.",
        " No wonder you are tired.",
    ]


def test_a_sentence_is_not_said_twice_in_a_session() -> None:
    with serve(events(GOOD), events(GOOD.replace("It sounds hard.", "And now this too."))) as server:
        dialogue = Dialogue(OpenAIServer(server.url, "m"))
        run(dialogue, POST, session_id="s")
        _, reply = run(dialogue, POST, session_id="s")
        _, other = run(dialogue, POST, session_id="other")
    assert reply.chain[Layer.ANSWER] == "And now this too."
    assert reply.stopped["repetition"] == 1
    assert "No wonder you are tired." in other.chain[Layer.ANSWER]


def test_a_layer_that_is_missing_is_filled_with_a_plain_sentence() -> None:
    with serve(events(GOOD.replace("<L3>You want to be heard.</L3>", ""))) as server:
        _, reply = run(Dialogue(OpenAIServer(server.url, "m")), POST)
    assert reply.model == "m"
    assert reply.chain.missing == []
    assert not reply.chain.valid


@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_a_reply_that_is_cut_off_loses_its_broken_sentence(finish: str) -> None:
    cut = GOOD[: GOOD.index("tired.</answer>")]
    with serve(events(cut, finish=finish)) as server:
        deltas, reply = run(Dialogue(OpenAIServer(server.url, "m")), POST)
    assert reply.chain[Layer.ANSWER] == "It sounds hard."
    assert streamed(deltas) == reply.chain.texts


def test_thoughts_are_no_part_of_the_reply() -> None:
    thoughts = "The format is " + GOOD.replace("It sounds hard", "It must be dull") + " I should use it.</think>"
    with serve(events(thoughts + GOOD)) as server:
        _, reply = run(Dialogue(OpenAIServer(server.url, "m")), POST)
    assert "dull" not in reply.chain[Layer.ANSWER]
    assert reply.chain[Layer.ANSWER]


@pytest.mark.parametrize("reply", [events("nothing"), (500, b"boom")], ids=["nothing", "failed"])
def test_where_no_model_answers_an_honest_sentence_stands_in(reply: Any) -> None:
    with serve(reply) as server:
        deltas, answered = run(Dialogue(OpenAIServer(server.url, "m")), POST)
    assert answered.risk is Risk.NONE
    assert answered.resources == []
    assert answered.model == ""
    assert "I cannot answer you well right now" in answered.chain[Layer.ANSWER]
    assert streamed(deltas) == answered.chain.texts
    assert "boom" in answered.fault or "no fit answer in two attempts" in answered.fault


def test_what_nobody_said_in_a_session_is_remembered_by_nobody() -> None:
    with serve(events(GOOD)) as server:
        dialogue = Dialogue(OpenAIServer(server.url, "m"))
        run(dialogue, "My cat Tilly has died.", session_id="")
        run(dialogue, POST, session_id="")
        sent = str(server.requests[-1]["messages"])
    assert "Tilly" not in sent
    assert len(dialogue.sessions) == 0


def test_sessions_of_several_people_never_mix() -> None:
    facts = {"a": "Tilly", "b": "Oporto", "c": "trombone", "": "walnut"}
    with serve(*varied(12)) as server:
        dialogue = Dialogue(OpenAIServer(server.url, "m"))
        for turn in range(3):
            for session, fact in facts.items():
                run(dialogue, f"Turn {turn}: I keep thinking of the {fact}.", session_id=session)
        sent = [str(request["messages"]) for request in server.requests]
    for index, prompt in enumerate(sent):
        mine = list(facts)[index % 4]
        assert facts[mine] in prompt
        assert not any(fact in prompt for session, fact in facts.items() if session != mine)


@pytest.mark.parametrize(
    ("text", "line"), [("活着真没意思，看不到希望。", "12356"), ("I feel hopeless.", "findahelpline")]
)
def test_help_lines_do_not_depend_on_a_model(text: str, line: str) -> None:
    with serve((500, b"boom")) as server:
        deltas, reply = run(Dialogue(OpenAIServer(server.url, "m")), text)
    assert reply.risk is Risk.CONCERN
    assert any(line in resource for resource in reply.resources)
    assert reply.chain.valid
    assert streamed(deltas) == reply.chain.texts
    assert reply.model == ""
    assert "HTTP 500: boom" in reply.fault


class Named(Engine):
    """Gives ``texts`` in turn; None fails. Before each it does ``then``."""

    context = 8192
    supports_grammar = scaffold = worked_examples = False

    def __init__(self, model: str, *texts: str | None, then: Callable[[], object] = lambda: None) -> None:
        self.model, self._texts, self._then = model, texts, then

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """What it was made with."""
        for text in self._texts:
            self._then()
            if text is None:
                raise EngineError("it fails")
            yield text

    def close(self) -> None:
        """Nothing to release."""


def test_a_reply_names_the_model_that_gave_it_whoever_else_is_asked_meanwhile() -> None:
    def ask_for_another() -> None:
        engine.model = "two"  # as when another person's turn goes to the other engine

    engine = Fallback([Named("one", GOOD[:-30], GOOD[-30:], then=ask_for_another), Named("two", GOOD)])
    _, reply = run(Dialogue(engine), POST)
    assert reply.model == "one"


@pytest.mark.parametrize("second", [GOOD, None], ids=["another takes over", "another fails, too"])
def test_a_reply_that_broke_off_names_the_model_whose_words_were_said(second: str | None) -> None:
    engine = Fallback([Named("one", GOOD[:-20], None), Named("two", second)])
    _, reply = run(Dialogue(engine), POST)
    assert reply.chain[Layer.ANSWER] == "It sounds hard."
    assert reply.model == "one"


def test_a_reply_of_the_engine_that_took_over_names_that_one() -> None:
    _, reply = run(Dialogue(Fallback([Named("one", None), Named("two", GOOD)])), POST)
    assert reply.model == "two"
    _, unfit = run(Dialogue(Fallback([Named("one", None), Named("two", "nothing")])), POST)
    assert "model two gave no fit answer" in unfit.fault
    _, silent = run(Dialogue(Fallback([Named("one", None), Named("two")])), POST)
    assert "model two gave no fit answer" in silent.fault


@pytest.mark.parametrize("text", ["", "  \n\t　"])
def test_empty_text(text: str) -> None:
    with serve(events(GOOD)) as server, pytest.raises(DialogueError) as caught:
        run(Dialogue(OpenAIServer(server.url, "m")), text)
    assert caught.value.code is ErrorCode.EMPTY_TEXT


def test_a_post_that_is_too_long() -> None:
    with (
        serve(events(GOOD)) as server,
        pytest.raises(DialogueError, match="100000 characters, max_characters is 4000") as caught,
    ):
        run(Dialogue(OpenAIServer(server.url, "m")), "长" * 100_000)
    assert caught.value.code is ErrorCode.TEXT_TOO_LONG


def test_the_longest_post_must_fit_the_context() -> None:
    with pytest.raises(ValueError, match="max_characters 9000 does not fit"):
        Dialogue(OpenAIServer("http://127.0.0.1:1", "m", context=8192), max_characters=9000)
    with pytest.raises(ValueError, match="at least 1"):
        Dialogue(OpenAIServer("http://127.0.0.1:1", "m"), max_characters=0)


@pytest.mark.parametrize(
    ("text", "locale", "line"), [("我不想活了", "zh-CN", "12356"), ("I want to die", "en-US", "988")]
)
def test_a_crisis_never_reaches_the_model(text: str, locale: str, line: str) -> None:
    with serve(events(GOOD)) as server:
        deltas, reply = run(Dialogue(OpenAIServer(server.url, "m")), text, locale=locale)
        assert server.requests == []
    assert reply.risk is Risk.CRISIS
    assert reply.model == ""
    assert reply.chain.missing == []
    assert streamed(deltas) == reply.chain.texts
    assert line in "".join(reply.resources)


def test_a_concern_is_answered_and_help_lines_added() -> None:
    with serve(events(GOOD)) as server:
        deltas, reply = run(Dialogue(OpenAIServer(server.url, "m")), "I feel hopeless.", locale="en-US")
    assert reply.risk is Risk.CONCERN
    assert reply.model == "m"
    assert "988" in reply.resources[0]
    assert reply.chain[Layer.ANSWER].endswith("comes with this answer.")
    assert streamed(deltas) == reply.chain.texts


def test_the_sentence_before_the_help_lines_is_said_once_the_lines_each_time() -> None:
    with serve(events(GOOD), events(GOOD_AGAIN)) as server:
        dialogue = Dialogue(OpenAIServer(server.url, "m"))
        first, second = (run(dialogue, "I feel hopeless.", locale="en-US", session_id="s")[1] for _ in range(2))
    assert first.chain[Layer.ANSWER].endswith("comes with this answer.")
    assert "at any time" not in second.chain[Layer.ANSWER]
    assert first.resources == second.resources


def test_help_lines_stay_in_sight_after_a_crisis() -> None:
    with serve(events(GOOD)) as server:
        dialogue = Dialogue(OpenAIServer(server.url, "m"))
        run(dialogue, "I want to die", session_id="s")
        _, reply = run(dialogue, "Thank you. I had some tea.", session_id="s")
        _, other = run(dialogue, "Thank you. I had some tea.", session_id="other")
    assert reply.risk is Risk.CONCERN
    assert other.risk is Risk.NONE


@pytest.mark.parametrize(("text", "turns"), [("I want to die", 6), ("I feel hopeless.", 2)])
def test_an_alarm_does_not_follow_a_person_for_ever(text: str, turns: int) -> None:
    with serve(*varied(12)) as server:
        dialogue = Dialogue(OpenAIServer(server.url, "m"), sessions=Sessions(max_turns=20))
        run(dialogue, text, session_id="s", locale="en-US")
        replies = [run(dialogue, f"I had tea at {turn}.", session_id="s", locale="en-US")[1] for turn in range(8)]
    assert [reply.risk for reply in replies] == [Risk.CONCERN] * turns + [Risk.NONE] * (8 - turns)
    assert [bool(reply.resources) for reply in replies] == [bool(reply.risk) for reply in replies]


@pytest.mark.parametrize("summary", ["the face looked despaired most of the time, valence -1.0", "I want to die"])
def test_the_face_alone_never_raises_the_risk(summary: str) -> None:
    with serve(events(GOOD)) as server:
        _, reply = run(
            Dialogue(OpenAIServer(server.url, "m")), "I had lunch with my sister.", affect=lambda language: summary
        )
    assert reply.risk is Risk.NONE
    assert reply.resources == []


def test_cancel() -> None:
    cancelled = Cancellation()
    with serve(events(GOOD, size=1), pause=0.05) as server:
        stream = Dialogue(OpenAIServer(server.url, "m")).respond(POST, cancelled=cancelled)
        next(stream)
        cancelled.set()
        with pytest.raises(Cancelled):
            list(stream)


def test_the_face_comes_after_the_post_or_it_would_break_what_is_evaluated_before() -> None:
    with serve(events(GOOD)) as server:
        run(Dialogue(OpenAIServer(server.url, "m")), POST, affect=lambda language: "the face looked sad")
        content = server.requests[0]["messages"][-1]["content"]
    assert content.startswith(POST)
    assert "the face looked sad" in content


def test_who_writes_traditional_characters_is_answered_in_them_whoever_answers() -> None:
    with serve(events(GOOD_ZH)) as server:
        dialogue = Dialogue(OpenAIServer(server.url, "m"))
        deltas, reply = run(dialogue, "我跟媽媽吵架了，不知道該怎麼辦", session_id="a")
        _, crisis = run(dialogue, "我不想活了", locale="zh-TW", session_id="b")
        busy = dialogue.stand_in(dialogue.post("嗯，謝謝你聽我說"), "busy")
    assert streamed(deltas) == reply.chain.texts
    for answer in (reply, crisis, busy):
        for text in answer.chain.texts.values():
            assert writer(["聽說"], "zh-TW")(text) == text
        assert simplified(answer.chain[Layer.ANSWER]) != answer.chain[Layer.ANSWER]
    # The session remembers the agent's own words, so that none of them is said again.
    assert dialogue.sessions.memory("a").turns[0].answer == simplified(reply.chain[Layer.ANSWER])
