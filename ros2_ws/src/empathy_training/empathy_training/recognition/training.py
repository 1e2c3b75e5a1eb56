"""Trains and measures what is recognised of a message. Needs PyTorch and transformers; the running agent does not."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from empathy_agent.recognition import HEADS, KIND, MEANING, NONE, Head, Layer, Recogniser

KINDS = (
    "story",
    "good_news",
    "question",
    "request",
    "plan",
    "thanks",
    "goodbye",
    "greeting",
    "correction",
    "anger_at_agent",
    "small_talk",
    "short",
)
"""What a message may do, for labels: a turn's kinds, with ``request`` for what the agent cannot do."""
_BATCH = 32
_RATE, _RATE_OF_HEADS = 1e-4, 3e-3
_DECAY = 0.01
_OTHERS = 0.5  # weight of a message's second and third meaning; its first has 1


@dataclass(frozen=True)
class Labelled:
    """A message with what it does (empty: nobody has said) and what it means, the best first."""

    talk: str
    before: str
    text: str
    kind: str
    meanings: tuple[str, ...]


@dataclass(frozen=True)
class Recognised:
    """Of so many messages the share that was named at all, and rightly of those."""

    messages: int
    named: float
    right: float


def read(files: Iterable[Path]) -> list[Labelled]:
    """Labelled messages.

    Raises:
        OSError: a file cannot be read.
        ValueError: a line is none of ours; the message names file and line.
    """
    return [
        _read(line, f"{file}:{number}")
        for file in files
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
    ]


def _read(line: str, origin: str) -> Labelled:
    try:
        entry = json.loads(line)
        talk, before, text, kind = (str(entry[name]) for name in ("talk", "before", "text", "kind"))
        if kind not in (*KINDS, "") or not text.strip():
            raise ValueError(f"{kind!r} is no kind" if text.strip() else "no text")
        return Labelled(talk, before, text, kind, tuple(map(str, entry["meanings"])))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{origin} holds no labelled message: {error}") from error


def train(
    messages: Sequence[Labelled],
    start: Recogniser,
    epochs: int,
    seed: int = 0,
    on_epoch: Callable[[int, float, Recogniser], None] = lambda epoch, loss, recogniser: None,
) -> Recogniser:
    """Train encoder and two new heads on; the embedding stays, as it is kept in four bits.

    ``on_epoch`` is told the mean loss and given what has been learned so far.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    chance = random.Random(seed)
    start = Recogniser.from_bytes(replace(start, heads=_new_heads(messages, start)).to_bytes())  # with its rounding
    labels = {task: head.labels for task, head in start.heads.items()}
    model = _bert(start)
    width = start.embedding.shape[1]
    heads = nn.ModuleDict({task: nn.Linear(width, len(names)) for task, names in labels.items()})
    targets = {
        task: torch.tensor([_target(message, task, names) for message in messages]) for task, names in labels.items()
    }
    tokens = [start.tokens(message.text, message.before) for message in messages]
    body = [value for name, value in model.named_parameters() if not name.startswith("embeddings")]
    groups = [{"params": body, "lr": _RATE}, {"params": heads.parameters(), "lr": _RATE_OF_HEADS}]
    optimiser = torch.optim.AdamW(groups, weight_decay=_DECAY)
    steps = epochs * -(-len(messages) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [_RATE, _RATE_OF_HEADS], total_steps=steps + 1, pct_start=0.1
    )
    result = start
    for epoch in range(epochs):
        model.train()
        losses = []
        for batch in _batches(tokens, chance):
            vectors = _vectors(model, [tokens[row] for row in batch])
            loss = sum(
                -(targets[task][batch] * head(vectors).log_softmax(dim=1)).sum(dim=1).mean()
                for task, head in heads.items()
            )
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(body, 1.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        result = _recogniser(start, model, heads)
        on_epoch(epoch, float(np.mean(losses)), result)
    return result


def measured(
    messages: Sequence[Labelled], recogniser: Recogniser, task: str, least: float
) -> tuple[Recognised, dict[str, Recognised]]:
    """How well a question is answered where the answer has at least the probability ``least``: in all, by label.

    A message is rightly said to mean any of its meanings; that it means none is not a naming.
    """
    found: dict[str, list[tuple[str, bool]]] = {}
    everything = []
    for message in messages:
        if task == KIND and not message.kind:
            continue
        chances = recogniser.probabilities(message.text, message.before)[task]
        best = max(chances, key=chances.__getitem__)
        true = (message.kind,) if task == KIND else message.meanings
        named = best if chances[best] >= least and best != NONE else ""
        everything.append((named, named in true))
        for label in {named, *true} - {""}:
            found.setdefault(label, []).append((named if named == label else "", named == label and label in true))
    return _share(everything), {label: _share(rows) for label, rows in sorted(found.items())}


def _share(rows: Sequence[tuple[str, bool]]) -> Recognised:
    named = [right for name, right in rows if name]
    return Recognised(len(rows), len(named) / max(len(rows), 1), float(np.mean(named)) if named else 0.0)


def _new_heads(messages: Sequence[Labelled], start: Recogniser) -> dict[str, Head]:
    meanings = sorted({meaning for message in messages for meaning in message.meanings})
    width = start.embedding.shape[1]
    return {
        task: Head(names, np.zeros((width, len(names)), np.float32), np.zeros(len(names), np.float32))
        for task, names in ((KIND, KINDS), (MEANING, (*meanings, NONE)))
    }


def _target(message: Labelled, task: str, labels: Sequence[str]) -> list[float]:
    """What should be said of a message, with the sum 1; all zeros where nobody has said."""
    wanted = {message.kind: 1.0}
    if task == MEANING:
        best, *others = message.meanings or (NONE,)
        wanted = {best: 1.0, **dict.fromkeys(others, _OTHERS)}
    known = sum(wanted.get(label, 0.0) for label in labels)
    return [wanted.get(label, 0.0) / max(known, 1.0) for label in labels]


def _batches(tokens: Sequence[tuple[list[int], int]], chance: random.Random) -> list[list[int]]:
    """All rows in batches of messages that are about as long, in an order by lot."""
    order = sorted(range(len(tokens)), key=lambda row: len(tokens[row][0]) + chance.uniform(0, 8))
    batches = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
    chance.shuffle(batches)
    return batches


def _bert(start: Recogniser) -> Any:
    """The encoder as transformers has it."""
    import torch
    from transformers import BertConfig, BertModel

    rows, width = start.embedding.shape
    config = BertConfig(
        vocab_size=rows,
        hidden_size=width,
        num_hidden_layers=len(start.layers),
        num_attention_heads=HEADS,
        intermediate_size=len(start.layers[0].weights["intermediate.dense.bias"]),
        max_position_embeddings=len(start.positions),
        type_vocab_size=1,
        layer_norm_eps=1e-12,
        hidden_act="gelu_pytorch_tanh",
    )
    model = BertModel(config, add_pooling_layer=False)
    state = {
        "embeddings.word_embeddings.weight": start.embedding,
        "embeddings.position_embeddings.weight": start.positions,
        "embeddings.token_type_embeddings.weight": np.zeros((1, width), np.float32),
        "embeddings.LayerNorm.weight": start.scale,
        "embeddings.LayerNorm.bias": start.offset,
    }
    for number, layer in enumerate(start.layers):
        state |= {f"encoder.layer.{number}.{name}": values for name, values in layer.weights.items()}
    model.load_state_dict({name: torch.tensor(values) for name, values in state.items()})
    model.embeddings.requires_grad_(False)
    return model


def _vectors(model: Any, tokens: Sequence[tuple[list[int], int]]) -> Any:
    """The mean hidden state of each message's own pieces, shape (N, H)."""
    import torch

    longest = max(len(numbers) for numbers, _ in tokens)
    rows = torch.tensor([numbers + [0] * (longest - len(numbers)) for numbers, _ in tokens])
    places = torch.arange(longest)
    ends = torch.tensor([[len(numbers)] for numbers, _ in tokens])
    own = (places >= torch.tensor([[start] for _, start in tokens])) & (places < ends)
    hidden = model(input_ids=rows, attention_mask=(places < ends).long()).last_hidden_state
    return (hidden * own[..., None]).sum(dim=1) / own.sum(dim=1, keepdim=True)


def _recogniser(start: Recogniser, model: Any, heads: Any) -> Recogniser:
    state = {name: values.detach().numpy().copy() for name, values in model.state_dict().items()}
    layers = tuple(
        Layer({name: state[f"encoder.layer.{number}.{name}"] for name in layer.weights})
        for number, layer in enumerate(start.layers)
    )
    learned = {
        task: Head(start.heads[task].labels, head.weight.detach().numpy().T.copy(), head.bias.detach().numpy().copy())
        for task, head in heads.items()
    }
    return replace(start, layers=layers, heads=learned)
