"""Text that a model chooses and does not write: what is decided already is not generated.

Held by a grammar, a model says every letter of the sentence that it chose, at the speed at which it writes. Here it is
asked for one token where the choices part; what they have in common is evaluated together with the next question,
several times as fast (docs/dialogue.md).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Iterator, Sequence

from empathy_agent.engines import EngineError

Pick = Callable[[str, str], str]
"""Given the text so far and a grammar (GBNF) of what may follow, the model's next letters; none ends what is asked."""


def chosen(places: Sequence[Collection[str]], pick: Pick) -> Iterator[str]:
    """The text in pieces, as it is decided: at each place one of the strings that may stand there.

    Raises ``EngineError`` when the model says what none of them goes on with.
    """
    text = ""
    for place in places:
        rest = set(place)
        while rest != {""}:
            piece = _beginning(rest) or pick(text, choice_grammar(rest))
            # One that ends here is not one that goes on.
            rest = {one.removeprefix(piece) for one in rest if one.startswith(piece)} if piece else rest & {""}
            if not rest:
                raise EngineError("the model said what was not offered; is the file damaged?")
            text += piece
            if piece:
                yield piece


def choice_grammar(choices: Collection[str]) -> str:
    """GBNF for one of some strings, as a tree: where many begin alike, llama.cpp need not follow each."""
    return f"root ::= {_tree(sorted(choices))}\n"


def _tree(choices: list[str]) -> str:
    branches = []
    for _, group in itertools.groupby(choices, key=lambda one: one[:1]):
        alike = list(group)
        begin = _beginning(alike)
        rest = f" ({_tree([one[len(begin) :] for one in alike])})" if len(alike) > 1 else ""
        branches.append(json.dumps(begin, ensure_ascii=False) + rest)
    return " | ".join(branches)


def _beginning(texts: Collection[str]) -> str:
    """What all begin with: the first and the last in order differ the earliest."""
    pairs = zip(min(texts), max(texts), strict=False)
    return "".join(one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
