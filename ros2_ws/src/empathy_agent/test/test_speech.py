"""What leaves: whole sentences that were reviewed, whatever the chunks were."""

from __future__ import annotations

from itertools import pairwise

import pytest
from empathy_agent.chain import Layer
from empathy_agent.speech import Speech
from hypothesis import given
from hypothesis import strategies as st

OUTPUT = (
    "<empathy_think><L1>You feel tired. The user is sad.</L1><L2>The pain comes from work.</L2>"
    "<L3>You want to be heard.</L3><L4>First listen.</L4></empathy_think>"
    "<answer>It sounds hard. It is all your fault. You are tired. It sounds hard.</answer>"
)


def said(output: str, cuts: list[int], whole: bool = True, known: tuple[str, ...] = ()) -> Speech:
    speech = Speech("en", known)
    texts: dict[Layer, str] = {}
    edges = [0, *sorted(cut % (len(output) + 1) for cut in cuts), len(output)]
    deltas = [delta for begin, end in pairwise(edges) for delta in speech.feed(output[begin:end])]
    for delta in [*deltas, *speech.finish(whole)]:
        texts[delta.layer] = texts.get(delta.layer, "") + delta.text
    assert texts == speech.chain().texts
    return speech


@given(st.lists(st.integers(0, 400)))
def test_bad_and_repeated_sentences_are_held_back_whatever_the_chunks_were(cuts: list[int]) -> None:
    speech = said(OUTPUT, cuts)
    assert speech.chain()[Layer.ANSWER] == "It sounds hard. You are tired."
    assert speech.chain()[Layer.EMOTIONS_AND_CONTEXT] == "You feel tired."
    assert speech.stopped == {"blame": 1, "role": 1, "repetition": 1}
    assert speech.chain().valid
    assert speech.spoken


@given(st.text(), st.lists(st.integers(0, 400)))
def test_any_output_is_taken(output: str, cuts: list[int]) -> None:
    said(output, cuts)


def test_of_an_output_that_is_cut_off_the_last_sentence_is_missing() -> None:
    assert said(OUTPUT[:-20], [], whole=False).chain()[Layer.ANSWER] == "It sounds hard. You are tired."
    assert said("<answer>It sounds", [], whole=False).chain().texts == {}


def test_what_was_said_before_is_not_said_again() -> None:
    assert said(OUTPUT, [], known=("itsoundshard",)).chain()[Layer.ANSWER] == "You are tired."


def test_the_last_sentence_of_a_layer_comes_with_its_end() -> None:
    speech = Speech("en")
    assert list(speech.feed("<empathy_think><L1>You feel sad.")) == []
    assert [delta.text for delta in speech.feed("</L1>")] == ["You feel sad."]
    # The answer's comes with the end of the output: until then all may be a thought.
    assert list(speech.feed("<answer>It sounds hard.</answer>")) == []
    assert [delta.text for delta in speech.finish()] == ["It sounds hard."]


def test_a_restart_keeps_what_was_spoken() -> None:
    speech = Speech("en")
    assert [delta.text for delta in speech.feed("<L1>You feel sad.</L1><answer>It sounds hard. You")]
    speech.restart()
    list(speech.feed("<L1>You feel tired.</L1>"))
    list(speech.finish())
    assert speech.chain().texts == {
        Layer.ANSWER: "It sounds hard.",
        Layer.EMOTIONS_AND_CONTEXT: "You feel tired.",
    }


@pytest.mark.parametrize("mark", ["</answer>", ""])
def test_a_last_sentence_without_an_end_is_still_reviewed(mark: str) -> None:
    speech = said("<answer>It sounds hard. It is all your fault" + mark, [])
    assert speech.chain()[Layer.ANSWER] == "It sounds hard."


@pytest.mark.parametrize("run", ["very " * 300, "aaaa" * 300, "啊" * 1200, "so, " * 300])
@pytest.mark.parametrize("end", [".", "", "\n"])
def test_a_word_for_ever_is_not_said(run: str, end: str) -> None:
    speech = said(f"<L1>You feel tired. {run}{end}</L1><answer>{run}{end}</answer>", [7, 300, 900])
    assert speech.chain().texts == {Layer.EMOTIONS_AND_CONTEXT: "You feel tired."}
    assert not speech.spoken
    assert speech.stopped["endless"] == 2
    speech = said(f"<answer>It sounds hard. {run}{end}\nYou are tired.</answer>", [7, 300, 900])
    assert speech.chain()[Layer.ANSWER].split() == ["It", "sounds", "hard.", "You", "are", "tired."]


def test_a_message_that_the_person_may_send_is_said_whole() -> None:
    answer = "You could write, “I saw the news. I went quiet in spring. I miss you.” It is short."
    assert said(f"<answer>{answer}</answer>", [7, 50, 60]).chain()[Layer.ANSWER] == answer
    speech = said(f"<answer>{answer} I love you.</answer>", [7, 50, 60])
    assert speech.chain()[Layer.ANSWER] == answer
    assert speech.stopped == {"role": 1}


def test_dots_alone_are_no_answer() -> None:
    assert not said("<answer>……</answer>", []).spoken
    assert said("<answer>I see……</answer>", []).chain()[Layer.ANSWER] == "I see……"
