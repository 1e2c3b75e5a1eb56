"""Files of records, one of JSON a line, that an interrupted run adds to; and figures for JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, TextIO, TypeVar

from pydantic import BaseModel, ValidationError

from empathy_training.corpus.examples import first_fault

R = TypeVar("R", bound=BaseModel)


def read_records(kind: type[R], path: Path) -> list[R]:
    """The records of a file.

    Raises:
        OSError, ValueError: it cannot be read, or a line is no such record.
    """
    records = []
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                records.append(kind.model_validate_json(line))
            except ValidationError as error:
                _, what = first_fault(error)
                raise ValueError(f"{path}, line {number}: {what}; delete the line") from None
    return records


def add_record(stream: TextIO, record: BaseModel) -> None:
    """Write a record at once, so that a kill loses none."""
    stream.write(json.dumps(record.model_dump(), ensure_ascii=False) + "\n")
    stream.flush()


def without_nan(value: Any) -> Any:
    """Nested figures with None for NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {name: without_nan(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
