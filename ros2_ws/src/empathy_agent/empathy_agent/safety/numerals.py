# ruff: noqa: E501 - a pattern that is cut in two is harder to read than a long line
"""Finds telephone numbers, account names and addresses in what a model wrote, in digits and in words.

A model invents them. Amounts, ages, years, dates, times, scores and counts are not meant. All patterns take time linear
in the length of the text.
"""

from __future__ import annotations

import itertools
import re

_CHINESE = dict(zip("零〇一幺壹二贰貳两兩三叁參四肆五伍六陆陸七柒八捌九玖", "00111222223334455666778899", strict=True))
_ENGLISH = {
    "zero": "0", "oh": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_WORDS = "|".join(_ENGLISH)
_REPEATED = re.compile(rf"\b(double|triple)[ -](\d|{_WORDS})\b")
# Letters that stand for digits beside digits.
_LETTER_DIGIT = re.compile(r"(?<=\d)[oli](?=[\doli -])|(?<![a-z])[oli](?=[oli]?\d)")

_DIGIT_RUN = re.compile(r"\d(?:[ .()/_·–—-]{0,3}\d)*")
_CHINESE_RUN = re.compile(rf"[{''.join(_CHINESE)}](?:[ -]?[{''.join(_CHINESE)}])+")
_CHINESE_GROUPS = re.compile(
    rf"[{''.join(_CHINESE)}]{{2,4}}(?:[,，、 ]{{1,2}}[{''.join(_CHINESE)}]{{3,4}}){{1,3}}(?![十百千万])"
)
_ENGLISH_RUN = re.compile(rf"\b(?:{_WORDS}|\d)(?:[ -](?:{_WORDS}|\d|hundred)\b|, (?:{_WORDS})\b)+")
_SPREAD = re.compile(
    r"(?<!\d)(?:\+?\d{2,3}\s?)?(?:1[3-9]\d|0\d{2,3}|[48]00)(?:[\s,，、。.:;-]{1,3}\d{3,4}){2,3}(?!\d)"
    r"|(?<!\d)\d(?:[\s,，、。.:;/-]{1,3}\d){6,}(?!\d)"
    r"|(?<!\d)\d{2,4}(?:\s{0,2}\n\s{0,2}\d{3,4}){1,3}(?!\d)"
)
# Of emergency services and help lines in many countries.
_SHORT = frozenset(
    ["000", "061", "110", "111", "112", "113", "117", "118", "119", "120", "122", "123", "191", "911", "988", "995", "997", "999"]
)  # fmt: skip
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_LONG = 5
"""Digits from which a number that is no amount is taken for one to call."""

_CURRENCY = re.compile(r"[$€£¥￥]\s?$|(?:rmb|usd|eur|gbp|约|共|近|超过|about|nearly|over) ?$")
_UNIT = re.compile(
    r"\s?(?:多|几|来|余|plus )?\s?(?:%|[块元圆万千百亿人次天年岁月日号时点分秒米里斤克字步页条篇户平个位名件本遍趟场杯瓶层楼倍度届级班期章句张双朵封辆扇棵桌盒袋碗颗滴盏]"
    r"|公里|英里|公斤|美元|小时|平米|(?:km|kg|cm|mm|ml|mb|gb|hz|am|pm|th|st|nd|rd|s)\b"
    r"|(?:\w+ )?(?:points?|days?|weeks?|months?|years?|hours?|minutes?|seconds?|people|persons?|students|patients|pounds?|dollars"
    r"|euros|yuan|rupees|pesos|rand|naira|bucks|kilometers|kilometres|miles|meters|metres|feet|words|pages|letters|steps"
    r"|faces|eyes|guests|strangers|friends|colleagues|classmates|followers|seats|chairs|candles|cards|emails|messages|photos|pictures"
    r"|applications|rejections|reasons|questions|stairs|invitations|times|nights|mornings|calories|times|degrees|percent|million|thousand|items|copies|children|kids|o'clock|quid)\b"
    r"|[,.:]\d)"
)
_CALL_BEFORE = re.compile(
    r"(?:拨|打(?!算|了|过|扰|开|听|工|架|车|包|印|牌|卡|游)|致电|电话|热线|短信|号码|呼叫|转接|直线|专线|按|撥|電話|熱線|簡訊|號碼)[^。！？!?\d]{0,10}$"
    r"|\b(?:calls?|calling|dial|ring|texts?|texting|phone|hotline|helpline|lifeline|line|number|contact|reach)\b[^.!?\d]{0,24}$"
)
_CALL_AFTER = re.compile(r"\s{0,2}(?:热线|专线|报警|急救|转\d|电话|熱線|專線|hotline|helpline|lifeline|line\b)")

_ADDRESS = re.compile(
    r"(?<![a-z])(?:https?|www|w\.w\.w)(?![a-z])"
    r"|[a-z0-9-]{2,40}\s?\.\s?(?:com|cn|org|net|edu|gov|io|info|app|xyz|site|online)(?![a-z])"
    r"|[a-z0-9]\s?(?:\bdot\b|点)\s?(?:com|cn|org|net|edu|gov)(?![a-z])"
    r"|(?<!被)@\s?\w|\b(?:at|艾特) (?:gmail|outlook|yahoo|hotmail|qq|icloud)\b"
    r"|(?:微信|薇信|威信|维信|微❤|公众号|公眾號|小红书|抖音|微博|扣扣|v信|(?<![a-z])(?:qq|vx|wx|wechat|weixin|whatsapp|telegram"
    r"|skype|instagram|insta|ig|snapchat|snap|discord|facebook|twitter|tiktok|line id)|飞书|钉钉|用户名|账号|帐号|昵称|知乎|豆瓣)"
    r"(?:号|群|id|號| handle| name| account)*[\s:：是为為搜加叫@\"“「is-]{0,6}(?=[a-z0-9_-]{0,24}[0-9_])[a-z][a-z0-9_-]{4}"
    r"|(?:公众号|公眾號)\s?[:：“\"「《是叫]"
    r"|[\u4e00-\u9fff]{1,8}(?:路|街|大道|巷|胡同|弄)\s?[\d一二三四五六七八九十百]{1,5}(?:号|號)"
    r"|(?<!\d)\d{1,3}(?:号楼|栋|幢)\s?\d{0,4}|(?<!\d)\d{3,4}(?:室|房间)"
    r"|\b\d{1,5} (?:(?!(?:the|a|an|of|down|up|on|to|from|in|by|more|minutes?|hours?|miles?|blocks?|years?|times|days?)\b)[a-z]{2,15} ){1,3}"
    r"(?:street|road|avenue|ave|lane|boulevard|blvd)\b"
    r"|\b(?:suite|room|apartment|apt) \d{3,5}\b"
)


def gives_number(plain: str) -> bool:
    """Whether a text in lower-case NFKC holds a number to call, the name of an account, or an address."""
    if _ADDRESS.search(plain):
        return True
    text = _LETTER_DIGIT.sub(lambda match: "0" if match[0] == "o" else "1", plain)
    text = _REPEATED.sub(lambda match: " ".join([match[2]] * (2 if match[1] == "double" else 3)), text)
    return (
        any(map(_is_digits_to_call, _DIGIT_RUN.finditer(text)))
        or any(map(_is_spoken, _CHINESE_RUN.finditer(text)))
        or any(map(_is_spoken, _ENGLISH_RUN.finditer(text)))
        or any(len(_digits(match[0])) >= 7 for match in _CHINESE_GROUPS.finditer(text))
        or any(not _counts(_digits(match[0])) for match in _SPREAD.finditer(text))
    )


def _is_digits_to_call(match: re.Match[str]) -> bool:
    text, start, end = match.string, match.start(), match.end()
    groups = re.findall(r"\d+", match[0])
    digits = "".join(groups)
    single = all(len(group) == 1 for group in groups)
    if len(digits) < 3 or (len(groups) > 1 and single and _counts(digits)):
        return False
    if not re.search(r"\w", text[:start]) and not re.search(r"\w", text[end:]):
        return True  # A piece of a number, alone in its line.
    if text[start - 1 : start] == "." or (text[start - 1 : start] == "," and text[start - 2 : start - 1].isdigit()):
        return False
    amount = _UNIT.match(text, end) is not None or _CURRENCY.search(text, max(0, start - 8), start) is not None
    if len(groups) == 1 and amount:
        return False
    called = _CALL_BEFORE.search(text, max(0, start - 40), start) or _CALL_AFTER.match(text, end)
    if not called and (_is_date(groups) or (len(groups) == 2 and re.fullmatch(r"\d+[./]\d+", match[0]))):
        return False
    if len(digits) >= _LONG:
        return not (amount and all(len(group) <= 4 for group in groups) and len(groups) == 2)
    if amount:
        return False
    if digits in _SHORT and (single or len(groups) == 1):
        return True
    return called is not None and (len(groups) == 1 or single)


def _is_spoken(match: re.Match[str]) -> bool:
    digits = _digits(match[0])
    if len(digits) < 3 or _counts(digits):
        return False
    text, end = match.string, match.end()
    chinese = match[0][0] in _CHINESE
    if chinese and re.match(r"[十百千万亿年月日号点个]", text[end : end + 1]):
        return False
    called = _CALL_BEFORE.search(text, max(0, match.start() - 40), match.start()) or _CALL_AFTER.match(text, end)
    if "," in match[0] and not called:
        return len(digits) >= 7
    return called is not None or len(digits) >= _LONG or digits in _SHORT


def _digits(text: str) -> str:
    found = re.findall(rf"\d|hundred|{_WORDS}|[{''.join(_CHINESE)}]", text)
    return "".join({"hundred": "00"}.get(item) or _ENGLISH.get(item) or _CHINESE.get(item, item) for item in found)


def _counts(digits: str) -> bool:
    """Whether the digits count up or down, as in "one, two, three"."""
    steps = {int(b) - int(a) for a, b in itertools.pairwise(digits)}
    return steps in ({1}, {-1})


def _is_date(groups: list[str]) -> bool:
    if all(_YEAR.fullmatch(group) for group in groups):
        return True
    return len(groups) in (2, 3) and any(
        _YEAR.fullmatch(year) is not None and all(len(other) <= 2 and 1 <= int(other) <= 31 for other in others)
        for year, others in ((groups[0], groups[1:]), (groups[-1], groups[:-1]))
    )
