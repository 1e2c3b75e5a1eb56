"""Brings the ways of writing the same words together before the patterns are applied."""

from __future__ import annotations

import re
import unicodedata

# Traditional characters of the words that the patterns use, so that one set of patterns serves both scripts.
_SIMPLIFIED = str.maketrans(
    "殺殘樓藥過結開頭遺書輕沒還該對會說個們歲後來時媽爺親兒給燒炭臉鬥僅為無義離傷斷氣聽寫計劃劑買準備瘋淚壓"
    "將讓強姦騷擾體動虧銬鎖關門從這樣與別當誰裡邊見覺張夢興奮煩愛嗎麼幾點紅綠車鐵軌線繩誓願壞懷際發現點飲農動腦脈絕負擔麗掛",
    "杀残楼药过结开头遗书轻没还该对会说个们岁后来时妈爷亲儿给烧炭脸斗仅为无义离伤断气听写计划剂买准备疯泪压"
    "将让强奸骚扰体动亏铐锁关门从这样与别当谁里边见觉张梦兴奋烦爱吗么几点红绿车铁轨线绳誓愿坏怀际发现点饮农动脑脉绝负担丽挂",
)
_INVISIBLE = re.compile(r"[​-‏⁠﻿­︀-️]")
_HAN = "㐀-䶿一-鿿"
# Spaces, dots, stars and the like put between Chinese characters to slip past a filter. Sentence punctuation stays.
_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}])[ \t*·._/|~^+=#@-]+(?=[{_HAN}])")
# Three or more single letters with separators: "k i l l", "s.u.i.c.i.d.e".
_SPELLED_OUT = re.compile(r"\b(?:[a-z][ .*_-]){3,}[a-z]\b")
_LEET = str.maketrans("013457@$!", "oieastasi")
_LEET_WORD = re.compile(r"\b(?=[a-z0-9@$!]*[a-z])(?=[a-z@$!]*[0-9@$!])[a-z][a-z0134578@$!]*[a-z]\b")


def normalise(text: str) -> str:
    """Lower-case NFKC text in simplified characters with straight apostrophes and without obfuscation."""
    text = unicodedata.normalize("NFKC", text).lower()
    text = _INVISIBLE.sub("", text).translate(_SIMPLIFIED)
    text = re.sub(r"[’‘`´]", "'", text)
    text = _BETWEEN_HAN.sub("", text)
    text = _SPELLED_OUT.sub(lambda match: re.sub(r"[ .*_-]", "", match[0]), text)
    text = _LEET_WORD.sub(lambda match: match[0].translate(_LEET), text)
    return re.sub(r"[ \t]+", " ", text)
