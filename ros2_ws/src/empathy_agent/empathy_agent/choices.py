"""Questions of the form "A or B?" and "should I?": what is asked, and what may be leant to.

The agent knows little, so it leans by what is true of nearly all such choices: to what does not wear the person out, to
saying it rather than carrying it alone, to what can still be undone unless time counts, to the smaller step first, and
never to what ends something (a job, a marriage). The words for that are data (``moves/``, ``either``). Where none of it
applies there is nothing that it could say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from empathy_agent.reflection import plain, turned
from empathy_agent.safety import Risk, assess, objection
from empathy_agent.turns import moves

_CHOOSING = ("decide", "opinion", "cope")
"""Types of question that may ask for a choice."""
_RULES: dict[str, Callable[[set[str], set[str]], bool]] = {
    "wearing": lambda x, y: "wearing" in y - x,
    "late": lambda x, y: "late" in y - x,
    "tell": lambda x, y: "tell" in x and "wait" in y - x,
    "wait": lambda x, y: "wait" in x - y,
    "small": lambda x, y: "small" in x - y,
}
"""What speaks for x against y, of the kinds that they are; the first that holds decides."""
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


def leanings(text: str, language: str, question: str, earlier: Sequence[str] = ()) -> list[str]:
    """Sentences that answer a question of a type of ``moves/`` with a side, or with what it hangs on; none without.

    ``earlier`` are the person's messages before: they tell whether time counts.
    """
    pair = alternatives(text, language) if question in _CHOOSING else None
    if pair:
        urgent = moves(language)["either"]["urgent"]
        return weighed(pair, language, re.search(urgent, "\n".join([*earlier, text]), re.IGNORECASE) is not None)
    return hanging(text, language) if question == "decide" else []


def alternatives(text: str, language: str) -> tuple[str, str] | None:
    """The two things that a message asks to choose between, as the agent would name them to the person.

    Chinese without the leading 先 or 再, English in the base form. None: it asks for no such choice between two acts.
    """
    if (found := _asked(_ZH if language == "zh" else _EN, text, language)) is None:
        return None
    x, y = (_option(found[name], language) for name in ("x", "y"))
    return (x, y) if x and y and y != "不" + x else None


def weighed(options: tuple[str, str], language: str, urgent: bool = False) -> list[str]:
    """Sentences that lean to one of two options and say why; none where nothing speaks for either.

    Where it is ``urgent``, to wait is to be late.
    """
    kinds = {option: _kinds(option, language) for option in options}
    if urgent:
        kinds = {option: {"late" if kind == "wait" else kind for kind in found} for option, found in kinds.items()}
    for name, speaks_for in _RULES.items():
        for x, y in (options[::-1], options):
            if speaks_for(kinds[x], kinds[y]):
                return [] if "drastic" in kinds[x] else _sentences(name, language, x, y)
    return []


def hanging(text: str, language: str) -> list[str]:
    """Sentences that say what "should I?" hangs on; none where that is not asked, or of what ends something."""
    if (found := _asked(_ZH_ACT if language == "zh" else _EN_ACT, text, language)) is None:
        return []
    asked = next(group for group in found.groups() if group)
    act = _ZH_LEAD.sub("", asked) if language == "zh" and len(asked) < 3 else _option(asked, language)
    if not act or "drastic" in _kinds(act, language) or " or " in act or "还是" in act:
        return []
    return _sentences("act", language, act)


def _asked(pattern: re.Pattern[str], text: str, language: str) -> re.Match[str] | None:
    """Where the last sentence asks so, and states no risk."""
    end = r"(?<=[。！!.\n])\s*" if language == "zh" else r"(?<=[.!\n])\s*"
    sentence = re.split(end, plain(text).strip())[-1].strip()
    found = pattern.search(sentence)
    return found if found and assess(sentence).risk is Risk.NONE else None


def _kinds(option: str, language: str) -> set[str]:
    """What an option may be, by its words."""
    words = moves(language)["either"]["words"]
    return {name for name, pattern in words.items() if re.search(pattern, option, re.IGNORECASE)}


def _sentences(name: str, language: str, x: str, y: str = "") -> list[str]:
    said = [sentence.replace("{x}", x).replace("{y}", y) for sentence in moves(language)["either"][name]]
    return [sentence for sentence in said if not objection(sentence, language)]


def _option(text: str, language: str) -> str:
    text = text.strip(" 、,，")
    if language == "zh":
        option = _ZH_END.sub("", _ZH_LEAD.sub("", text)).replace("，", "").replace(",", "")
        fit = 1 < len(option) <= _ZH_MOST and not _ZH_NO_ACT.search(option) and not re.search("[A-Za-z0-9]", option)
    else:
        option = re.sub(r"^(?:just|maybe) | first$", "", text[:1].lower() + text[1:])
        fit = len(option.split()) <= _EN_MOST and not _EN_NO_ACT.search(option)
    return turned(option, language) if fit else ""
