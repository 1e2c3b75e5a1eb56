"""What the crisis gate reads of very long texts, and that it reads a text once. Characters and calls are counted."""

from __future__ import annotations

import pytest
from empathy_agent.safety import Risk, assess, gate
from empathy_agent.safety.excerpt import END, WHOLE, excerpt
from hypothesis import given
from hypothesis import strategies as st

_CALM = {"zh": "第{}天我们去公园散步,聊到很晚才回家。", "en": "On day {} we had soup and went for a walk. "}
_CRISIS = {"zh": "我不想活了,今晚就结束。", "en": "I want to kill myself tonight. "}


def calm(language: str, characters: int) -> str:
    text, number = "", 0
    while len(text) < characters:
        text += _CALM[language].format(number)
        number += 1
    return text


@pytest.mark.parametrize("text", ["", "a", "我" * WHOLE])
def test_up_to_the_limit_everything_is_read(text: str) -> None:
    assert excerpt(text) is text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_of_a_long_calm_text_only_the_ends_are_read(language: str) -> None:
    text = calm(language, 200_000)
    read = excerpt(text)
    assert read == text[:END].lower() + "\n" + text[-END:].lower()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("where", [0, 0.02, 0.025, 0.03, 0.5, 0.97, 0.975, 0.98, 1])
def test_a_crisis_is_found_wherever_it_stands(language: str, where: float) -> None:
    text = calm(language, 200_000)
    at = text.find(_CALM[language][-2:], int(where * len(text))) + 2 if where < 1 else len(text)
    at = 0 if where == 0 else at
    assert assess(text).risk is Risk.NONE
    assert assess(text[:at] + _CRISIS[language] + text[at:]).risk is Risk.CRISIS


def test_a_crisis_that_the_classifier_alone_finds_is_found_at_both_ends() -> None:
    text = calm("zh", 200_000)
    raised = "密码写在本子最后一页了,猫也托付好了,谢谢你们陪我走到今天。"
    assert raised in excerpt(raised + text)
    assert raised in excerpt(text + raised)


@pytest.mark.parametrize("word", ["死", "殺", "K i l l m y s e l f", "SUICIDE", "zi sha", "ｋｉｌｌ"])
def test_every_word_of_alarm_is_read_with_what_is_around_it(word: str) -> None:
    text = calm("zh", 60_000)
    half = text.find("。", 30_000) + 1
    told = f"他说他真的很{word}很久。"
    read = excerpt(text[:half] + told + text[half:])
    assert text[half - 100 : half] in read
    assert text[half : half + 60] in read
    assert len(read) < 2 * END + 500


def test_the_same_passage_is_read_once() -> None:
    assert len(excerpt("笑死我了。" + "我们去公园。" * 60 + ("我累死了。" + "今天天气很好。" * 80) * 400)) < 5 * END


@given(st.text(st.characters() | st.sampled_from("死杀\ud800\ufb03 kill"), min_size=1, max_size=40))
def test_any_text_has_an_excerpt_that_is_not_longer_by_much(text: str) -> None:
    long = text * (1 + 2 * WHOLE // len(text))
    assert excerpt(long)[:1] is not None


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    rules = gate.by_rules

    def counted(text: str) -> object:
        seen.append(text)
        return rules(text)

    monkeypatch.setattr(gate, "by_rules", counted)
    return seen


def test_a_text_that_comes_again_is_not_screened_again(calls: list[str]) -> None:
    text = "我不想活了,这一句没有在别处出现过 4711"
    assert assess(text) == assess(text)
    assert len(calls) == 1


def test_another_text_is_screened_and_no_text_is_kept(calls: list[str]) -> None:
    texts = [f"这是第 {number} 句没有在别处出现过的话" for number in range(100)]
    for text in texts:
        assess(text)
    assert len(calls) == 100
    assert len(gate._recent) <= 32
    assert not any(text.encode() in key for key in gate._recent for text in texts)
