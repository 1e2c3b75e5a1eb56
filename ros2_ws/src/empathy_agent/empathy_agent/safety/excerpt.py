# ruff: noqa: E501 - an alternation that is cut in two is harder to read than a long line
"""What the crisis gate reads of a very long text, so that its caller does not wait.

Both ends are read whole: a cry for help begins or closes a post. Of what lies between, everything around a word that can
belong to a crisis is read, however often such words come.
"""

from __future__ import annotations

import unicodedata

from empathy_agent.safety.patterns import compiled

WHOLE = 10_000
"""A text of so many characters is read from one end to the other."""
END = 5_000
"""Of a longer one, so many characters at either end."""
BEFORE, AFTER = 120, 80
"""How many characters around a word of alarm are read, as the rules look at around a finding."""

# Wide on purpose: a word too many costs a fraction of a millisecond. As typed: both scripts, the spellings of filters.
_ALARM = compiled(
    r"死|亖|杀|殺|鲨|鯊|紫砂|自尽|自盡|轻生|輕生|寻短|尋短|不活|想活|活不|活够|活夠|活腻|活膩|活着|活著|唔想做人|不想(?:再)?做人|遗书|遺書|遗言|遺言|绝笔|絕筆|后事|後事|下辈子|下輩子|解脱|解脫|了断|了斷|了结|了結|[想要]消失|消失就好|撑不|撐不|熬不|顶唔|頂唔|捱唔|累赘|累贅|拖累|跳楼|跳樓|跳下|跳河|跳桥|跳橋|天台|楼顶|樓頂|铁轨|鐵軌|上吊|割腕|割手|割脉|划手|𠝹|鎅|自残|自殘|自伤|自傷|烧炭|燒炭|木炭|农药|農藥|百草枯|安眠药|安眠藥|吞药|吞藥|吞了|药片|藥片|刀(?:片|子)|[拿买買带帶用把]刀|[把]刀|枪|槍|捅|砍|弄死|同归于尽|同歸於盡|命令我|声音(?:叫|让|说|要)|聲音(?:叫|讓|說|要)|[个個]声音|[个個]聲音|把聲|打我|掐|强奸|強姦|性侵|猥亵|猥褻|摸我|脱我|脫我|锁在|鎖在|救命|救护车|救護車|流血|大出血|叫不醒|呼吸(?:不|困难|困難)|没呼吸|沒呼吸|昏倒|晕倒|暈倒|着火|煤气|煤氣|报警|報警"
    r"|kill|suicid|sewerslide|unalive|\bkms\b|\bkys\b|\bctb\b|\bdie\b|\bdying\b|\bdead\b|\bdeath\b|\bend (?:it|me|my|things)\b|\bending (?:it|me|my|things)\b|(?:end|take|took|taking|ending) my (?:own )?life|(?:be|been|being) alive|be here anymore|not exist|(?:not|never|n't|hope \w+ don't) wake up|burden|better off without|goodbye (?:every|all|forever|world|my)|last goodbye|hang(?:ed|ing)? my|overdos|\bod'?e?d?\b|\bpills\b|tablets|paracetamol|\brope\b|noose|\bgun\b|rifle|pistol|knife|razor|\bblade\b|\bcut(?:ting)? my|\bcuts\b|self.?harm|hurt(?:ing)? (?:my|him|her|them|me)|\bstab|murder|strangl|chok(?:e|ed|ing)|\brap(?:e|ed|ist)\b|molest|touch(?:es|ed|ing) me|beat(?:s|ing)? me|hit(?:s|ting)? me|voices? (?:in|tell|say|want)|jump(?:ed|ing)? (?:off|from|in front)|(?:on|off|from) (?:the|a) (?:\w+ )?bridge|rooftop|train tracks|bleed|can't breathe|not breathing|unconscious|call 911|call an ambulance|k ?i ?l ?l ?m ?y"
    r"|zi ?sha|xiang ?si|bu ?xiang ?huo|ge ?wan|tiao ?lou"
)


def excerpt(text: str) -> str:
    """What is read of a text: all of it up to :data:`WHOLE` characters; otherwise its ends and what lies around words of
    alarm, each passage on a line of its own. Takes time linear in the length."""
    if len(text) <= WHOLE:
        return text
    # Full-width letters and capitals hide no word; NFKC may change the length, so the ends are cut after it.
    text = unicodedata.normalize("NFKC", text).lower()
    middle = text[END - BEFORE : -END + AFTER]
    passages: list[list[int]] = []
    # Lone surrogates cannot be encoded for RE2; one character stands for one, so the places stay.
    for match in _ALARM.finditer(middle.encode("utf-8", "replace").decode("utf-8")):
        start, end = max(0, match.start() - BEFORE), match.end() + AFTER
        if passages and start <= passages[-1][1]:
            passages[-1][1] = end
        else:
            passages.append([start, end])
    between = [middle[start:end] for start, end in passages]
    return "\n".join([text[:END], *dict.fromkeys(between), text[-END:]])
