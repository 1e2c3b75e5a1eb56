"""The commands ``imuface bag``: what is in a bag, and a whole one of what is left of it."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from imuface_core.bag import Storage

_HELP = """Look into a bag, and make a whole one of what is left of it.

\b
imuface bag info sessions/anna_1
imuface bag repair sessions/anna_1
"""
bag_app = typer.Typer(
    help=_HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)

_Bag = Annotated[Path, typer.Argument(help="A rosbag2 folder, or a file of one.")]


@bag_app.command()
def info(bag: _Bag, as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Say what is in a bag, and whether it is whole.

    Every message is read. The exit code is 1 when the bag is not whole.

    \b
    imuface bag info sessions/anna_1
    imuface bag info sessions/anna_1/anna_1.mcap --json
    """
    from imuface_core.bag import Storage

    with Storage(bag) as storage:
        found = _examined(storage)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        _show(bag, found)
    raise typer.Exit(int(not found["whole"]))


@bag_app.command()
def repair(
    bag: _Bag,
    output: Annotated[Path | None, typer.Option(help="Bag to write. [default: BAG_repaired, beside it]")] = None,
) -> None:
    """Write what can be read of a bag as a new, whole one.

    Recordings that were cut off, damaged files, lone files and compressed ones. The bag itself stays as it is.

    \b
    imuface bag repair sessions/anna_1
    imuface bag repair anna_1.mcap --output sessions/anna_1
    """
    from imuface_core.bag import beside
    from imuface_core.bag import repair as mend

    output = output or beside(bag, "repaired")
    count, damage = mend(bag, output)
    for sentence in damage:
        typer.echo(sentence)
    typer.echo(f"{output}: {count} messages saved{'' if damage else '; nothing was damaged'}")


def _examined(storage: Storage) -> dict[str, Any]:
    from imuface_core.bag import people

    damage = list(storage.damage)
    counts = {(each.topic, each.msgtype): 0 for each in storage.connections}
    try:
        for message in storage.messages(storage.connections):
            counts[message.connection.topic, message.connection.msgtype] += 1
    except ValueError as error:
        damage.append(str(error))
    start, end = storage.span
    return {
        "whole": not damage,
        "damage": damage,
        "people": [person or "/" for person in people(storage.connections)],
        "start": datetime.datetime.fromtimestamp(start * 1e-9, datetime.UTC).isoformat(timespec="seconds"),
        "duration": round((end - start) * 1e-9, 3),
        "messages": sum(counts.values()),
        "topics": [{"name": name, "type": kind, "messages": n} for (name, kind), n in sorted(counts.items())],
    }


def _show(bag: Path, found: dict[str, Any]) -> None:
    typer.echo(f"{bag}: {'whole' if found['whole'] else 'not whole; `imuface bag repair` makes a whole one of it'}")
    for sentence in found["damage"]:
        typer.echo(f"  {sentence}")
    typer.echo(f"people: {', '.join(found['people']) or 'no topic of an ear'}")
    typer.echo(f"{found['messages']} messages in {found['duration']:.1f} s from {found['start']}")
    width = max((len(topic["name"]) for topic in found["topics"]), default=0)
    for topic in found["topics"]:
        typer.echo(f"{topic['messages']:>8}  {topic['name']:<{width}}  {topic['type']}")
