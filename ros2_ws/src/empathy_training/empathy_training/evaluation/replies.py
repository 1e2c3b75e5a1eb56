"""The replies of several systems to the same posts, in one file, for everything that judges them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from empathy_agent.chain import Layer
from empathy_agent.engines import DROPPED, Engine
from empathy_agent.language import language_of
from empathy_agent.parser import ChainParser
from empathy_agent.request import request
from empathy_agent.safety import Risk, assess
from pydantic import BaseModel, ConfigDict

from empathy_training.corpus.examples import Example
from empathy_training.evaluation.records import add_record, read_records

REPLIES_FILE = "replies.jsonl"
"""Within the folder of an evaluation."""


class GeneratedReply(BaseModel):
    """What a system wrote to a post, and how long it took."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    system: str
    """The system's label in this evaluation."""
    spec: str
    """What was run, see :mod:`empathy_training.evaluation.systems`."""
    seed: int
    id: str
    """Of the example."""
    text: str
    """The whole output."""
    answer: str
    """The answer in it; empty where there is none."""
    valid: bool
    """Whether the output keeps to the format of the chain."""
    seconds_to_first_token: float
    seconds_total: float


def answerable(examples: Sequence[Example]) -> list[Example]:
    """The examples whose post goes to a model at all: the agent answers a crisis by rules."""
    return [example for example in examples if assess(example.post).risk is not Risk.CRISIS]


def generate(
    examples: Sequence[Example],
    label: str,
    spec: str,
    open_engine: Callable[[], Engine],
    path: Path,
    seed: int = 0,
    progress: Callable[[], None] = lambda: None,
) -> list[GeneratedReply]:
    """Replies to all posts, drawn as the agent draws its first attempt; added to a file one by one.

    Args:
        examples: whose posts are answered.
        label: of the system.
        spec: of the system; with label, seed and post it decides which replies of the file are taken as they are.
        open_engine: opens the engine; not called when nothing is missing.
        path: ``.jsonl`` file, made where there is none. An interrupted run goes on with it.
        seed: of the sampling.
        progress: called after each post.

    Returns:
        The replies in the order of the examples.

    Raises:
        OSError, ValueError: the file or the engine fails.
    """
    known = read_replies(path) if path.exists() else []
    there = {reply.id: reply for reply in known if (reply.system, reply.spec, reply.seed) == (label, spec, seed)}
    missing = [example for example in examples if example.id not in there]
    for _ in range(len(examples) - len(missing)):
        progress()
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = open_engine()
        try:
            with path.open("a", encoding="utf-8") as stream:
                for example in missing:
                    reply = _reply(example, label, spec, engine, seed)
                    add_record(stream, reply)
                    there[example.id] = reply
                    progress()
        finally:
            engine.close()
    return [there[example.id] for example in examples]


def read_replies(path: Path) -> list[GeneratedReply]:
    """The replies of a file. Raises as :func:`~empathy_training.evaluation.records.read_records` does."""
    return read_records(GeneratedReply, path)


def _reply(example: Example, label: str, spec: str, engine: Engine, seed: int) -> GeneratedReply:
    language = language_of(example.locale)
    prompt, decoding = request(engine, language, example.post, seed=seed)
    text = ""
    start = time.monotonic()
    first = 0.0
    # A reply that is cut off is what the system writes, and is judged as that.
    for chunk in engine.stream(prompt, replace(decoding, whole=False), threading.Event()):
        first = first or time.monotonic() - start
        text = "" if chunk == DROPPED else text + chunk
    parser = ChainParser()
    parser.feed(text)
    _, chain = parser.finish()
    return GeneratedReply(
        system=label,
        spec=spec,
        seed=seed,
        id=example.id,
        text=text,
        answer=chain[Layer.ANSWER],
        valid=chain.valid,
        seconds_to_first_token=first,
        seconds_total=time.monotonic() - start,
    )
