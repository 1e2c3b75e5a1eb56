"""Questions that ask for words to say."""

from __future__ import annotations

import pytest
from empathy_agent.chain import Layer
from empathy_agent.grammar import LANGUAGES
from empathy_agent.safety import objection
from empathy_agent.scaffold import scaffold
from empathy_agent.turns import moves, turn_of
from empathy_agent.wording import wordings
from hypothesis import given
from hypothesis import strategies as st

# message, what the person could say
SAID = [
    ("en", "How do I tell my aunt about the curtains without sounding rude?",
     "I don't want to sound rude. I'd like to talk with you about the curtains."),
    ("en", "how do i ask her for my key back without hurting her?",
     "I don't want to hurt you. I'd like to ask you for my key back."),
    ("en", "How can I tell him that I'm moving to Leeds?", "I'm moving to Leeds."),
    ("en", "How do I tell my boss im leaving so she's not angry?", "I don't want you to be angry. I'm leaving."),
    ("en", "What do I say to my coach without him thinking I'm lazy?",
     "I don't want you to think I'm lazy. There is something I would like to say."),
    ("en", "And how do I ask her to move her car without it becoming a row?",
     "I don't want it to become a row. Could you move your car?"),
    ("en", "How do I tell her she can have the watch without it sounding like a peace offering?",
     "I don't want it to sound like a peace offering. You can have the watch."),
    ("en", "how do i let him know that he's welcome to stay on", "You're welcome to stay on."),
    ("en", "How can I tell my gran she doesn't have to cook for us?", "You don't have to cook for us."),
    ("zh", "我该怎么告诉她，她可以把表拿走？", "你可以把表拿走。"),
    ("zh", "那我怎么跟婆婆说她不用每天过来？", "你不用每天过来。"),
    ("zh", "我该怎么跟房东开口，才不会吵起来？", "我不想跟你吵，我就是想跟你好好说件事。"),
    ("zh", "我怎么跟她说，她才不会以为我躲着她？", "你先别以为我躲着你，我就是想跟你好好说件事。"),
    ("zh", "怎么问才不像查岗？", "我不是查岗，我就是想跟你好好说件事。"),
    ("zh", "怎么开口人家才不会觉得我是来找茬的？", "我不是来找茬的，我就是想跟你好好说件事。"),
    ("zh", "我该怎么告诉我爸我不考公务员了？", "我不考公务员了。"),
    ("zh", "我怎么跟我妈开这个口，才能把那张旧书桌留下来呢？", "我想把那张旧书桌留下来。"),
    ("zh", "怎么跟我妈说她才不担心？", "你先别担心，听我说完。"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "said"), SAID)
def test_the_question_holds_what_can_be_said(language: str, text: str, said: str) -> None:
    offered = wordings(text, language, turn_of(text, language, before="").question)
    assert offered
    for sentence in offered:
        assert f"“{said}”" in sentence
        assert not objection(sentence, language)


def test_what_the_person_wished_for_before_is_what_is_to_be_said() -> None:
    earlier = ["They have planned a party for my birthday. I'd rather have a quiet walk, but nobody asked."]
    offered = wordings("How do I tell them without sounding ungrateful?", "en", "tell", earlier)
    assert all("“I don't want to sound ungrateful. I'd rather have a quiet walk.”" in each for each in offered)
    assert wordings("那我怎么跟组长说？", "zh", "tell", ["我想换个班次。"])[0].count("我想换个班次。") == 1


def test_a_worrying_wish_is_not_to_be_said_aloud() -> None:
    assert wordings("How do I tell them?", "en", "tell", ["I want to disappear forever."]) == []
    assert wordings("那我怎么跟组长说？", "zh", "tell", ["不想活了。"]) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "怎么说他才听得进去？"),
        ("zh", "怎么跟师傅提，他才不丢面子？"),
        ("en", "How do I say it so he doesn't lose face in front of the team?"),
        ("en", "How do I get my brother to listen to me?"),
    ],
)
def test_else_it_counts_what_is_aimed_at(language: str, text: str) -> None:
    assert len(wordings(text, language, "tell")) >= 3


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "我该怎么跟她说？"),
        ("zh", "怎么跟他说我不想活了才不会吓到他？"),
        ("en", "How do I tell her?"),
        ("en", "What do you want to tell me?"),
        ("en", "How do I tell him without him thinking that she sent me because he owes them?"),
        ("en", "How do I tell my mum without scaring her that I want to die?"),
    ],
)
def test_where_it_holds_nothing_to_say_nothing_is_made_up(language: str, text: str) -> None:
    assert wordings(text, language, "tell") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_offered_passes_the_review(language: str) -> None:
    for aim in moves(language)["wording"]["aims"].values():
        assert not any(objection(sentence, language) for sentence in aim["words"])


def test_other_questions_are_left() -> None:
    assert wordings("How do I sleep without worrying?", "en", "sleep") == []
    assert wordings("我该去还是不去？", "zh", "decide") == []


def test_the_answer_begins_with_the_words() -> None:
    text = "怎么跟店长说才不会吵起来？"
    plan = scaffold(turn_of(text, "zh", before=""), "zh", text, ["店长每周都换我的班"])
    assert all("我不想跟你吵" in sentence for sentence in plan.sentences[Layer.ANSWER][0])


@given(
    st.sampled_from(LANGUAGES),
    st.text(max_size=60),
    st.sampled_from(["how do i tell her without sounding ", "怎么跟他说才不会", "我想让他", "so that he's not ", ""]),
    st.text(max_size=60),
)
def test_any_text_may_ask(language: str, before: str, asks: str, after: str) -> None:
    for sentence in wordings(before + asks + after, language, "tell", [after]):
        assert not objection(sentence, language)
