"""What a weak model may choose from in a turn: its plan, sentence by sentence.

A model of 1.5 billion parameters that writes freely misreads people; what it can do is choose. So each sentence of its
chain is a person's own words (``reflection.py``) in a frame, or one of the vetted sentences of ``moves/`` for this
kind of turn, this theme and this type of question. What was said before in the session is not offered again.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from empathy_agent.chain import Layer
from empathy_agent.prompt import language_data
from empathy_agent.reflection import clauses
from empathy_agent.sentences import split_sentences
from empathy_agent.session import key
from empathy_agent.turns import Turn, moves, theme_of

OFFERED = 4
"""Sentences to choose from: a model that may pick from all picks the same one every time."""
CLAUSE, FEELING, BELIEF = "{clause}", "{feeling}", "{belief}"
_FRAMED = ("story", "more", "good_news", "correction")


@dataclass(frozen=True)
class Scaffold:
    """The sentences of each part in order, each a list of choices, which may hold the names of ``picks``."""

    sentences: dict[Layer, list[list[str]]]
    picks: dict[str, list[str]]
    """What may stand for ``{clause}``, ``{feeling}`` and ``{belief}``."""


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
    chance = random.Random(text)
    theme = theme_of([*earlier, text], language)
    own = clauses(text, language)
    kind = turn.kind
    if not own and kind in _FRAMED:
        kind = {"correction": "correction_without_clause", "good_news": "short"}.get(kind, "unclear")

    def offered(*lists: list[str]) -> list[str]:
        """Some of what was not said yet, those of the first list before the others."""
        fresh = [[choice for choice in one if not _said(choice, said)] for one in lists]
        chosen: list[str] = []
        for one in fresh:
            chosen += chance.sample(one, min(len(one), OFFERED - len(chosen)))
        return chosen or chance.sample(lists[-1], 1)

    def of_theme(name: str) -> list[str]:
        particular = bank[name][theme]
        return offered(particular, *([] if theme == "general" else [bank[name]["general"]]))

    again = bool(earlier)
    beliefs = bank["beliefs"].get(theme) or bank["beliefs"]["general"]
    answers = {
        "story": lambda: [offered(bank["frames"]["story"]), of_theme("validations"), of_theme("closings")],
        "more": lambda: [
            offered(bank["frames"]["more"]),
            of_theme("validations"),
            of_theme("steps" if len(earlier) % 2 == 0 else "closings"),
        ],
        "unclear": lambda: [of_theme("validations"), of_theme("closings")],
        "correction": lambda: [offered(bank["frames"]["correction"]), of_theme("closings")],
        "good_news": lambda: [offered(bank["frames"]["good"])],
        "question": lambda: [offered(bank["answers"][turn.question][part]) for part in ("first", "then")],
    }
    answer = answers[kind]() if kind in answers else [offered(bank["turns"][kind])]
    shape = plan["good_news" if kind == "good_news" else "feeling" if own else "told" if again else "untold"]
    particular = plan["turns"].get(turn.kind, plan["turns"]["story"])
    return Scaffold(
        {
            Layer.EMOTIONS_AND_CONTEXT: [shape["L1"]],
            Layer.CAUSES_AND_BELIEFS: [[choice] for choice in shape["L2"]],
            Layer.INTENTION: [particular["L3"]],
            Layer.STRATEGY: [particular["L4"]],
            Layer.ANSWER: answer,
        },
        {
            CLAUSE: own,
            FEELING: bank["good_feelings" if kind == "good_news" else "feelings"],
            BELIEF: chance.sample(beliefs, min(len(beliefs), OFFERED)),
        },
    )


def _said(choice: str, said: Collection[str]) -> bool:
    """Whether a choice, or a frame with other words in it, was said before."""
    if CLAUSE not in choice:
        return any(key(sentence) in said for sentence in split_sentences(choice))
    before, after = map(key, choice.split(CLAUSE))
    return any(sentence.startswith(before) and sentence.endswith(after) for sentence in said)
