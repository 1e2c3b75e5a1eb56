# ruff: noqa: E501 - a pattern or an example that is cut in two is harder to read than a long line
"""Brings the ways of writing the same words together before anything is looked for in them."""

from __future__ import annotations

import functools
import re
import unicodedata

import opencc

from empathy_agent.language import HAN

# Control and format characters, and selectors of glyphs. They are dropped: OpenCC ends a text at U+0000, and a joiner
# between two characters would hide a word.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e01ef]"
)
_HAN = re.compile(f"[{HAN}]")
# Spaces, dots, stars and the like put between Chinese characters to slip past a filter. Sentence punctuation stays.
_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}])[ \t*·•_/\\|~^+=#@&.-]{{1,8}}(?=[{HAN}])")
# Three or more single letters with separators: "k i l l", "s.u.i.c.i.d.e".
_SPELLED_OUT = re.compile(r"\b(?:[a-z][ .*_-]){3,}[a-z]\b")
_SEPARATOR = re.compile(r"[ .*_-]")
_LEET = str.maketrans("013457@$!", "oieastasi")
_TOKEN = re.compile(r"(?<![a-z0-9@$!])[a-z](?=[a-z]{0,18}[0-9@$!])[a-z0134578@$!]{1,19}(?<=[a-z])(?![a-z0-9@$])")
_LONG_VOWEL = re.compile(r"([aeiou])\1{2,}")
_LONG_CONSONANT = re.compile(r"([b-df-hj-np-tv-z])\1{2,}")

# --- Chinese ---------------------------------------------------------------------------------------------------------

# Cantonese words in simplified characters, and what the rules call them. Longer ones win.
_CANTONESE = {
    "顶唔顺": "撑不下去", "顶唔住": "撑不下去", "顶唔落去": "撑不下去", "捱唔住": "熬不下去", "捱唔到": "熬不下去",
    "捱唔落去": "熬不下去", "挨唔住": "熬不下去", "死咗佢": "死了算了", "死咗算": "死了算", "死咗去": "死了算了",
    "唔想做人": "不想活", "唔想生存": "不想活", "唔想再做人": "不想再活", "冇得救": "没有救", "唔想喺度": "不想活",
    "唔使": "不用", "唔好": "不要", "唔系": "不是", "唔想": "不想", "唔会": "不会", "唔知": "不知道", "唔见": "不见",
    "唔到": "不到", "唔返": "不回", "唔醒": "不醒", "唔住": "不住", "唔同": "不同", "唔止": "不止", "唔": "不",
    "冇": "没有", "咗": "了", "嘅": "的", "佢哋": "他们", "我哋": "我们", "你哋": "你们", "佢": "他", "哋": "们",
    "喺度": "在这里", "喺": "在", "嗰阵": "那时候", "嗰个": "那个", "嗰": "那", "呢个": "这个", "呢啲": "这些",
    "啲": "些", "咁": "这么", "乜嘢": "什么", "乜": "什么", "咩": "什么", "点解": "为什么", "点算": "怎么办",
    "点样": "怎样", "边个": "谁", "边度": "哪里", "瞓": "睡", "攞": "拿", "揸": "拿", "揾": "找", "搵": "找",
    "嚟": "来", "啱啱": "刚刚", "头先": "刚才", "而家": "现在", "依家": "现在", "宜家": "现在", "家阵": "现在",
    "听日": "明天", "寻日": "昨天", "琴日": "昨天", "今日": "今天", "琴晚": "昨晚", "寻晚": "昨晚", "听晚": "明晚",
    "攰": "累", "谂住": "打算", "谂紧": "在想", "谂过": "想过", "谂": "想", "谂到": "想到", "钟意": "喜欢", "睇": "看",
    "老豆": "爸爸", "阿爸": "爸爸", "阿妈": "妈妈", "老母": "妈妈", "细佬": "弟弟", "家姐": "姐姐", "阿哥": "哥哥",
    "阿仔": "儿子", "个仔": "儿子", "细路仔": "孩子", "细路": "孩子", "屋企人": "家里人", "屋企": "家里",
    "契爷": "继父", "一齐": "一起", "揽住": "抱着", "郁手": "动手", "郁我": "打我",
    "揼我": "打我", "鎅": "割", "𠝹": "割", "介手": "割手", "非礼": "猥亵", "恰我": "欺负我", "嗌": "喊", "掟": "扔",
    "成樽": "整瓶", "樽": "瓶", "返屋企": "回家", "落去": "下去", "落嚟": "下来", "企喺": "站在", "企咗": "站了",
    "企出": "站出", "企系": "站在", "行出": "走出", "饮咗": "喝了", "饮晒": "喝光", "食咗": "吃了", "食晒": "吃光",
    "食药": "吃药", "食左": "吃了", "死左": "死了", "走左": "走了", "吞左": "吞了", "饮左": "喝了", "吞晒": "吞光",
    "冇晒": "没有了", "唔该": "谢谢", "多谢晒": "谢谢", "对唔住": "对不起", "救护车": "救护车",
    "俾人": "被人", "畀人": "被人", "比人打": "被人打", "嬲": "生气", "几时": "什么时候", "好似": "好像",
    "㗎": "", "嘞": "了", "囖": "", "咯": "了", "噃": "", "吖": "", "嘢": "东西", "先至": "才",
}  # fmt: skip
# Passive "畀/俾 somebody does": "被"; everything else it means is "给".
_PASSIVE = re.compile(rf"[畀俾](?=[{HAN}]{{0,5}}?(?:打|揼|虐|强奸|性侵|侵犯|非礼|摸|踢|掴|斩|捅|锁|跟踪|恰|欺负))")
# 係 is "to be" except in 關係, 聯係 and 干係; OpenCC makes 系 of all of them.
_TO_BE = re.compile("(?<![關关聯联干幹])係(?![數数統统列])")
# Pronouns that are written for whom one speaks of.
_PRONOUNS = str.maketrans("妳祂牠", "你他它")
# What is written instead of a word that a filter stops: sounds, abbreviations, other characters.
_SPELLINGS = [
    (re.compile("想像"), "想象"),
    # Cantonese words that also stand across two Mandarin ones: 一个女生, 以后爸妈, 还差人
    (re.compile("(?<=[我你他她们家的])个女(?![生人孩的儿友朋同老士神性方王婿明教主司演歌])"), "女儿"),
    (re.compile("(?<![以之然今往最])后[爸父](?!妈|亲节)"), "继父"),
    (re.compile("(?<![还缺就只也])差人(?![意一家])"), "警察"),
    (re.compile("揹"), "背"),
    (re.compile("亖|歹匕"), "死"),
    (re.compile(r"自(?:鲨|沙|啥|刹|傻|s(?![a-z])|sha)|字杀|孖杀|(?<![a-z])zi ?sha(?![a-z])|紫砂(?![壶杯茶锅煲泥器陶盆])"), "自杀"),
    (re.compile(r"(?<![a-z])tiao ?lou(?![a-z])|跳(?:喽|搂|lou(?![a-z])|l(?![a-z]))|tiao楼"), "跳楼"),
    (re.compile(r"(?<![a-z])ge ?wan(?![a-z])|割(?:wan(?![a-z])|碗)|哥腕"), "割腕"),
    (re.compile(r"(?<![a-z])xiang ?si(?![a-z])|(?<![a-z])x(?:iang)?死"), "想死"),
    (re.compile(r"(?<![a-z])qu ?si(?![a-z])"), "去死"),
    (re.compile(r"(?<![a-z])(?:bu ?xiang ?huo|bxhl?)(?![a-z])"), "不想活"),
    (re.compile(r"不想h(?:uo)?(?![a-z])|不想货了"), "不想活"),
    (re.compile(r"(?<=[想去要就快敢])(?:4|㐅|si|s)(?=了|掉|算|啊|呀|吧|的|又|一|[，。！,.!\s]|$)"), "死"),
    (re.compile(r"(?<=[^a-z0-9])4(?=了算|掉算)"), "死"),
    (re.compile(r"安眠yao|an ?mian ?yao|安眠葯"), "安眠药"),
    (re.compile(r"(?<=[想去要])(?:狗带|鼠(?!标)|似了|噶了?|嘎了?|嗝屁)"), "死"),
    (re.compile("轻身(?=的?念头)|情笙"), "轻生"),
    (re.compile(r"(?<![a-z])zs(?=了|吧|的(?:念头|想法|方法))|(?<=[想要去备])zs(?![a-z])"), "自杀"),
]  # fmt: skip

# Whole phrases in pinyin, where the text may hold no Chinese character at all.
_PINYIN = [
    (re.compile(rf"(?<![a-z]){spelling}(?![a-z])"), words)
    for spelling, words in (
        (r"(?:wo )?(?:zhen de )?bu ?xiang ?huo(?: ?le)?", "我不想活了"),
        (r"(?:wo )?huo ?bu ?xia ?qu(?: ?le)?", "我活不下去了"),
        (r"(?:wo )?(?:zhen de |hao )?xiang ?si(?: ?le)?", "我想死"),
        (r"(?:wo )?(?:xiang |yao )?zi ?sha", "我想自杀"),
        (r"(?:wo )?(?:xiang |yao )?tiao ?lou", "我要跳楼"),
        (r"(?:wo )?(?:xiang |yao )?ge ?wan", "我要割腕"),
        (r"huo ?zhe mei(?: ?you)? ?yi ?si", "活着没意思"),
        (r"wo yao si(?: ?le)?", "我要死了"),
        (r"bu xiang zai huo(?: ?le)?", "不想再活了"),
        (r"(?:mei|meiyou|mei you) ren yao wo", "没有人要我"),
        (r"jiu ?ming", "救命"),
    )
]

# --- English ---------------------------------------------------------------------------------------------------------

_ENGLISH = {
    "im": "i'm", "ive": "i've", "dont": "don't", "cant": "can't", "wont": "won't", "didnt": "didn't",
    "doesnt": "doesn't", "isnt": "isn't", "wasnt": "wasn't", "hes": "he's", "shes": "she's", "theyre": "they're",
    "id": "i'd", "wanna": "want to", "gonna": "going to", "gunna": "going to", "gna": "going to", "tryna": "trying to",
    "gotta": "have to", "ima": "i'm going to", "imma": "i'm going to", "finna": "going to", "rn": "right now",
    "tonite": "tonight", "tn": "tonight", "2nite": "tonight", "2morrow": "tomorrow", "tmrw": "tomorrow",
    "tmr": "tomorrow", "bf": "boyfriend", "gf": "girlfriend", "mum": "mom", "mam": "mom", "mummy": "mom",
    "mommy": "mom", "mama": "mom", "daddy": "dad", "unalive": "kill", "unaliving": "killing", "unalived": "killed",
    "sewerslide": "suicide", "sewercide": "suicide", "sui": "suicide", "ppl": "people", "u": "you", "ur": "your",
    "r": "are", "bcuz": "because", "cuz": "because", "cos": "because", "coz": "because", "myslef": "myself",
    "meself": "myself", "mysel": "myself", "suiside": "suicide", "suicid": "suicide", "suacide": "suicide",
    "anymor": "anymore", "nomore": "no more", "2day": "today", "b4": "before", "plz": "please", "pls": "please",
    "od": "overdose", "oded": "overdosed", "od'd": "overdosed", "stepdaddy": "stepdad", "nan": "grandma",
    "gran": "grandma", "granny": "grandma", "kys": "kill yourself", "wud": "would", "cud": "could", "shud": "should",
    "couldnt": "couldn't", "wouldnt": "wouldn't", "shouldnt": "shouldn't", "havent": "haven't", "hasnt": "hasn't",
    "arent": "aren't", "aint": "isn't", "ain't": "isn't", "youre": "you're", "thats": "that's", "theres": "there's",
    "whats": "what's", "evry1": "everyone", "every1": "everyone", "some1": "someone", "sum1": "someone",
}  # fmt: skip
_ENGLISH_WORD = re.compile(
    r"(?<![a-z0-9'])(?:" + "|".join(sorted(map(re.escape, _ENGLISH), key=len, reverse=True)) + r")(?![a-z0-9'])"
)
# "kms" is kilometres after a number and before a unit.
_KMS = re.compile(r"(?<![0-9a-z])(?<![0-9] )kms(?! (?:per|an|away|a day|of|run|later|from|to)\b)(?![a-z])")


@functools.cache
def _converters() -> tuple[opencc.OpenCC, ...]:
    # The second also knows the variants of Hong Kong; the first the particles of Taiwan (著).
    return opencc.OpenCC("tw2s"), opencc.OpenCC("hk2s")


@functools.cache
def _cantonese() -> tuple[re.Pattern[str], dict[str, str]]:
    """The words as OpenCC leaves them (it has a character of its own for some), longest first."""
    words = {simplified(word): meaning for word, meaning in _CANTONESE.items()}
    return re.compile("|".join(sorted(words, key=len, reverse=True))), words


def simplified(text: str) -> str:
    """A text in simplified characters. Lone surrogates, which stand for nothing, become ``?``; U+0000 is dropped."""
    text = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    for converter in _converters():
        text = converter.convert(text)
    return text


def normalise(text: str) -> str:
    """Lower-case NFKC text in simplified characters and full English words, without obfuscation.

    Traditional characters go through OpenCC; Cantonese words, spellings by sound and abbreviations become the words
    that the rules know. Takes time linear in the length of the text; any string is allowed.
    """
    text = unicodedata.normalize("NFKC", text).lower()
    # Lone surrogates cannot be encoded; they stand for nothing that is read.
    text = _INVISIBLE.sub("", text).encode("utf-8", "replace").decode("utf-8")
    text = re.sub("[’‘`´ʼ]", "'", text)
    text = re.sub(r"[ \t]+", " ", text)
    for pattern, words in _PINYIN:
        text = pattern.sub(words, text)
    if _HAN.search(text):
        text = _chinese(text)
    text = _SPELLED_OUT.sub(lambda match: _SEPARATOR.sub("", match[0]), text)
    text = _TOKEN.sub(lambda match: match[0].translate(_LEET), text)
    text = _LONG_CONSONANT.sub(r"\1\1", _LONG_VOWEL.sub(r"\1", text))
    text = _KMS.sub("kill myself", text)
    return _ENGLISH_WORD.sub(lambda match: _ENGLISH[match[0]], text)


def _chinese(text: str) -> str:
    text = _BETWEEN_HAN.sub("", simplified(_TO_BE.sub("是", text)))
    text = text.translate(_PRONOUNS)
    text = _PASSIVE.sub("被", text)
    pattern, words = _cantonese()
    text = pattern.sub(lambda match: words[match[0]], text)
    text = re.sub("[畀俾]", "给", text)
    for pattern, word in _SPELLINGS:
        text = pattern.sub(word, text)
    return text
