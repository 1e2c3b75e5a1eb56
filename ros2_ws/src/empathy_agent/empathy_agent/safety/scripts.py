"""Tells a sentence that is not, or not wholly, in the language of the person."""

from __future__ import annotations

import re
import unicodedata

_HAN = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[a-zà-öø-ÿ]+(?:['’-][a-z]+)*")
# Three words of Latin letters in a row are a phrase of another language; names and borrowed words are shorter.
_PHRASE = re.compile(r"[a-z][a-z'’-]*(?:[ ,]{1,2}[a-z][a-z'’-]*){2,}")
_QUOTED = re.compile(r"[“\"「『《‘(][^“”\"「」『』《》‘’()]{1,60}[”\"」』》’)]")
# English words that small models leave in Chinese sentences.
_ENGLISH = re.compile(
    r"(?<![a-z])(?:the|and|you|your|yours|i|me|my|feel|feels|feeling|feelings|is|are|was|were|with|of|to|that|this|very"
    r"|really|because|when|what|how|it|its|be|been|have|has|not|but|so|for|can|could|will|would|should|overwhelm\w*"
    r"|anxi\w+|depress\w+|frustrat\w+|exhaust\w+|lonel\w+|sad|sadness|happy|hurt|hurting|pain|painful|stress\w*|tired"
    r"|guilt\w*|shame|ashamed|angry|anger|fear|afraid|hope|hopeless|hopelessness|helpless\w*|worthless|support"
    r"|understand\w*|valid\w*|empath\w*|strong|strength|struggl\w*|emotion\w*|situation|however|therefore|actually"
    r"|maybe|perhaps|important|difficult|love|loved|sorry|please|thank|thanks|yourself|myself|self-\w+)(?![a-z])"
)
# A word without a capital in a Chinese sentence is no name; these are as good as Chinese.
_PLAIN_WORD = re.compile(r"(?<![A-Za-z0-9_.@/-])[a-z]{4,}(?![A-Za-z0-9_@/-])")
_BORROWED = re.compile(
    "offer|deadline|email|wifi|blog|vlog|review|title|push|demo|live|word|excel|code|github|python|java|switch|steam"
    "|iphone|ipad|cosplay(?:er)?|rapper|staff|case|debug|team|leader|mentor|intern|social|crush|flag|freestyle|logo|show"
)
# Nearly every English sentence of some length holds one of these.
_COMMON = re.compile(
    r"(?<![a-z])(?:"
    r"a|an|the|and|or|but|of|to|in|on|at|for|with|from|by|as|is|are|was|were|be|been|"
    r"am|it|its|he|she|they|them|him|her|his|their|we|us|our|you|your|yours|i|me|my|"
    r"mine|this|that|these|those|there|here|what|who|how|when|where|why|which|not|no|nor|"
    r"do|does|did|done|have|has|had|can|could|will|would|may|might|must|shall|should|if|"
    r"then|than|so|all|any|some|one|too|very|more|most|just|about|into|over|out|up|down|"
    r"after|before|never|ever|sometimes|something|someone|anything|nothing|get|gets|got|go|goes|come|see|off|once|"
    r"always|often|again|still|only|now|today|tomorrow|ones|every|each|even|much|many|other|another|while|until|"
    r"because|through|back|own|people|things?|time|days?|let|make|take|keep|know|feel|say|put"
    r")(?![a-z])"
)
_SHORTEST = 5
# Common words of other languages that are written in Latin letters, pinyin among them, and none of English.
_OTHER = re.compile(
    r"(?<![a-zà-ÿ])(?:es|el|la|las|los|que|una?|por|para|del|muy|pero|est[aáoe]s?|eres|tu|te|lo|le|les|des|une|est|vous"
    r"|je|pas|très|dans|pour|avec|qui|il|elle|der|die|das|und|ist|nicht|ein|eine|du|dich|dir|mir|dass|sehr|sich|ich|zu"
    r"|wie|auch|não|você|muito|uma|são|di|che|sei|molto|della|het|een|niet|jij|ni|hen|wo|bu|shi|zhe|bie|tai|yijing"
    r"|women|xiang|hao|zai|zhen|kamu|yang|dan|tidak)(?![a-zà-ÿ])"
)
# Words whose letters stand apart: "y o u".
_SPELLED_OUT = re.compile(r"(?<![a-z])(?:[a-z][ .*_-]{1,3}){4}[a-z](?![a-z])")


def is_foreign(text: str, language: str) -> bool:
    """Whether a sentence is not in ``"zh"`` or ``"en"``, or holds another script or language.

    Chinese may hold names, abbreviations, borrowed words and whatever stands in quotation marks; English may hold the
    letters of other Latin alphabets but no other script. A sentence without letters is in every language.
    """
    text = unicodedata.normalize("NFKC", text)
    plain = text.lower()
    if _SPELLED_OUT.search(plain) is not None or any(not _is_known(letter) for letter in _LETTER.findall(plain)):
        return True
    han = _HAN.search(plain) is not None
    if language == "en":
        return han or _is_no_english(plain)
    bare = _QUOTED.sub("", text)
    if not han:
        # "OK." and "PTSD?" may stand alone, a sentence may not.
        return len(_WORD.findall(bare.lower())) > 2 or _ENGLISH.search(bare.lower()) is not None
    return (
        _PHRASE.search(bare.lower()) is not None
        or _ENGLISH.search(bare.lower()) is not None
        or any(not _BORROWED.fullmatch(word) for word in _PLAIN_WORD.findall(bare))
    )


def _is_known(letter: str) -> bool:
    if _HAN.match(letter):
        return True
    return letter < "\u0250" or (letter >= "\u1e00" and unicodedata.name(letter, "").startswith("LATIN"))


def _is_no_english(plain: str) -> bool:
    common, other = len(_COMMON.findall(plain)), len(_OTHER.findall(plain))
    return len(_WORD.findall(plain)) >= _SHORTEST and (common == 0 or (other > 2 and other > common))
