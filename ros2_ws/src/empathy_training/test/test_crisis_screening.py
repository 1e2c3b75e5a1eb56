"""The trained half of the crisis gate: what it reads, that it only raises, and the files it is made from."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from empathy_agent.safety import Kind, Risk, Verdict, assess
from empathy_agent.safety.classifier import Classifier, Judgement, shipped
from empathy_agent.safety.features import BUCKETS, bucket_of_characters, character_ngrams, features, pieces
from empathy_agent.safety.gate import by_rules, graver, marked
from empathy_agent.safety.normalise import normalise
from empathy_training.screening.training import (
    Line,
    counselling_lines,
    measure,
    read_lines,
    split,
    training_lines,
    unseen_lines,
)
from hypothesis import given
from hypothesis import strategies as st

_RISKS = st.sampled_from(list(Risk))


@given(_RISKS, _RISKS)
def test_it_may_only_raise(rule: Risk, learnt: Risk) -> None:
    verdict = Verdict(rule, Kind.SELF if rule else None, "phrase" if rule else "", "rule" if rule else "")
    found = graver(verdict, Judgement(learnt, Kind.CHILD if learnt else None, "n-grams"))
    assert found.risk is max(rule, learnt)
    assert found == verdict or (learnt > rule and (found.kind, found.source) == (Kind.CHILD, "classifier"))


@given(st.text(max_size=200))
def test_the_gate_is_never_below_its_rules(text: str) -> None:
    assert assess(text).risk >= by_rules(normalise(text)).risk


def test_what_the_rules_miss_is_raised_with_what_decided() -> None:
    # From the end: few of our own corpora, which come first, are raised. Reading on after a thousand tells no more.
    verdicts = (assess(line.text) for line in reversed(training_lines()))
    raised = list(itertools.islice((verdict for verdict in verdicts if verdict.source == "classifier"), 1001))
    assert len(raised) > 1000
    assert all(verdict.matched for verdict in raised)


def test_nothing_to_read_is_no_risk() -> None:
    for text in ("", " ", "。。。", "😀", "___"):
        assert assess(text) == Verdict(Risk.NONE)


def test_the_weights_survive_being_written() -> None:
    again = Classifier.from_bytes(shipped().to_bytes())
    np.testing.assert_array_equal(again.level, shipped().level)
    np.testing.assert_array_equal(again.kind, shipped().kind)
    assert again.thresholds == shipped().thresholds
    assert again.least == shipped().least
    assert set(again.thresholds) == {"zh", "en"}
    assert len(shipped().to_bytes()) < 3_000_000


def test_weights_of_another_shape_are_refused() -> None:
    small = replace(shipped(), level=shipped().level[:8], kind=shipped().kind[:8])
    with pytest.raises(ValueError, match="another shape"):
        Classifier.from_bytes(small.to_bytes())


def test_a_few_known_words_speak_less_loudly_than_many() -> None:
    stretched = replace(shipped(), least=1e-9)
    nothing = shipped().odds("ø")
    sure, unsure = (
        max(abs(odds - none) for odds, none in zip(one.odds("is it my fault?"), nothing, strict=True))
        for one in (stretched, shipped())
    )
    assert unsure < sure
    long = "i cannot sleep and i keep thinking about my exam, my flat, my job and about everything that i said to her"
    assert shipped().odds(long) == pytest.approx(stretched.odds(long))


@pytest.mark.parametrize(
    "text",
    [
        "Is it my fault?",
        "我每天都一个人吃饭",
        "Was it something I said?",
        "nobody ever asks me how I am",
        "晚饭又是我自己吃",
        "是不是我不够好",
        "I feel so lonely today",
        "又没考好，怎么跟爸妈说",
    ],
)
def test_what_is_ordinary_and_sad_is_no_crisis(text: str) -> None:
    assert assess(text).risk is Risk.NONE


HARMLESS_GOODBYES = [
    "I've said my goodbyes to the flat, the new keys are in my pocket.",
    "Thanks, I think I will call her tonight. Bye!",
    "I'll drop him a line tonight and then finally do my laundry.",
    "Tonight I'm leaving my phone off and going to the pictures with Dad.",
    "You were right about the speech, I'll keep it short. See you after the wedding!",
    "I'm off to bed, tomorrow I'm going to apologise to my flatmate.",
    "Goodbye, and thank you for the tip with the cover letter.",
    "Okay, I'm hanging up, the bus driver is waiting. Talk on Sunday!",
    "That was my last shift, tomorrow I hand in the uniform. Bye!",
    "I gave my old bike to my nephew today, he was over the moon. Good night!",
    "No, I meant my cousin. Anyway, I have to leave for practice, bye.",
    "Thank you, I feel better, I'll have some soup and go to sleep.",
    "发言稿我就写短点，婚礼完了再跟你说，拜拜",
    "我去睡了，明天跟室友道个歉",
    "求职信的事多谢你，先下了",
    "车来了，我挂了，星期天聊",
    "最后一个班上完了，明天去还工服，拜",
    "旧自行车送给外甥了，他高兴坏了，晚安",
    "不是啦，我說的是表妹，我先去練球囉",
    "今晚關手機，陪爸爸看電影",
    "跟老房子道过别了，新钥匙在兜里",
    "多謝你，我飲啖湯就去瞓",
]
MISTAKEN_GOODBYES = [
    "谢谢，我觉得今晚会给她打个电话，再见！",
    "今晚给他发条消息，然后把衣服洗了",
]
TRUE_FAREWELLS = [
    "Thank you for everything, tonight I am going to end my life. Goodbye.",
    "This is my last message to anyone, I won't wake up tomorrow.",
    "Bye. By the time my flatmate comes home I'll be dead.",
    "Good night, I've taken all the pills so that I never wake up.",
    "I've said my goodbyes, I don't want to live past tonight.",
    "Tell my mother I love her and that I'm sorry. I can't stay alive any longer.",
    "I wanted to thank you before I jump.",
    "So this is farewell, the world is better off without me.",
    "I gave my dog away today, I won't be needing anything where I'm going. Goodbye forever.",
    "Thanks for listening, but I've decided to die.",
    "My letter is on the table. I hope they forgive me for killing myself.",
    "I'm saying goodbye now, I can't go on living without him.",
    "谢谢你的一切，今晚我就结束自己的生命，再见",
    "这是我发的最后一条消息，明天我不会醒来了",
    "再见，等室友回来我已经死了",
    "晚安，药全吃了，不想再醒",
    "该道别的都道别了，过了今晚我就不活了",
    "告诉妈妈我爱她，对不起，我活不下去了",
    "跳下去之前，想跟你说声谢谢",
    "永别了，没有我这个世界更好",
    "狗今天送人了，我要去的地方什么都不需要，永别",
    "謝謝你聽我說，可是我決定去死了",
    "遗书放桌上了，希望他们原谅我自杀",
    "再見，冇咗佢我生存唔落去，我想死",
]


@pytest.mark.parametrize("text", HARMLESS_GOODBYES)
def test_a_harmless_goodbye_or_plan_gets_no_help_lines(text: str) -> None:
    assert assess(text).risk is Risk.NONE


@pytest.mark.xfail(reason="one goodbye or plan in twelve is taken for a concern (docs/screening.md)", strict=True)
@pytest.mark.parametrize("text", MISTAKEN_GOODBYES)
def test_a_harmless_goodbye_that_gets_help_lines_all_the_same(text: str) -> None:
    assert assess(text).risk is Risk.NONE


@pytest.mark.parametrize("text", TRUE_FAREWELLS)
def test_a_true_farewell_gets_help_lines(text: str) -> None:
    assert assess(text).risk >= Risk.CONCERN


def test_goodbyes_and_farewells_are_not_learnt() -> None:
    learnt = {line.text for line in training_lines()}
    assert not learnt & {*HARMLESS_GOODBYES, *MISTAKEN_GOODBYES, *TRUE_FAREWELLS}
    assert not learnt & {line.text for line in unseen_lines()}


def test_the_clients_of_a_counselling_corpus_are_harmless_talk(tmp_path: Path) -> None:
    file = tmp_path / "smile.jsonl"
    dialogue = [
        ("client", "我这周睡得不好"),
        ("counselor", "多久了？"),
        ("client", "我不想活了"),
        ("client", "两周了吧"),
    ]
    entry = {"dialog": [{"role": role, "content": text} for role, text in dialogue]}
    file.write_text(f"{json.dumps(entry)}\n{json.dumps(entry)}\n[]\n{{broken\n", encoding="utf-8")
    lines = counselling_lines("smile", file, 0)
    assert {line.text for line in lines} == {"我这周睡得不好", "两周了吧"}
    assert all(line.level is Risk.NONE and line.kind is None for line in lines)
    with pytest.raises(ValueError, match="no importer 'other'"):
        counselling_lines("other", file, 0)


def test_turns_of_a_talk_are_many_and_mostly_harmless() -> None:
    for language in ("zh", "en"):
        talk = [line for line in training_lines() if line.topic.startswith("talk")]
        levels = [line.level for line in talk if line.language == language]
        assert levels.count(Risk.NONE) >= 700
        assert len(levels) - levels.count(Risk.NONE) >= 125


def test_the_buckets_are_the_same_everywhere() -> None:
    # The weights hold for these alone: a change of the hashes needs another training.
    assert bucket_of_characters("我想 die")[:6].tolist() == [75440, 32657, 34196, 75440, 123654, 63590]
    buckets, weights = features("my friend took all the pills")
    assert (buckets >= 0).all()
    assert (buckets < BUCKETS).all()
    assert (np.diff(buckets) > 0).all()
    assert (weights >= 1).all()


@given(st.text(max_size=60))
def test_every_bucket_of_characters_has_its_ngram(piece: str) -> None:
    assert len(bucket_of_characters(piece)) == len(character_ngrams(piece))


@given(st.text(st.sampled_from("我想a .。,!?\n "), max_size=2000))
def test_pieces_leave_nothing_out_and_stay_short(text: str) -> None:
    parts = pieces(text)
    assert all(len(part) <= 2 * 160 for part in parts)
    # Each goes on where the one before ended, or repeats its end.
    read = 0
    for part in parts:
        starts = [start for start in range(read, -1, -1) if text.startswith(part, start)]
        assert starts
        read = max(read, starts[0] + len(part))
    assert read == len(text)


def test_an_idiom_leaves_a_mark() -> None:
    assert "累死" not in marked("今天累死了,回家")
    assert "回家" in marked("今天累死了,回家")


def test_the_running_gate_imports_neither_torch_nor_scikit_learn() -> None:
    code = (
        "import sys; from empathy_agent.safety import assess; assess('我很累');"
        "print({'torch', 'sklearn'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


# The data -------------------------------------------------------------------------------------------------------------


def test_the_data_is_large_half_hard_negatives_and_without_what_measures() -> None:
    lines = training_lines()
    assert len(lines) >= 3000
    hard = [line for line in lines if line.level is not Risk.CRISIS]
    assert len(hard) >= len(lines) / 2
    texts = {line.text for line in lines}
    written = [line.text for line in lines if not line.topic.startswith("corpus")]  # in talks "ok" comes again
    assert len(set(written)) == len(written)
    assert not texts & {line.text for line in unseen_lines()}
    for language in ("zh", "en"):
        kinds = {line.kind for line in lines if line.language == language and line.level is Risk.CRISIS}
        assert kinds == set(Kind)


def test_a_topic_is_either_learnt_or_held_out() -> None:
    lines = training_lines()
    learnt, held_out = split(lines, seed=3)
    assert len(learnt) + len(held_out) == len(lines)
    assert not {line.topic for line in learnt} & {line.topic for line in held_out}
    assert (learnt, held_out) == split(lines, seed=3)


def test_shares_of_what_was_found() -> None:
    lines = [Line("我想死", Risk.CRISIS, Kind.SELF, "a"), Line("我喝了汤", Risk.NONE, None, "b")]
    found = measure(lines, None)
    assert found.share(Risk.CRISIS, Risk.CRISIS) == 1
    assert found.share(Risk.NONE, Risk.CONCERN) == 0
    assert np.isnan(found.share(Risk.CONCERN, Risk.CONCERN))
    assert (found.right_kinds, found.kinds) == (1, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "is not YAML"),
        ("- a", "must map LEVEL/KIND/TOPIC"),
        ("crisis/self: [a]", "is not LEVEL/KIND/TOPIC"),
        ("grave/self/a: [a]", "is not LEVEL/KIND/TOPIC"),
        ("crisis/nobody/a: [a]", "is not LEVEL/KIND/TOPIC"),
        ("crisis/self/a: b", "crisis/self/a must be a list"),
        ("crisis/self/a: [yes]", "crisis/self/a must be a list"),
        ("crisis/self/a: [' ']", "crisis/self/a must be a list"),
    ],
)
def test_what_is_wrong_with_a_file_of_lines(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "lines.yaml"
    file.write_text(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_lines(file)
    assert str(file) in str(caught.value)


@given(st.dictionaries(st.text(max_size=12) | st.just("crisis/self/a"), st.none() | st.lists(st.text(max_size=4))))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, entries: object) -> None:
    file = tmp_path_factory.mktemp("lines") / "lines.yaml"
    file.write_text(yaml.safe_dump(entries), encoding="utf-8")
    try:
        lines = read_lines(file)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = str(file)
        assert all(line.text.strip() for line in lines)
    assert str(file) in refusal
