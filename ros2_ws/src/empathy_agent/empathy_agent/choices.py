"""Questions of the form "A or B?" and "should I?": what is asked, and what may be leant to.

The agent knows little, so it leans by what is true of nearly all such choices: to what does not wear the person out, to
saying it rather than carrying it alone, to what can still be undone, to the smaller step first, and never to what
ends something (a job, a marriage). The words for that are
data (``moves/``, ``either``). Where none of it applies there is nothing that it could say.
"""

from __future__ import annotations

import re
import unicodedata

from empathy_agent.reflection import turned
from empathy_agent.safety import Risk, assess, objection
from empathy_agent.turns import moves

_FIRST, _SECOND = "{x}", "{y}"
_ZH = re.compile(r"(?P<x>[^，,。！？!?；;：:]+)[，,]?(?:还是|抑或)(?P<y>[^。！？!?；;：:]+)[？?]?$")
_ZH_LEAD = re.compile(
    r"^(?:那|所以|到底|究竟|你说|你觉得|你看|现在|其实|干脆|这种情况|我们|咱们|咱|我|应该|该|是|要|想|会|就|直接|先|再)+"
)
_ZH_END = re.compile(r"(?:比较)?(?:好|呢|啊|呀|吧|嘛|更好)+$")
_ZH_NO_ACT = re.compile(
    r"^(?:他|她|它|你|这|那|真|太|因为|自己|别人|谁|有|没有|只)|什么|怎么|谁|吗|哪|多少|几|是|会不会|要不要|能不能|"
    r"我(?:先|该|主动|去|来|不)"
)
_ZH_MOST = 16
_EN = re.compile(
    r"(?:\b(?:(?:should|shall|do|would|could|can) (?:i|we)|(?:i|we) should)\b(?: rather| better| just| do\b[^,?.!]*,)?|"
    r"\bbetter(?: for me)? to)"
    r" (?P<x>[^,?.!;:]+?),? or(?: else)?(?: (?:should|do|shall) (?:i|we))?(?: to)? (?P<y>[^,?.!;:]+)\??$",
    re.IGNORECASE,
)
_ZH_ACT = re.compile(
    r"(?P<x>[一-鿿]{1,10}?)(?:还是|，还是)不(?P=x)[^。！？!?]{0,3}[？?]?$|"
    r"(?:该不该|要不要|应不应该)(?P<y>[^，,。！？!?；;：:]{2,14})[？?]?$"
)
_EN_ACT = re.compile(
    r"(?:^|\b(?:so|and|but|think) |, )(?:should i|i should) (?P<x>[^,?.!;:]+?)(?:,[^?]*)?\?$", re.IGNORECASE
)
_EN_NO_ACT = re.compile(
    r"^(?:the|an?|my|his|her|their|that|this|because|too|so|be|is|am|are|not|in|on|at|what|who|whether|after|before|"
    r"would|will|could|does|do|did|it|i|he|she|they|we|you|only|through|face|by|for|if|\w+ly)\b|^\w+$",
    re.IGNORECASE,
)
_EN_MOST = 9  # words


def alternatives(text: str, language: str) -> tuple[str, str] | None:
    """The two things that a message asks to choose between, as the agent would name them to the person.

    Chinese without the leading 先 or 再, English in the base form. None: it asks for no such choice between two acts.
    """
    sentence = _last_sentence(text, language)
    found = (_ZH if language == "zh" else _EN).search(sentence)
    if found is None or assess(sentence).risk is not Risk.NONE:
        return None
    options = [_option(found[name], language) for name in ("x", "y")]
    if not all(options) or options[1] == "不" + options[0]:
        return None
    return options[0], options[1]


def weighed(options: tuple[str, str], language: str) -> list[str]:
    """Sentences that lean to one of two options and say why; none where nothing speaks for either."""
    either = moves(language)["either"]
    fits = {
        name: [re.search(pattern, option, re.IGNORECASE) is not None for option in options]
        for name, pattern in either["words"].items()
    }
    x, y = options
    name, drastic = "", fits["drastic"]
    if fits["wearing"][0] != fits["wearing"][1]:
        name = "wearing"
        x, y = (y, x) if fits[name][0] else (x, y)
    elif [fits["tell"][0], fits["wait"][1]] == [True, True] or [fits["wait"][0], fits["tell"][1]] == [True, True]:
        name = "tell"
        x, y = (y, x) if fits["wait"][0] else (x, y)
    else:
        for kind in ("wait", "small"):
            if fits[kind][0] != fits[kind][1]:
                name = kind
                x, y = (x, y) if fits[kind][0] else (y, x)
                break
    if drastic[options.index(x)]:
        return []
    said = [sentence.replace(_FIRST, x).replace(_SECOND, y) for sentence in either.get(name, ())]
    return [sentence for sentence in said if not objection(sentence, language)]


def hanging(text: str, language: str) -> list[str]:
    """Sentences that say what "should I?" hangs on; none where that is not asked, or of what ends something."""
    sentence = _last_sentence(text, language)
    found = (_ZH_ACT if language == "zh" else _EN_ACT).search(sentence)
    if found is None or assess(sentence).risk is not Risk.NONE:
        return []
    asked = next(group for group in found.groups() if group)
    act = _ZH_LEAD.sub("", asked) if language == "zh" and len(asked) < 3 else _option(asked, language)
    either = moves(language)["either"]
    if not act or re.search(either["words"]["drastic"], act, re.IGNORECASE) or " or " in act or "还是" in act:
        return []
    said = [sentence.replace(_FIRST, act) for sentence in either["act"]]
    return [sentence for sentence in said if not objection(sentence, language)]


def _last_sentence(text: str, language: str) -> str:
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").strip()
    return re.split(r"(?<=[。！!.\n])\s*" if language == "zh" else r"(?<=[.!\n])\s*", plain)[-1].strip()


def _option(text: str, language: str) -> str:
    text = text.strip(" 、,，")
    if language == "zh":
        option = _ZH_END.sub("", _ZH_LEAD.sub("", text)).replace("，", "").replace(",", "")
        fit = 1 < len(option) <= _ZH_MOST and not _ZH_NO_ACT.search(option) and not re.search("[A-Za-z0-9]", option)
    else:
        option = re.sub(r"^(?:just|maybe) | first$", "", text[:1].lower() + text[1:])
        fit = len(option.split()) <= _EN_MOST and not _EN_NO_ACT.search(option)
    return turned(option, language) if fit else ""
