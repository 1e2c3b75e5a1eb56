"""How far a run is and what it has measured: a bar, a line of JSON a report, a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

METRICS_FILE = "metrics.jsonl"


class Record(TrainerCallback):
    """Appends the trainer's reports to ``metrics.jsonl``; a run that goes on forgets those after its checkpoint."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / METRICS_FILE

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Keep the reports up to the checkpoint."""
        kept = [report for report in read_metrics(self._path) if report["step"] <= state.global_step]
        self._path.write_text("".join(json.dumps(report) + "\n" for report in kept))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Append a report."""
        report = {name: value for name, value in (logs or {}).items() if isinstance(value, int | float)}
        with self._path.open("a") as stream:
            stream.write(json.dumps({"step": state.global_step, **report}) + "\n")


class Bar(TrainerCallback):
    """A progress bar with the last loss on stderr; the trainer's own writes to stdout."""

    def __init__(self) -> None:
        columns = (
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True))
        self._task = self._bar.add_task("", total=None, loss="")

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Draw the bar."""
        self._bar.update(self._task, total=state.max_steps, completed=state.global_step)
        self._bar.start()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """One step more."""
        self._bar.update(self._task, completed=state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Show the loss."""
        if logs and "loss" in logs:
            self._bar.update(self._task, loss=f"loss {float(logs['loss']):.3f}")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave the bar as it stands."""
        self._bar.stop()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The reports of a run, oldest first; a last line that was cut off is left out."""
    reports = []
    for line in path.read_text().splitlines() if path.is_file() else ():
        try:
            reports.append(json.loads(line))
        except ValueError:
            continue
    return reports


def plot(folder: Path, title: str, curves: Sequence[tuple[str, str]]) -> Path:
    """Draw reported values over steps into ``<first name>.png``.

    Args:
        folder: of the run.
        title: above the picture.
        curves: name of a reported value, and its label.
    """
    from matplotlib.figure import Figure

    reports = read_metrics(folder / METRICS_FILE)
    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    axes = figure.subplots()
    for name, label in curves:
        points = [(report["step"], report[name]) for report in reports if name in report]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, marker="o" if len(points) < 40 else None, markersize=3)
    axes.set(title=title, xlabel="step", ylabel=curves[0][0])
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.lines:
        axes.legend(frameon=False)
    path = folder / f"{curves[0][0]}.png"
    figure.savefig(path, dpi=140)
    return path
