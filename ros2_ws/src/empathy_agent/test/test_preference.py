"""How gladly sentences are heard: what the learned preference says of them, and of anything."""

from __future__ import annotations

import numpy as np
import pytest
from empathy_agent.preference import BUCKETS, Occasion, Preference, Sentence, shipped
from empathy_agent.turns import Turn, moves
from hypothesis import given
from hypothesis import strategies as st

STORY = Occasion("zh", Turn("story"), "loss", ("奶奶上周走了，我是她带大的。",))


def test_the_one_that_comes_with_the_package_tells_sentences_apart() -> None:
    bank = moves("zh")
    fitting, wrong = (
        np.mean(shipped().ratings(STORY, [Sentence(text, text) for text in texts]))
        for texts in (bank["validations"]["loss"], bank["validations"]["betrayal"])
    )
    assert fitting > wrong


def test_what_is_written_is_read_again() -> None:
    weights = np.zeros(BUCKETS, np.float32)
    weights[:3] = (1.27, -0.5, 0.01)
    read = Preference.from_bytes(Preference(weights, 0.7).to_bytes())
    assert np.allclose(read.weights, weights, atol=0.006)
    assert read.offset == 0.7


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="of another shape; train them again"):
        Preference.from_bytes(Preference(np.ones(5, np.float32), 0.0).to_bytes())


@given(st.sampled_from(["zh", "en"]), st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=20))
def test_anything_may_have_been_said(language: str, message: str, clause: str) -> None:
    occasion = Occasion(language, Turn("question", "cope"), "general", ("before", message))
    sentence = Sentence("{feeling}: {clause}.", f"sad: {clause}.", (("{feeling}", "sad"), ("{clause}", clause)))
    assert np.isfinite(shipped().ratings(occasion, [sentence])).all()
