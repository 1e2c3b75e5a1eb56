"""Tables in text files, as programs write them and as spreadsheets save them again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Row:
    """A line of a table."""

    line: int
    cells: list[str]
    decimal_comma: bool

    @property
    def place(self) -> str:
        """For messages."""
        return f"line {self.line}"

    def text(self, column: int | None) -> str:
        """A cell without the spaces around it; empty where there is none."""
        return self.cells[column].strip() if column is not None and column < len(self.cells) else ""

    def number(self, column: int | None, name: str) -> float:
        """A cell as a number.

        Raises:
            ValueError: it is none; the message names line, ``name`` and cell.
        """
        text = self.text(column)
        try:
            return float(text.replace(",", ".") if self.decimal_comma else text)
        except ValueError:
            raise ValueError(f"{self.place}: {name} is '{text[:20]}', not a number") from None


class Table:
    """A header, and the lines below it that are not empty.

    Columns may be separated by commas, or, from a spreadsheet, by semicolons or tabs, with decimal commas then.
    Raises ``ValueError`` where the text is none.
    """

    def __init__(self, text: str) -> None:
        lines = io.StringIO(text, newline="")
        first = lines.readline()
        if first.strip().lower().startswith("sep="):  # a spreadsheet's note to itself
            first = lines.readline()
        self._start = text.count("\n", 0, lines.tell()) or 1
        self._delimiter = max(_DELIMITERS, key=first.count)
        self._rows = csv.reader(lines, delimiter=self._delimiter)
        try:
            header = next(csv.reader([first], delimiter=self._delimiter), [])
        except csv.Error as error:
            raise ValueError(f"line {self._start}: {error}") from error
        self.columns = {name.strip().lower(): column for column, name in enumerate(header)}
        """Where each column stands, by its name in lower case."""
        self.width = len(header)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Which of these columns are not there."""
        return [name for name in names if name.lower() not in self.columns]

    def __iter__(self) -> Iterator[Row]:
        try:
            for cells in self._rows:
                if any(cell.strip() for cell in cells):
                    yield Row(self._start + self._rows.line_num, cells, self._delimiter != ",")
        except csv.Error as error:
            raise ValueError(f"line {self._start + self._rows.line_num}: {error}") from error
