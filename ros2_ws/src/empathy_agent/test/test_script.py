"""Chinese in the characters that the person writes."""

from __future__ import annotations

import pytest
from empathy_agent.script import writer
from hypothesis import given
from hypothesis import strategies as st

SIMPLE, TRADITIONAL = "这件事还没有过去，里面有话。", "這件事還沒有過去，裡面有話。"


@pytest.mark.parametrize(
    ("texts", "locale", "written"),
    [
        (["我奶奶上个月走了"], "zh-CN", SIMPLE),
        (["我奶奶上個月走了"], "zh-CN", TRADITIONAL),
        (["我奶奶上個月走了", "嗯"], "zh-CN", TRADITIONAL),
        (["我奶奶上個月走了", "现在换我弟弟说"], "zh-TW", SIMPLE),
        (["嗯"], "zh-Hant-TW", TRADITIONAL),
        (["嗯"], "zh-HK", "這件事還沒有過去，裏面有話。"),
        (["嗯"], "zh", SIMPLE),
        ([], "zh-CN", SIMPLE),
    ],
)
def test_the_newest_message_that_tells_decides(texts: list[str], locale: str, written: str) -> None:
    assert writer(texts, locale)(SIMPLE) == written


@given(st.lists(st.text(max_size=40), max_size=3), st.text(max_size=12), st.text(max_size=40))
def test_any_text_is_written(texts: list[str], locale: str, text: str) -> None:
    text = text.encode("utf-8", "replace").decode("utf-8")
    assert isinstance(writer(texts, locale)(text), str)
