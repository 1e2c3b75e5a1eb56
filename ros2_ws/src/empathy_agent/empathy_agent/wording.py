# ruff: noqa: E501 - a pattern that is cut in two is harder to read than a long line
"""Questions of the form "how do I tell him that ... without ...?": words that the person could say.

The agent knows little, but the question itself holds what is to be said and what is feared of saying it. Both, turned
to the one who will hear it, are an opening that is true and is the person's own: "how do I tell my dad about the door
without sounding ungrateful" begins with "I don't want to sound ungrateful."
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from empathy_agent.reflection import simple
from empathy_agent.safety import Risk, assess, objection
from empathy_agent.turns import moves

QUOTE = "{quote}"
_ABOUT_SAYING = ("tell", "apologise", "refuse", "cope", "help", "greet", "future")
"""Types of question that may ask for words."""
_AIMING = ("tell", "apologise", "refuse")
_SOMETHING = {"zh": "我就是想跟你好好说件事。", "en": "There is something I would like to say."}
"""Where nobody knows what is to be said."""
_MOST = {"zh": 40, "en": 150}
"""Characters of what is said."""

_EN_SAYS = re.compile(
    r"\b(?:tell|ask|say|put|word|phrase|explain|bring|talk|speak|write|text|answer|reply|break|raise|mention|turn|let|get)\b",
    re.IGNORECASE,
)
_EN_BASE = {
    "sounding": "sound", "seeming": "seem", "looking": "look", "appearing": "appear", "coming": "come", "being": "be",
    "becoming": "become", "turning": "turn", "ending": "end", "hurting": "hurt", "upsetting": "upset", "making": "make",
    "offending": "offend", "embarrassing": "embarrass", "starting": "start", "causing": "cause", "worrying": "worry",
    "scaring": "scare", "blaming": "blame", "losing": "lose", "ruining": "ruin", "pushing": "push", "insulting": "insult",
    "disappointing": "disappoint", "thinking": "think", "feeling": "feel", "getting": "get", "taking": "take",
    "knowing": "know", "crying": "cry", "laughing": "laugh", "hating": "hate", "hearing": "hear", "going": "go",
    "freaking": "freak", "believing": "believe", "assuming": "assume", "having": "have", "creating": "create",
}  # fmt: skip
_WHO = r"(?:(?:my|the|our) (?:[\w'-]+ ){0,2}?[\w'-]+|[\w'-]+)"
_ING = rf"(?P<ing>{'|'.join(_EN_BASE)})"
_EN_WORRIES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), said)
    for pattern, said in (
        (rf"\bwithout (?:it|this|that|things) {_ING}\b(?P<x>.*)$", lambda m: f"it to {_base(m)}{m['x']}"),
        (rf"\bwithout {_ING}\b(?P<x>.*)$", lambda m: f"to {_base(m)}{m['x']}"),
        (rf"\bwithout {_WHO} {_ING}\b(?P<x>.*)$", lambda m: f"you to {_base(m)}{m['x']}"),
        (r"\bso (?:that )?(?:he|she|they)(?:'?s| is|'?re| are) not (?P<x>.+)$", lambda m: f"you to be {m['x']}"),
        (r"\bso (?:that )?(?:he|she|they) (?:isn't|aren't) (?P<x>.+)$", lambda m: f"you to be {m['x']}"),
        (
            r"\bso (?:that )?(?P<it>it|he|she|they) (?:does(?:n'?t| not)|do(?:n'?t| not)|won'?t|will not) (?P<x>.+)$",
            lambda m: f"{'it' if m['it'].lower() == 'it' else 'you'} to {m['x']}",
        ),
    )
)
_EN_MATTERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), said)
    for pattern, said in (
        (
            rf"\b(?:tell|let) {_WHO} (?:know )?(?:that )?(?P<x>(?:i|i'm|im|i've|ive|we|we're|we've) (?!should\b).+)$",
            lambda m: f"{_matter(m)}.",
        ),
        (
            rf"\b(?:tell|let) {_WHO} (?:know )?(?:that )?(?:he|she|they)"
            r"(?P<may> (?:can|may|could)|(?:'s|'re| is| are) (?:always |still |very )?welcome|"
            r" (?:doesn't|don't|does not|do not|needn't|won't) (?:have to|need to)) ?(?P<x>.*)$",
            lambda m: f"You{_may(m)} {_matter(m)}.",
        ),
        (
            rf"\b(?:tell|ask) {_WHO} (?:to|if (?:he|she|they) (?:could|can|would|will)) (?P<x>.+)$",
            lambda m: f"Could you {_matter(m)}?",
        ),
        (rf"\bask {_WHO} for (?P<x>.+)$", lambda m: f"I'd like to ask you for {_matter(m)}."),
        (
            rf"\b(?:tell|ask|talk to|speak to|to|with) {_WHO} about (?P<x>(?!it\b|this\b|that\b|him\b|her\b|them\b).+)$",
            lambda m: f"I'd like to talk with you about {_matter(m)}.",
        ),
    )
)
_EN_HIS = re.compile(
    r"\b(?:his|their|her(?= (?!about|to|for|and|or|in|at|on|when|so|that|again|back|alone)\w))\b", re.IGNORECASE
)
_EN_HIM = re.compile(r"\b(?:him|them|her)\b", re.IGNORECASE)
_EN_HE = re.compile(r"\b(?:he|she|they)(?:'s|'re|'d|'ll)?\b|\b(?:yours?|me)\s*$", re.IGNORECASE)
_EN_TYPED = ((re.compile(r"\bim\b"), "I'm"), (re.compile(r"\bive\b"), "I've"), (re.compile(r"\bi(?=\b)"), "I"))

_ZH_SAYS = re.compile(r"说|开这个口|讲|提|谈|聊|开口|告诉|问|回|解释|商量|沟通|写|答|劝|拒绝|推")
_ZH_NOT = r"不(?:会|要|再|至于|能|跟|让|[他她]们?|人)*(?:再|又|太|一直|老|一听就)?"
_ZH_UPSET = "生气|发火|着急|担心|难过|伤心|多想|多心|失望|为难|误会|难受|哭"
_ZH_WORRIES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (
            rf"{_ZH_NOT}(?:觉得|以为)我是(?:来|在)?(?P<x>[^，,。？?]{{1,6}}?)的?(?=[，,。？?呢啊呀]|$)",
            "我不是来{x}的，",
        ),
        (
            rf"(?:{_ZH_NOT}|怕[^，,。？?]{{1,4}}?)(?P<v>觉得|以为|认为|嫌|说|怪)(?P<x>我[^，,。？?]{{1,10}})",
            "你先别{v}{x}，",
        ),
        (rf"{_ZH_NOT}(?:像|显得)(?:是|我|在)*(?P<x>[^，,。？?我他她]{{1,6}})", "我不是{x}，"),
        (rf"{_ZH_NOT}(?P<x>吵|抬杠|闹僵|翻脸)|(?P<y>吵)不起来", "我不想跟你{x}，"),
        (rf"{_ZH_NOT}(?P<x>{_ZH_UPSET})", "你先别{x}，听我说完。"),
        (rf"{_ZH_NOT}(?:伤|刺激|打击)(?:到|着|害)?(?:[他她]|人|感情|我?[妈爸])", "我不想让你难受，"),
        (rf"{_ZH_NOT}(?:得罪|惹)", "我没有别的意思，"),
    )
)
_ZH_MATTER = re.compile(
    r"(?:告诉|跟|和)(?:我?[一-鿿]{1,4}?|[他她]们?)(?:说|讲|提|坦白)?(?P<x>我(?!该|应该|要怎|们?怎|说|讲|想说|才|跟)[^，,。？?怎咋什]{2,14})(?:[？?]|$)"
)
_ZH_MAY = re.compile(
    r"(?:告诉|跟|和)(?:我?[一-鿿]{1,4}?|[他她]们?)(?:说|讲)?[，,]?[他她它]们?(?P<x>(?:可以|能|不用|用不着|不必|随时)[^，,。？?怎咋什吗么]{2,14})(?:[？?]|$)"
)
_ZH_AIM = re.compile(r"才能(?P<x>把[^，,。？?你我他她吗呢]{2,10})")
_ZH_WISH = re.compile(
    r"(?:^|(?<=[。！？!?，,\s]))(?:我|就|真的|其实|还是|更|也|可|但)*(?:想让[他她](?P<asked>[^，。！？,!?他她吗呢]{2,10})|"
    r"(?P<wish>(?:希望|宁愿|宁可|不想|想(?=[争换学去留请歇休搬再先早要多少改试接自]|一个人|回家))(?!问|说|跟|和|告诉|回|知道|哭|谢|让|着|到|起|了|要是)[^，。！？,!?他她你吗呢么怎啥什]{2,12}))(?=[，。！,!\s]|$)"
)
_EN_WISH = re.compile(
    r"\b(?P<wish>(?:i'd|i would) (?:rather|prefer|like|love)(?! to (?:know|say|tell|ask))[^,.;!?—]+?|"
    r"i (?:really |just )?want (?:(?:my|our|some|more|less|a) |to (?!know|say|tell|ask|talk|cry|scream|die))[^,.;!?—]+?)"
    r"(?= (?:but|and|because|so|or|instead)\b|[,.;!—]|$)",
    re.IGNORECASE,
)
_EN_WISH_WORDS = range(4, 14)
_ASKS_WORDS = re.compile(
    r"(?:怎么|咋|如何|怎样)(?:跟|和|对|同)?[^，,。？?]{0,6}(?:说|讲|提|谈|聊|开口|问|回|解释|告诉)|\b(?:how|what) (?:do|should|can|would|could|to)\b",
    re.IGNORECASE,
)
_ZH_END = re.compile(r"(?:了|呢|啊|呀|吧|嘛|好)+$")


def wordings(
    text: str, language: str, question: str, earlier: Sequence[str] = (), particular: bool = False
) -> list[str]:
    """Sentences that offer words to a question of a type of ``moves/`` that asks for them; none where it holds none.

    Where the question does not say what is to be said, it is what the person wished for last, in this message or in the
    ones before (``earlier``). With ``particular`` there are none where neither tells.
    """
    if question not in _ABOUT_SAYING:
        return []
    asked = _asked(text, language)
    if any(assess(each).risk is not Risk.NONE for each in (text, asked)):
        return []
    wish = _wish([*earlier, text], language) if question == "tell" else ""
    said = (_said_zh if language == "zh" else _said_en)(asked, wish)
    if particular and (not said or said.endswith(_SOMETHING[language])):
        return []
    bank = moves(language)["wording"]
    if said and len(said) <= _MOST[language]:
        offered = [sentence.replace(QUOTE, said) for sentence in bank["words"]]
        return [sentence for sentence in offered if not objection(sentence, language)]
    aims = [aim["words"] for aim in bank["aims"].values() if re.search(aim["asked"], asked, re.IGNORECASE)]
    return aims[0] if aims and question in _AIMING else []


def _asked(text: str, language: str) -> str:
    """The question that a message ends with."""
    sentences = [each.strip() for each in re.split(r"(?<=[。！!.\n？?])\s*", simple(text, language)) if each.strip()]
    last = sentences[-2:]
    asks = [each for each in last if _ASKS_WORDS.search(each)] or [each for each in last if each.endswith(("?", "？"))]
    return (asks or last or [""])[-1]


def _wish(texts: Sequence[str], language: str) -> str:
    """What the person said last that they want, as said to the one it concerns; empty without one."""
    for text in reversed(texts):
        if assess(text).risk is not Risk.NONE:  # no wish to be said aloud
            continue
        for found in reversed(list((_ZH_WISH if language == "zh" else _EN_WISH).finditer(simple(text, language)))):
            if language == "zh":
                return f"我想请你{found['asked']}。" if found["asked"] else f"我{found['wish']}。"
            if not _EN_HE.search(found["wish"]) and len(found["wish"].split()) in _EN_WISH_WORDS:
                return _to_them(found["wish"][:1].upper() + found["wish"][1:]) + "."
    return ""


def _said_en(asked: str, wish: str) -> str:
    asked = asked.rstrip("?!. ")
    if not _EN_SAYS.search(asked):
        return ""
    worry = ""
    for pattern, turned in _EN_WORRIES:
        if found := pattern.search(asked):
            worry = f"I don't want {_to_them(turned(found))}."
            asked = asked[: found.start()].rstrip(" ,")
            break
    for pattern, said in _EN_MATTERS:
        if found := pattern.search(asked):
            matter = _to_them(said(found))
            return "" if _unfit_en(worry + matter) else f"{worry} {matter[:1].upper()}{matter[1:]}".strip()
    if not worry or _unfit_en(worry):
        return wish
    return f"{worry} {wish or _SOMETHING['en']}"


def _base(match: re.Match[str]) -> str:
    return _EN_BASE[match["ing"].lower()]


def _matter(match: re.Match[str]) -> str:
    return match["x"].strip(" ,")


def _may(match: re.Match[str]) -> str:
    """What the hearer may, as said to them: "she's welcome" is "you're welcome"."""
    return re.sub("^(?:'s| is)", "'re", match["may"]).replace("doesn't", "don't").replace("does not", "don't")


def _to_them(words: str) -> str:
    """Words about somebody, as said to them: "her" is "you"."""
    words = _EN_HIM.sub("you", _EN_HIS.sub("your", words))
    for pattern, typed in _EN_TYPED:
        words = pattern.sub(typed, words)
    return words


def _unfit_en(words: str) -> bool:
    return _EN_HE.search(words) is not None or re.search(r"[^\w ',.?-]|\d{4}", words) is not None


def _said_zh(asked: str, wish: str) -> str:
    if not _ZH_SAYS.search(asked):
        return ""
    worry = ""
    for pattern, said in _ZH_WORRIES:
        if found := pattern.search(asked):
            groups = {name: _ZH_END.sub("", value) for name, value in found.groupdict().items() if value}
            worry = said.replace("{v}", groups.get("v", "")).replace("{x}", groups.get("x") or groups.get("y", ""))
            break
    if aim := _ZH_AIM.search(asked):
        wish = f"我想{aim['x']}。"
    ending = asked.rstrip("？?呢啊呀")
    if found := _ZH_MATTER.search(ending):
        matter = f"{found['x']}。"
    else:
        matter = f"你{found['x']}。" if (found := _ZH_MAY.search(ending)) else ""
    tail = "" if worry.endswith("。") or not worry else _SOMETHING["zh"]
    said = re.sub("[他她它]们?", "你", worry + (matter or wish or tail))
    return "" if re.search(r"[^一-鿿，。]", said) else said
