"""The table of an evaluation, as JSON, Markdown and pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from empathy_agent.language import language_of
from numpy.typing import NDArray

from empathy_training.corpus.examples import Example
from empathy_training.evaluation.bootstrap import Interval, interval
from empathy_training.evaluation.judge import Judgement, points, preferences
from empathy_training.evaluation.metrics import METRICS, distinct
from empathy_training.evaluation.ranking import Standing, standings
from empathy_training.evaluation.records import without_nan

RESULTS_FILE = "results.json"
TABLE_FILE = "results.md"
_PLOTTED = ("reward", "rouge_l", "bertscore", "distinct_2", "repetition", "length")
_COLUMNS = 3
_NAMES = {"zh": "Chinese", "en": "English"}

Values = Mapping[str, NDArray[np.float64]]
"""(n,) values of each metric."""


@dataclass(frozen=True)
class Report:
    """Everything that an evaluation found."""

    systems: dict[str, str]
    """Specs by label."""
    about: dict[str, str]
    """What was done, in words, by name."""
    posts: int
    tables: dict[str, dict[str, dict[str, Interval]]]
    """Metrics of each label, for all posts and for each language where there are two."""
    judge: str = ""
    preferred: dict[str, dict[str, Interval]] = field(default_factory=dict)
    """Share of the posts on which the judge prefers one label to another."""
    standings: dict[str, Standing] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write ``results.json``, ``results.md`` and pictures."""
        pictures = [_plot_metrics(self.tables["all"], folder / "metrics.png")]
        if self.standings:
            pictures.append(_plot_standings(self.standings, folder / "win_at_k.png"))
        text = json.dumps(without_nan(asdict(self)), indent=1, ensure_ascii=False, allow_nan=False)
        (folder / RESULTS_FILE).write_text(text + "\n", encoding="utf-8")
        (folder / TABLE_FILE).write_text("\n".join(self._markdown(pictures)) + "\n", encoding="utf-8")

    def _markdown(self, pictures: Sequence[str]) -> Iterator[str]:
        yield "# Evaluation of replies\n"
        yield f"{self.posts} posts; means with 95 % intervals (1000 bootstrap samples of the posts)."
        yield from (f"{name}: {text}." for name, text in self.about.items())
        yield ""
        for label, spec in self.systems.items():
            yield f"- {label}: `{spec}`" if spec else f"- {label}"
        for name, table in self.tables.items():
            yield f"\n## {_NAMES.get(name, 'All posts')}\n"
            yield "| | " + " | ".join(table) + " |"
            yield "|---" * (len(table) + 1) + "|"
            for metric, what in METRICS.items():
                if any(_known(row.get(metric)) for row in table.values()):
                    cells = (_cell(row.get(metric), what.unit) for row in table.values())
                    yield f"| {what.title} | " + " | ".join(cells) + " |"
        if self.preferred:
            yield f"\n## Preferred by {self.judge}\n"
            yield "Share of the posts on which the row is preferred to the column, in both orders; a tie counts half.\n"
            labels = list(self.preferred)
            yield "| | " + " | ".join(labels) + " |"
            yield "|---" * (len(labels) + 1) + "|"
            for label in labels:
                yield (
                    f"| {label} | "
                    + " | ".join(_cell(self.preferred[label].get(other), "%") for other in labels)
                    + " |"
                )
            yield "\n| | mean rank | " + " | ".join(f"Win@{k}" for k in range(1, len(labels) + 1)) + " |"
            yield "|---" * (len(labels) + 2) + "|"
            for label, standing in self.standings.items():
                wins = (_cell(one, "%") for one in standing.win_at)
                yield f"| {label} | {_cell(standing.mean_rank, '')} | " + " | ".join(wins) + " |"
        yield from (f"\n![{picture}]({picture})" for picture in pictures)


def make_report(
    examples: Sequence[Example],
    systems: dict[str, str],
    values: Mapping[str, Values],
    answers: Mapping[str, Sequence[str]],
    about: dict[str, str],
    judge: str = "",
    judgements: Sequence[Judgement] = (),
    seed: int = 0,
) -> Report:
    """Sum up.

    Args:
        examples: the posts.
        systems: specs by label.
        values: of each label, of :func:`~empathy_training.evaluation.metrics.measure`.
        answers: of each label.
        about: what was done, in words, by name.
        judge: its name.
        judgements: of the judge.
        seed: of the bootstrap.
    """
    languages = np.array([language_of(example.locale) for example in examples])
    groups = {"all": np.ones(len(examples), dtype=bool)}
    if len(set(languages)) > 1:
        groups |= {str(language): languages == language for language in sorted(set(languages), reverse=True)}
    tables: dict[str, dict[str, dict[str, Interval]]] = {}
    for group, members in groups.items():
        tables[group] = {}
        for label, found in values.items():
            row = {name: interval(one[members], seed) for name, one in found.items()}
            texts = [answer for answer, member in zip(answers[label], members, strict=True) if member]
            for size in (1, 2):
                # Of all texts together: texts drawn twice would lower it.
                row[f"distinct_{size}"] = Interval(distinct(texts, size), math.nan, math.nan)
            tables[group][label] = row
    preferred = {
        label: {other: interval(np.array(shares), seed) for other, shares in against.items()}
        for label, against in preferences(judgements).items()
    }
    ranked = standings(points(judgements), seed) if judgements else {}
    return Report(systems, about, len(examples), tables, judge, preferred, ranked)


def _known(found: Interval | None) -> bool:
    return found is not None and not math.isnan(found.value)


def _cell(found: Interval | None, unit: str) -> str:
    if found is None or math.isnan(found.value):
        return ""
    scale, digits = {"%": (100.0, 0), "s": (1.0, 1), "n": (1.0, 0), "": (1.0, 3)}[unit]
    mark = " %" if unit == "%" else ""
    text = f"{found.value * scale:.{digits}f}{mark}"
    if math.isnan(found.low):
        return text
    return f"{text} ({found.low * scale:.{digits}f}–{found.high * scale:.{digits}f})"


def _plot_metrics(table: Mapping[str, Mapping[str, Interval]], path: Path) -> str:
    from matplotlib.figure import Figure

    shown = [name for name in _PLOTTED if any(_known(row.get(name)) for row in table.values())]
    rows = math.ceil(len(shown) / _COLUMNS)
    figure = Figure(figsize=(3.2 * _COLUMNS, rows * (0.8 + 0.32 * len(table))), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, squeeze=False)
    labels = list(table)
    for axis in axes.flat[len(shown) :]:
        axis.remove()
    for axis, name in zip(axes.flat, shown, strict=False):
        for place, label in enumerate(labels):
            found = table[label].get(name)
            if found is None or not _known(found):
                continue
            axis.barh(place, found.value, color=f"C{place}", alpha=0.85)
            if not math.isnan(found.low):
                axis.plot([found.low, found.high], [place, place], color="0.2", linewidth=1.5)
        axis.set(yticks=range(len(labels)), yticklabels=labels if axis in axes[:, 0] else [], title=METRICS[name].title)
        axis.set_ylim(len(labels) - 0.5, -0.5)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    return path.name


def _plot_standings(ranked: Mapping[str, Standing], path: Path) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    axes = figure.subplots()
    for label, standing in ranked.items():
        places = list(range(1, len(standing.win_at) + 1))
        values = [100.0 * one.value for one in standing.win_at]
        bars = [
            [100.0 * (one.value - one.low) for one in standing.win_at],
            [100.0 * (one.high - one.value) for one in standing.win_at],
        ]
        axes.errorbar(places, values, yerr=bars, marker="o", capsize=3, label=label)
    axes.set(xlabel="K", ylabel="Win@K, %", xticks=places, title="Rank K or better")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)
    return path.name
