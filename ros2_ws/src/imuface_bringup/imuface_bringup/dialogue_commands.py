"""The command ``imuface forget``: what is asked of the running agent beside ``imuface chat`` and ``imuface ask``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer
from empathy_agent.topics import FORGET
from imuface_interfaces.srv import Forget

from imuface_bringup.client import Client
from imuface_bringup.options import Namespace

AGENT = "empathy_agent"


def forget(
    session: Annotated[str, typer.Argument(help="Session to forget.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All sessions.")] = False,
    namespace: Namespace = "imuface",
) -> None:
    """Let the running agent forget what was said in a session, and delete its transcript.

    \b
    imuface forget anna
    imuface forget --all --namespace robot
    """
    if bool(session) == everything:
        raise ValueError("name a session, or give --all")
    with Client(namespace) as client:
        request = Forget.Request(session_id=session)
        answer = client.call(Forget, FORGET, request, AGENT, partial(client.absence, AGENT))
    if not answer.success:
        raise ValueError(f"not forgotten: {answer.message}")
    typer.echo(answer.message)
