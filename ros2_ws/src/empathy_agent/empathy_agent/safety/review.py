# ruff: noqa: E501 - a pattern that is cut in two is harder to read than a long line
"""A last look at what a model wrote, before it is kept."""

from __future__ import annotations

import re

from empathy_agent.language import is_in_language

# Blame, dismissal and encouragement of harm, as small models were seen to write them.
_HARMFUL = re.compile(
    "|".join(
        [
            r"(?:也许|可能|或许|其实|说明)?是?你(?:自己)?(?:真的|的确|确实)?(?:不够(?:好|努力|优秀|坚强|成熟|聪明)|太(?:敏感|脆弱|自私|矫情|懒|玻璃心|计较)了?)(?!吗)(?!的(?:人|时候))(?=[，。！])",
            r"(?:这|都|其实|完全|确实)(?:都)?是你(?:自己)?的(?:错|问题|责任)|你(?:应该|要|必须|只能|需要|可以)(?:学会)?(?:忍|接受(?:他|她|他们)的|原谅(?:他|她|他们)|反省|反思自己|检讨)",
            r"你不能要求太多|别想太多|想开(?:一)?点|没什么大不了|比你(?:更)?(?:惨|苦|难)|你(?:就)?去死|不值得(?:活|被爱)|没有资格",
            r"\b(?:it(?:'s| is)|this is|that(?:'s| is)) (?:all |partly |probably |really )?your (?:own )?fault\b|\byou(?:'re| are) (?:just |simply |being )?(?:too sensitive|overreacting|not good enough|selfish|weak|lazy|dramatic|a failure|worthless)\b(?! to)",
            r"\byou (?:should|must|need to|have to) (?:just )?(?:get over it|endure|put up with|toughen up|forgive (?:him|her|them)|stop complaining)\b|\b(?:others|other people) have it worse\b|\bjust (?:be|think) (?:happy|positive)\b",
        ]
    ),
    re.IGNORECASE,
)
# Five digits, however they are grouped; fewer beside a word for calling; the short numbers of emergency services and
# help lines. Years, scores and sums of money are none of these.
_TELEPHONE = re.compile(
    r"(?:\d[ -]?){5,}"
    r"|(?:拨|打|致电|电话|热线|短信|微信|号码)[^。！？\d]{0,8}\d{3,}|\d{3,}\s*(?:热线|专线|报警|急救|转\d)"
    r"|\b(?:call|dial|ring|text|phone|hotline|helpline|line|number)\b[^.!?\d]{0,24}\d{3,}"
    r"|(?<!\d)(?<!\d[.,])(?:110|111|112|113|119|120|122|123|988|911|995|999)(?![.,]?\d|\s?(?:分|块|元|天|年|人|公里|个|斤|平|次|points|days|people|pounds|dollars|euros|km|miles|years))",
    re.IGNORECASE,
)
# "not your fault", "you may tell yourself that you are not good enough": said, but not meant.
_REPORTED = re.compile(
    r"(?:不|没|并非|从来|别|觉得|以为|认为|告诉自己|怀疑)\S{0,6}$|\b(?:not|n't|never|feel|think|believe|telling yourself)\b[^.!?]{0,40}$"
)


def objection(answer: str, language: str) -> str:
    """Why an answer must not be shown, in a few words; empty when nothing speaks against it.

    Looks for the wrong language, telephone numbers (models invent them; the help lines come from a file) and phrases
    that blame or dismiss the person. A list of phrases cannot catch every unkind sentence.
    """
    if not is_in_language(answer, language):
        return "the answer is not in the language of the post"
    if _TELEPHONE.search(answer):
        return "the answer holds a number that may pass for a help line"
    for match in _HARMFUL.finditer(answer):
        if not _REPORTED.search(answer[: match.start()]):
            return "the answer blames or dismisses the person"
    return ""
