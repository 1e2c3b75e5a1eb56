"""The command ``imuface empathy export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from empathy_agent.cli import one_line_errors


def export(
    adapter: Annotated[Path, typer.Argument(help="Folder of an adapter, as `sft` and `grpo` leave it.")],
    output: Annotated[Path | None, typer.Option(help="GGUF file to write. [default: ADAPTER.gguf beside it]")] = None,
    name: Annotated[str, typer.Option(help="Add it to your catalogue, so that the agent loads it by this name.")] = "",
    of: Annotated[
        str, typer.Option(help="With --name: the catalogue's name of its base; left out: the embedded default.")
    ] = "",
    merge: Annotated[
        Path | None, typer.Option(help="Write the base with the adapter merged into it instead, for vLLM.")
    ] = None,
) -> None:
    """Stage 4: make a trained adapter usable by the agent.

    llama.cpp loads the adapter beside its quantised base. With --merge, base and adapter become one model for
    Transformers or vLLM, whose server the agent can use, too.

    \b
    imuface empathy export out/empathy/sft/adapter --name ours
    imuface chat --model ours
    imuface empathy export out/empathy/sft/adapter --merge out/merged
    """
    with one_line_errors():
        from empathy_agent.models import BASE_MODEL, load_catalogue
        from empathy_agent.models.catalogue import user_catalogue

        from empathy_training.learning.export import export_gguf, export_merged, register

        if merge:
            export_merged(adapter, merge)
            typer.echo(f"{merge}: the whole model")
            return
        path = output or adapter.with_suffix(".gguf")
        count = export_gguf(adapter, path)
        typer.echo(f"{path}: {count} matrices, {path.stat().st_size / 1e6:.1f} MB")
        if name:
            register(name, of or BASE_MODEL, path, user_catalogue(), load_catalogue())
            typer.echo(f"added to {user_catalogue()}; try: imuface chat --model {name}")
