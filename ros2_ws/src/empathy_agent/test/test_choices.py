"""Questions of the form "A or B?"."""

from __future__ import annotations

import pytest
from empathy_agent.chain import Layer
from empathy_agent.choices import alternatives, hanging, leanings, weighed
from empathy_agent.grammar import LANGUAGES
from empathy_agent.safety import objection
from empathy_agent.scaffold import scaffold
from empathy_agent.turns import turn_of
from hypothesis import given
from hypothesis import strategies as st

# message, the option to lean to, the other one
CHOICES = [
    ("zh", "明天还有一场，你觉得我该先跟组长说我太累了，还是硬撑着做完？", "跟组长说你太累了", "硬撑着做完"),
    ("zh", "那箱书，我是该捐掉，还是先放着？", "放着", "捐掉"),
    ("zh", "我这种情况，是换个部门好，还是再跟他谈一次？", "跟他谈一次", "换个部门"),
    ("zh", "我是今晚打电话说还是等过年再说？", "今晚打电话说", "等过年再说"),
    ("zh", "我该辞职还是先留着这份工作？", "留着这份工作", "辞职"),
    ("zh", "那我是在群里问他，还是私下找他？他这人好面子", "私下找他", "在群里问他"),
    ("zh", "下周就要定了，我到底该退，还是做完这一期？", "做完这一期", "退"),
    ("zh", "我是劝她先吃饭，还是就听她说？", "听她说", "劝她先吃饭"),
    ("zh", "那我現在告訴主管，還是當作沒看到？", "告诉主管", "当作没看到"),
    ("zh", "发通知是今晚发还是等周一？", "今晚发", "等周一"),
    ("en", "Do I ring her or say it in front of everyone? She's shy.", "ring her", "say it in front of everyone"),
    ("en", "So should I stay the year or leave now?", "stay the year", "leave now"),
    ("en", "do i tell him now or wait until ive found a flat?", "tell him now", "wait until you've found a flat"),
    ("en", "Should I push through or ask my boss for a day off?", "ask your boss for a day off", "push through"),
    ("en", "What should I do, sell the boat or just keep it for now?", "keep it for now", "sell the boat"),
    ("en", "Is it better to leave it or bring it up again?", "bring it up again", "leave it"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "one", "other"), CHOICES)
def test_a_side_is_taken_for_the_one_that_costs_less(language: str, text: str, one: str, other: str) -> None:
    options = alternatives(text, language)
    assert options is not None
    assert set(options) == {one, other}
    said = weighed(options, language)
    assert said
    for sentence in said:
        assert one in sentence
        assert sentence.find(one) < sentence.find(other) or other not in sentence
        assert not objection(sentence, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "我到底去还是不去？"),
        ("zh", "你觉得他是真想改还是怕没人照顾他？"),
        ("zh", "那是我的错，还是他的错？"),
        ("zh", "今天还是那样。"),
        ("en", "Is it my fault or his?"),
        ("zh", "我现在还是每天加班，你说我该答应吗？"),
        ("zh", "要不要去，还是算了？"),
        ("en", "And mum, before or after?"),
        ("en", "Should I paint it or sell it or give it away?"),
        ("en", "Should I ring him or would he think I'm soft?"),
        ("en", "The bus or the train, I never know."),
    ],
)
def test_what_is_no_choice_between_two_acts_is_left(language: str, text: str) -> None:
    assert alternatives(text, language) is None


@pytest.mark.parametrize(
    ("language", "options"),
    [("zh", ("忍着", "辞职")), ("zh", ("离婚", "再试一次离婚冷静")), ("en", ("put up with it", "quit tomorrow"))],
)
def test_nobody_is_led_to_what_ends_something(language: str, options: tuple[str, str]) -> None:
    assert not any("辞职" in said.split("，")[0] or "quit" in said.split(",")[0] for said in weighed(options, language))


@pytest.mark.parametrize(
    ("language", "text", "act"),
    [
        ("zh", "你给我说句实在话，我到底去还是不去？", "去"),
        ("zh", "你觉得我要不要给他回封信？", "给他回封信"),
        ("zh", "你说我该告诉同桌吗？", "告诉同桌"),
        ("en", "Do I call him back, or would that look needy?", "call him back"),
        ("en", "My work friends want to come on Saturday. Should I let them?", "let them"),
        ("en", "Should I write back to him, and if so, what would the first line be?", "write back to him"),
    ],
)
def test_what_a_decision_hangs_on_is_said_of_that_act(language: str, text: str, act: str) -> None:
    said = hanging(text, language)
    assert said
    assert all(act in sentence and not objection(sentence, language) for sentence in said)


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh", "我该不该离婚？"), ("en", "Should I quit my job?"), ("zh", "怎么办？"), ("en", "Should I be ashamed?")],
)
def test_nothing_is_said_so_of_what_ends_something(language: str, text: str) -> None:
    assert hanging(text, language) == []


def test_the_answer_to_such_a_question_begins_with_a_side() -> None:
    language, text, one, _ = CHOICES[1]
    plan = scaffold(turn_of(text, language, before=""), language, text, ["昨天收拾屋子"])
    first, *_ = plan.sentences[Layer.ANSWER]
    assert all(one in sentence for sentence in first)


@given(
    st.sampled_from(LANGUAGES),
    st.text(max_size=60),
    st.sampled_from(["还是", " or ", "should I "]),
    st.text(max_size=60),
)
def test_any_text_may_ask(language: str, before: str, mark: str, after: str) -> None:
    options = alternatives(before + mark + after, language)
    assert options is None or all(isinstance(sentence, str) for sentence in weighed(options, language))


@pytest.mark.parametrize(
    ("language", "earlier", "text", "one"),
    [
        ("zh", "我家狗昨天下午走丢了", "我是接着去贴寻狗启事，还是先等等消息？", "接着去贴寻狗启事"),
        ("en", "Our dog has been missing since Tuesday.", "Should I go on putting up notices or wait for news?",
         "go on putting up notices"),
    ],
)  # fmt: skip
def test_where_time_counts_waiting_is_not_leant_to(language: str, earlier: str, text: str, one: str) -> None:
    said = leanings(text, language, "decide", [earlier])
    assert said
    assert all(one in sentence for sentence in said)
    assert not any(one in sentence.split(",")[0].split("，")[0] for sentence in leanings(text, language, "decide"))


def test_waiting_for_somebody_to_speak_is_not_speaking() -> None:
    assert all("等他先开口还是放着" in sentence for sentence in weighed(("等他先开口", "放着"), "zh"))


@pytest.mark.parametrize(
    ("language", "options"), [("zh", ("学画", "学琴")), ("en", ("learn to draw", "learn to sing"))]
)
def test_where_nothing_speaks_for_either_both_are_named(language: str, options: tuple[str, str]) -> None:
    said = weighed(options, language)
    assert said
    assert all(option in sentence for sentence in said for option in options)
    assert not any(objection(sentence, language) for sentence in said)
