"""The command ``imuface empathy reward``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from empathy_agent.cli import one_line_errors

from empathy_training.commands.data import read_all
from empathy_training.commands.options import AllowLicence, AsJson, Run, Seed, Settings


def reward(
    data: Annotated[
        list[Path] | None, typer.Argument(help="Posts and answers (.jsonl). [default: the seed set]")
    ] = None,
    output: Run = Path("out/empathy/reward"),
    base: Annotated[
        str | None, typer.Option(help="A sentence encoder, Hugging Face name or folder. [default: static]")
    ] = None,
    rewritings: Annotated[Path | None, typer.Option(help="Rewritings of the Empathetic Personas data (CSV).")] = None,
    rated: Annotated[Path | None, typer.Option(help="Rated replies of the same data (CSV).")] = None,
    settings: Settings = None,
    max_steps: Annotated[int | None, typer.Option(help="End after so many steps. [default: 3 epochs]")] = None,
    seed: Seed = None,
    allow_licence: AllowLicence = None,
    as_json: AsJson = False,
) -> None:
    """Stage 2: train the reward model on triplets of a post, its answer and a worse one.

    `static`, the default base, is a mean of word vectors that is learned from nothing within minutes on a processor.

    \b
    imuface empathy reward --max-steps 50 --output out/reward-try
    imuface empathy reward out/clean.jsonl --base BAAI/bge-small-zh-v1.5
    imuface empathy reward out/clean.jsonl --rewritings personas_generation.csv.gz --rated personas_full.csv.gz
    """
    with one_line_errors():
        from empathy_training.corpus.importers import read_rated_replies
        from empathy_training.learning.reward import MODEL, RewardSettings, train
        from empathy_training.learning.settings import read_settings
        from empathy_training.learning.triplets import RANDOM, read_rewritings

        chosen = read_settings(RewardSettings, settings, base=base, max_steps=max_steps, seed=seed)
        card = train(
            read_all(data, allow_licence),
            chosen,
            output,
            read_rewritings(rewritings) if rewritings else (),
            read_rated_replies(rated) if rated else (),
        )
    if as_json:
        typer.echo(json.dumps(card, ensure_ascii=False))
        return
    figures = card["figures"]
    for kind, share in figures["ranking_accuracy"].items():
        before = figures["ranking_accuracy_before"][kind]
        typer.echo(f"better than {kind}: {share:.0%} of held-out posts (before: {before:.0%})")
    if "rank_correlation_with_people" in figures:
        typer.echo(f"rank correlation with people's ratings: {figures['rank_correlation_with_people']:.2f}")
    typer.echo(f"{output / MODEL}: reward model with its card; random answers are '{RANDOM}', all others hard")
