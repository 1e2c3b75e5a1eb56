# ruff: noqa: E501 - a pattern that is cut in two is harder to read than a long line
"""Questions of the form "A or B?", "should I?" and "is it silly?": what is asked, and what may be leant to.

The agent knows little, so it leans by what is true of nearly all such choices: to what does not wear the person out, to
saying it rather than carrying it alone, to what can still be undone unless time counts, to the smaller step first, and
never to what ends something (a job, a marriage). The words for that are data (``moves/``, ``either``). Where none of it
applies there is nothing that it could say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from empathy_agent.reflection import simple, turned
from empathy_agent.safety import Risk, assess, objection
from empathy_agent.turns import moves

_CHOOSING = ("decide", "opinion", "cope")
"""Types of question that may ask for a choice."""
_RULES: dict[str, Callable[[set[str], set[str]], bool]] = {
    "wearing": lambda x, y: "wearing" in y - x,
    "late": lambda x, y: "late" in y - x,
    "public": lambda x, y: "public" in y - x,
    "push": lambda x, y: "push" in y - x,
    "tell": lambda x, y: "tell" in x and "wait" in y - x,
    "keep": lambda x, y: "keep" in x and "drastic" in y - x,
    "wait": lambda x, y: "wait" in x - y,
    "small": lambda x, y: "small" in x - y,
}
"""What speaks for x against y, of the kinds that they are; the first that holds decides."""
_ZH = re.compile(
    r"(?P<x>[^，,。！？!?；;：:\s]+)[，,？?]?(?:还是|抑或|定系)(?P<y>[^，,。！？!?；;：:\s]+)(?:[，,][^。！？!?]*)?[？?]*$"
)
_ZH_BEFORE = re.compile(
    r"^.{0,10}?(?:我们|咱们|咱|我)?(?:是|应该|该)(?!不该|不是)(?=.{2})|"
    r"^.{1,10}?我(?=主动|先|去|来|要|直接|在|现在|还|今晚|明天)"
)
"""What comes before the first act: "发邮件是今晚发", "那聚会我主动约她们"."""
_ZH_LEAD = re.compile(
    r"^(?:那|所以|到底|究竟|你说|你觉得|你看|现在|其实|干脆|这种情况|这(?:个|件)?(?:话|事情?)|下次|下回|我们|咱们|咱|我(?![俩妈爸哥姐弟妹家])|"
    r"(?:该不|要不|能不|想不)?(?:该|要|能|想)|应该|是|会|就|只|直接|先|再)+"
)
_ZH_END = re.compile(r"(?:比较)?(?:好|呢|啊|呀|吧|嘛|更好|吗|就)+$")
_ZH_NO_ACT = re.compile(
    r"^(?:他|她|它|你|这(?!么)|那|真|太|因为|自己的|别人|谁|有|没有|只|显得|算了)|^(?:现在|最近|今天)$|(.)不\1|什么|怎么|谁|吗|哪|多少|几[个点时号]|是|会不会|"
    r"要不要|能不能|我(?:先|该|主动|去|来|不)|的$"
)
_ZH_ALONE = re.compile("^(?:那|所以|到底|究竟|你说|你觉得|我们|咱们|咱|我|应该|该|是|要|想|会)+")
_ZH_SHORTEST = re.compile("..|[退睡去走留换买]")
_ZH_MOST = 16
_EN = re.compile(
    r"(?:\b(?:(?:should|shall|do|would|could|can) (?:i|we)|(?:i|we) should)\b(?: rather| better| just| do\b[^,?.!]*,)?|"
    r"\bbetter(?: for me)? to)"
    r" (?P<x>[^,?.!;:]+?),? or(?: else)?(?: (?:should|do|shall) (?:i|we))?(?: to)? (?P<y>[^,?.!;:]+)"
    r"(?:, what(?:'s| is| would be) better)?\?*$",
    re.IGNORECASE,
)
_ZH_ACTS = tuple(
    map(
        re.compile,
        (
            r"(?:^|[，,。\s]|那|我|你说|到底|还)(?P<x>[一-鿿]{1,10}?)(?:还是|，还是)不(?P=x)[^。！？!?]{0,3}[？?]?$",
            r"(?:该不该|要不要|应不应该|是不是该|能不能|可不可以)(?:再|也|就)?(?P<y>[^，,。！？!?；;：:]{2,14}?)(?:吗|啊|呢|了)*"
            r"[？?]?(?:[，,？?](?:还是|怕|会|省得|不然)[^。？?]{1,16})?[？?]*$",
            r"我(?:还|应该|该|要|可以|能)(?P<z>[^，,。！？!?；;：:是不]{2,12})(?:吗|么)[？?]*(?:[，,](?:怕|会|又)[^。？?]{1,16})?$",
            r"(?:我|你说|那)+(?:直接|现在|先|就)*(?P<m>[^，,。！？!?；;：:吗]{3,14}?)(?:行不行|行不|行吗|合适吗|合适不|可以吗|好不好|成吗)[？?]*$",
            r"(?:^|[，,。\s]|我|那|还|到底|明天|以后|下回)(?:还|再|到底|明天|以后)*(?P<v>[一-鿿])不(?P=v)(?P<r>[一-鿿]{0,8}?)(?:了|啊|呢|呀|好)*"
            r"[？?]*(?:[，,。？?](?:还是)?[^。？?]{1,14})?[？?]*$",
            r"我(?:是|要是)?(?P<h>[^，,。！？!?；;：:]{2,12}?)[，,？?]*还是[^。！？!?]{1,14}[？?]*$",
        ),
    )
)
_EN_ACTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:^|\b(?:so|and|but|think|seriously) |, )(?:should i|i should|do i|shall i|can i)(?: just| even| still)? (?P<x>[^,?.!;:]+?)(?:,[^?]*)?\?+$",
        r"(?:^|\b(?:so|and|but|think|then|now) |[,.] )(?:should i|do i|shall i)(?: just)? (?P<y>[^,?.!;:]+?)"
        r"(?: (?:tho|though|then|now))?(?: or (?:not|nah|what|(?:is|would|will|does|has|be|just|before|after|face|or|by)\b.*))?[?]*$",
    )
)
_EN_NO_ACT = re.compile(
    r" or |^(?:the|an?|my|his|her|their|that|this|because|too|so|be|is|am|are|was|were|has|had|not|in|on|at|what|who|whether|after|before|"
    r"would|will|could|does|do|did|it|i|he|she|they|we|you|only|through|face|by|for|if|need|have|know|really|even|\w+ly)\b|"
    r"^(?!(?:wait|go|stay|leave|refuse|accept|ask|skip|call|ring|write|lie|sleep|move|rest|stop|apologi[sz]e|push|try|text|talk)$)\w+$",
    re.IGNORECASE,
)
_EN_MOST = 11  # words
_ZH_NAMED = re.compile(
    r"(?:^|[^一-鿿])(?:那|你说|选|要|是|先|用|买|吃|穿)*(?P<x>[一-鿿]{1,6}?)[呢啊]?[，,]?还是(?:选|用|买|吃|穿)?(?P<y>(?!不|没)[一-鿿]{1,6}?)(?:好|更好|比较好|呢|啊|呀)*[？?]*$"
)
_EN_NAMED = re.compile(
    r"(?:^|[,.:;–-] ?|\b(?:so|and|then|ok|okay|wear|take|have|get|buy|choose|pick|eat|bring) )"
    r"(?P<x>(?:the|a|an|my) [\w' -]{2,24}?) or (?P<y>(?:the|a|an|my) [\w' -]{2,24}?)\??$"
    r"|^(?:(?:so|ok|okay|but|and|well)[ ,]+)*(?P<a>(?:[\w'-]+ ){0,2}[\w'-]+) or (?P<b>(?:[\w'-]+ ){0,3}[\w'-]+)\?*$",
    re.IGNORECASE,
)
_EN_BARE = re.compile(
    r"(?:^|[,.:;–-] ?|\b(?:so|and|then|ok|okay) )"
    r"(?P<x>(?:tell|lie|go|stay|call|ring|wait|keep|ask|start|take|leave|fix|say|write|text|send|sleep|try|let|come|pay|talk)\b[\w' ]{0,40}?)"
    r" or (?:just )?(?P<y>(?:tell|lie|go|stay|call|ring|wait|keep|ask|start|take|leave|fix|say|write|text|send|sleep|try|let|come|pay|talk)\b[\w' ]{0,40}?)(?: (?:ah|lah|then|instead))?\??$",
    re.IGNORECASE,
)
_ZH_DOUBTED = re.compile(
    r"(?:会不会|会勿会|是不是|算不算)(?:我|这样|这么做|显得|有点|也|真的)*"
    r"(?P<x>太?(?:花|小气|矫情|自私|幼稚|夸张|冷血|过分|作|傻|唐突|突兀|刻意|随便|快|早|晚|急|隆重|贵|计较|敏感|多心|多事|狠心|没出息|胆小|丢人|没礼貌|虚荣|啰嗦|土|素|艳|奇怪|怪|小题大做|得寸进尺|多管闲事|嘚瑟))"
    r"(?:了|啊|呀|呢|吧|吗)*[？?]*$"
)
_EN_DOUBTED = re.compile(
    r"\b(?:is|was|am|are|would|isn't|wasn't|aren't)\b[^.?!]{0,40}?\b(?P<x>(?:too |so )?(?:unkind|cowardly|selfish|silly|stupid|dumb|weird|"
    r"wrong|bad|rude|mean|pathetic|childish|petty|crazy|odd|cruel|ungrateful|lazy|weak|dramatic|greedy|cheeky|creepy|tacky|vain|daft|cheesy)"
    r"|too (?:soon|late|much|old|loud|bright|early|long|short))\b(?: (?:of me|to|that|this|already|if|when)\b[^?]*)?\??$",
    re.IGNORECASE,
)
_DOUBTING = ("decide", "opinion", "cope", "whether")
"""Types of question that may ask whether something is too much, or unkind."""


def leanings(text: str, language: str, question: str, earlier: Sequence[str] = ()) -> list[str]:
    """Sentences that answer a question of a type of ``moves/`` with a side, or with what it hangs on; none without.

    ``earlier`` are the person's messages before: they tell whether time counts.
    """
    pair = alternatives(text, language) if question in _CHOOSING else None
    if pair:
        urgent = moves(language)["either"]["urgent"]
        return weighed(pair, language, re.search(urgent, "\n".join([*earlier, text]), re.IGNORECASE) is not None)
    if question in _DOUBTING and (found := _asked(_ZH_DOUBTED if language == "zh" else _EN_DOUBTED, text, language)):
        return _sentences("too", language, found["x"])
    if question == "decide" and (depends := hanging(text, language)):
        return depends
    if question in _CHOOSING and (found := _asked(_ZH_NAMED if language == "zh" else _EN_NAMED, text, language)):
        return _sentences("named", language, *(turned(name.strip(), language) for name in found.groups() if name))
    return []


def alternatives(text: str, language: str) -> tuple[str, str] | None:
    """The two things that a message asks to choose between, as the agent would name them to the person.

    Chinese without the leading 先 or 再, English in the base form. None: it asks for no such choice between two acts.
    """
    patterns = (_ZH,) if language == "zh" else (_EN, _EN_BARE)
    found = next((match for pattern in patterns if (match := _asked(pattern, text, language))), None)
    if found is None:
        return None
    x, y = (_option(found[name], language) for name in ("x", "y"))
    return (x, y) if x and y and y != "不" + x else None


def weighed(options: tuple[str, str], language: str, urgent: bool = False) -> list[str]:
    """Sentences that lean to one of two options and say why, or, where nothing speaks for either, how to tell.

    None where one of them ends something and nothing speaks against it. Where it is ``urgent``, to wait is to be late.
    """
    kinds = {option: _kinds(option, language) for option in options}
    if urgent:
        kinds = {option: {"late" if kind == "wait" else kind for kind in found} for option, found in kinds.items()}
    for name, speaks_for in _RULES.items():
        for x, y in (options[::-1], options):
            if speaks_for(kinds[x], kinds[y]):
                return [] if "drastic" in kinds[x] else _sentences(name, language, x, y)
    return [] if any("drastic" in kind for kind in kinds.values()) else _sentences("open", language, *options)


def hanging(text: str, language: str) -> list[str]:
    """Sentences that say what "should I?" hangs on; none where that is not asked, or of what ends something."""
    for pattern in _ZH_ACTS if language == "zh" else _EN_ACTS:
        if (found := _asked(pattern, text, language)) is None:
            continue
        asked = "".join(group for group in found.groups() if group)
        bare = language == "zh" and len(asked) < 3
        act = turned(_ZH_LEAD.sub("", asked), language) if bare else _option(asked, language)
        if act and not {"drastic", "harm"} & _kinds(act, language) and " or " not in act and "还是" not in act:
            return _sentences("act", language, act)
    return []


def _asked(pattern: re.Pattern[str], text: str, language: str) -> re.Match[str] | None:
    """Where one of the last two sentences asks so, the last one first, and states no risk."""
    text = simple(text, language)
    end = r"(?<=[。！!.\n])\s*|(?<=[？?])(?!\s*(?:还是|抑或|定系))\s*" if language == "zh" else r"(?<=[.!?\n])\s*"
    sentences = [stripped for sentence in re.split(end, text) if (stripped := sentence.strip())]
    for number, sentence in enumerate(reversed(sentences[-2:])):
        if number and not sentence.endswith(("?", "？")):
            break
        if (found := pattern.search(sentence)) and assess(sentence).risk is Risk.NONE:
            return found
    return None


def _kinds(option: str, language: str) -> set[str]:
    """What an option may be, by its words."""
    words = moves(language)["either"]["words"]
    return {name for name, pattern in words.items() if re.search(pattern, option, re.IGNORECASE)}


def _sentences(name: str, language: str, x: str, y: str = "") -> list[str]:
    said = [
        sentence.replace("{x}", x).replace("{y}", y).replace("{X}", x[:1].upper() + x[1:])
        for sentence in moves(language)["either"][name]
    ]
    return [sentence for sentence in said if not objection(sentence, language)]


def _option(text: str, language: str) -> str:
    text = text.strip(" 、,，")
    if language == "zh":
        text = _ZH_END.sub("", _ZH_BEFORE.sub("", text))
        option = _ZH_LEAD.sub("", text)
        if len(option) < 2:  # "现在说" is no "说"
            option = _ZH_ALONE.sub("", text)
        option = option.replace("，", "").replace(",", "")
        fit = (
            bool(_ZH_SHORTEST.match(option))
            and len(option) <= _ZH_MOST
            and not _ZH_NO_ACT.search(option)
            and not re.search("[A-Za-z0-9]", option)
        )
    else:
        option = re.sub(r"^(?:just|maybe|only) | first$", "", text[:1].lower() + text[1:])
        fit = len(option.split()) <= _EN_MOST and not _EN_NO_ACT.search(option)
    return turned(option, language) if fit else ""
