"""Live speech as utterances."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_hri.speech import LONGEST, Speech


def test_partial_results_and_the_final_one_are_one_utterance() -> None:
    speech = Speech()
    results = [("I", ""), ("I am", ""), ("", "I am tired."), ("and", "And sad."), ("", " ")]
    told = [heard for result in results if (heard := speech.hear(*result, "en_GB"))]
    assert [heard.text for heard in told] == ["I", "I am", "I am tired.", "And sad."]
    assert [heard.final for heard in told] == [False, False, True, True]
    assert told[0].id == told[1].id == told[2].id != told[3].id
    assert {heard.locale for heard in told} == {"en-GB"}


def test_a_language_that_is_none_is_left_to_be_detected() -> None:
    heard = Speech().hear("", "Guten Tag", "German, I think")
    assert heard is not None
    assert heard.locale == ""


def test_nobody_says_so_much_at_once() -> None:
    with pytest.raises(ValueError, match=f"speech has {LONGEST + 1} characters"):
        Speech().hear("", "a" * (LONGEST + 1), "en")


@given(results=st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))))
def test_an_id_ends_with_its_final_text(results: list[tuple[str, str, str]]) -> None:
    speech = Speech()
    told = [heard for result in results if (heard := speech.hear(*result))]
    ended = [heard.id for heard in told if heard.final]
    assert len(set(ended)) == len(ended)
    assert all(heard.text.strip() == heard.text != "" for heard in told)
    for one, two in pairwise(told):
        assert (one.id == two.id) is not one.final
