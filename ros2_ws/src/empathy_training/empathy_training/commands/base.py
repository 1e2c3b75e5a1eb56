"""The command ``imuface empathy base``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from empathy_agent.cli import one_line_errors

from empathy_training.commands.data import read_all


def base(
    model: Annotated[str, typer.Argument(help="tiny, a model of `imuface models list`, or a GGUF file.")],
    output: Annotated[Path, typer.Option(help="Folder to write.")],
    seed: Annotated[int, typer.Option(help="Of the tiny model's weights.")] = 0,
) -> None:
    """Make a base model that the stages can train.

    `tiny` is an untrained model for trying the stages in seconds. A quantised model of the catalogue becomes one in
    full precision, which takes minutes and much memory. Models of Hugging Face need no such step.

    \b
    imuface empathy base tiny --output out/tiny
    imuface empathy base qwen2.5-coder-1.5b --output out/base
    """
    with one_line_errors():
        from empathy_agent.engines.base_model import save_tiny_base, save_trainable
        from empathy_agent.models import Store

        if model == "tiny":
            texts = [text for one in read_all(None, None) for text in (one.post, one.chain.serialise())]
            save_tiny_base(output, texts, seed)
        else:
            save_trainable(Path(model) if model.endswith(".gguf") else Store().path(model), output)
    typer.echo(f"{output}: base model for --base")
