# ruff: noqa: E501 - a pattern that is cut in two is harder to read than a long line
"""A person's own words, turned to the second person: "my sister left" becomes "your sister left".

What is said back in somebody's own words is neither misread nor invented, which is more than a small model's own words
can promise. Only clauses that stand on their own are taken.
"""

from __future__ import annotations

import itertools
import re
import unicodedata

from empathy_agent.language import HAN
from empathy_agent.safety.gate import Risk, assess
from empathy_agent.safety.normalise import simplified

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
    r"你|您|妳|[吗呢么吧嘛]$|怎么|怎样|为什么|为啥|如何|什么时候|该不该|要不要|是不是|有没有|能不能|可不可以|到底|还是不|如果|要是|假如|万一|[“”\"「」]|^(?:我想问|我问|我说|谢谢|你好)|(?:试试|试一下|看看|想想)$|(?:因为|所以|但是|而且|说|是|的|跟|和|在|把|被)$"
)
_ZH_TURNED = {"我们": "你们", "咱们": "你们", "咱": "你们", "我": "你"}
_ZH_TURN = re.compile(r"自我|忘我|我们|咱们|咱|我")

_EN_SENTENCE = re.compile(r"[.!?;\n—–]+|:(?!\d)")
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
    r"^(?:i|i'm|i've|i'd|i'll|he|she|they|we|we're|we've|it|it's|he's|she's|they're|they've|my|our|his|her|their|the|this|nobody|no one|everyone|everybody|someone|somebody|a|an|one|two|three|both|all|mum|mom|mam|dad|grandma|grandpa|nan|gran)\b",
    re.IGNORECASE,
)
_EN_VERB = re.compile(
    r"\b(?:am|is|are|was|were|be|been|have|has|had|do|does|did|don't|doesn't|didn't|can|can't|cannot|could|couldn't|will|won't|would|wouldn't|should|might|must|feel|feels|felt|keep|keeps|kept|know|knows|knew|think|thinks|thought|want|wants|need|needs|say|says|said|tell|tells|told|get|gets|got|go|goes|went|come|comes|came|see|sees|saw|make|makes|made|take|takes|took|leave|leaves|left|lose|lost|find|found|give|gave|hate|hates|love|loves|miss|try|tries|live|lives|work|works|sit|sits|sat|cry|cries|lie|lies|lay|sleep|sleeps|slept|wake|wakes|woke|fail|eat|ate|run|ran|became|began|beat|bit|blew|broke|brought|built|bought|caught|chose|cut|dealt|drank|drew|drove|fell|fought|flew|froze|grew|held|hid|hit|hung|hurt|led|lent|let|met|meant|paid|put|quit|rang|read|rode|rose|sang|sank|sent|set|shook|shot|shut|slid|sold|spent|spoke|stole|stood|struck|stuck|stung|swept|swore|taught|threw|tore|understood|won|wore|wrote|stop|call|calls|ask|asks|look|looks|hear|hears|heard|forget|forgot|moved?|\w{2,}ed|\w{2,}[^s\W]s|i'm|i've|i'd|i'll|he's|she's|it's|they're|they've|we're|we've)\b",
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
    "i am": "you are", "we are": "you are", "we were": "you were", "am i": "are you", "i was": "you were", "i wasn't": "you weren't", "i'm": "you're",
    "i've": "you've", "ive": "you've", "im": "you're", "i'd": "you'd", "i'll": "you'll", "i": "you", "me": "you", "my": "your", "mine": "yours",
    "myself": "yourself", "we": "you", "we're": "you're", "we've": "you've", "we'd": "you'd", "we'll": "you'll",
    "us": "you", "our": "your", "ours": "yours", "ourselves": "yourselves",
}  # fmt: skip
_EN_TURN = re.compile(
    r"(?<![\w'])(?:" + "|".join(map(re.escape, sorted(_EN_TURNED, key=len, reverse=True))) + r")(?![\w'])",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"^(?:[A-Z][a-z]+ [A-Z]|I\b|I')")
_ZH_NAME = re.compile("[^\\W\\d_a-z你我他她它们的了是不在有这那个么什就都也还说要会能到去来上下一里]{2}")
_EN_NAME = re.compile(
    r"\b(?!(?:about|there|their|would|could|should|really|still|going|think|things?|other|again|because|first|where|which"
    r"|never|always|myself|yourself|after|before|those|these|maybe|doing|being|every|little|right|years|today)\b)[a-z]{5,}"
)
_SENTENCE_END = re.compile(r"[。！？!?\n]+|\.(?=\s)")
_ZH_SMALL = range(3, 23)
_ZH_CORRECTION = re.compile(r"^(?:而|其实|(?!我).{1,6}的)?(是.+)$|^(?:我(?:说|讲|指)的是)(.+)$")
_ZH_ASKED_LEAD = re.compile(
    r"^(?:那(?![个些])|所以|可是|但是?|不过|请问|我想问(?:问|一下)?|帮我想想|我不知道|不知道|嗯|你(?:说|觉得|看)(?!的)|[，,])+"
)
_ZH_ASKED_END = re.compile(r"(?:呢|啊|呀|吧|(?:比较|更)?好)+$")
_ZH_ASKS = re.compile(r"怎么|怎样|如何|什么|该不该|要不要|是不是|能不能|会不会|可不可以|还是|哪|谁|几|多久|多少")
_ZH_ASKED_MOST = 26
_EN_ASKED = [
    (re.compile(pattern, re.IGNORECASE), turned)
    for pattern, turned in (
        (r"^(?:do you think|would you say) (i|we) should (.+)$", r"whether \1 should \2"),
        (r"^what do you think (i|we) should (.+)$", r"what \1 should \2"),
        (r"^what if (.+)$", r"what happens if \1"),
        (r"^why (?:do|did) (i|we) (.+)$", r"why \1 \2"),
        (r"^(why) (am|are|was|were) (i|we) (.+)$", r"\1 \3 \2 \4"),
        (
            r"^((?:what|how|where|when|who|which)\b[\w' ]{0,24}?) (?:should|can|could|shall|do|would|must) (?:i|we) (.+)$",
            r"\1 to \2",
        ),
        (r"^(?:should|shall) (?:i|we) (.+)$", r"whether to \1"),
        (r"^(?:can|could|may) (i|we) (.+)$", r"whether \1 can \2"),
        (r"^(am|was|were|are) (i|we) (.+)$", r"whether \2 \1 \3"),
        (
            r"^(is|are|was|were|will|would|has|have) (it|this|that|he|she|they|(?:my|the|his|her|their) \w+) (.+)$",
            r"whether \2 \1 \3",
        ),
        (
            r"^(why|how|when|what|where) (is|are|was|were|will|would) (it|this|that|he|she|they|(?:my|the) \w+) (.+)$",
            r"\1 \3 \2 \4",
        ),
    )
]
_EN_ASKED_LEAD = re.compile(r"^(?:so|and|but|ok|okay|then|well|please|now|anyway|honestly)\b[, ]*", re.IGNORECASE)
_EN_ASKED_MOST = 18
_UNFIT = re.compile(rf"[^\w{HAN}À-ÖØ-öø-ÿ ',%-]|\d{{4,}}|_|<|>|www|http", re.IGNORECASE)


def plain(text: str) -> str:
    """A text in the widths and with the apostrophes that the patterns expect."""
    return unicodedata.normalize("NFKC", text).replace("’", "'")


def simple(text: str, language: str) -> str:
    """A plain text, a Chinese one in simplified characters."""
    return simplified(plain(text)) if language == "zh" else plain(text)


def clauses(text: str, language: str) -> list[str]:
    """Clauses of a text in ``"zh"`` or ``"en"`` that can be said back, in the second person and in their order.

    Clauses that address the listener, ask, quote, depend on another, hold signs or long numbers, or state a risk are
    left out. At most :data:`MOST`, of a longer text the last ones: there it says what matters now.
    """
    text = plain(text)
    found = _turned_zh(text) if language == "zh" else _turned_en(text)
    return list(dict.fromkeys(turned for own, turned in found if assess(own).risk is Risk.NONE))[-MOST:]


def told_before_asking(text: str, language: str) -> list[str]:
    """The clauses of a message that ends in a question, without those of its last sentence: what is asked is no fact."""
    ends = list(_SENTENCE_END.finditer(text.rstrip().rstrip("。！？!?.~… ")))
    return clauses(text[: ends[-1].end()], language) if ends else []


def is_about(clause: str, text: str, language: str) -> bool:
    """Whether a clause names something that a text names, too."""
    return bool(_names(clause, language) & _names(text, language))


def _names(text: str, language: str) -> set[str]:
    """Pairs of Chinese characters, or long English words, without those that are in everything."""
    text = simple(text, language).lower()
    if language == "en":
        return set(_EN_NAME.findall(text))
    return {pair for pair in map("".join, itertools.pairwise(text)) if _ZH_NAME.fullmatch(pair)}


def corrections(text: str, language: str) -> list[str]:
    """What a correction says is so: clauses that may be short, such as "it's your sister"."""
    text = plain(text)
    found = []
    for part in _ZH_SPLIT.split(text) if language == "zh" else ():
        if (match := _ZH_CORRECTION.match(part)) and len(part) in _ZH_SMALL and not _ZH_OPEN.search(part):
            found.append(_ZH_TURN.sub(_zh_turned, match[1] or "你说的是" + match[2]))
    return [clause for clause in found if not _UNFIT.search(clause)] or clauses(text, language)


def asked(text: str, language: str) -> list[str]:
    """The question that a text ends with, as part of a sentence: "how to tell your boss"; none, if it has no such form."""
    text = plain(text)
    questions = re.findall(r"[^。！？!?\n]+[？?]" if language == "zh" else r"[^.!?\n]+[?]", text)
    for question in reversed(questions[-2:]):
        turned = (_asked_zh if language == "zh" else _asked_en)(question.strip(" ?？"))
        if turned and not _UNFIT.search(turned.replace("，", "")) and assess(question).risk is Risk.NONE:
            return [turned]
    return []


def turned(words: str, language: str) -> str:
    """Words of the person's as said to them: "my boss" is "your boss"."""
    return _ZH_TURN.sub(_zh_turned, words) if language == "zh" else _en_turned(words)


def _asked_zh(question: str) -> str:
    parts = [part for part in re.split("[，,、 ]+", _ZH_ASKED_LEAD.sub("", question)) if part]
    whole = parts.pop() if parts else ""
    while parts and len(whole) + len(parts[-1]) < _ZH_ASKED_MOST:
        whole = f"{parts.pop()}，{whole}"
    whole = _ZH_ASKED_END.sub("", whole)
    if (
        not 4 <= len(whole) <= _ZH_ASKED_MOST
        or "吗" in whole
        or re.search("你|您", whole)
        or not _ZH_ASKS.search(whole)
    ):
        return ""
    return _ZH_TURN.sub(_zh_turned, whole)


def _asked_en(question: str) -> str:
    question = _EN_ASKED_LEAD.sub("", question.strip())
    if len(question.split()) > _EN_ASKED_MOST or "," in question:
        return ""
    for pattern, turned in _EN_ASKED:
        if pattern.match(question):
            said = pattern.sub(turned, question[:1].lower() + question[1:])
            # Of the agent, and not of the person: no part of what is said to the person.
            return "" if re.search(r"\b(?:you|your)\b", said, re.IGNORECASE) else _en_turned(said)
    return ""


def _zh_turned(match: re.Match[str]) -> str:
    return _ZH_TURNED.get(match[0], match[0])


def _en_turned(clause: str) -> str:
    return _EN_TURN.sub(lambda match: _EN_TURNED[match[0].lower()], clause)


def _turned_zh(text: str) -> list[tuple[str, str]]:
    found = []
    for part in _ZH_SPLIT.split(text):
        clause = _ZH_LEAD.sub("", part)
        if len(clause) in _ZH_LENGTH and _ZH_SUBJECT.search(clause) and not _ZH_OPEN.search(clause):
            turned = _ZH_TURN.sub(_zh_turned, clause)
            if not _UNFIT.search(turned) and not re.search("[a-z]{3}", turned, re.IGNORECASE):
                found.append((clause, turned))
    return found


def _turned_en(text: str) -> list[tuple[str, str]]:
    found = []
    for sentence in re.split(r"(?<=[.!?;\n])|(?<=:)(?!\d)", text):
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
                turned = _en_turned(clause)
                if not _UNFIT.search(turned) and not re.search(f"[{HAN}]", turned):
                    found.append((clause, turned if _CAPITAL.match(turned) else turned[:1].lower() + turned[1:]))
    return found
