"""Help lines, fixed texts, and the review of what a model wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from empathy_agent.language import is_in_language
from empathy_agent.safety import Hotlines, Kind, concern_lead, crisis_chain, objection, unanswered_chain
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("locale", "present", "absent"),
    [
        ("zh-CN", ["12356", "120", "110"], ["988", "911"]),
        ("zh_cn", ["12356"], []),
        ("en-US", ["988", "911"], ["12356"]),
        ("zh-TW", ["findahelpline"], ["12356", "110", "988"]),
        ("en-GB", ["findahelpline"], ["12356", "911"]),
        ("en", ["findahelpline", "988"], ["12356"]),
        ("de-DE", ["findahelpline"], ["12356"]),
        ("", ["findahelpline"], ["12356"]),
    ],
)
def test_help_lines_by_locale(locale: str, present: list[str], absent: list[str]) -> None:
    text = "\n".join(Hotlines.load().lines(locale))
    assert all(part in text for part in present)
    assert not any(part in text for part in absent)


def test_a_lab_brings_its_own_file(tmp_path: Path) -> None:
    file = tmp_path / "hotlines.yaml"
    file.write_text('"de-DE": [Telefonseelsorge]\n"*": [anywhere]\n')
    hotlines = Hotlines.load(file)
    assert hotlines.lines("de-DE") == ["Telefonseelsorge"]
    assert hotlines.lines("zh-CN") == ["anywhere"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "is not YAML"),
        ("- a", "must map locales"),
        ("", "must map locales"),
        ("en: [x]", 'entry "\\*"'),
        ('"*": []', "one or more lines"),
        ('"*": [1]', "one or more lines"),
        ('"*": [" "]', "one or more lines"),
        ('no: [x]\n"*": [x]', "put it in quotes"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "hotlines.yaml"
    file.write_text(content)
    with pytest.raises(ValueError, match=message) as caught:
        Hotlines.load(file)
    assert str(file) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Hotlines.load(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", [*Kind, None])
def test_fixed_texts_are_complete_and_fit(language: str, kind: Kind | None) -> None:
    chain = crisis_chain(language, kind) if kind else unanswered_chain(language)
    assert chain.missing == []
    for text in chain.texts.values():
        assert is_in_language(text, language)
        assert objection(text, language) == ""
    assert is_in_language(concern_lead(language), language)


@pytest.mark.parametrize(
    ("answer", "language", "reason"),
    [
        ("It sounds hard.", "zh", "language"),
        ("听起来很难。", "en", "language"),
        ("听起来很难，请拨打400-123-4567。", "zh", "number"),
        ("Please call 0800 123 456.", "en", "number"),
        ("难受的时候可以打12356。", "zh", "number"),
        ("夜里撑不住，就拨一下热线 010 8295 1332。", "zh", "number"),
        ("有一条心理援助热线是 1925。", "zh", "number"),
        ("记住 110，也记住你不是一个人。", "zh", "number"),
        ("You can reach somebody at 988, day and night.", "en", "number"),
        ("Text HOME to the line at 7417.", "en", "number"),
        ("There is a number for nights like this, 1 1 6 1 2 3.", "en", "number"),
        ("也许是你不够好，要多努力。", "zh", "blames"),
        ("其实是你太敏感了，别想太多。", "zh", "blames"),
        ("你不能要求太多，他也很辛苦。", "zh", "blames"),
        ("It is your fault that he left.", "en", "blames"),
        ("You are overreacting, others have it worse.", "en", "blames"),
        ("You just need to get over it. You should get over it.", "en", "blames"),
    ],
)
def test_what_must_not_be_shown(answer: str, language: str, reason: str) -> None:
    assert reason in objection(answer, language)


@pytest.mark.parametrize(
    ("answer", "language"),
    [
        ("听起来你真的累坏了，这不是你的错。", "zh"),
        ("有这样的感受很自然，不是你不够坚强。", "zh"),
        ("难怪你会怀疑是不是自己不够好。", "zh"),
        ("It sounds exhausting. This is not your fault, and you are not overreacting.", "en"),
        ("You may feel that you are not good enough.", "en"),
        ("一模五百六，高考491，这个落差谁都会疼。2019年那个夏天，也没有过去。", "zh"),
        ("你每个月往家里寄1500块，已经三年了。", "zh"),
        ("差点到120分，你比谁都难过。", "zh"),
        ("Since 2019 you have sent 1,500 a month and slept in 3 rooms.", "en"),
        ("You got 110 points and still feel you failed.", "en"),
    ],
)
def test_what_may_be_shown(answer: str, language: str) -> None:
    assert objection(answer, language) == ""


@given(st.text(), st.sampled_from(["zh", "en"]))
def test_review_never_raises(answer: str, language: str) -> None:
    assert isinstance(objection(answer, language), str)
