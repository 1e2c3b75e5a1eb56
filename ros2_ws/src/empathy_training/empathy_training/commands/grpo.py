"""The command ``imuface empathy grpo``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from empathy_agent.cli import one_line_errors

from empathy_training.commands.data import read_all
from empathy_training.commands.options import AllowLicence, AsJson, Base, Run, Seed, Settings


def grpo(
    data: Annotated[
        list[Path] | None, typer.Argument(help="Files with posts (.jsonl). [default: the seed set]")
    ] = None,
    output: Run = Path("out/empathy/grpo"),
    base: Base = None,
    adapter: Annotated[str | None, typer.Option(help="Adapter of stage 1. [default: a new one]")] = None,
    reward: Annotated[str | None, typer.Option(help="Reward model of stage 2.")] = None,
    settings: Settings = None,
    max_steps: Annotated[int | None, typer.Option(help="End after so many steps. [default: 200]")] = None,
    seed: Seed = None,
    allow_licence: AllowLicence = None,
    as_json: AsJson = False,
) -> None:
    """Stage 3: reinforcement learning with rewards for the format and the answer (GRPO).

    Two brakes keep answers from growing and from repeating themselves; their weights are settings. vLLM draws the
    replies where it is installed and there is a GPU.

    \b
    imuface empathy grpo --base out/tiny --reward out/reward-try/model --settings tiny.yaml --output out/grpo-tiny
    imuface empathy grpo --adapter out/empathy/sft/adapter --reward out/empathy/reward/model
    """
    with one_line_errors():
        from empathy_training.learning.grpo import GrpoSettings, train
        from empathy_training.learning.settings import read_settings
        from empathy_training.learning.sft import ADAPTER

        given = {"base": base, "adapter": adapter, "reward": reward, "max_steps": max_steps, "seed": seed}
        card = train(read_all(data, allow_licence), read_settings(GrpoSettings, settings, **given), output)
    if as_json:
        typer.echo(json.dumps(card, ensure_ascii=False))
        return
    first, last = (card["figures"][f"reward_{which}_tenth"] for which in ("first", "last"))
    typer.echo(f"first and last tenth of {card['figures']['steps']} steps:")
    for name, value in first.items():
        typer.echo(f"  {name}: {value:.3f} -> {last[name]:.3f}")
    typer.echo(f"{output / ADAPTER}: adapter with its card; {output / 'reward.png'}: the curves")
