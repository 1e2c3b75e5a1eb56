"""A person's own words in the second person."""

from __future__ import annotations

import pytest
from empathy_agent.reflection import MOST, asked, clauses, corrections
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("今天才知道，他是跟我最好的朋友在一起了。", ["他是跟你最好的朋友在一起了"]),
        ("但是我每天下班回到空荡荡的房间，不知道该怎么办。", ["你每天下班回到空荡荡的房间"]),
        ("我们一起养的猫走丢了", ["你们一起养的猫走丢了"]),
        ("你怎么看？如果他回来呢，我该怎么办", []),
        ("他说“我不爱你了”", []),
        ("好累", []),
        ("谢谢，我晚上试试。其实我也不想把关系搞僵。", ["你也不想把关系搞僵"]),
    ],
)
def test_chinese(text: str, turned: list[str]) -> None:
    assert clauses(text, "zh") == turned


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("I failed my exam and I haven't told my parents.", ["you failed your exam", "you haven't told your parents"]),
        ("He told me that I am too loud.", ["he told you that you are too loud"]),
        ("Honestly, I was at work when Mum called us.", ["you were at work when Mum called you"]),
        ("My flatmate plays games until three every night.", ["your flatmate plays games until three every night"]),
        ("Maria and I don't talk.", []),
        ("What should I do? Would you go?", []),
        ('She said "I hate you" to my face.', []),
        ("Thank you.", []),
        (
            "My boss tore into my report. I just stood there.",
            ["your boss tore into your report", "you just stood there"],
        ),
        ("We've got a 1:1 with our manager tomorrow.", []),
    ],
)
def test_english(text: str, turned: list[str]) -> None:
    assert clauses(text, "en") == turned


def test_a_risk_is_not_said_back() -> None:
    assert clauses("我不想活了，我妹妹在上海工作。", "zh") == ["你妹妹在上海工作"]
    assert clauses("I want to kill myself. I eat alone every day.", "en") == ["you eat alone every day"]


def test_of_many_clauses_the_last_ones_are_kept() -> None:
    things = ["keys", "hat", "coat", "bag", "phone", "ring", "book", "cup", "pen", "map"]
    text = " ".join(f"I lost my {thing} today." for thing in things)
    assert len(clauses(text, "en")) == MOST
    assert clauses(text, "en")[-1] == "you lost your map today"


@given(st.text(), st.sampled_from(["zh", "en"]))
def test_anything_can_be_reflected(text: str, language: str) -> None:
    for clause in clauses(text, language):
        assert "<" not in clause
        assert "\n" not in clause


@pytest.mark.parametrize(
    ("text", "language", "so"),
    [
        ("是我婶，不是我姑，打错字了。", "zh", "是你婶"),
        ("不是一个办公室的同事，说这话的是我部门领导，所以我更不敢讲了。", "zh", "是你部门领导"),
        ("No, it's my sister, not my friend.", "en", "it's your sister"),
    ],
)
def test_a_correction_says_what_is_so(text: str, language: str, so: str) -> None:
    assert corrections(text, language)[0] == so


@pytest.mark.parametrize(
    ("text", "language", "turned"),
    [
        ("下周是婚礼，我该怎么跟他们打招呼？", "zh", ["下周是婚礼，你该怎么跟他们打招呼"]),
        ("这正常吗？", "zh", []),
        ("你会做梦吗？", "zh", []),
        (
            "What should I say to my mum when she calls tonight?",
            "en",
            ["what to say to your mum when she calls tonight"],
        ),
        ("Should I tell him?", "en", ["whether to tell him"]),
        ("Am I too sensitive?", "en", ["whether you are too sensitive"]),
        ("Do you think I should tell her?", "en", ["whether you should tell her"]),
        ("So what do you think I should say to him?", "en", ["what you should say to him"]),
        ("Should I do what you said?", "en", []),
        ("你觉得我该不该告诉她？", "zh", ["你该不该告诉她"]),
        ("那个垫子我要不要还给他？", "zh", ["那个垫子你要不要还给他"]),
        ("Why is she like that?", "en", ["why she is like that"]),
        ("Will it rain at the wedding?", "en", ["whether it will rain at the wedding"]),
        ("What would you do?", "en", []),
        ("I am tired.", "en", []),
    ],
)
def test_a_question_becomes_part_of_a_sentence(text: str, language: str, turned: list[str]) -> None:
    assert asked(text, language) == turned


@given(st.text(), st.sampled_from(["zh", "en"]))
def test_any_text_may_hold_a_question_or_a_correction(text: str, language: str) -> None:
    assert len(asked(text, language)) <= 1
    assert all(clause.strip() for clause in corrections(text, language))
