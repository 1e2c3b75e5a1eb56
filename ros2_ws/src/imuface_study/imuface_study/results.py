"""The rows of the table on disk: one JSON line each, reused while sessions, model and code are the same."""

from __future__ import annotations

import ast
import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from face_recon_node.evaluation.affect import Bin, mean_affect
from face_recon_node.evaluation.assessment import Assessment
from face_recon_node.evaluation.fidelity import mean_fidelity
from face_recon_node.evaluation.metrics import Coverage, Figures

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Key:
    """What a row says something about."""

    participant: str
    setting: str
    model: str
    seed: int
    digest: str
    """Of everything that decides about the row: sessions, model file, code."""


@dataclass(frozen=True)
class Row:
    """How good a model is on a participant in a setting."""

    key: Key
    assessment: Assessment
    reliability: tuple[Bin, ...]
    """How often labels of the affect are right, by the confidence in them."""
    parameters: int
    fit_seconds: float
    """Wall time of the fit, beside whatever else ran."""
    cpu_ms: float
    """Median processor time of a frame that comes alone, milliseconds."""
    times_real_time: float
    """Speed on a whole segment at once, by processor time."""
    minutes: float
    """Of training data of the person; 0: none."""
    frames: int
    """That were tested on."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        rest = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("key", "assessment")}
        return {**asdict(self.key), **self.assessment.to_json(), **rest}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Row:
        """The opposite of :meth:`to_json`. Raises ``TypeError`` or ``KeyError`` for anything else."""
        content = dict(content)
        key = Key(**{name: content.pop(name) for name in Key.__dataclass_fields__})
        assessment = Assessment.from_json({name: content.pop(name) for name in Assessment.__dataclass_fields__})
        bins = tuple(Bin(*values) for values in content.pop("reliability"))
        return cls(key, assessment, bins, **content)


def mean_assessment(people: Sequence[Assessment]) -> Assessment:
    """Means over people; of the coverage, over those with one.

    Raises:
        ValueError: there is nobody.
    """
    coverages = [person.coverage for person in people if person.coverage is not None]
    return Assessment(
        Figures(*np.mean([astuple(person.figures) for person in people], axis=0).tolist()),
        mean_fidelity([person.fidelity for person in people]),
        mean_affect([person.affect for person in people]),
        Coverage(*np.mean([astuple(each) for each in coverages], axis=0).tolist()) if coverages else None,
    )


class Results:
    """Rows in a file of JSON lines. Lines that are none, like the last one of a run that was cut off, are skipped."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rows: dict[Key, Row] = {}
        file.parent.mkdir(parents=True, exist_ok=True)
        damaged = 0
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        for line in text.splitlines():
            try:
                row = Row.from_json(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError):
                damaged += 1
            else:
                self._rows[row.key] = row
        if damaged:
            logger.warning("%s: %d damaged lines are skipped, their rows are measured again", file, damaged)
        if text and not text.endswith("\n"):
            with file.open("a", encoding="utf-8") as stream:
                stream.write("\n")

    def get(self, key: Key) -> Row | None:
        """The row of an earlier run."""
        return self._rows.get(key)

    def add(self, row: Row) -> None:
        """Keep a row."""
        self._rows[row.key] = row
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row.to_json()) + "\n")


@cache
def digest_of_files(path: Path) -> str:
    """Of a file, or of all files of a folder; empty when there is none."""
    total = hashlib.sha256()
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    for file in files:
        total.update(str(file.relative_to(path.parent if path.is_file() else path)).encode())
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


@cache
def digest_of_code(*names: str) -> str:
    """Of what the modules of folders and single modules (``package/path``) do: not of comments and docstrings."""
    total = hashlib.sha256()
    for name in names:
        package, _, path = name.partition("/")
        place = Path(str(files(package))) / path
        for file in sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                    node.value.value = ""
            total.update(ast.dump(tree).encode())
    return total.hexdigest()


def digest(parts: Iterable[str]) -> str:
    """Of several digests."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
