"""Pictures of the table."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from face_recon_node.models.catalogue import NAMES
from imuface_core.arkit import BLENDSHAPES
from numpy.typing import NDArray

from imuface_study.harness import EXAMPLES, OURS
from imuface_study.table import MEASURED, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

_COLOURS = {
    "mean": "0.75", "median": "0.55", "ridge": "tab:olive", "lstm": "tab:green", "imu_twin_trans": "tab:orange",
    OURS: "tab:red",
}  # fmt: skip
_SHOWN = (OURS, "imu_twin_trans", "ridge")
"""Models in the pictures over time and of faces, where too many would hide each other."""
_POINTS = (("inner brow, right", 4, 2), ("corner of the mouth, right", 31, 1), ("lower lip, middle", 40, 2))
"""Name, landmark, axis: 1 to the left, 2 up."""
_WEIGHTS = ("browInnerUp", "mouthSmileLeft", "jawOpen")
_LINES = (
    range(0, 5), range(5, 10), range(10, 14), range(14, 19), (*range(19, 25), 19), (*range(25, 31), 25),
    (*range(31, 43), 31), (*range(43, 51), 43),
)  # fmt: skip
"""Landmarks that a line connects."""
_MINUTES = (("neutral", "0"), ("30s", "0.5"), ("1min", "1"), ("2min", "2"), ("within", "all"), ("60min", "60"))
_COMPARED = ("within", "across", "neutral")
_FIDELITY = ("median r", "jawOpen r", "smile r", "brow raise r")
_MOMENTS = 6
_KEPT = ("seconds", "landmarks", "weights", "true_landmarks", "true_weights")


def draw(table: Table, folder: Path) -> list[str]:
    """Draw what the rows allow; returns the names of the files in ``folder``."""
    names = []
    for name, figure in _figures(table, folder):
        figure.savefig(folder / f"{name}.png", dpi=100)
        names.append(f"{name}.png")
    return names


def _figures(table: Table, folder: Path) -> Iterator[tuple[str, Figure]]:
    for setting in _COMPARED:
        if any(line.setting.key == setting for line in table.lines):
            yield f"participants_{setting}", _participants(table, setting)
            yield f"fidelity_{setting}", _fidelity(table, setting)
    if any(table.line(setting, OURS) for setting in _COMPARED):
        yield "reliability", _reliability(table)
    if any(table.line(key, model) for key, _ in _MINUTES[:4] for model in table.plan.models):
        yield "minutes", _minutes(table)
    for setting in EXAMPLES:
        examples = _examples(table, folder, setting)
        if examples:
            yield f"time_{setting}", _over_time(table, setting, examples)
            yield f"faces_{setting}", _faces(table, setting, examples)


def _participants(table: Table, setting: str) -> Figure:
    figure = _figure(table, 9.0, 4.6, f"Fidelity per participant: {_title(table, setting)}")
    axes = figure.subplots()
    names = [participant.name for participant in table.plan.study.participants]
    for model in table.plan.models:
        line = table.line(setting, model)
        if line:
            found = {names.index(row.key.participant): row.assessment.fidelity.median_r for row in line.rows}
            points = zip(*found.items(), strict=True)
            axes.plot(*points, _style(model), color=_COLOURS[model], label=NAMES[model], markersize=7)
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="median r of the actions", ylim=(None, 1.0))
    _legend(axes)
    return figure


def _fidelity(table: Table, setting: str) -> Figure:
    figure = _figure(table, 9.0, 4.6, f"Whether the face moves as the true one: {_title(table, setting)}")
    axes = figure.subplots()
    lines = [line for model in table.plan.models if (line := table.line(setting, model))]
    width = 0.8 / len(lines)
    for place, line in enumerate(lines):
        values = [MEASURED[name][0](line.assessment) or 0.0 for name in _FIDELITY]
        at = np.arange(len(_FIDELITY)) + (place - 0.5 * (len(lines) - 1)) * width
        axes.bar(at, values, width, color=_COLOURS[line.model], label=NAMES[line.model])
    axes.axhline(0.0, color="0.3", linewidth=0.8)
    axes.set_xticks(range(len(_FIDELITY)), list(_FIDELITY))
    axes.set(ylabel="r", ylim=(None, 1.0))
    _legend(axes)
    return figure


def _reliability(table: Table) -> Figure:
    figure = _figure(table, 9.0, 4.6, f"How often the expression is right, by the confidence in it: {NAMES[OURS]}")
    axes = figure.subplots()
    axes.plot((0.0, 1.0), (0.0, 1.0), color="0.7")
    for setting in _COMPARED:
        line = table.line(setting, OURS)
        bins = np.array([each for row in line.rows for each in row.reliability] if line else [])
        if len(bins):
            centres, confidence, accuracy, frames = bins.T
            place = np.unique(centres, return_inverse=True)[1]
            sums = [np.bincount(place, frames * values) for values in (confidence, accuracy)]
            axes.plot(*(np.divide(values, np.bincount(place, frames)) for values in sums), ".-", label=setting)
    axes.set(xlabel="confidence", ylabel="share that is right", xlim=(0.0, 1.0), ylim=(0.0, 1.0), aspect="equal")
    _legend(axes)
    return figure


def _minutes(table: Table) -> Figure:
    figure = _figure(table, 10.0, 4.6, "Fidelity against minutes of the person's data")
    both = figure.subplots(1, 2, sharey=True)
    for axes, suffix, title in ((both[0], "", "same mounting"), (both[1], "-remounted", "remounted")):
        keys = [(_remounted(key) if suffix else key, label) for key, label in _MINUTES]
        for model in table.plan.models:
            gathered = [(place, table.line(key, model)) for place, (key, _) in enumerate(keys)]
            points = [(place, line.assessment.fidelity.median_r) for place, line in gathered if line]
            if points:
                axes.plot(*zip(*points, strict=True), _style(model) + "-", color=_COLOURS[model], label=NAMES[model])
        axes.set_xticks(range(len(keys)), [label for _, label in keys])
        axes.set(title=title, xlabel="minutes (0: neutral calibration only)", ylim=(None, 1.0), xlim=(-0.4, 5.4))
        axes.grid(axis="y", alpha=0.3)
    both[0].set_ylabel("median r of the actions")
    _legend(both[1], both[0])
    return figure


def _remounted(key: str) -> str:
    return {"within": "across", "60min": ""}.get(key, f"{key}-remounted")


_Example = Mapping[str, NDArray[np.float32]]


def _examples(table: Table, folder: Path, setting: str) -> dict[str, _Example]:
    """What :func:`harness.run` has kept of the setting, by model."""
    found: dict[str, _Example] = {}
    for model in _SHOWN:
        file = folder / "examples" / f"{setting}-{model}.npz"
        if table.line(setting, model) and file.exists():
            try:
                with np.load(file) as content:
                    found[model] = {name: content[name] for name in _KEPT}
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
                logger.warning("%s is not drawn: %s; remove it and its rows to have it made again", file, error)
    return found


def _over_time(table: Table, setting: str, examples: Mapping[str, _Example]) -> Figure:
    who = table.plan.study.participants[0].name
    figure = _figure(table, 11.0, 10.0, f"Predicted against true, {who}: {_title(table, setting)}")
    rows = figure.subplots(len(_POINTS) + len(_WEIGHTS), 1, sharex=True)
    first = next(iter(examples.values()))
    for axes, (name, point, axis) in zip(rows, _POINTS, strict=False):
        origin = np.median(first["true_landmarks"][:, point, axis])
        axes.plot(first["seconds"], 1e3 * (first["true_landmarks"][:, point, axis] - origin), "k", label="true")
        for model, example in examples.items():
            moved = 1e3 * (example["landmarks"][:, point, axis] - origin)
            axes.plot(example["seconds"], moved, color=_COLOURS[model], label=NAMES[model])
        axes.set_ylabel(f"{name}\n{'to the left' if axis == 1 else 'up'}, mm", fontsize=8)
    for axes, name in zip(rows[len(_POINTS) :], _WEIGHTS, strict=True):
        index = BLENDSHAPES.index(name)
        axes.plot(first["seconds"], first["true_weights"][:, index], "k")
        for model, example in examples.items():
            axes.plot(example["seconds"], example["weights"][:, index], color=_COLOURS[model])
        axes.set_ylabel(f"{name}\nweight", fontsize=8)
        axes.set_ylim(-0.05, 1.05)
    rows[-1].set_xlabel("seconds of the session; its middle")
    _legend(rows[0])
    return figure


def _faces(table: Table, setting: str, examples: Mapping[str, _Example]) -> Figure:
    first = next(iter(examples.values()))
    truth = first["true_landmarks"]
    moments = _expressive(truth, _MOMENTS)
    rows = [("true", "k", truth), *((NAMES[m], _COLOURS[m], example["landmarks"]) for m, example in examples.items())]
    who = table.plan.study.participants[0].name
    figure = _figure(table, 2.0 * len(moments), 2.2 * len(rows) + 0.6, f"Faces of {who}: {_title(table, setting)}")
    grid = figure.subplots(len(rows), len(moments), squeeze=False, sharex=True, sharey=True)
    for line, (name, colour, landmarks) in zip(grid, rows, strict=True):
        for axes, moment in zip(line, moments, strict=True):
            for points in _LINES:
                axes.plot(*truth[moment][list(points), 1:].T, color="0.8", linewidth=2.5)
                axes.plot(*landmarks[moment][list(points), 1:].T, color=colour, linewidth=1.2)
            axes.set_aspect("equal")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(name.replace(", ", ",\n"), fontsize=9)
    for axes, moment in zip(grid[0], moments, strict=True):
        axes.set_title(f"{first['seconds'][moment]:.1f} s", fontsize=9)
    return figure


def _expressive(landmarks: NDArray[np.float32], count: int) -> list[int]:
    """Frames that differ most from the median face and from each other (farthest-point sampling), in order."""
    nearest = np.linalg.norm(landmarks - np.median(landmarks, axis=0), axis=-1).mean(axis=-1)
    chosen: list[int] = []
    for _ in range(min(count, len(landmarks))):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(landmarks - landmarks[chosen[-1]], axis=-1).mean(axis=-1))
    return sorted(set(chosen))


def _figure(table: Table, width: float, height: float, title: str) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{title}{' (simulated ears)' if table.plan.study.simulated else ''}", fontsize=10)
    return figure


def _title(table: Table, key: str) -> str:
    title = next(setting.title for setting in table.plan.settings if setting.key == key)
    return title[0].lower() + title[1:]


def _style(model: str) -> str:
    return {OURS: "o", "mean": "_", "median": "_"}.get(model, ".")


def _legend(axes: Axes, drawn: Axes | None = None) -> None:
    """Beside ``axes``, of what is drawn there or in another part of the figure."""
    handles, labels = (drawn or axes).get_legend_handles_labels()
    axes.legend(handles, labels, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
