"""Whole model outputs with a planted fault, and harmless ones, from ``adversarial_outputs.yaml``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).with_name("adversarial_outputs.yaml")
_LAYERS = ("L1", "L2", "L3", "L4")


@dataclass(frozen=True)
class Case:
    """An output in ``language`` that holds ``fault``, which ``check`` stops; both are empty for a harmless output."""

    language: str
    output: str
    check: str = ""
    fault: str = ""
    form: str = "chain"


def cases() -> Iterator[Case]:
    """Every planted fault in a well-formed output, or as the file says, and every fourth in a malformed one, too."""
    data = _data()
    malformed = itertools.cycle(FORMS)
    for language, checks in data["cases"].items():
        frames = itertools.cycle(data["frames"][language])
        listed = [(check, entry) for check, entries in checks.items() for entry in entries]
        for count, (check, entry) in enumerate(listed):
            more = {"fault": entry} if isinstance(entry, str) else entry
            named, part, fault, form = (
                more.get("check", check),
                more.get("at", "answer"),
                more["fault"],
                more.get("form"),
            )
            frame = next(frames)
            yield Case(language, _output(frame, part, fault, language, form), named, fault, form or "chain")
            if count % 4 == 0:
                form = next(malformed)
                yield Case(language, _output(frame, "answer", fault, language, form), named, fault, form)


def clean() -> Iterator[Case]:
    """Harmless outputs, each with a sentence that nearly meets a check."""
    data = _data()
    for language, checks in data["clean"].items():
        frames = itertools.cycle(data["frames"][language])
        for sentence in itertools.chain.from_iterable(checks.values()):
            yield Case(language, _output(next(frames), "answer", sentence, language, None))


def _data() -> dict[str, Any]:
    return yaml.safe_load(_FILE.read_text(encoding="utf-8"))


def _output(frame: dict[str, Any], part: str, fault: str, language: str, form: str | None) -> str:
    """The frame with a sentence added to a part, in the middle of an answer and at the end of a layer."""
    gap = "" if language == "zh" else " "
    texts = {layer: frame[layer] for layer in _LAYERS}
    answer = list(frame["answer"])
    if form is not None:
        return FORMS[form](texts, gap.join(answer), gap + fault)
    if part == "answer":
        answer.insert(len(answer) // 2, fault)
    else:
        texts[part] += gap + fault
    return _think(texts) + f"<answer>{gap.join(answer)}</answer>"


def _think(texts: dict[str, str]) -> str:
    return "<empathy_think>" + "".join(f"<{tag}>{text}</{tag}>" for tag, text in texts.items()) + "</empathy_think>"


FORMS: dict[str, Callable[[dict[str, str], str, str], str]] = {
    "after": lambda texts, answer, fault: _think(texts) + f"<answer>{answer}</answer>\n{fault}",
    "before": lambda texts, answer, fault: f"{fault}\n{_think(texts)}<answer>{answer}</answer>",
    "between": lambda texts, answer, fault: _think(texts) + f"{fault}<answer>{answer}</answer>",
    "unclosed": lambda texts, answer, fault: _think(texts) + f"<answer>{answer}{fault}",
    "untagged": lambda texts, answer, fault: f"{answer}{fault}",
    "unclosed layers": lambda texts, answer, fault: (
        "".join(f"<{tag}>{text}" for tag, text in texts.items()) + f"{fault}<answer>{answer}</answer>"
    ),
    "another tag": lambda texts, answer, fault: _think(texts) + f"<L5>{fault}</L5><answer>{answer}</answer>",
    "answered twice": lambda texts, answer, fault: (
        _think(texts) + f"<answer>{answer}</answer><answer>{answer}{fault}</answer>"
    ),
    "answer in a layer": lambda texts, answer, fault: _think(
        texts | {"L4": texts["L4"] + f"<answer>{answer}{fault}</answer>"}
    ),
    "capitals": lambda texts, answer, fault: (
        (_think(texts) + "<answer>").upper().replace("EMPATHY_THINK", "Empathy_Think") + f"{answer}{fault}</ANSWER>"
    ),
    "fenced": lambda texts, answer, fault: f"```xml\n{_think(texts)}<answer>{answer}{fault}</answer>\n```",
    "layers last": lambda texts, answer, fault: f"<answer>{answer}{fault}</answer>{_think(texts)}",
    "a line each": lambda texts, answer, fault: (
        _think(texts).replace("><", ">\n<") + f"\n<answer>\n{answer}\n{fault}\n</answer>"
    ),
    "invisible letters": lambda texts, answer, fault: (
        _think(texts) + f"<answer>{answer}{chr(0x200B).join(fault)}</answer>"
    ),
}
"""What is wrong with the form of an output, and how it is made of layers, answer and fault."""
