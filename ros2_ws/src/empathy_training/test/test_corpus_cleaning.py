"""What cleaning leaves out, and what it must not."""

from __future__ import annotations

import pytest
from empathy_training.corpus.cleaning import clean, objection
from empathy_training.corpus.examples import Example

POST = (
    "我们班上个月换了座位，我被调到最后一排靠垃圾桶的地方。老师说是按身高排的，可是我前面的男生比我高一个头。"
    "我没有跟爸妈讲，他们开店很忙，每天十点才回家。最近一听到上课铃就肚子疼，去校医那里看过两次，都说没事。"
)
ANSWER = (
    "垃圾桶旁边那个位置，味道还在其次，难受的是那句按身高排，你一眼就看出来不是真的，又没有地方可以说。"
    "肚子疼也是真的，身体有时候比嘴巴先开口。爸妈十点回家以后，你可以只讲一件事：上课铃一响我就疼，已经两次了。"
    "座位的事先不用讲道理，让他们知道你在疼就好。"
)


def example(post: str = POST, answer: str = ANSWER, locale: str = "zh", number: int = 1) -> Example:
    return Example(
        id=f"{locale}-{number}", locale=locale, topic="school", post=post, answer=answer, source="a test", licence="MIT"
    )


def test_a_whole_letter_stays() -> None:
    assert objection(example()) == ""
    assert clean([example()]).kept == [example()]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("抱抱你，会好的。", "answer too short"),
        (ANSWER + "有需要可以打我电话 138 1234 5678。", "answer with contact details"),
        (ANSWER + "我的微信：lao_wang88", "answer with contact details"),
        (ANSWER + "详情见 https://example.org/help", "answer with contact details"),
        (ANSWER + "写信给 someone@example.org 吧", "answer with contact details"),
        (ANSWER + "关注我的公众号，限时领取咨询名额。", "answer with an advert"),
        (ANSWER + "<br/>&nbsp;", "answer with noise"),
        (ANSWER + "哈" * 30, "answer with noise"),
        (ANSWER[:100] + "~" * 3 + "*-" * 100, "answer with noise"),
    ],
)
def test_what_is_left_out(answer: str, reason: str) -> None:
    assert objection(example(answer=answer)) == reason


@pytest.mark.parametrize(
    "sentence",
    [
        "他在微信上只回了一个嗯字。",
        "可以拨打12355，也可以去医院的心理门诊。",
        "你考了643分，第5200名。",
        "哈哈哈哈，写到这里我也笑了。",
        "加我一共三个人，谁也没说话。",
    ],
)
def test_ordinary_sentences_do_no_harm(sentence: str) -> None:
    assert objection(example(answer=ANSWER + sentence)) == ""


def test_near_duplicates_are_kept_once() -> None:
    other = example(
        post="奶奶走了以后，她的收音机还在窗台上，每天早上六点自己响。没有人去关它。我每次听见都以为她起床了，然后想起来。"
        * 2,
        answer=ANSWER[::-1],
        number=3,
    )
    cleaned = clean([example(), example(POST + "真的。", number=2), other])
    assert [kept.id for kept in cleaned.kept] == ["zh-1", "zh-3"]
    assert cleaned.dropped == {"nearly the same as another": 1}


def test_the_same_post_with_another_answer_is_no_duplicate() -> None:
    assert len(clean([example(), example(answer=ANSWER[::-1] * 3, number=2)]).kept) == 2


def test_posts_of_people_in_danger_are_set_apart() -> None:
    cleaned = clean([example(post=POST + "我不想活了，今晚就想结束自己的生命。")])
    assert (cleaned.kept, len(cleaned.crisis)) == ([], 1)


def test_english_is_counted_in_words() -> None:
    post = "My desk was moved to the corridor on Monday and nobody has said a word about it since then. " * 3
    assert objection(example(post, "That hurts. " * 10, "en")) == "answer too short"
    words = "A desk in the corridor says something that nobody wants to say aloud, and you are left to guess what it is"
    other = (
        "because asking would mean that you had noticed, and not asking means that you sit there every day and notice."
    )
    third = (
        "You could ask one plain question this week, about the desk and nothing else, to whoever signed the floor plan."
    )
    assert objection(example(post, f"{words} {other} {third}", "en")) == ""
