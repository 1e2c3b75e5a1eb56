"""What a weak model may choose from in a turn: its plan, sentence by sentence.

A model of 1.5 billion parameters that writes freely misreads people; what it can do is choose. So each sentence of its
chain is a person's own words (``reflection.py``) in a frame, or one of the vetted sentences of ``moves/`` for this
kind of turn, this theme and this type of question. What was said before in the session is not offered again.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from empathy_agent.chain import THINK, Layer
from empathy_agent.choices import leanings
from empathy_agent.language import language_data
from empathy_agent.reflection import asked, clauses, corrections
from empathy_agent.sentences import split_sentences
from empathy_agent.session import key
from empathy_agent.situations import advice
from empathy_agent.turns import Turn, moves, theme_of, turn_of
from empathy_agent.wording import wordings

OFFERED = 4
"""Sentences to choose from: a model that may pick from all picks the same one every time."""
OFFERED_ANSWERS = 7
CLAUSE, FEELING, BELIEF, ASKED = "{clause}", "{feeling}", "{belief}", "{asked}"
_TELLING = 2
"""Clauses to choose from, the longest: of those a reader found a third wrong to say back, of the shorter ones two."""
_REMEMBERED = 3
"""Earlier messages whose clauses may be taken up."""
_PLACE = re.compile(r"(\{\w+\})")
_ABOUT_AGENT = ("memory", "self_of_agent", "outside", "judged")


@dataclass(frozen=True)
class Scaffold:
    """The sentences of each part in order, each a list of choices, which may hold the names of ``picks``."""

    sentences: dict[Layer, list[list[str]]]
    picks: dict[str, list[str]]
    """What may stand for ``{clause}``, ``{feeling}``, ``{belief}`` and ``{asked}``."""

    def places(self, gap: str) -> tuple[tuple[str, ...], ...]:
        """The whole chain with all that may stand at each place, for :class:`~empathy_agent.engines.Decoding`.

        ``gap`` stands between sentences.
        """
        result: list[tuple[str, ...]] = [(f"<{THINK}>",)]
        for layer, sentences in self.sentences.items():
            result.append((f"<{layer.tag}>",))
            for number, choices in enumerate(sentences):
                result += [(gap,)] * (number > 0)
                result.append(tuple(text for choice in choices for text in self._filled(choice)))
            result.append((f"</{layer.tag}>" + f"</{THINK}>" * (layer is Layer.STRATEGY),))
        return tuple(result)

    def _filled(self, choice: str) -> Iterator[str]:
        pieces = (self.picks.get(piece, [piece]) for piece in _PLACE.split(choice))
        return map("".join, itertools.product(*pieces))


def scaffold(turn: Turn, language: str, text: str, earlier: Sequence[str] = (), said: Collection[str] = ()) -> Scaffold:
    """The plan of a turn.

    Args:
        turn: what the message does.
        language: ``"zh"`` or ``"en"``.
        text: the message; it also decides which sentences are offered.
        earlier: the person's earlier messages of the session, oldest first.
        said: sentences that the agent has said in the session, as :func:`~empathy_agent.session.key` writes them.
    """
    bank, plan = moves(language), language_data(language)["plan"]
    taken_up = bank["taken_up"]
    chance = random.Random(text)
    theme = theme_of([*earlier, text], language)
    kind = turn.kind
    own = corrections(text, language) if kind == "correction" else clauses(text, language)
    before = [clause for post in earlier[-_REMEMBERED:] for clause in clauses(post, language)]
    question = asked(text, language) if kind == "question" else []

    def offered(*lists: list[str], count: int = OFFERED) -> list[str]:
        """Some of what was not said yet, those of the first list before the others."""
        chosen: list[str] = []
        for one in lists:
            fresh = [choice for choice in one if not _said(choice, said)]
            chosen += chance.sample(fresh, min(len(fresh), count - len(chosen)))
        return chosen or chance.sample(lists[-1], 1)

    def of_theme(name: str) -> list[str]:
        return offered(bank[name][theme], *([] if theme == "general" else [bank[name]["general"]]))

    answer: list[list[str]]
    if kind == "question":
        about_agent = turn.question in _ABOUT_AGENT
        parts = bank["answers"][turn.question]
        asked_for = text, language, turn.question, earlier
        leaning, following = leanings(*asked_for), list[str]()
        if not leaning:
            known = advice(*asked_for)
            leaning = wordings(*asked_for, particular=known is not None)
            if known is not None and not leaning:
                leaning, following = list(known.first), list(known.then)
        first = offered(leaning, parts["first"], count=len(leaning) or OFFERED_ANSWERS)
        answer = [first, offered(following, parts["then"], count=len(following) or OFFERED)]
        if own and not earlier and not about_agent:  # a story that ends with a question
            answer.insert(0, offered(bank["frames"]["story"]))
        elif question and not leaning and not about_agent:
            answer.insert(0, offered(taken_up["asked"]))
        if before and not about_agent:
            answer.insert(-1, offered(taken_up["remembered"]))
        own = own + before
    elif kind == "good_news":
        answer = [offered(taken_up["glad"]), *([offered(bank["frames"]["good"])] if own else [])]
    elif kind == "correction":
        corrected = [offered(taken_up["corrected"], bank["frames"]["correction"]), of_theme("closings")]
        answer = corrected if own else [offered(bank["turns"]["correction_without_clause"])]
    elif kind == "anger_at_agent":
        answer = [offered(taken_up["sorry"]), offered(bank["turns"][kind])]
    elif kind == "small_talk" and own:
        answer = [offered(taken_up["light"])]
    elif kind == "short":
        answer = [offered(bank["turns"][kind]), *([offered(taken_up["back"])] if before else [])]
        own = before
    elif kind in bank["turns"]:
        answer = [offered(bank["turns"][kind])]
    else:
        answer = [of_theme("validations")]
        if len(earlier) % 2 == 0:  # whoever asks every time holds an interview
            answer.append(of_theme("closings"))
        if earlier and turn_of(earlier[0], language).kind == "good_news":  # no comfort where nobody is sad
            answer = [] if own else [offered(bank["turns"]["short"])]
        if own:
            answer.insert(0, offered(bank["frames"][kind]))
    shape = plan["good_news" if kind == "good_news" and own else "feeling" if own else "told" if earlier else "untold"]
    particular = plan["turns"][kind]
    beliefs = bank["beliefs"].get(theme) or bank["beliefs"]["general"]
    return Scaffold(
        {
            Layer.EMOTIONS_AND_CONTEXT: [shape["L1"]],
            Layer.CAUSES_AND_BELIEFS: [[choice] for choice in shape["L2"]],
            Layer.INTENTION: [particular["L3"]],
            Layer.STRATEGY: [particular["L4"]],
            Layer.ANSWER: answer,
        },
        {
            CLAUSE: sorted(own, key=len)[-_TELLING:],
            FEELING: [
                *(bank["feelings"] if kind != "good_news" else []),
                *(bank["good_feelings"] if kind == "good_news" or theme == "general" else []),
            ],
            BELIEF: chance.sample(beliefs, min(len(beliefs), OFFERED)),
            ASKED: question,
        },
    )


def _said(choice: str, said: Collection[str]) -> bool:
    """Whether a choice, or a frame with other words in it, was said before."""
    if not _PLACE.search(choice):
        return any(key(sentence) in said for sentence in split_sentences(choice))
    before, _, after = map(key, _PLACE.split(choice, maxsplit=1))
    return any(sentence.startswith(before) and sentence.endswith(after) for sentence in said)
