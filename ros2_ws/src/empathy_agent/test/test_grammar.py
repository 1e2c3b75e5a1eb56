"""The grammar of a model that writes, as text, and as a real model obeys it."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from empathy_agent.chain import Layer
from empathy_agent.engines import Decoding, complete
from empathy_agent.engines.llama_cpp import LlamaCpp
from empathy_agent.grammar import LANGUAGES, chain_grammar
from empathy_agent.language import is_in_language
from empathy_agent.parser import ChainParser
from empathy_agent.prompt import Message
from empathy_agent.turns import KINDS, Turn

POSTS = {"zh": "我妈妈上个月去世了，我每天都睡不着。", "en": "My mother died last month and I lie awake every night."}

each_turn = pytest.mark.parametrize("turn", [Turn(kind) for kind in KINDS], ids=lambda turn: turn.kind)
each_language = pytest.mark.parametrize("language", LANGUAGES)


@each_turn
@each_language
def test_every_rule_that_is_used_is_defined(language: str, turn: Turn) -> None:
    grammar = chain_grammar(language, turn)
    defined = set(re.findall(r"^([\w-]+) ::=", grammar, re.MULTILINE))
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]', "", grammar)
    used = set(re.findall(r"[a-z][\w-]*", bare))
    assert "root" in defined
    assert used <= defined


@each_turn
@each_language
def test_no_part_can_hold_a_digit_or_a_tag(language: str, turn: Turn) -> None:
    bare = re.sub(r"</?(?:L\d|answer|empathy_think)>|\{[\d,]+\}|part\d", "", chain_grammar(language, turn))
    assert not re.search(r"[\d<>]", bare)


def test_brief_turns_get_brief_answers() -> None:
    assert "{0,2}" in chain_grammar("en", Turn("thanks")).splitlines()[5]
    assert "{1,11}" in chain_grammar("en", Turn("story")).splitlines()[5]


@each_language
def test_a_real_model_is_held_to_the_format_and_the_language(small_model: Path, language: str) -> None:
    # Shorter sentences than the grammar allows: this model writes nonsense without end.
    grammar = chain_grammar(language, Turn("more")).replace("{0,260}", "{0,20}").replace("{0,90}", "{0,6}")
    engine = LlamaCpp(small_model, "small", context=2048)
    prompt = [Message(role="user", content=POSTS[language])]
    parser = ChainParser()
    parser.feed(complete(engine, prompt, Decoding(grammar=grammar, temperature=1.0, seed=1), threading.Event()))
    engine.close()
    _, chain = parser.finish()
    assert chain.valid
    assert all(is_in_language(chain[layer], language) for layer in Layer)
