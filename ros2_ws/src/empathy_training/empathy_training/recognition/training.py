"""Trains and measures what is recognised of a message. Needs PyTorch and transformers; the running agent does not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from empathy_agent import turns
from empathy_agent.language import detect_language
from empathy_agent.recognition import (
    HEADS,
    KIND,
    LANGUAGES,
    MEANING,
    NONE,
    QUESTION,
    Array,
    Head,
    Layer,
    Recogniser,
    Words,
    ngrams,
)

from empathy_training.jsonl import read_lines

KINDS = (*(kind for kind in turns.KINDS if kind != "more"), "request")
"""What a message may do, for labels: ``more`` is a story, ``request`` is for what the agent cannot do."""
QUESTIONS = tuple(turns.moves("en")["answers"])
"""Types of question."""
_BATCH = 32
_RATE, _RATE_OF_HEADS = 1e-4, 3e-3
_DECAY = 0.01
_STEPS, _RATE_ALONE, _DECAY_ALONE = 600, 1e-2, 1e-3  # of a head that is trained alone
_SEEN_IN = 3  # messages, for an n-gram to count
_REGULARISATION, _ITERATIONS = 30.0, 100  # of the n-grams
_NEVER = -20.0  # offset of a meaning that no message of the language has
_OTHERS = 0.5  # weight of a message's second and third meaning; its first has 1


@dataclass(frozen=True)
class Labelled:
    """A message with what it does (empty: nobody has said), what it means, the best first, and how it asks."""

    talk: str
    before: str
    text: str
    kind: str
    meanings: tuple[str, ...]
    question: str = ""


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
    return read_lines(files, _read, "labelled message")


def _read(entry: dict[str, Any]) -> Labelled:
    talk, before, text, kind = (str(entry[name]) for name in ("talk", "before", "text", "kind"))
    if kind not in (*KINDS, "") or not text.strip():
        raise ValueError(f"{kind!r} is no kind" if text.strip() else "no text")
    question = str(entry.get("question", ""))
    if question not in (*QUESTIONS, ""):
        raise ValueError(f"{question!r} is no type of question")
    return Labelled(talk, before, text, kind, tuple(map(str, entry["meanings"])), question)


def train(
    messages: Sequence[Labelled],
    start: Recogniser,
    epochs: int,
    seed: int = 0,
    on_epoch: Callable[[int, float, Recogniser], None] = lambda epoch, loss, recogniser: None,
) -> Recogniser:
    """Train the encoder on, with new heads for kind and meaning, and then a head for questions alone.

    The embedding stays, as it is kept in four bits. ``on_epoch`` is told the mean loss and given what has been learned
    so far.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    chance = random.Random(seed)
    start = Recogniser.from_bytes(replace(start, heads=_new_heads(messages, start)).to_bytes())  # with its rounding
    labels = {task: start.heads[task].labels for task in (KIND, MEANING)}
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
        on_epoch(epoch, float(np.mean(losses)), _recogniser(start, model, heads))
    return with_words(
        messages, with_questions(messages, Recogniser.from_bytes(_recogniser(start, model, heads).to_bytes()))
    )


def with_questions(messages: Sequence[Labelled], recogniser: Recogniser) -> Recogniser:
    """The same with a head for the types of questions, trained on what its encoder makes of them."""
    import torch

    asked = [message for message in messages if message.question]
    if not asked:
        return recogniser
    vectors = torch.tensor(np.stack([recogniser.vector(message.text, message.before) for message in asked]))
    types = torch.tensor([QUESTIONS.index(message.question) for message in asked])
    torch.manual_seed(0)
    head = torch.nn.Linear(vectors.shape[1], len(QUESTIONS))
    optimiser = torch.optim.AdamW(head.parameters(), lr=_RATE_ALONE, weight_decay=_DECAY_ALONE)
    for _ in range(_STEPS):
        loss = torch.nn.functional.cross_entropy(head(vectors), types)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return replace(recogniser, heads={**recogniser.heads, QUESTION: _head(QUESTIONS, head)})


def with_words(messages: Sequence[Labelled], recogniser: Recogniser) -> Recogniser:
    """The same with n-grams for the meaning, by logistic regression, rare ones weighing more."""
    words = {}
    for language in LANGUAGES:
        chosen = [message for message in messages if detect_language(message.text) == language]
        if len({label for message in chosen for label, _ in _meant(message)}) > 1:
            words[language] = _words(chosen, recogniser.heads[MEANING].labels)
    return replace(recogniser, words=words)


def _words(messages: Sequence[Labelled], labels: Sequence[str]) -> Words:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import normalize

    found = [sorted(ngrams(message.text)) for message in messages]
    counts = Counter(gram for grams in found for gram in grams)
    names = {gram: row for row, gram in enumerate(sorted(gram for gram, count in counts.items() if count >= _SEEN_IN))}
    rarity = np.array([1 + np.log(len(messages) / counts[name]) for name in names], dtype=np.float32)
    examples = [(row, *pair) for row, message in enumerate(messages) for pair in _meant(message)]
    rows = [[names[gram] for gram in found[row] if gram in names] for row, _, _ in examples]
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.array([column for row in rows for column in row], dtype=np.int64)
    matrix = normalize(csr_matrix((rarity[columns], columns, ends), shape=(len(rows), len(names))))
    model = LogisticRegression(C=_REGULARISATION, max_iter=_ITERATIONS, tol=1e-3)
    model.fit(matrix, [label for _, label, _ in examples], sample_weight=[weight for _, _, weight in examples])
    coefficients, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # one row of weights, those of the second
        coefficients, intercepts = (
            np.vstack([-coefficients, coefficients]) / 2,
            np.hstack([-intercepts, intercepts]) / 2,
        )
    weights = np.zeros((len(names), len(labels)), np.float32)
    offsets = np.full(len(labels), _NEVER, np.float32)
    for row, label in enumerate(model.classes_):
        weights[:, labels.index(label)], offsets[labels.index(label)] = coefficients[row], intercepts[row]
    return Words(names, rarity, weights, offsets)


def _meant(message: Labelled) -> list[tuple[str, float]]:
    """The meanings of which a message is an example, and how much of one."""
    best, *others = message.meanings or (NONE,)
    return [(best, 1.0), *((other, _OTHERS) for other in others)]


def measured(
    messages: Sequence[Labelled], recogniser: Recogniser, task: str, least: float
) -> tuple[Recognised, dict[str, Recognised]]:
    """How well a question is answered where the answer has at least the probability ``least``: in all, by label.

    A message is rightly said to mean any of its meanings; that it means none is not a naming.
    """
    found: dict[str, list[tuple[str, bool]]] = {}
    everything = []
    for message in messages:
        true = {KIND: (message.kind,), MEANING: message.meanings or (NONE,), QUESTION: (message.question,)}[task]
        if true == ("",):
            continue
        chances = recogniser.probabilities(message.text, message.before)[task]
        best = max(chances, key=chances.__getitem__)
        named = best if chances[best] >= least and best != NONE else ""
        everything.append((named, named in true))
        for label in {named, *true} - {"", NONE}:
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
        for task, names in ((KIND, KINDS), (MEANING, (*meanings, NONE)), (QUESTION, QUESTIONS))
    }


def _target(message: Labelled, task: str, labels: Sequence[str]) -> list[float]:
    """What should be said of a message, with the sum 1; all zeros where nobody has said."""
    wanted = {message.kind: 1.0}
    if task == MEANING:
        wanted = dict(_meant(message))
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
    learned = {task: _head(start.heads[task].labels, head) for task, head in heads.items()}
    return replace(start, layers=layers, heads={**start.heads, **learned})


def _head(labels: tuple[str, ...], linear: Any) -> Head:
    weights: Array = linear.weight.detach().numpy().T.copy()
    return Head(labels, weights, linear.bias.detach().numpy().copy())
