"""What a model chooses: by a model that is none, and by a real one."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from empathy_agent.chain import Layer
from empathy_agent.engines import Cancelled, Decoding, EngineError
from empathy_agent.engines.choosing import choice_grammar, chosen
from empathy_agent.engines.llama_cpp import LlamaCpp
from empathy_agent.grammar import LANGUAGES
from empathy_agent.parser import ChainParser
from empathy_agent.prompt import Message
from empathy_agent.scaffold import scaffold
from empathy_agent.turns import Turn
from hypothesis import given
from hypothesis import strategies as st

POSTS = {"zh": "我妈妈上个月去世了，我每天都睡不着。", "en": "My mother died last month and I lie awake every night."}

texts = st.text(alphabet='ab你好"\\ .', max_size=6)
places = st.lists(st.lists(texts, min_size=1, max_size=8), max_size=5)


def language_of(grammar: str) -> set[str]:
    """All that a tree allows."""
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|[()|]', grammar.removeprefix("root ::= "))

    def alternatives() -> set[str]:
        found = set()
        while True:
            begin = json.loads(tokens.pop(0))
            rest = {""}
            if tokens and tokens[0] == "(":
                tokens.pop(0)
                rest = alternatives()
                assert tokens.pop(0) == ")"
            found |= {begin + end for end in rest}
            if not tokens or tokens[0] != "|":
                return found
            tokens.pop(0)

    return alternatives()


@given(st.sets(texts, min_size=1))
def test_the_grammar_allows_the_choices_and_nothing_else(choices: set[str]) -> None:
    assert language_of(choice_grammar(choices)) == choices


@given(places, st.randoms(use_true_random=False))
def test_one_string_of_each_place_is_said(offered: list[list[str]], chance: random.Random) -> None:
    asked = []

    def pick(text: str, grammar: str) -> str:
        asked.append(text)
        one = chance.choice(sorted(language_of(grammar)))
        return one[: chance.randint(1, 3)]

    said = "".join(chosen(offered, pick))
    ends = {""}
    for place in offered:
        ends = {end + one for end in ends for one in place}
    assert said in ends
    assert all(said.startswith(text) for text in asked)


def test_only_what_is_open_is_asked() -> None:
    asked = []

    def pick(text: str, grammar: str) -> str:
        asked.append((text, language_of(grammar)))
        return "sad"

    offered = [["<L1>"], ["You feel sad today.", "You feel angry today."], ["</L1>"]]
    assert list(chosen(offered, pick)) == ["<L1>", "You feel ", "sad", " today.", "</L1>"]
    assert asked == [("<L1>You feel ", {"sad today.", "angry today."})]


def test_a_model_that_says_something_else_is_an_error() -> None:
    with pytest.raises(EngineError, match="not offered"):
        list(chosen([["yes", "no"]], lambda text, grammar: "maybe"))
    with pytest.raises(EngineError, match="not offered"):
        list(chosen([["yes", "no"]], lambda text, grammar: ""))


@pytest.fixture(scope="module")
def engine(small_model: Path) -> Iterator[LlamaCpp]:
    one = LlamaCpp(small_model, "small", context=2048, scaffold=True)
    yield one
    one.close()


@pytest.mark.parametrize("kind", ["story", "question", "thanks"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_real_model_chooses_a_whole_chain(engine: LlamaCpp, language: str, kind: str) -> None:
    turn = Turn(kind, "tell" if kind == "question" else "")
    offered = scaffold(turn, language, POSTS[language]).places(" ")
    prompt = [Message(role="user", content=POSTS[language])]
    said = "".join(engine.stream(prompt, Decoding(places=offered, temperature=1.0, seed=1), threading.Event()))
    parser = ChainParser()
    parser.feed(said)
    chain = parser.finish()[1]
    assert chain.valid
    assert all(chain[layer] for layer in Layer)
    for place in offered:
        fitting = [one for one in place if said.startswith(one)]
        assert fitting
        said = said[len(max(fitting, key=len)) :]
    assert said == ""


def test_letters_of_several_tokens_are_told_apart(engine: LlamaCpp) -> None:
    # This model's tokens are English: a Chinese character takes two or three of them.
    offered = (("你很难过。", "你很欣慰。", "你很忐忑。"),)
    prompt = [Message(role="user", content="hello")]
    assert "".join(engine.stream(prompt, Decoding(places=offered, seed=1), threading.Event())) in offered[0]


def test_a_choice_is_cancelled(engine: LlamaCpp) -> None:
    cancelled = threading.Event()
    text = engine.stream([Message(role="user", content="hello")], Decoding(places=(("ab", "cd"),) * 50), cancelled)
    next(text)
    cancelled.set()
    with pytest.raises(Cancelled):
        list(text)
