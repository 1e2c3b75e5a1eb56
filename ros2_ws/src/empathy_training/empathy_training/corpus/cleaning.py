"""What to leave out of a public corpus (Empathy-R1, arXiv:2509.14851: adverts, noise, answers that are too short).

Nothing is changed or masked: a text with a stranger's telephone number in it is dropped. Posts of people in acute
danger are set apart: the agent answers those without a model, so none is trained on them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from datasketch import MinHash, MinHashLSH
from empathy_agent.language import language_of
from empathy_agent.safety import Risk, assess

from empathy_training.corpus.examples import Example

SHORTEST_ANSWER = {"zh": 100, "en": 60}
"""Characters of a Chinese answer, as in the paper; words of an English one, about as long."""
SHORTEST_POST = {"zh": 60, "en": 40}
"""A post that is shorter tells hardly anything to reason about."""
SIMILAR = 0.7
"""Share of common pieces (Jaccard) from which two examples count as the same."""
_PIECE = 5
_PERMUTATIONS = 128

_CONTACT = re.compile(
    r"https?://|www\.|\b[\w.+-]+@[\w-]+\.\w{2,}"
    r"|(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"
    r"|(?:微信|薇信|vx|wx|qq|扣扣|企鹅)(?:号|群)?\s*(?:是|为|[:：])?\s*[a-z0-9_-]{5,}"
    r"|\+\d{1,3}[ -]?(?:\d[ -]?){7,}",
    re.IGNORECASE,
)
_ADVERT = re.compile(
    r"加我(?:的)?(?:微信|好友|qq|vx)|(?:关注|搜索)(?:我的|我们的)?(?:微信)?公众号|点击(?:下方|这里|链接|头像)"
    r"|扫(?:描)?(?:下方)?二?维?码(?:领|加|关注|咨询)|私信我(?:领|获取|预约)|(?:限时|免费)(?:领取|名额|报名|体验)|(?:咨询|课程|训练营)(?:优惠|特价|原价|报名)|我的(?:咨询|课程|工作室)(?:预约|链接|主页)"
    r"|\b(?:click (?:here|the link|below)|dm me|use (?:my )?code|sign up (?:here|now)|limited (?:time )?offer)\b"
    r"|\b(?:book a (?:free )?session (?:with me|now))\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>|&(?:nbsp|amp|lt|gt|quot|#\d+);|\[(?:img|url|表情|图片)[^\]]*\]", re.IGNORECASE
)
_STUTTER = re.compile(r"(\S)\1{9,}|(.{2,20}?)\2{4,}")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass
class Cleaned:
    """A corpus, sorted."""

    kept: list[Example] = field(default_factory=list)
    crisis: list[Example] = field(default_factory=list)
    """Posts of people in acute danger, for tests of the safety gate."""
    dropped: Counter[str] = field(default_factory=Counter)
    """How many were left out, and why."""


def clean(examples: Iterable[Example]) -> Cleaned:
    """Sort a corpus; of examples that are nearly the same the first is kept."""
    cleaned = Cleaned()
    known = MinHashLSH(threshold=SIMILAR, num_perm=_PERMUTATIONS)
    for example in examples:
        reason = objection(example)
        if not reason:
            signature = _signature(example)
            if known.query(signature):
                reason = "nearly the same as another"
            else:
                known.insert(len(cleaned.kept) + len(cleaned.crisis), signature)
        if reason:
            cleaned.dropped[reason] += 1
        elif assess(example.post).risk >= Risk.CRISIS:
            cleaned.crisis.append(example)
        else:
            cleaned.kept.append(example)
    return cleaned


def objection(example: Example) -> str:
    """Why an example is of no use by itself, in a few words; empty when nothing speaks against it."""
    language = language_of(example.locale)
    for what, text, shortest in (
        ("post", example.post, SHORTEST_POST[language]),
        ("answer", example.answer, SHORTEST_ANSWER[language]),
    ):
        if (len(text) if language == "zh" else len(text.split())) < shortest:
            return f"{what} too short"
        if _CONTACT.search(text):
            return f"{what} with contact details"
        if _ADVERT.search(text):
            return f"{what} with an advert"
        if (
            _MARKUP.search(text)
            or _STUTTER.search(text)
            or len(_LETTER.findall(text)) < 0.6 * len("".join(text.split()))
        ):
            return f"{what} with noise"
    return ""


def _signature(example: Example) -> MinHash:
    text = "".join((example.post + example.answer).lower().split())
    pieces = {text[start : start + _PIECE].encode() for start in range(max(1, len(text) - _PIECE + 1))}
    signature = MinHash(num_perm=_PERMUTATIONS)
    signature.update_batch(list(pieces))
    return signature
