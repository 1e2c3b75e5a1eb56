"""Options that several commands of ``imuface empathy`` take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AllowLicence = Annotated[
    list[str] | None,
    typer.Option("--allow-licence", help="SPDX name of a further licence that allows what you do with the data."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the model card.")]
Base = Annotated[str | None, typer.Option(help="Hugging Face name or folder of the base model.")]
Run = Annotated[Path, typer.Option(help="Folder of the run.")]
Seed = Annotated[int | None, typer.Option(help="Decides about every random choice. [default: 0]")]
Settings = Annotated[Path | None, typer.Option(help="Settings as YAML; options here go before it.")]
