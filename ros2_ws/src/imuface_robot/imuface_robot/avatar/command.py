"""The command ``imuface vrm``: what draws a VRM, and a look into one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from imuface_core.arkit import BLENDSHAPES
from imuface_core.console import one_line_errors

vrm_app = typer.Typer(
    help="A VRM avatar in the robot's page: fetch what draws it, look into a file.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@vrm_app.command()
def get() -> None:
    """Fetch the libraries that draw a VRM (three.js, three-vrm) with npm, verify them and keep them in the cache.

    Example: [bold]imuface vrm get[/]
    """
    from imuface_robot.avatar import viewer

    with one_line_errors():
        typer.echo(viewer.get(lambda package: typer.echo(f"fetching {package}", err=True)))


@vrm_app.command()
def check(file: Annotated[Path, typer.Argument(help="The avatar's file, .vrm.")]) -> None:
    """Tell which version of VRM a file has, and which of the face's actions it can show.

    Example: [bold]imuface vrm check me.vrm[/]
    """
    from imuface_robot.avatar.vrm import read

    with one_line_errors():
        vrm = read(file)
    typer.echo(f"'{vrm.name}', VRM {vrm.version}, {len(vrm.expressions)} expressions")
    missing = [name for name in BLENDSHAPES if name not in vrm.actions]
    if not vrm.actions:
        typer.echo(
            f"no clips for ARKit's actions; it moves by VRM's presets: {', '.join(vrm.presets) or 'it has none'}"
        )
    elif missing:
        typer.echo(
            f"clips for {len(vrm.actions)} of {len(BLENDSHAPES)} of ARKit's actions; without: {', '.join(missing)}"
        )
    else:
        typer.echo(f"a clip for each of ARKit's {len(BLENDSHAPES)} actions (perfect sync)")
