"""The command ``imuface empathy``: the recipe of Empathy-R1, a stage a command."""

from __future__ import annotations

import typer

from empathy_training.commands.base import base
from empathy_training.commands.converse import converse
from empathy_training.commands.data import data_app
from empathy_training.commands.evaluate import evaluate
from empathy_training.commands.export import export
from empathy_training.commands.grpo import grpo
from empathy_training.commands.preference import train_preference
from empathy_training.commands.recognition import train_recognition
from empathy_training.commands.reward import reward
from empathy_training.commands.screen import screen, train_screen
from empathy_training.commands.sft import sft
from empathy_training.commands.study import study_app

empathy_app = typer.Typer(
    help="Data and training of the empathetic model (docs/empathy-data.md).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
empathy_app.add_typer(data_app, name="data")
empathy_app.command()(base)
empathy_app.command()(sft)
empathy_app.command()(reward)
empathy_app.command()(grpo)
empathy_app.command()(export)
empathy_app.command()(evaluate)
empathy_app.command()(converse)
empathy_app.command()(screen)
empathy_app.command()(train_screen)
empathy_app.command()(train_preference)
empathy_app.command()(train_recognition)
empathy_app.add_typer(study_app, name="study")
