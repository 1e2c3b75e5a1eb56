"""The table of all settings and models, and how far the targets of the project are reached."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
from face_recon_node.evaluation.assessment import Assessment
from face_recon_node.evaluation.fidelity import EXPRESSIVE_MM
from face_recon_node.models.catalogue import NAMES

from imuface_study.harness import FOLDS, OURS, Outcome, Plan
from imuface_study.results import Row, mean_assessment
from imuface_study.settings import Setting, caveat

Value = Callable[[Assessment], float | None]


def _action(kind: str, *names: str) -> Value:
    """Mean of "r" or "gain" over those of the actions that move; None without any."""

    def value(assessment: Assessment) -> float | None:
        actions = assessment.fidelity.actions
        found = [getattr(actions[name], kind) for name in names if name in actions]
        return float(np.mean(found)) if found else None

    return value


def _covered(what: str) -> Value:
    return lambda assessment: getattr(assessment.coverage, what) if assessment.coverage else None


_SMILES = "mouthSmileLeft", "mouthSmileRight"
_BROWS = "browInnerUp", "browOuterUpLeft", "browOuterUpRight"
MEASURED: dict[str, tuple[Value, str]] = {
    "mm": (lambda assessment: assessment.figures.landmark_error_mm, ".3f"),
    "expressive mm": (lambda assessment: assessment.fidelity.expressive_error_mm, ".3f"),
    "median r": (lambda assessment: assessment.fidelity.median_r, ".3f"),
    "r ≥ 0.7": (lambda assessment: assessment.fidelity.share_r70, ".0%"),
    "jawOpen r": (_action("r", "jawOpen"), ".2f"),
    "jawOpen gain": (_action("gain", "jawOpen"), ".2f"),
    "smile r": (_action("r", *_SMILES), ".2f"),
    "smile gain": (_action("gain", *_SMILES), ".2f"),
    "brow raise r": (_action("r", *_BROWS), ".2f"),
    "valence r": (lambda assessment: assessment.affect.valence_r, ".2f"),
    "arousal r": (lambda assessment: assessment.affect.arousal_r, ".2f"),
    "macro-F1": (lambda assessment: assessment.affect.macro_f1, ".2f"),
    "ECE": (lambda assessment: assessment.affect.ece, ".3f"),
    "landmarks 1 σ": (_covered("landmarks"), ".0%"),
    "weights 1 σ": (_covered("weights"), ".0%"),
    "NME %": (lambda assessment: assessment.figures.nme_percent, ".2f"),
}
"""What is shown of an assessment: by heading the value, None where there is none, and its format."""
HEADINGS = ("model", *MEASURED, "parameters", "fit s", "CPU ms", "× real time")
EXPLANATION = (
    "Means over participants. mm: mean distance of the 51 landmarks from the truth; expressive mm: over the frames "
    f"whose true face is {EXPRESSIVE_MM:g} mm or more from rest. r: correlation of an action's weight with the true "
    "one, 0 for a face that does not move; gain: how much of the true motion is shown, the slope of the weight on "
    "the true one, 1 is all of it. median r and r ≥ 0.7: over all actions that move, the median and the share; smile "
    "and brow raise: means over their actions. Valence, arousal, macro-F1 (mean over the expressions that occur) and "
    "ECE (expected calibration error of the confidence in the expression): against the affect of the true face. 1 σ: "
    "share of the truth within one stated standard deviation, 68 % when they are right. NME: mm by the distance of "
    "the outer eye corners. fit: wall time; CPU: one frame of a stream on one core; × real time: a whole session at "
    "once; medians. A person's neutral landmarks are given to every model. Without data of the person, the signature "
    f"model knows nobody, and the others are fitted to the participants of the other {FOLDS - 1} of {FOLDS} groups."
)
_LEAST = {
    "jawOpen r": 0.9, "jawOpen gain": 0.8, "smile r": 0.8, "smile gain": 0.7, "brow raise r": 0.6, "median r": 0.5,
    "r ≥ 0.7": 0.4,
}  # fmt: skip
_LEAST_FAINT = {"median r": 0.3, "jawOpen r": 0.85, "smile r": 0.65}
"""Of ears that hardly move."""
_LEFT_REMOUNTED = 0.8
_BOUNDS = {
    "valence r": (0.6, inf), "macro-F1": (0.5, inf), "ECE": (-inf, 0.1), "overconfident neutral": (-inf, 0.0),
    "landmarks 1 σ": (0.6, 0.76), "weights 1 σ": (0.6, 0.76),
}  # fmt: skip


def shown(assessment: Assessment) -> list[str]:
    """An assessment as text, see :data:`MEASURED`."""
    values = [(value(assessment), form) for value, form in MEASURED.values()]
    return ["–" if value is None else format(value, form) for value, form in values]


@dataclass(frozen=True)
class Line:
    """One model in one setting."""

    setting: Setting
    model: str
    rows: tuple[Row, ...]

    @cached_property
    def assessment(self) -> Assessment:
        """Mean over participants."""
        return mean_assessment([row.assessment for row in self.rows])

    def figures(self) -> dict[str, float]:
        """What else is known, in the order of :data:`HEADINGS`."""
        medians = {
            name: float(np.median([getattr(row, name) for row in self.rows]))
            for name in ("fit_seconds", "cpu_ms", "times_real_time")
        }
        return {"parameters": self.rows[0].parameters, **medians}


@dataclass(frozen=True)
class Target:
    """Something that our model is to reach."""

    what: str
    value: float | None
    """None: the rows that it follows from are missing."""
    wanted: str
    reached: bool | None

    @classmethod
    def bounded(cls, what: str, value: float | None, least: float = -inf, most: float = inf) -> Target:
        """A value from ``least`` to ``most``."""
        bounds = [f"{sign} {bound:g}" for sign, bound in (("≥", least), ("≤", most)) if isfinite(bound)]
        return cls(what, value, ", ".join(bounds), None if value is None else least <= value <= most)


class Table:
    """The lines of a run."""

    def __init__(self, plan: Plan, outcome: Outcome) -> None:
        self.plan, self.outcome = plan, outcome
        rows: dict[tuple[str, str], list[Row]] = {}
        for row in outcome.rows:
            rows.setdefault((row.key.setting, row.key.model), []).append(row)
        self.lines = [
            Line(setting, model, tuple(rows[setting.key, model]))
            for setting in plan.settings
            for model in plan.models
            if (setting.key, model) in rows
        ]

    def line(self, setting: str, model: str) -> Line | None:
        """The line of a setting and a model."""
        found = (line for line in self.lines if (line.setting.key, line.model) == (setting, model))
        return next(found, None)

    def ratio(self, value: Value, one: tuple[str, str], other: tuple[str, str]) -> float | None:
        """A value in one setting and model by that in another, means over the participants that are in both."""
        lines = self.line(*one), self.line(*other)
        people = [{row.key.participant: row.assessment for row in line.rows} if line else {} for line in lines]
        both = people[0].keys() & people[1].keys()
        if not both:
            return None
        above, below = (value(mean_assessment([found[name] for name in sorted(both)])) for found in people)
        return above / below if above is not None and below is not None and below > 0.0 else None

    def targets(self) -> list[Target]:
        """The targets of the project, for the signature model."""
        line = self.line("within", OURS)
        values = {name: value for name, (value, _) in MEASURED.items()}
        values["overconfident neutral"] = lambda assessment: assessment.affect.overconfident_neutral
        least = _LEAST_FAINT if self.plan.study.ears == "faint" else _LEAST
        found = [
            Target.bounded(name, values[name](line.assessment) if line else None, *bounds)
            for name, bounds in ({name: (value, inf) for name, value in least.items()} | _BOUNDS).items()
        ]
        for name in least:
            left = self.ratio(values[name], ("across", OURS), ("within", OURS))
            found.append(Target.bounded(f"{name}, remounted / same mounting", left, _LEFT_REMOUNTED))
        for setting in ("within", "across"):
            ratio = self.ratio(values["mm"], (setting, OURS), (setting, "median"))
            found.append(Target.bounded(f"mm / that of the median face, {setting}", ratio, most=1.0))
        return found

    def header(self) -> str:
        """What was measured, in a line or two."""
        study = self.plan.study
        version = importlib.metadata.version("face_recon_node")
        return (
            f"{'Recorded sessions.' if study.ears is None else caveat(study.ears)} Study {study.name}, "
            f"{len(study.participants)} participants, seed {self.plan.seed}, version {version}."
        )

    def to_json(self) -> dict[str, Any]:
        """Everything, in plain values."""
        study = self.plan.study
        return {
            "simulated": study.simulated,
            "ears": study.ears,
            "study": study.name,
            "participants": [participant.name for participant in study.participants],
            "seed": self.plan.seed,
            "version": importlib.metadata.version("face_recon_node"),
            "lines": [
                {
                    "setting": line.setting.key,
                    "title": line.setting.title,
                    "model": line.model,
                    "participants": len(line.rows),
                    **line.assessment.to_json(),
                    **line.figures(),
                    "minutes": float(np.mean([row.minutes for row in line.rows])),
                }
                for line in self.lines
            ],
            "targets": [asdict(target) for target in self.targets()],
            "skipped": self.outcome.skipped,
            "rows": [row.to_json() for row in self.outcome.rows],
        }

    def to_markdown(self, pictures: Sequence[str] = ()) -> str:
        """Header, a table for each setting, the targets, what was skipped and the pictures."""
        return "\n".join(self._markdown(pictures)) + "\n"

    def write(self, folder: Path, pictures: Sequence[str] = ()) -> None:
        """Write ``table.md`` and ``results.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "table.md").write_text(self.to_markdown(pictures), encoding="utf-8")
        (folder / "results.json").write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")

    def _markdown(self, pictures: Sequence[str]) -> Iterator[str]:
        simulated = self.plan.study.simulated
        yield f"# Models and settings{' (simulated ears)' if simulated else ''}\n"
        yield f"{self.header()} {EXPLANATION}\n"
        for setting in self.plan.settings:
            lines = [line for line in self.lines if line.setting is setting]
            if not lines:
                continue
            count, minutes = max(len(line.rows) for line in lines), max(row.minutes for row in lines[-1].rows)
            data = f", {minutes:.1f} min of calibrated data each" if minutes else ""
            yield f"## {setting.title} (`{setting.key}`)\n"
            yield f"{count} {'simulated ' if simulated else ''}participants{data}.\n"
            yield from markdown_table(HEADINGS, [self.cells(line) for line in lines])
            yield ""
        yield f"## Targets of the {NAMES[OURS]}{' (simulated ears)' if simulated else ''}\n"
        yield from markdown_table(("what", "value", "wanted", "reached"), [target_cells(t) for t in self.targets()])
        yield ""
        if self.outcome.skipped:
            yield "## Skipped\n"
            skipped = sorted(self.outcome.skipped.items())
            yield from (f"- {reason}" if what in reason else f"- {what}: {reason}" for what, reason in skipped)
            yield ""
        yield from (f"![{name}]({name})\n" for name in pictures)

    def cells(self, line: Line) -> list[str]:
        """A line as text, see :data:`HEADINGS`."""
        forms = ("{:,}", "{:.2f}", "{:.2f}", "{:,.0f}")
        others = [form.format(value) for form, value in zip(forms, line.figures().values(), strict=True)]
        return [NAMES[line.model], *shown(line.assessment), *others]


def target_cells(target: Target) -> list[str]:
    """A target as text: what, value, wanted, reached."""
    reached = {True: "yes", False: "no", None: "not measured"}[target.reached]
    return [target.what, "–" if target.value is None else f"{target.value:.3f}", target.wanted, reached]


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a Markdown table; the first column is text."""
    yield f"| {' | '.join(headings)} |"
    yield f"|---|{'---:|' * (len(headings) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
