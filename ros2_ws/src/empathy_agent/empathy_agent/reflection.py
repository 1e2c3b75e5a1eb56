# ruff: noqa: E501 - a pattern that is cut in two is harder to read than a long line
"""A person's own words, turned to the second person: "my sister left" becomes "your sister left".

What is said back in somebody's own words is neither misread nor invented, which is more than a small model's own words
can promise. Only clauses that stand on their own are taken.
"""

from __future__ import annotations

import re
import unicodedata

from empathy_agent.language import HAN
from empathy_agent.safety.gate import Risk, assess

MOST = 8
"""Clauses of one text."""

_ZH_SPLIT = re.compile(r"[。！？!?；;，,、:：…—~～\s]+")
_ZH_LENGTH = range(5, 23)
_ZH_LEAD = re.compile(
    r"^(?:但是|可是|不过|然后|所以|因为|而且|其实|就是|结果|后来|只是|虽然|于是|另外|还有|反正|并且|那个|嗯|唉|哎|啊|不|不是|对|是的|没错|好的?|但|可|而|又|也|还|却|今天|昨天|昨晚|刚才)+"
)
_ZH_SUBJECT = re.compile(
    r"^(?:我|咱|他|她|它|们|这|那|自己|爸|妈|父|母|爷|奶|外婆|外公|姥|哥|姐|弟|妹|老公|老婆|丈夫|妻子|孩子|儿子|女儿|男|女|朋友|闺蜜|同事|同学|室友|老师|老板|领导|经理|公司|家|猫|狗|医生|邻居|房东|婆婆|公公|每|一|上|下|去年|前|最近|有人|大家|没有?人|谁都)"
)
_ZH_OPEN = re.compile(
    r"你|您|妳|[吗呢么吧嘛]$|怎么|怎样|为什么|为啥|如何|什么时候|该不该|要不要|是不是|有没有|能不能|可不可以|如果|要是|假如|万一|[“”\"「」]|^(?:我想问|我问|我说|谢谢|你好)|(?:因为|所以|但是|而且|说|是|的|跟|和|在|把|被)$"
)
_ZH_TURNED = {"我们": "你们", "咱们": "你们", "咱": "你们", "我": "你"}
_ZH_TURN = re.compile(r"自我|忘我|我们|咱们|咱|我")

_EN_SENTENCE = re.compile(r"[.!?;:\n—–]+")
_EN_CLAUSE = re.compile(
    r",\s+|\s+(?:but|because|so|although|though|and|then|while|since)\s+"
    r"(?=(?:i|i'm|i've|i'd|he|she|they|we|it|my|his|her|their|our|nobody|everyone|the|now|then)\b)",
    re.IGNORECASE,
)
_EN_JOINED = re.compile(r"^\w+\s+and\s+$")  # "Maria and" before "I don't talk"
_EN_LENGTH = range(3, 19)
_EN_LEAD = re.compile(
    r"^(?:and|but|so|then|also|well|no|yes|yeah|okay|ok|just|actually|honestly|basically|today|yesterday|now|still|because|although|though|last night|to be honest|i mean|hi|hello)\b[, ]*",
    re.IGNORECASE,
)
_EN_SUBJECT = re.compile(
    r"^(?:i|i'm|i've|i'd|i'll|he|she|they|we|we're|we've|it|it's|he's|she's|they're|they've|my|our|his|her|their|the|this|that's|nobody|no one|everyone|everybody|someone|somebody|a|an|one|two|three|both|all|mum|mom|mam|dad|grandma|grandpa|nan|gran)\b",
    re.IGNORECASE,
)
_EN_VERB = re.compile(
    r"\b(?:am|is|are|was|were|be|been|have|has|had|do|does|did|don't|doesn't|didn't|can|can't|cannot|could|couldn't|will|won't|would|wouldn't|should|might|must|feel|feels|felt|keep|keeps|kept|know|knows|knew|think|thinks|thought|want|wants|need|needs|say|says|said|tell|tells|told|get|gets|got|go|goes|went|come|comes|came|see|sees|saw|make|makes|made|take|takes|took|leave|leaves|left|lose|lost|find|found|give|gave|hate|hates|love|loves|miss|try|tries|live|lives|work|works|sit|sits|sat|cry|cries|lie|lies|lay|sleep|sleeps|slept|wake|wakes|woke|fail|eat|ate|run|ran|stop|call|calls|ask|asks|look|looks|hear|hears|heard|forget|forgot|moved?|\w{2,}ed|\w{2,}[^s\W]s|i'm|i've|i'd|i'll|he's|she's|it's|they're|they've|we're|we've|that's)\b",
    re.IGNORECASE,
)
_EN_OPEN = re.compile(
    r"\b(?:you|your|yours|yourself|thank|thanks)\b|^(?:if|what|why|how|when|where|which|whether)\b|[\"“”]",
    re.IGNORECASE,
)
_EN_DANGLING = re.compile(
    r"\b(?:and|but|because|so|the|a|an|to|of|in|on|at|with|for|from|my|is|was|are|were|that|who|i|as|like)$",
    re.IGNORECASE,
)
_EN_TURNED = {
    "i am": "you are", "am i": "are you", "i was": "you were", "i wasn't": "you weren't", "i'm": "you're",
    "i've": "you've", "i'd": "you'd", "i'll": "you'll", "i": "you", "me": "you", "my": "your", "mine": "yours",
    "myself": "yourself", "we": "you", "we're": "you're", "we've": "you've", "we'd": "you'd", "we'll": "you'll",
    "us": "you", "our": "your", "ours": "yours", "ourselves": "yourselves",
}  # fmt: skip
_EN_TURN = re.compile(
    r"(?<![\w'])(?:" + "|".join(map(re.escape, sorted(_EN_TURNED, key=len, reverse=True))) + r")(?![\w'])",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"^(?:[A-Z][a-z]+ [A-Z]|I\b|I')")
_UNFIT = re.compile(rf"[^\w{HAN}À-ÖØ-öø-ÿ ',%-]|\d{{4,}}|_|<|>|www|http", re.IGNORECASE)


def clauses(text: str, language: str) -> list[str]:
    """Clauses of a text in ``"zh"`` or ``"en"`` that can be said back, in the second person and in their order.

    Clauses that address the listener, ask, quote, depend on another, hold signs or long numbers, or state a risk are
    left out. At most :data:`MOST`, of a longer text the last ones: there it says what matters now.
    """
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    found = _turned_zh(text) if language == "zh" else _turned_en(text)
    return list(dict.fromkeys(turned for own, turned in found if assess(own).risk is Risk.NONE))[-MOST:]


def _turned_zh(text: str) -> list[tuple[str, str]]:
    found = []
    for part in _ZH_SPLIT.split(text):
        clause = _ZH_LEAD.sub("", part)
        if len(clause) in _ZH_LENGTH and _ZH_SUBJECT.search(clause) and not _ZH_OPEN.search(clause):
            turned = _ZH_TURN.sub(lambda match: _ZH_TURNED.get(match[0], match[0]), clause)
            if not _UNFIT.search(turned) and not re.search("[a-z]{3}", turned, re.IGNORECASE):
                found.append((clause, turned))
    return found


def _turned_en(text: str) -> list[tuple[str, str]]:
    found = []
    for sentence in re.split(r"(?<=[.!?;:\n])", text):
        if sentence.rstrip().endswith("?"):
            continue
        plain = _EN_SENTENCE.sub("", sentence)
        for part in _EN_CLAUSE.split(plain):
            clause = part.strip()
            if _EN_JOINED.search(plain[: plain.index(part)]):
                continue
            while (shorter := _EN_LEAD.sub("", clause)) != clause:
                clause = shorter
            whole = _EN_SUBJECT.search(clause) and _EN_VERB.search(clause) and not _EN_DANGLING.search(clause)
            if len(clause.split()) in _EN_LENGTH and whole and not _EN_OPEN.search(clause):
                turned = _EN_TURN.sub(lambda match: _EN_TURNED[match[0].lower()], clause)
                if not _UNFIT.search(turned) and not re.search(f"[{HAN}]", turned):
                    found.append((clause, turned if _CAPITAL.match(turned) else turned[:1].lower() + turned[1:]))
    return found
