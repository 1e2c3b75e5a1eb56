"""The grammars as text; test_engine_llama_cpp.py has a real model obey them."""

from __future__ import annotations

import re

import pytest
from empathy_agent.grammar import LANGUAGES, chain_grammar
from empathy_agent.prompt import language_data


@pytest.mark.parametrize("scaffold", [True, False])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_that_is_used_is_defined(language: str, scaffold: bool) -> None:
    grammar = chain_grammar(language, scaffold, "post")
    defined = set(re.findall(r"^([\w-]+) ::=", grammar, re.MULTILINE))
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]', "", grammar)
    used = set(re.findall(r"[a-z][\w-]*", bare))
    assert "root" in defined
    assert used <= defined


def test_posts_are_offered_different_steps_but_always_the_same_ones() -> None:
    assert chain_grammar("en", True, "a") == chain_grammar("en", True, "a")
    assert len({chain_grammar("en", True, str(post)) for post in range(20)}) > 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_part_can_hold_a_digit_or_a_tag(language: str) -> None:
    for scaffold in (True, False):
        grammar = re.sub(
            r"</?(?:L\d|answer|empathy_think)>|\{[\d,]+\}|part\d", "", chain_grammar(language, scaffold, "p")
        )
        assert not re.search(r"[\d<>]", grammar)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_and_question_ends_as_one_sentence(language: str) -> None:
    *_, steps, questions = language_data(language)["scaffold"]["answer"]
    assert all(step.endswith(("。", ".")) for step in steps)
    assert all(question.endswith(("？", "?")) for question in questions)
