"""Sentences in order, and silence when the person speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from empathy_agent.telling import Sentence, State
from imuface_robot.speaker import Heard, Speaker


class Voice:
    """Says nothing, and ends when it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.stopped = 0
        self.done: Callable[[str], None] = lambda fault: None

    def say(self, text: str, locale: str, done: Callable[[str], None]) -> None:
        self.said.append(text)
        self.done = done

    def stop(self) -> None:
        self.stopped += 1


class Stage:
    """A speaker with that voice, and what it tells."""

    def __init__(self) -> None:
        self.voice = Voice()
        self.told: list[tuple[str, Heard]] = []
        self.faults: list[str] = []
        self.speaker = Speaker(
            self.voice, lambda sentence, heard: self.told.append((sentence.text, heard)), self.faults.append
        )


def test_sentences_are_said_one_after_another(sentence: Callable[..., Sentence]) -> None:
    stage = Stage()
    for index, text in enumerate("abc"):
        stage.speaker.take(sentence(text, index))
    stage.speaker.take(replace(sentence("", 3), state=State.END))
    assert stage.voice.said == ["a"]
    assert stage.speaker.waiting == 2
    stage.voice.done("")
    stage.voice.done("broken")
    stage.voice.done("")
    assert stage.told == [(text, heard) for text in "abc" for heard in (Heard.BEGINS, Heard.ENDS)]
    assert stage.faults == ["broken"]


def test_the_person_breaks_off_the_reply_and_what_comes_of_it(sentence: Callable[..., Sentence]) -> None:
    stage = Stage()
    stage.speaker.take(sentence("a"))
    stage.speaker.take(sentence("b", 1))
    late = stage.voice.done
    stage.speaker.interrupt("u2")
    late("")  # its process ended when it was stopped
    stage.speaker.take(sentence("c", 2))
    assert stage.told == [("a", Heard.BEGINS), ("a", Heard.STOPS)]
    assert (stage.voice.stopped, stage.speaker.waiting) == (1, 0)
    stage.speaker.take(sentence("d", reply_id="next"))
    assert stage.voice.said == ["a", "d"]


def test_a_crisis_that_is_answered_early_is_not_broken_off_by_the_rest_of_its_utterance(
    sentence: Callable[..., Sentence],
) -> None:
    stage = Stage()
    stage.speaker.interrupt("u1")
    stage.speaker.take(sentence("help"))
    stage.speaker.interrupt("u1")
    assert stage.voice.stopped == 0
    stage.speaker.interrupt("u2")
    assert stage.told[-1] == ("help", Heard.STOPS)


def test_utterances_without_an_id_are_each_a_new_one(sentence: Callable[..., Sentence]) -> None:
    stage = Stage()
    stage.speaker.interrupt()
    stage.speaker.take(sentence("a"))
    stage.speaker.interrupt()
    assert stage.voice.stopped == 1


def test_a_cancelled_reply_makes_room_for_the_next(sentence: Callable[..., Sentence]) -> None:
    stage = Stage()
    stage.speaker.take(sentence("a"))
    stage.speaker.take(sentence("b", reply_id="other"))
    stage.speaker.take(replace(sentence("", 1), state=State.CANCELED))
    assert stage.voice.said == ["a", "b"]
    stage.speaker.close()
    assert stage.told[-1] == ("b", Heard.STOPS)


def test_it_remembers_no_more_than_it_needs(sentence: Callable[..., Sentence]) -> None:
    stage = Stage()
    for number in range(1000):
        stage.speaker.take(replace(sentence("", 0, str(number)), state=State.CANCELED))
    assert len(stage.speaker._answers) == len(stage.speaker._broken) == 256
