"""No planted fault of a model's output leaves the dialogue, neither as a delta nor in the reply."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence

import pytest
from adversarial import cases  # type: ignore[import-not-found]
from empathy_agent.chain import Delta
from empathy_agent.dialogue import Dialogue, Reply
from empathy_agent.engines import Decoding, Engine
from empathy_agent.prompt import Message
from empathy_agent.session import key

POSTS = {"zh": "我最近工作很累，跟谁都说不上话。", "en": "I am worn out by work and talk to nobody."}


class Scripted(Engine):
    """Says what it is told, in chunks."""

    model = "scripted"
    context = 8192
    supports_grammar = scaffold = False
    worked_examples = True

    def __init__(self, output: str) -> None:
        self._output = output

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """The whole output, cut anywhere."""
        chance, begin = random.Random(self._output), 0
        while begin < len(self._output):
            end = begin + chance.randint(1, 12)
            yield self._output[begin:end]
            begin = end

    def close(self) -> None:
        """Nothing to release."""


CASES = list(cases())


def test_there_are_enough() -> None:
    assert len(CASES) >= 200
    assert len({case.check for case in CASES}) >= 14


# A third of them: all would take minutes.
@pytest.mark.parametrize("part", range(8))
def test_no_planted_fault_leaves(part: int) -> None:
    for case in CASES[part::24]:
        *deltas, reply = Dialogue(Scripted(case.output)).respond(POSTS[case.language])
        assert isinstance(reply, Reply)
        left = "".join(delta.text for delta in deltas if isinstance(delta, Delta)) + "".join(reply.chain.texts.values())
        assert key(case.fault) not in key(left), (case.check, case.fault)
        assert reply.chain.missing == []
