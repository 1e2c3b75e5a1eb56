"""Runs the scripted dialogues through the agent and keeps what was said; and two baselines that must lose."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from empathy_agent.chain import Layer
from empathy_agent.dialogue import Dialogue, DialogueError, Reply
from empathy_agent.engines import Decoding, Engine
from empathy_agent.prompt import Message
from empathy_agent.safety import Risk
from pydantic import BaseModel, ConfigDict, Field

from empathy_training.evaluation.chance import Chance
from empathy_training.evaluation.conversation_scripts import Script
from empathy_training.evaluation.records import add_record, read_records

TRANSCRIPTS_FILE = "transcripts.jsonl"
"""Within the folder of a run."""
BASELINES = ("parrot", "echo", "chance")
"""Labels of what must lose: the same kind sentence each time, the person's own words; and what stands for the choices
of a model that chooses, drawn by lot."""
_PARROT = {
    "zh": "听起来这真的很不容易，谢谢你愿意告诉我，你的感受是有道理的。",
    "en": "That sounds really hard, thank you for telling me, and what you feel makes sense.",
}
_FORM = ConfigDict(extra="forbid", frozen=True, strict=True)
# A model that fails a dialogue is measured; one that fails so many in a row is not there.
_MOST_SILENT = 3


class Answered(BaseModel):
    """What became of a turn."""

    model_config = _FORM

    text: str
    """The person's."""
    answer: str
    """The agent's; empty where there is none."""
    by_model: bool
    """Whether a model wrote the answer, and not a fixed text of the agent."""
    risk: int = Field(ge=0, le=2)
    """As which :class:`~empathy_agent.safety.Risk` the turn was taken."""
    fault: str
    """Why there is no answer, or a fixed one."""
    seconds_to_first: float
    """From the turn to the first text of the reply; that of the thoughts counts."""
    seconds_total: float


class Transcript(BaseModel):
    """A dialogue as it went."""

    model_config = _FORM

    label: str
    """Who answered."""
    model: str
    seed: int
    script: str
    """Id of the dialogue."""
    turns: tuple[Answered, ...] = Field(strict=False)


class _Seeded:
    """An engine whose draws are decided by a seed, the dialogue, and how many were made in it."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self._engine = engine
        self._seed = seed
        self._name = ""
        self._draws = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def begin(self, name: str) -> None:
        """A dialogue begins."""
        self._name, self._draws = name, 0

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """As the engine does it."""
        if decoding.seed is None:
            # The second attempt at a reply must not be the first one again.
            decoding = replace(decoding, seed=zlib.crc32(f"{self._seed}/{self._name}/{self._draws}".encode()) >> 1)
        self._draws += 1
        return self._engine.stream(messages, decoding, cancelled)


def converse(
    scripts: Sequence[Script],
    label: str,
    model: str,
    open_engine: Callable[[], Engine],
    path: Path,
    seed: int = 0,
    progress: Callable[[int], None] = lambda turns: None,
) -> list[Transcript]:
    """Hold the dialogues, each in a session of its own; added to a file one by one.

    Args:
        scripts: the dialogues.
        label: of the model in the table.
        model: what answers.
        open_engine: opens it; not called when nothing is missing.
        path: ``.jsonl`` file, made where there is none. An interrupted run goes on with it.
        seed: of the sampling.
        progress: called with the number of turns that were done.

    Returns:
        The transcripts in the order of the dialogues. A turn that got no reply is in them, with its fault.

    Raises:
        OSError, ValueError: the file cannot be read or written, the label stands for something else in it, the engine
            does not open, or the model answers nothing at all.
    """
    if label in BASELINES:
        raise ValueError(f"the label {label} is that of a baseline; name another")
    known = [one for one in read_transcripts(path) if one.label == label] if path.exists() else []
    for one in known:
        if (one.model, one.seed) != (model, seed):
            raise ValueError(
                f"{path} holds {label} as model {one.model} with seed {one.seed}, not as {model} with {seed}; "
                "name another label or folder"
            )
    there = matching(known, scripts)
    missing = [script for script in scripts if script.id not in there]
    progress(sum(len(script.turns) for script in scripts if script.id in there))
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = open_engine()
        try:
            with path.open("a", encoding="utf-8") as stream:
                for one in _spoken(_held(missing, label, model, engine, seed, progress)):
                    add_record(stream, one)
                    there[one.script] = one
        finally:
            engine.close()
    return [there[script.id] for script in scripts]


def baseline(name: str, scripts: Sequence[Script]) -> list[Transcript]:
    """What one of :data:`BASELINES` says in the dialogues."""
    if name == Chance.model:
        return list(_held(scripts, name, name, Chance(), 0, lambda turns: None))

    def answered(script: Script, text: str) -> Answered:
        answer = text if name == "echo" else _PARROT[script.language]
        return Answered(
            text=text, answer=answer, by_model=True, risk=0, fault="", seconds_to_first=0.0, seconds_total=0.0
        )

    return [
        Transcript(
            label=name,
            model=name,
            seed=0,
            script=script.id,
            turns=tuple(answered(script, turn.text) for turn in script.turns),
        )
        for script in scripts
    ]


def matching(transcripts: Sequence[Transcript], scripts: Sequence[Script]) -> dict[str, Transcript]:
    """The transcripts of dialogues whose turns are still the same, by id; of two the later one."""
    by_id = {script.id: script for script in scripts}
    return {
        one.script: one
        for one in transcripts
        if one.script in by_id and [turn.text for turn in one.turns] == [turn.text for turn in by_id[one.script].turns]
    }


def read_transcripts(path: Path) -> list[Transcript]:
    """The transcripts of a file. Raises as :func:`~empathy_training.evaluation.records.read_records` does."""
    return read_records(Transcript, path)


def _held(
    scripts: Sequence[Script], label: str, model: str, engine: Engine, seed: int, progress: Callable[[int], None]
) -> Iterator[Transcript]:
    """The dialogues, one after the other."""
    seeded = _Seeded(engine, seed)
    dialogue = Dialogue(cast(Engine, seeded))
    for script in scripts:
        seeded.begin(script.id)
        turns = tuple(_answered(dialogue, script, progress))
        yield Transcript(label=label, model=model, seed=seed, script=script.id, turns=turns)


def _spoken(transcripts: Iterator[Transcript]) -> Iterator[Transcript]:
    """The transcripts, as long as the model says something. Raises ``ValueError`` when it does not any more."""
    heard, silent = False, list[Transcript]()
    for one in transcripts:
        silent.append(one)
        if any(turn.by_model for turn in one.turns):
            heard = True
            yield from silent
            silent = []
        elif len(silent) == _MOST_SILENT:
            break
    if silent and (len(silent) == _MOST_SILENT or not heard):
        last = silent[-1]
        raise ValueError(
            f"model {last.model} answered no turn of {len(silent)} dialogues in a row, which are not kept: "
            f"{last.turns[-1].fault}"
        )
    yield from silent


def _answered(dialogue: Dialogue, script: Script, progress: Callable[[int], None]) -> Iterator[Answered]:
    for turn in script.turns:
        start = time.monotonic()
        first, reply, fault = 0.0, None, ""
        try:
            for item in dialogue.respond(turn.text, locale=script.locale, session_id=f"converse/{script.id}"):
                first = first or time.monotonic() - start
                if isinstance(item, Reply):
                    reply = item
        except DialogueError as error:
            fault = str(error)
        yield Answered(
            text=turn.text,
            answer=reply.chain[Layer.ANSWER] if reply else "",
            by_model=bool(reply and reply.model),
            risk=int(reply.risk if reply else Risk.NONE),
            fault=reply.fault if reply else fault,
            seconds_to_first=round(first, 3),
            seconds_total=round(time.monotonic() - start, 3),
        )
        progress(1)
