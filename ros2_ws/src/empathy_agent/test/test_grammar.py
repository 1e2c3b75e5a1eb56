"""The grammars as text; test_engine_llama_cpp.py has a real model obey them."""

from __future__ import annotations

import re

import pytest
from empathy_agent.grammar import LANGUAGES, chain_grammar, scaffold_grammar
from empathy_agent.scaffold import scaffold
from empathy_agent.turns import KINDS, Turn

TURNS = [Turn(kind, "tell" if kind == "question" else "") for kind in KINDS]
POSTS = {"zh": "我妈妈上个月去世了，我每天都睡不着。", "en": "My mother died last month and I lie awake every night."}


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.kind)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_that_is_used_is_defined(language: str, turn: Turn) -> None:
    for grammar in (
        chain_grammar(language, turn),
        scaffold_grammar(language, scaffold(turn, language, POSTS[language])),
        scaffold_grammar(language, scaffold(turn, language, "...")),
    ):
        defined = set(re.findall(r"^([\w-]+) ::=", grammar, re.MULTILINE))
        bare = re.sub(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]', "", grammar)
        used = set(re.findall(r"[a-z][\w-]*", bare))
        assert "root" in defined
        assert used <= defined


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.kind)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_part_can_hold_a_digit_or_a_tag(language: str, turn: Turn) -> None:
    for grammar in (
        chain_grammar(language, turn),
        scaffold_grammar(language, scaffold(turn, language, POSTS[language])),
    ):
        bare = re.sub(r"</?(?:L\d|answer|empathy_think)>|\{[\d,]+\}|part\d", "", grammar)
        assert not re.search(r"[\d<>]", bare)


def test_brief_turns_get_brief_answers() -> None:
    assert "{0,2}" in chain_grammar("en", Turn("thanks")).splitlines()[5]
    assert "{3,23}" in chain_grammar("en", Turn("story")).splitlines()[5]
