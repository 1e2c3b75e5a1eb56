"""A language model as judge: which of two replies is better, asked in both orders.

Judges prefer what stands first (Zheng et al. 2023, arXiv:2306.05685); a preference counts when it survives the swap,
otherwise the pair is a tie.
"""

from __future__ import annotations

import functools
import itertools
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from empathy_agent.engines import Decoding, Engine, complete
from empathy_agent.language import language_of
from empathy_agent.prompt import Message
from pydantic import BaseModel, ConfigDict

from empathy_training.corpus.examples import Example
from empathy_training.evaluation.records import add_record, read_records

JUDGEMENTS_FILE = "judgements.jsonl"
"""Within the folder of an evaluation."""
_LETTER = re.compile(r"(?<![A-Za-z])[AB](?![A-Za-z])")


class Judgement(BaseModel):
    """One answer of the judge; ``winner`` is empty where it named neither."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    judge: str
    id: str
    """Of the example."""
    first: str
    """Label of the system whose reply stood first."""
    second: str
    winner: str


def judge_pairs(
    examples: Sequence[Example],
    answers: Mapping[str, Sequence[str]],
    open_engine: Callable[[], Engine],
    judge: str,
    path: Path,
    progress: Callable[[], None] = lambda: None,
) -> list[Judgement]:
    """Ask for every post and every pair of systems, twice.

    Args:
        examples: the posts.
        answers: of each system, one for each example.
        open_engine: opens the judge; not called when nothing is missing.
        judge: its name, part of what decides which judgements of the file are taken as they are.
        path: ``.jsonl`` file, made where there is none. An interrupted run goes on with it. Delete it when the
            replies have changed.
        progress: called after each question.

    Raises:
        OSError, ValueError: the file or the engine fails.
    """
    there = {
        (one.id, one.first, one.second): one
        for one in (read_records(Judgement, path) if path.exists() else ())
        if one.judge == judge
    }
    asked = [
        (index, first, second) for index in range(len(examples)) for first, second in itertools.permutations(answers, 2)
    ]
    engine: Engine | None = None
    found = []
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("a", encoding="utf-8") as stream:
            for index, first, second in asked:
                example = examples[index]
                judgement = there.get((example.id, first, second))
                if judgement is None:
                    engine = engine or open_engine()
                    letter = _ask(engine, example, answers[first][index], answers[second][index])
                    winner = {"A": first, "B": second}.get(letter, "")
                    judgement = Judgement(judge=judge, id=example.id, first=first, second=second, winner=winner)
                    add_record(stream, judgement)
                found.append(judgement)
                progress()
    finally:
        if engine is not None:
            engine.close()
    return found


def preferences(judgements: Sequence[Judgement]) -> dict[str, dict[str, list[float]]]:
    """Of each system against each other one: 1 for a post where it won in both orders, 0 lost, 0.5 anything else."""
    verdicts: dict[tuple[str, str, str], list[str]] = {}
    for one in judgements:
        low, high = sorted((one.first, one.second))
        verdicts.setdefault((one.id, low, high), []).append(one.winner)
    found: dict[str, dict[str, list[float]]] = {}
    for (_, low, high), winners in verdicts.items():
        share = 1.0 if winners == [low] * 2 else 0.0 if winners == [high] * 2 else 0.5
        found.setdefault(low, {}).setdefault(high, []).append(share)
        found.setdefault(high, {}).setdefault(low, []).append(1.0 - share)
    return found


def points(judgements: Sequence[Judgement]) -> list[dict[str, float]]:
    """Of each post: how many pairs each system won, a tie being half a win."""
    posts: dict[str, list[Judgement]] = {}
    for one in judgements:
        posts.setdefault(one.id, []).append(one)
    return [
        {label: sum(won for (won,) in against.values()) for label, against in preferences(own).items()}
        for own in posts.values()
    ]


def _ask(engine: Engine, example: Example, first: str, second: str) -> str:
    """``A``, ``B``, or anything else for no verdict."""
    texts = {"{post}": example.post, "{first}": first, "{second}": second}
    instructions = _instructions()[language_of(example.locale)]
    text = re.sub(r"\{(?:post|first|second)\}", lambda place: texts[place[0]].replace("<|", "< |"), instructions)
    grammar = 'root ::= "A" | "B"' if engine.supports_grammar else ""
    decoding = Decoding(max_tokens=8, temperature=0.0, dry_multiplier=0.0, grammar=grammar, whole=False)
    output = complete(engine, [Message(role="user", content=text)], decoding, threading.Event())
    letters = set(_LETTER.findall(output))
    return letters.pop() if len(letters) == 1 else ""


@functools.cache
def _instructions() -> dict[str, Any]:
    return yaml.safe_load(resources.files("empathy_training.evaluation").joinpath("judge.yaml").read_text("utf-8"))
