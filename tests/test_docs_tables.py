"""The pages that are made from tables in the code are as these tables are."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_the_pages_are_those_of_the_tables() -> None:
    for name, page in runpy.run_path(str(DOCS / "tables.py"))["pages"]().items():
        assert (DOCS / name).read_text(encoding="utf-8") == page, f"python docs/tables.py makes {name} anew"
