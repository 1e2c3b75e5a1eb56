"""The table of all settings and models, and how far the targets of the project are reached."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from face_recon_node.study.harness import FOLDS, OURS, Outcome, Plan
from face_recon_node.study.metrics import Coverage, Figures
from face_recon_node.study.results import Row
from face_recon_node.study.settings import Setting

NAMES = {
    "mean": "constant face, mean",
    "constant": "constant face, median",
    "ridge": "ridge regression",
    "cnn": "1D-CNN",
    "lstm": "LSTM",
    "time": "transformer, time only",
    "frequency": "transformer, frequency only",
    "paper": "IMUTwinTrans, paper's recipe",
    OURS: "ours",
}
CONSTANTS = ("mean", "constant")


@dataclass(frozen=True)
class Line:
    """One model in one setting: the mean over participants."""

    setting: Setting
    model: str
    rows: tuple[Row, ...]

    def mean(self, figure: str) -> float:
        """Of a figure of :class:`Figures`."""
        return float(np.mean([getattr(row.figures, figure) for row in self.rows]))

    def coverage(self, figure: str) -> float | None:
        """Of a figure of :class:`Coverage`; None: the model states no standard deviations."""
        values = [getattr(row.coverage, figure) for row in self.rows if row.coverage is not None]
        return float(np.mean(values)) if values else None


@dataclass(frozen=True)
class Target:
    """Something that our model is to reach."""

    what: str
    value: float | None
    """None: the rows that it follows from are missing."""
    wanted: str
    reached: bool | None


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

    def gain(self, setting: str, model: str, constant_model: str) -> float | None:
        """G: 1 - error / error of one of :data:`CONSTANTS`, over the participants that have both."""
        constant, line = self.line(setting, constant_model), self.line(setting, model)
        if constant is None or line is None:
            return None
        errors = {row.key.participant: row.figures.landmark_error_mm for row in constant.rows}
        pairs = [
            (row.figures.landmark_error_mm, errors[row.key.participant])
            for row in line.rows
            if row.key.participant in errors
        ]
        return 1.0 - sum(error for error, _ in pairs) / sum(error for _, error in pairs) if pairs else None

    def targets(self) -> list[Target]:
        """The targets of the project, for our model; G against both constant faces."""
        found = []
        for constant in CONSTANTS:
            than = f"against {NAMES[constant]}"
            ceiling = self.gain("60min", OURS, constant)
            found.append(Target(f"C = G(60 min), the ceiling, {than}", ceiling, "", None))
            one_ear = self.gain("one-ear-60min", OURS, constant)
            found.append(Target(f"G(one earbud lost, 60 min), the ceiling of one ear, {than}", one_ear, "", None))
            for what, setting, share in (
                ("G(5 min)", "within", 0.85),
                ("G(1 min)", "1min", 0.6),
                ("G(neutral calibration only)", "neutral", 0.35),
                ("G(one earbud lost)", "one-ear", 0.5),
            ):
                gain = self.gain(setting, OURS, constant)
                relative = gain / ceiling if gain is not None and ceiling is not None and ceiling > 0 else None
                reached = None if relative is None else relative >= share
                found += [
                    Target(f"{what}, {than}", gain, "", None),
                    Target(f"{what} / C, {than}", relative, f">= {share:g}", reached),
                ]
        ours = self.line("within", OURS)
        for model, share in (("ridge", 0.2), ("paper", 0.1)):
            rival = self.line("within", model)
            below = 1.0 - ours.mean("landmark_error_mm") / rival.mean("landmark_error_mm") if ours and rival else None
            found.append(
                Target(
                    f"below {NAMES[model]}, all training minutes",
                    below,
                    f">= {share:g}",
                    None if below is None else below >= share,
                )
            )
        for figure in ("landmarks", "weights"):
            inside = ours.coverage(figure) if ours else None
            reached = None if inside is None else 0.6 <= inside <= 0.76
            found.append(Target(f"truth within 1 σ, {figure}", inside, "0.6 to 0.76", reached))
        return found

    def header(self) -> str:
        """What was measured, in a line or two."""
        study = self.plan.study
        ears = "Simulated ears: these figures say nothing about people." if study.simulated else "Recorded sessions."
        version = importlib.metadata.version("face_recon_node")
        return (
            f"{ears} Study {study.name}, {len(study.participants)} participants, seed {self.plan.seed}, "
            f"version {version}."
        )

    def to_json(self) -> dict[str, Any]:
        """Everything, in plain values."""
        return {
            "simulated": self.plan.study.simulated,
            "study": self.plan.study.name,
            "participants": [participant.name for participant in self.plan.study.participants],
            "seed": self.plan.seed,
            "version": importlib.metadata.version("face_recon_node"),
            "lines": [
                {
                    "setting": line.setting.key,
                    "title": line.setting.title,
                    "model": line.model,
                    "participants": len(line.rows),
                    "gain": {name: self.gain(line.setting.key, line.model, name) for name in CONSTANTS},
                    **{name: line.mean(name) for name in Figures.__dataclass_fields__},
                    "coverage": {name: line.coverage(name) for name in Coverage.__dataclass_fields__},
                    "parameters": line.rows[0].parameters,
                    "cpu_ms": float(np.median([row.cpu_ms for row in line.rows])),
                    "times_real_time": float(np.median([row.times_real_time for row in line.rows])),
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
        yield f"## Targets{' (simulated ears)' if simulated else ''}\n"
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
        gains = [self.gain(line.setting.key, line.model, constant) for constant in CONSTANTS]
        covered = [line.coverage(name) for name in ("landmarks", "landmarks_two", "weights", "weights_two")]
        return [
            NAMES[line.model],
            *(f"{line.mean(name):.3f}" for name in ("landmark_error_mm", "landmark_error_p95_mm")),
            *("–" if gain is None else f"{gain:.3f}" for gain in gains),
            *(f"{line.mean(f'{region}_mm'):.2f}" for region in ("brows", "eyes", "nose", "mouth")),
            f"{line.mean('nme_percent'):.2f}",
            f"{line.mean('weights_error'):.4f}",
            *(f"{line.mean(name):.3f}" for name in ("jitter_mm", "true_jitter_mm")),
            f"{line.rows[0].parameters:,}",
            f"{np.median([row.cpu_ms for row in line.rows]):.2f}",
            *("–" if share is None else f"{100.0 * share:.0f}" for share in covered),
        ]


HEADINGS = (
    "model",
    "mm",
    "p95 mm",
    "G mean",
    "G median",
    "brows",
    "eyes",
    "nose",
    "mouth",
    "NME %",
    "weights",
    "jitter",
    "true jitter",
    "parameters",
    "CPU ms",
    "marks 1 σ %",
    "marks 2 σ %",
    "weights 1 σ %",
    "weights 2 σ %",
)
EXPLANATION = (
    "Means over participants. mm: mean distance of the 51 landmarks; p95: of the frames' means; by region; NME: by the "
    "distance of the outer eye corners; weights: mean absolute error of the 52 ARKit weights; jitter: mean second "
    "difference of the landmarks, mm per frame² at 30 Hz; CPU: one frame of a stream on one core, median; marks, "
    "weights σ: share of the truth within one and two predicted standard deviations of landmarks and weights. "
    "G = 1 - error / error of a constant face: the mean, or the median, of the same training data. A person's neutral "
    "landmarks are given to every model. Without data of the person, rivals are trained on the participants of "
    f"the other {FOLDS - 1} of {FOLDS} groups, and ours is the shipped network."
)


def target_cells(target: Target) -> list[str]:
    """A target as text: what, value, wanted, reached."""
    reached = {True: "yes", False: "no", None: "not measured" if target.wanted else ""}[target.reached]
    return [target.what, "–" if target.value is None else f"{target.value:.3f}", target.wanted, reached]


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a Markdown table; the first column is text."""
    yield f"| {' | '.join(headings)} |"
    yield f"|---|{'---:|' * (len(headings) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
