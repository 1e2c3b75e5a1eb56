"""Files of records, one of JSON a line, that an interrupted run adds to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO, TypeVar

from pydantic import BaseModel, ValidationError

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
                what = error.errors(include_url=False, include_input=False, include_context=False)[0]["msg"]
                raise ValueError(f"{path}, line {number}: {what}; delete the line") from None
    return records


def add_record(stream: TextIO, record: BaseModel) -> None:
    """Write a record at once, so that a kill loses none."""
    stream.write(json.dumps(record.model_dump(), ensure_ascii=False) + "\n")
    stream.flush()
