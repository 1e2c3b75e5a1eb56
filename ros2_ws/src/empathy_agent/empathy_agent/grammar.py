"""GBNF grammars (llama.cpp) that hold a model to the chain of empathy and to the language of the post.

Length is bounded in sentences, not in characters, because a cap on characters cuts an answer in the middle; the cap on
one sentence is far above what a model writes by itself. Digits are left out on purpose: a small model invents telephone
numbers, and a wrong help line is worse than none.
"""

from __future__ import annotations

import json
import random

from empathy_agent.chain import THINK, Layer
from empathy_agent.prompt import language_data

# Gap between sentences, gap that may begin a paragraph, a free sentence, and what goes on after a given opening.
_LANGUAGES = {
    "zh": """
gap ::= ""
pause ::= "\\n"?
sentence ::= [一-鿿“] rest | [一-鿿]{1,4} [。！？]
rest ::= [一-鿿] [一-鿿，、；：“”《》（）—]{3,90} [。！？]
""",
    "en": """
gap ::= " "
pause ::= " " | "\\n"
sentence ::= [A-Z“] rest | [A-Z] [a-z' ]{1,8} [.!?]
rest ::= [a-zA-Z] [A-Za-zÀ-ÖØ-öø-ÿ ,;:'’"“”()–—-]{8,260} [.!?]
""",
}
_OFFERED = 4  # whole sentences to pick from
_ENDS = ("。", "？", ".", "?")

# (fewest, most) sentences of each part without a scaffold: what nine in ten of the seed set's examples keep to.
_SENTENCES = {
    Layer.EMOTIONS_AND_CONTEXT: (1, 3),
    Layer.CAUSES_AND_BELIEFS: (1, 4),
    Layer.INTENTION: (1, 3),
    Layer.STRATEGY: (1, 4),
    Layer.ANSWER: (4, 24),
}

LANGUAGES = tuple(_LANGUAGES)


def chain_grammar(language: str, scaffold: bool, post: str) -> str:
    """The grammar for ``"zh"`` (Chinese script, no Latin letters) or ``"en"`` (Latin script, no Chinese).

    With ``scaffold`` each sentence begins with, or is, one of the choices of ``prompts.yaml``. They keep a small model
    speaking to the person, on the person's side, through the moves of an empathetic reply (NURSE: name, understand,
    respect, support, explore). A capable model writes better without. Where a sentence is picked and not written, a
    model picks the same one every time, so only some are offered; ``post`` decides which. Raises ``KeyError`` for
    another language.
    """
    chance = random.Random(post)
    rules = [f'root ::= "<{THINK}>" part1 part2 part3 part4 "</{THINK}>" part5']
    for layer in Layer:
        if scaffold:
            body = " gap ".join(_choices(choices, chance) for choices in language_data(language)["scaffold"][layer.tag])
        else:
            fewest, most = _SENTENCES[layer]
            gap = "pause" if layer is Layer.ANSWER else "gap"
            body = f"sentence ({gap} sentence){{{fewest - 1},{most - 1}}}"
        rules.append(f'part{layer} ::= "<{layer.tag}>" {body} "</{layer.tag}>"')
    return "\n".join(rules) + _LANGUAGES[language]


def _choices(choices: list[str], chance: random.Random) -> str:
    if len(choices) > _OFFERED and all(choice.endswith(_ENDS) for choice in choices):
        choices = chance.sample(choices, _OFFERED)
    alternatives = (
        json.dumps(choice, ensure_ascii=False) + ("" if choice.endswith(_ENDS) else " rest") for choice in choices
    )
    return f"({' | '.join(alternatives)})"
