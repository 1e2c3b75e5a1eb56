"""GBNF grammars (llama.cpp) that hold a model to the chain of empathy and to the language of the post.

Length is bounded in sentences, not in characters, because a cap on characters cuts an answer in the middle; the cap on
one sentence is far above what a model writes by itself. Digits are left out on purpose: a small model invents telephone
numbers, and a wrong help line is worse than none.
"""

from __future__ import annotations

from empathy_agent.chain import THINK, Layer
from empathy_agent.turns import Turn

# Gap between sentences, gap that may begin a paragraph, and a free sentence.
_LANGUAGES = {
    "zh": """
gap ::= ""
pause ::= "\\n"?
sentence ::= [一-鿿“《] [一-鿿，、；：“”‘’《》（）—…]{0,90} [。！？…] "”"?
""",
    "en": """
gap ::= " "
pause ::= " " | "\\n"
sentence ::= [A-Z“"] [A-Za-zÀ-ÖØ-öø-ÿ ,;:'’"“”()–—-]{0,260} [.!?] ["”]?
""",
}
# (fewest, most) sentences of each part. Brief turns get a brief answer.
_LAYERS = {
    Layer.EMOTIONS_AND_CONTEXT: (1, 3),
    Layer.CAUSES_AND_BELIEFS: (1, 4),
    Layer.INTENTION: (1, 3),
    Layer.STRATEGY: (1, 4),
}
_ANSWERS = dict.fromkeys(("story", "more", "question", "correction"), (2, 12))
_BRIEF = (1, 3)

LANGUAGES = tuple(_LANGUAGES)


def chain_grammar(language: str, turn: Turn) -> str:
    """The grammar for a model that writes: ``"zh"`` (Chinese script alone) or ``"en"`` (Latin script alone).

    Raises ``KeyError`` for another language.
    """
    rules = [f'root ::= "<{THINK}>" part1 part2 part3 part4 "</{THINK}>" part5']
    for layer, (fewest, most) in (_LAYERS | {Layer.ANSWER: _ANSWERS.get(turn.kind, _BRIEF)}).items():
        gap = "pause" if layer is Layer.ANSWER else "gap"
        sentences = f"sentence ({gap} sentence){{{fewest - 1},{most - 1}}}"
        rules.append(f'part{layer} ::= "<{layer.tag}>" {sentences} "</{layer.tag}>"')
    return "\n".join(rules) + _LANGUAGES[language]
