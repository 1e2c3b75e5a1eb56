"""The command ``imuface empathy sft``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from empathy_agent.cli import one_line_errors

from empathy_training.commands.data import read_all
from empathy_training.commands.options import AllowLicence, AsJson, Base, Run, Seed, Settings


def sft(
    data: Annotated[
        list[Path] | None, typer.Argument(help="Files with chains (.jsonl). [default: the project's conversations]")
    ] = None,
    output: Run = Path("out/empathy/sft"),
    base: Base = None,
    settings: Settings = None,
    max_steps: Annotated[int | None, typer.Option(help="End after so many steps. [default: 3 epochs]")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="[default: 0.0002]")] = None,
    chain: Annotated[bool | None, typer.Option(help="Learn the four layers, or only answers.")] = None,
    seed: Seed = None,
    allow_licence: AllowLicence = None,
    as_json: AsJson = False,
) -> None:
    """Stage 1: fine-tune an adapter on chains and answers.

    A run that was interrupted goes on where it stopped when the same command is given again. All settings, with their
    values, are in OUTPUT/settings.yaml.

    \b
    imuface empathy base tiny --output out/tiny
    imuface empathy sft --base out/tiny --output out/sft-tiny --max-steps 20
    imuface empathy sft --base Qwen/Qwen2.5-1.5B-Instruct
    imuface empathy sft ours.jsonl --settings sft.yaml --output out/sft-ours
    """
    with one_line_errors():
        from empathy_training.corpus.talk import TALK_FILES
        from empathy_training.learning.settings import read_settings
        from empathy_training.learning.sft import ADAPTER, SftSettings, train

        given = {"base": base, "max_steps": max_steps, "learning_rate": learning_rate, "chain": chain, "seed": seed}
        chosen = read_settings(SftSettings, settings, **given)
        card = train(read_all(data or TALK_FILES, allow_licence), chosen, output)
    if as_json:
        typer.echo(json.dumps(card, ensure_ascii=False))
        return
    figures = card["figures"]
    typer.echo(
        f"held-out loss {figures['held_out_loss_first']:.3f} -> {figures['held_out_loss']:.3f} "
        f"in {figures['steps']} steps ({figures['held_out_conversations']} conversations not learned from)"
    )
    typer.echo(f"{output / ADAPTER}: adapter with its card; {output / 'loss.png'}: the curve")
