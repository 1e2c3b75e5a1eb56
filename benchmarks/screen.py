"""How long does the crisis gate take for a line, and how much of that is the classifier?

Screens the utterances of the package one by one, with the rules alone (the baseline) and with the whole gate; prints
medians, the slowest of a hundred and the ratio; then texts as long as a post may be where nothing is cut, of which an
excerpt is read. Run it on an idle machine: ``python benchmarks/screen.py``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Annotated

import typer
from empathy_agent.safety import assess
from empathy_agent.safety.gate import by_rules
from empathy_agent.safety.normalise import normalise
from empathy_training.screening.training import training_lines
from rich.console import Console

LENGTHS = (10_000, 200_000)
"""The longest that is read whole, and a very long one."""


def main(limit: Annotated[int, typer.Option(help="Lines per language.")] = 1500) -> None:
    """Run the benchmark."""
    console = Console(highlight=False, markup=False)
    lines = training_lines()
    assess("warm up 预热")  # loads weights and dictionaries
    for language in ("zh", "en"):
        texts = [line.text for line in lines if line.language == language][:limit]
        rules = _seconds(texts, lambda text: by_rules(normalise(text)))
        gate = _seconds(texts, assess)
        ratio = statistics.median(gate) / statistics.median(rules)
        console.print(
            f"{language}, {len(texts)} lines of {statistics.median(map(len, texts)):.0f} characters: "
            f"rules {_text(rules)}, whole gate {_text(gate)}, ratio {ratio:.1f}"
        )
        for length in LENGTHS:
            harmless = _long(language, length)
            assess(harmless[:-1])  # the automata of the rules are built while they read
            console.print(
                f"{language}, {length:,} characters without a finding: {_seconds([harmless], assess)[0]:.3f} s"
            )


def _long(language: str, length: int) -> str:
    sentence = "第{}天我们去公园散步，聊到很晚才回家。" if language == "zh" else "On day {} we had soup and a walk. "
    return "".join(sentence.format(number) for number in range(length // 15))[:length]


def _seconds(texts: list[str], screen: Callable[[str], object]) -> list[float]:
    """Processor time of each text: other processes do not count."""
    found = []
    for text in texts:
        started = time.process_time()
        screen(text)
        found.append(time.process_time() - started)
    return found


def _text(seconds: list[float]) -> str:
    slow = statistics.quantiles(seconds, n=100)[-1]
    return f"{1000 * statistics.median(seconds):.2f} ms (99 %: {1000 * slow:.1f} ms)"


if __name__ == "__main__":
    typer.run(main)
