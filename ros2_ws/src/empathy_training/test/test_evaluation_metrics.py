"""Metrics of replies against values worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from empathy_training.corpus.examples import Example
from sample import make_example  # type: ignore[import-not-found]

pytest.importorskip("sacrebleu", reason="needs requirements-empathy.txt")

from empathy_training.evaluation.metrics import distinct, measure, measure_counsellor
from empathy_training.evaluation.replies import GeneratedReply

REFERENCES = {"en": "A desk in the corridor would sting anyone.", "zh": "换到走廊里坐，谁都会难受。"}


def example(language: str = "en") -> Example:
    posts = {"en": "My desk was moved to the corridor.", "zh": "我的桌子被搬到走廊里了。"}
    return make_example(id=f"{language}-1", locale=language, post=posts[language], answer=REFERENCES[language])


def reply(answer: str, valid: bool = True) -> GeneratedReply:
    text = f"<answer>{answer}</answer>" if answer else ""
    return GeneratedReply(
        system="s",
        spec="s",
        seed=0,
        id="en-1",
        text=text,
        answer=answer,
        valid=valid,
        seconds_to_first_token=1.5,
        seconds_total=9.0,
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_reference_itself_scores_full_marks(language: str) -> None:
    values = measure([reply(REFERENCES[language])], [example(language)])
    for name in ("bleu", "rouge_l", "chrf", "format", "language"):
        assert values[name] == pytest.approx([1.0])
    assert values["meteor"] == pytest.approx([1.0], abs=0.01)
    assert values["refused"] == values["repetition"] == [0.0]
    assert (values["first"], values["total"]) == ([1.5], [9.0])
    assert values["length"] == [{"en": 8, "zh": 11}[language]]


def test_overlap_of_part_of_the_words() -> None:
    # Six words, of which the three "a desk would" stand in the reference of eight in that order.
    values = measure([reply("A desk would be fine tomorrow.")], [example()])
    precision, recall = 3 / 6, 3 / 8
    assert values["rouge_l"] == pytest.approx([2 * precision * recall / (precision + recall)])
    assert 0.0 < values["bleu"][0] < 0.4


def test_a_reply_without_an_answer_scores_nothing() -> None:
    values = measure([reply("", valid=False)], [example()], bertscores={"en": lambda answers, references: np.ones(0)})
    for name in ("bleu", "rouge_l", "meteor", "chrf", "bertscore", "format", "language", "length"):
        assert values[name] == [0.0]
    assert values["refused"] == [1.0]


def test_the_wrong_language_and_blame_are_noticed() -> None:
    values = measure([reply("换到走廊里坐，谁都会难受。"), reply("This is your own fault.")], [example()] * 2)
    assert list(values["language"]) == [0.0, 1.0]
    assert list(values["refused"]) == [1.0, 1.0]


def test_bertscore_is_left_open_where_no_encoder_knows_the_language() -> None:
    scorer = {"en": lambda answers, references: np.full(len(answers), 0.7)}
    values = measure([reply("It hurts."), reply("很难受。")], [example("en"), example("zh")], bertscores=scorer)
    assert values["bertscore"][0] == pytest.approx(0.7)
    assert math.isnan(values["bertscore"][1])


def test_distinct() -> None:
    # a b a b: pieces ab, ba, ab.
    assert distinct(["a b a b"], 1) == pytest.approx(2 / 4)
    assert distinct(["a b a b"], 2) == pytest.approx(2 / 3)
    assert distinct(["走走", "走"], 1) == pytest.approx(1 / 3)
    assert math.isnan(distinct(["one"], 2))


def test_the_counsellors_answers_are_measured_without_a_reference() -> None:
    values = measure_counsellor([example(), example("zh")])
    assert list(values["length"]) == [8, 11]
    assert set(values) == {"length", "repetition"}


def test_bertscore_with_the_packaged_encoder(tmp_path: Path) -> None:
    from empathy_training.evaluation.bertscore import EncoderScore, english_encoder

    score = EncoderScore(english_encoder(tmp_path))
    same, near, far = score(
        ["You must feel lonely.", "It sounds as if you are very much alone.", "The train leaves at noon."],
        ["You must feel lonely."] * 3,
    )
    assert same == pytest.approx(1.0, abs=1e-4)
    assert near > far + 0.2
    with pytest.raises(ValueError, match=r"encoder .*nope cannot be loaded"):
        EncoderScore(str(tmp_path / "nope"))
