"""Layers for corpora that have answers only, written by any language model and checked before they are kept."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from empathy_agent.chain import Layer
from empathy_agent.engines import Decoding, Engine, complete
from empathy_agent.language import language_data, language_of
from empathy_agent.parser import ChainParser
from empathy_agent.prompt import Message

from empathy_training.corpus.examples import Example, as_line, parse, read_examples

_MAX_TOKENS = 700
_TRIES = 2


@dataclass
class Written:
    """What came of a corpus."""

    written: int = 0
    there: int = 0
    """Examples that the file held already."""
    refused: Counter[str] = field(default_factory=Counter)
    """Examples for which the model wrote no usable layers, and why."""


def write_chains(
    examples: Iterable[Example],
    engine: Engine,
    path: Path,
    seed: int = 0,
    progress: Callable[[], None] = lambda: None,
    cancelled: threading.Event | None = None,
) -> Written:
    """Add the examples with layers to a file, one by one; those that it holds already are left as they are.

    Args:
        examples: with answers; layers that they have are kept.
        engine: writes the layers.
        path: ``.jsonl`` file, made where there is none. An interrupted run goes on with it.
        seed: of the sampling, where the engine takes one.
        progress: called after each example.
        cancelled: ends the run with :class:`~empathy_agent.engines.Cancelled` when it is set.

    Raises:
        OSError, ValueError: the file cannot be written, or holds lines that are no examples; the engine fails.
    """
    written = Written()
    there: set[str] = set()
    if path.exists():
        reading = read_examples(path)
        if reading.faults:
            fault = reading.faults[0]
            raise ValueError(f"{path}, line {fault.line}: {fault.reason}; mend it, or write to another file")
        there = {example.id for example in reading.examples}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        for example in examples:
            if example.id in there:
                written.there += 1
            else:
                try:
                    stream.write(as_line(_with_chain(example, engine, seed, cancelled or threading.Event())))
                    written.written += 1
                except ValueError as error:
                    written.refused[str(error)] += 1
            stream.flush()
            progress()
    return written


def _with_chain(example: Example, engine: Engine, seed: int, cancelled: threading.Event) -> Example:
    """The example itself where it has layers. Raises ``ValueError`` when the model wrote no usable ones."""
    if example.has_chain:
        return example
    instructions = language_data(language_of(example.locale))["chain_writer"]
    text = instructions.replace("{post}", example.post).replace("{answer}", example.answer).replace("<|", "< |")
    version = hashlib.sha256(instructions.encode()).hexdigest()[:12]
    reason = ""
    for attempt in range(_TRIES):
        decoding = Decoding(
            max_tokens=_MAX_TOKENS, temperature=0.7, stop=("</empathy_think>",), seed=seed + attempt, whole=False
        )
        parser = ChainParser()
        parser.feed(complete(engine, [Message(role="user", content=text)], decoding, cancelled))
        _, chain = parser.finish()
        missing = [layer.tag for layer in chain.missing if layer is not Layer.ANSWER]
        if missing:
            reason = f"the model left out {', '.join(missing)}"
            continue
        layers = {layer.tag: chain[layer] for layer in Layer if layer is not Layer.ANSWER}
        content = example.model_copy(update={**layers, "chain_by": f"{engine.model}, prompt {version}, seed {seed}"})
        try:
            return parse(as_line(content), {example.licence})
        except ValueError as error:
            reason = str(error)
    raise ValueError(reason)
