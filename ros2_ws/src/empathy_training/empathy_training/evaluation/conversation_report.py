"""What the transcripts of the conversation test set show, as figures, as a table and for reading."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from empathy_agent.language import is_in_language

from empathy_training.evaluation.bootstrap import Interval, interval
from empathy_training.evaluation.conversation import Transcript
from empathy_training.evaluation.conversation_checks import check_answer, repeated
from empathy_training.evaluation.conversation_scripts import Script, TurnType

# The project's only ROUGE-L that knows Chinese.
from empathy_training.evaluation.metrics import rouge_l as rouge_l
from empathy_training.evaluation.records import without_nan
from empathy_training.learning.rewards import words

RESULTS_FILE = "conversation.json"
TABLE_FILE = "conversation.md"
READING_FILE = "dialogues.md"
_OPENING = {"zh": 6, "en": 3}
"""Characters or words that make an opening."""
_NAMES = {"all": "All dialogues", "zh": "Chinese", "en": "English"}

# Names and titles in the table's order; a share unless the title names a unit.
_FIGURES = {
    "right": "turns right",
    "checks": "checks passed",
    "earlier": "questions about earlier facts right",
    "rouge_l": "ROUGE-L with the answer before",
    "rouge_l_worst": "ROUGE-L with the answer before, worst",
    "repeated": "sentences said before",
    "openings": "distinct openings",
    "language": "in the person's language",
    "fixed": "fixed texts",
    "alarmed": "turns taken for a risk",
    "failed": "turns without a reply, number",
    "first": "to the first text, s",
    "total": "to the end, s",
}
_PLAIN = {"rouge_l": 3, "rouge_l_worst": 3, "failed": 0, "first": 1, "total": 1}
"""Decimals of the figures that are no percentages."""


@dataclass(frozen=True)
class Judged:
    """A turn and what can be said of its answer."""

    script: Script
    number: int
    """From 0."""
    answer: str
    checks: dict[str, bool]
    in_language: bool
    rouge_l: float
    """With the answer before; NaN where one of them is missing."""
    repeated: float
    """Share of its sentences that stood in the dialogue already; NaN for the first turn."""
    fixed: bool
    alarmed: bool
    seconds_to_first: float
    seconds_total: float
    """NaN where nothing was waited for."""

    @property
    def type(self) -> TurnType:
        """Of the turn."""
        return self.script.turns[self.number].type

    @property
    def right(self) -> bool:
        """Whether the answer passes all checks and is in the person's language."""
        return self.in_language and all(self.checks.values())

    @property
    def opening(self) -> tuple[str, ...]:
        """Its first words or characters."""
        return tuple(words(self.answer)[: _OPENING[self.script.language]])


Figures = dict[str, Interval]
"""By name; those without an interval have NaN as its ends."""


@dataclass(frozen=True)
class Results:
    """What was found of one label."""

    model: str
    seed: int
    dialogues: int
    figures: dict[str, Figures]
    """For all dialogues and for each language where there are two."""
    types: dict[str, dict[str, Interval]]
    """``right`` and ``checks`` by type of turn."""
    checks: dict[str, float]
    """Share passed by check."""
    lengths: dict[str, dict[str, float]]
    """Mean words or Chinese characters of an answer by language and type of turn."""
    commonest_opening: str
    commonest_opening_share: float


def judge(transcript: Transcript, script: Script) -> list[Judged]:
    """Check all answers of a dialogue."""
    found: list[Judged] = []
    before: list[str] = []
    for number, turn in enumerate(transcript.turns):
        last = before[-1] if before else ""
        found.append(
            Judged(
                script=script,
                number=number,
                answer=turn.answer,
                checks=check_answer(script, number, turn.answer, before),
                in_language=is_in_language(turn.answer, script.language),
                rouge_l=rouge_l(turn.answer, last, script.language) if turn.answer and last else math.nan,
                repeated=repeated(turn.answer, before) if before else math.nan,
                fixed=not turn.by_model and bool(turn.answer),
                alarmed=turn.risk > 0,
                seconds_to_first=turn.seconds_to_first or math.nan,
                seconds_total=turn.seconds_total or math.nan,
            )
        )
        before.append(turn.answer)
    return found


def results(transcripts: Sequence[Transcript], scripts: Mapping[str, Script], seed: int = 0) -> Results:
    """Sum up the transcripts of one label.

    Args:
        transcripts: at least one.
        scripts: their dialogues by id.
        seed: of the intervals (95 %, bootstrap over dialogues).
    """
    judged = [judge(one, scripts[one.script]) for one in transcripts]
    languages = sorted({scripts[one.script].language for one in transcripts}, reverse=True)
    groups = {"all": judged}
    if len(languages) > 1:
        groups |= {name: [one for one in judged if one[0].script.language == name] for name in languages}
    turns = [turn for one in judged for turn in one]
    passed = [(name, ok) for turn in turns for name, ok in turn.checks.items()]
    openings = Counter(turn.opening for turn in turns if turn.opening)
    opening, count = openings.most_common(1)[0] if openings else ((), 0)
    chinese = any(len(word) == 1 and not word.isascii() for word in opening)
    return Results(
        model=transcripts[0].model,
        seed=transcripts[0].seed,
        dialogues=len(judged),
        figures={name: _figures(group, seed) for name, group in groups.items()},
        types={
            kind.value: {
                "right": _mean(_of_type(judged, kind), lambda turn: float(turn.right), seed),
                "checks": _mean(_of_type(judged, kind), _checks_share, seed),
            }
            for kind in TurnType
            if any(turn.type is kind for turn in turns)
        },
        checks={name: float(np.mean([ok for other, ok in passed if other == name])) for name in dict(passed)},
        lengths={
            language: {
                kind.value: float(np.mean(own))
                for kind in TurnType
                if (
                    own := [
                        len(words(turn.answer))
                        for turn in turns
                        if turn.type is kind and turn.script.language == language
                    ]
                )
            }
            for language in languages
        },
        commonest_opening=("" if chinese else " ").join(opening),
        commonest_opening_share=count / len(turns),
    )


def write_report(folder: Path, transcripts: Mapping[str, Sequence[Transcript]], scripts: Sequence[Script]) -> None:
    """Write ``conversation.json``, ``conversation.md`` and, for reading, ``dialogues.md``.

    Args:
        folder: made where there is none.
        transcripts: of each label.
        scripts: the dialogues; the transcripts are of some of them.
    """
    by_id = {script.id: script for script in scripts}
    found = {label: results(own, by_id) for label, own in transcripts.items() if own}
    folder.mkdir(parents=True, exist_ok=True)
    content = {label: asdict(one) for label, one in found.items()}
    text = json.dumps(without_nan(content), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / RESULTS_FILE).write_text(text + "\n", encoding="utf-8")
    (folder / TABLE_FILE).write_text("\n".join(_table(found)) + "\n", encoding="utf-8")
    (folder / READING_FILE).write_text("\n".join(_reading(transcripts, by_id)) + "\n", encoding="utf-8")


def _figures(judged: Sequence[Sequence[Judged]], seed: int) -> Figures:
    turns = [turn for one in judged for turn in one]
    earlier = [[turn for turn in one if turn.script.turns[turn.number].refers_to] for one in judged]
    neighbours = [turn.rouge_l for turn in turns if not math.isnan(turn.rouge_l)]
    openings = [(turn.script.language, turn.opening) for turn in turns if turn.opening]
    return {
        "right": _mean(judged, lambda turn: float(turn.right), seed),
        "checks": _mean(judged, _checks_share, seed),
        "earlier": _mean(earlier, lambda turn: float(turn.right), seed),
        "rouge_l": _mean(judged, lambda turn: turn.rouge_l, seed),
        "rouge_l_worst": _alone(max(neighbours, default=math.nan)),
        "repeated": _mean(judged, lambda turn: turn.repeated, seed),
        "openings": _alone(len(set(openings)) / len(openings) if openings else math.nan),
        "language": _mean(judged, lambda turn: float(turn.in_language), seed),
        "fixed": _mean(judged, lambda turn: float(turn.fixed), seed),
        "alarmed": _mean(judged, lambda turn: float(turn.alarmed), seed),
        "failed": _alone(float(sum(not turn.answer for turn in turns))),
        "first": _mean(judged, lambda turn: turn.seconds_to_first, seed),
        "total": _mean(judged, lambda turn: turn.seconds_total, seed),
    }


def _mean(judged: Sequence[Sequence[Judged]], value: Callable[[Judged], float], seed: int) -> Interval:
    """The mean over dialogues of the mean over their turns; both leave out what has no value."""
    means = []
    for one in judged:
        known = [number for turn in one if not math.isnan(number := value(turn))]
        means.append(float(np.mean(known)) if known else math.nan)
    return interval(np.array(means), seed)


def _of_type(judged: Sequence[Sequence[Judged]], kind: TurnType) -> list[list[Judged]]:
    return [[turn for turn in one if turn.type is kind] for one in judged]


def _checks_share(turn: Judged) -> float:
    return float(np.mean(list(turn.checks.values())))


def _alone(value: float) -> Interval:
    return Interval(value, math.nan, math.nan)


def _table(found: Mapping[str, Results]) -> Iterator[str]:
    counts = {one.dialogues for one in found.values()}
    yield "# Conversation\n"
    yield (
        "Means over dialogues with 95 % intervals (1000 bootstrap samples of the dialogues). A turn is right when its "
        "answer passes all checks and is in the person's language. `parrot` says one kind sentence, `echo` the "
        "person's own words, `chance` is the agent with its model's choices drawn by lot.\n"
    )
    for label, one in found.items():
        yield f"- {label}: {one.dialogues} dialogues" + (
            f", model {one.model}, seed {one.seed}" if one.model != label else ""
        )
    if len(counts) > 1:
        yield "\nThe numbers of dialogues differ: compare only figures of the same dialogues."
    for group, name in _NAMES.items():
        rows = {label: one.figures[group] for label, one in found.items() if group in one.figures}
        if rows:
            yield f"\n## {name}\n"
            yield from _head(rows)
            for figure, title in _FIGURES.items():
                if any(not math.isnan(row[figure].value) for row in rows.values()):
                    yield f"| {title} | " + " | ".join(_cell(row[figure], figure) for row in rows.values()) + " |"
    for figure in ("right", "checks"):
        yield f"\n## {_FIGURES[figure].capitalize()}, by type of turn\n"
        yield from _head(found)
        for kind in TurnType:
            cells = [_cell(one.types[kind][figure], figure) if kind in one.types else "" for one in found.values()]
            if any(cells):
                yield f"| {kind} | " + " | ".join(cells) + " |"
    yield "\n## Passed, by check\n"
    yield from _head(found)
    for check in dict.fromkeys(name for one in found.values() for name in one.checks):
        cells = [_percent(one.checks[check]) if check in one.checks else "" for one in found.values()]
        yield f"| {check} | " + " | ".join(cells) + " |"
    yield "\n## Length, by type of turn\n"
    yield "Characters of Chinese answers / words of English ones.\n"
    yield from _head(found)
    for kind in TurnType:
        cells = [
            " / ".join(f"{own[kind]:.0f}" if kind in own else "-" for own in one.lengths.values())
            for one in found.values()
        ]
        if any(cell.strip("-/ ") for cell in cells):
            yield f"| {kind} | " + " | ".join(cells) + " |"
    yield "\n## Commonest opening\n"
    for label, one in found.items():
        yield f"- {label}: “{one.commonest_opening}”, {_percent(one.commonest_opening_share)} of the answers"


def _head(columns: Mapping[str, object]) -> Iterator[str]:
    yield "| | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %"


def _cell(found: Interval, figure: str) -> str:
    if math.isnan(found.value):
        return ""
    digits = _PLAIN.get(figure)
    scale, unit = (100.0, " %") if digits is None else (1.0, "")
    text = f"{found.value * scale:.{digits or 0}f}{unit}"
    if math.isnan(found.low):
        return text
    return f"{text} ({found.low * scale:.{digits or 0}f}–{found.high * scale:.{digits or 0}f})"


def _reading(transcripts: Mapping[str, Sequence[Transcript]], scripts: Mapping[str, Script]) -> Iterator[str]:
    yield "# Dialogues\n"
    yield "What failed stands in brackets behind an answer."
    answered = {
        (label, one.script): judge(one, scripts[one.script]) for label, own in transcripts.items() for one in own
    }
    for script in scripts.values():
        labels = [label for label in transcripts if (label, script.id) in answered]
        if not labels:
            continue
        yield f"\n## {script.id}: {script.about}\n"
        for number, turn in enumerate(script.turns):
            yield f"**{turn.type}** {turn.text}\n"
            for label in labels:
                one = answered[label, script.id][number]
                failed = [name for name, ok in one.checks.items() if not ok] + ["language"] * (not one.in_language)
                yield f"> {label}: {' '.join(one.answer.split()) or '(no reply)'}" + (
                    f" [{', '.join(failed)}]\n" if failed else "\n"
                )
