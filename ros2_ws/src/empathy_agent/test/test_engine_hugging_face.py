"""The engine for what a training left, with a tiny model."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

pytest.importorskip("transformers")

from empathy_agent.engines import CutOff, Decoding, EngineError, complete
from empathy_agent.engines.base_model import save_tiny_base
from empathy_agent.engines.hugging_face import HuggingFace
from empathy_agent.prompt import Message

PROMPT = [Message(role="user", content="a few words")]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> HuggingFace:
    folder = tmp_path_factory.mktemp("tiny") / "tiny"
    save_tiny_base(folder, ["a few words"])
    return HuggingFace(folder)


def test_a_reply_that_max_tokens_ends_is_not_whole(engine: HuggingFace) -> None:
    given: list[str] = []
    decoding = Decoding(max_tokens=3, temperature=1.0, seed=1)
    with pytest.raises(CutOff, match="tiny is not whole") as caught:
        given.extend(engine.stream(PROMPT, decoding, threading.Event()))
    assert caught.value.reason == "length"
    allowed = Decoding(max_tokens=3, temperature=1.0, seed=1, whole=False)
    assert complete(engine, PROMPT, allowed, threading.Event()) == "".join(given)


def test_it_keeps_nothing(engine: HuggingFace) -> None:
    engine.prefill(PROMPT, threading.Event())
    engine.save("key")
    assert not engine.restore("key")


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not load"):
        HuggingFace(tmp_path)
