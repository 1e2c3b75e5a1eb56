"""The parts of the ``imuface`` command that are about dialogue: ``models``, ``chat`` and ``ask``.

Imports that take long happen inside the commands, so that ``imuface --help`` stays quick.
"""

from __future__ import annotations

import json
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import imuface_core.console
import typer

from empathy_agent.cancellation import Cancellation

if TYPE_CHECKING:
    from rich.console import Console

    from empathy_agent.chain import Delta
    from empathy_agent.dialogue import Reply

models_app = typer.Typer(
    help="Language models: what is known, what is here, fetch, verify.", no_args_is_help=True, rich_markup_mode="rich"
)

NameArgument = Annotated[str, typer.Argument(help="Name in the catalogue; left out: the default.")]
ModelOption = Annotated[str, typer.Option(help="Answer in this process with this model of the catalogue.")]
NamespaceOption = Annotated[str, typer.Option(help="Namespace of the person whose agent answers.")]
LocaleOption = Annotated[str, typer.Option(help="BCP 47 tag such as zh-CN or en-US; left out: detected.")]


@contextmanager
def one_line_errors() -> Iterator[None]:
    """As :func:`imuface_core.console.one_line_errors`; a cancelled command ends with one line and status 130."""
    from empathy_agent.engines import Cancelled

    try:
        with imuface_core.console.one_line_errors():
            yield
    except (KeyboardInterrupt, Cancelled):
        typer.echo("cancelled", err=True)
        raise typer.Exit(130) from None


# models ---------------------------------------------------------------------------------------------------------------


@models_app.command("list")
def list_models() -> None:
    """Show every model of the catalogue and whether it is on this machine."""
    from rich.console import Console
    from rich.table import Column, Table

    from empathy_agent.models import DEFAULT_MODEL, Store
    from empathy_agent.models.catalogue import user_catalogue

    with one_line_errors():
        store = Store()
        table = Table(Column("name", no_wrap=True), "size", "here", "languages", "what", "licence")
        for name, model in store.catalogue.items():
            size = f"{model.bytes / 1e6:,.{0 if model.bytes > 1e6 else 1}f} MB" if model.bytes else "?"
            here = "yes" if store.is_present(name) else "no"
            shown = f"{name} *" if name == DEFAULT_MODEL else name
            table.add_row(shown, size, here, ", ".join(model.languages), model.title, model.licence)
        console = Console()
        console.print(table)
        console.print("* the default")
        console.print(f"Files: {store.folder}   Your own models: {user_catalogue()}", highlight=False, soft_wrap=True)


@models_app.command()
def get(name: NameArgument = "") -> None:
    """Fetch a model, verify it and keep it in the cache. A broken-off download is taken up again.

    Example: [bold]imuface models get smollm2-135m[/]
    """
    from empathy_agent.models import DEFAULT_MODEL, Store

    with one_line_errors():
        store, name = Store(), name or DEFAULT_MODEL
        store.model(name)
        with _progress(f"fetching {name}") as progress:
            path = store.get(name, progress)
        typer.echo(path)


@models_app.command()
def verify(name: NameArgument = "") -> None:
    """Compare a model's sha256 with the catalogue; a wrong file that was fetched is deleted."""
    from empathy_agent.models import DEFAULT_MODEL, Store

    with one_line_errors():
        store, name = Store(), name or DEFAULT_MODEL
        store.path(name)
        with _progress(f"verifying {name}") as progress:
            path = store.verify(name, progress)
        typer.echo(f"{path} is intact")


@models_app.command()
def path(name: NameArgument = "") -> None:
    """Print the file of a model that is on this machine."""
    from empathy_agent.models import DEFAULT_MODEL, Store

    with one_line_errors():
        typer.echo(Store().path(name or DEFAULT_MODEL))


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on stderr for bytes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


# ask and chat ---------------------------------------------------------------------------------------------------------


def ask(
    text: Annotated[str, typer.Argument(help="The post; - reads it from standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole reply as JSON.")] = False,
    model: ModelOption = "",
    locale: LocaleOption = "",
    namespace: NamespaceOption = "imuface",
) -> None:
    """Answer one post and end.

    The agent that runs in the namespace answers; where none runs, or with --model, this process loads the model and
    answers itself. Without a reply it ends with status 1 and one line on standard error.

    Examples:

    imuface ask "I lost my job and cannot sleep."

    imuface ask - --json < post.txt
    """
    from empathy_agent.chain import Layer

    with one_line_errors():
        post = sys.stdin.buffer.read().decode("utf-8") if text == "-" else text
        with _respondent(model, locale, namespace) as respond, _cancel_on_interrupt() as cancelled:
            *_, reply = respond(post, cancelled)
        if as_json:
            typer.echo(json.dumps(_as_json(reply), ensure_ascii=False, indent=2))
        else:
            typer.echo("\n".join([reply.chain[Layer.ANSWER], *reply.resources]))


def chat(
    model: ModelOption = "",
    locale: LocaleOption = "",
    namespace: NamespaceOption = "imuface",
    layers: Annotated[bool, typer.Option(help="Show the four layers of reasoning before the answer.")] = True,
) -> None:
    """Talk to the agent, a line at a time. /quit or Ctrl-D ends, Ctrl-C cancels the current reply.

    The agent that runs in the namespace answers, and it also knows what the face shows; where none runs, or with
    --model, this process loads the model and answers without a face.

    Example:

    imuface chat --namespace imuface --locale zh-CN
    """
    from rich.console import Console

    from empathy_agent.dialogue import DialogueError
    from empathy_agent.engines import Cancelled

    console = Console(highlight=False, markup=False)
    with one_line_errors(), _respondent(model, locale, namespace) as respond:
        console.print("/quit ends, Ctrl-C cancels a reply.", style="dim")
        while (post := _read_line(console)) is not None:
            try:
                with _cancel_on_interrupt() as cancelled:
                    _show(console, respond(post, cancelled), layers)
            except Cancelled:
                console.print("\n(cancelled)", style="yellow")
            except DialogueError as error:
                console.print(str(error), style="red")


Respond = Callable[[str, Cancellation], Iterator[Any]]
"""A post and an event that cancels it, to ``Delta``s and the ``Reply``."""


@contextmanager
def _respondent(model: str, locale: str, namespace: str) -> Iterator[Respond]:
    """The running agent, or a dialogue in this process."""
    session_id = f"{uuid.uuid4()}"
    if not model:
        try:
            from empathy_agent.client import AgentClient
        except ImportError:
            pass  # no ROS 2 here
        else:
            with AgentClient(namespace) as client:
                if client.is_there():
                    yield lambda post, cancelled: client.respond(
                        post, locale=locale, session_id=session_id, cancelled=cancelled
                    )
                    return
            typer.echo(f"no agent runs in the namespace {namespace}; answering in this process", err=True)
    from empathy_agent.dialogue import Dialogue
    from empathy_agent.engines.factory import open_engine
    from empathy_agent.safety import Risk

    engine = open_engine(model)
    warm: set[str] = set()

    def respond(text: str, cancelled: Cancellation) -> Iterator[Any]:
        post = dialogue.post(text, locale=locale, session_id=session_id)
        if post.verdict.risk is not Risk.CRISIS and post.language not in warm:
            dialogue.warm_up(post.language, cancelled)  # from disk, if an earlier run kept it
            warm.add(post.language)
        return dialogue.answer(post, cancelled=cancelled)

    try:
        dialogue = Dialogue(engine)
        yield respond
    finally:
        engine.close()


@contextmanager
def _cancel_on_interrupt() -> Iterator[Cancellation]:
    """An event that Ctrl-C sets, instead of raising KeyboardInterrupt in the middle of something."""
    cancelled = Cancellation()
    previous = signal.signal(signal.SIGINT, lambda number, frame: cancelled.set())
    try:
        yield cancelled
    finally:
        signal.signal(signal.SIGINT, previous)


def _read_line(console: Console) -> str | None:
    """What the person writes; None at the end."""
    while True:
        try:
            line = console.input("you: ").strip()
        except (EOFError, KeyboardInterrupt):
            return None
        if line == "/quit":
            return None
        if line:
            return line


def _show(console: Console, items: Iterator[Delta | Reply], layers: bool) -> None:
    """Print a reply while it streams."""
    from rich.padding import Padding

    from empathy_agent.chain import Delta, Layer

    current = None
    for item in items:
        if isinstance(item, Delta):
            if item.layer is not Layer.ANSWER and not layers:
                continue
            style = "" if item.layer is Layer.ANSWER else "dim"
            if item.layer is not current:
                if current is not None and item.layer < current:
                    console.print("\n(that was not fit to keep; once more)", style="yellow", end="")
                title = item.layer.name.lower().replace("_", " ")
                console.print(f"\n{title}: ", style="bold " + style, end="")
                current = item.layer
            console.print(item.text, style=style, end="", soft_wrap=True)
        else:
            console.print()
            for line in item.resources:
                console.print(Padding(line, (0, 0, 0, 2)), style="bold")
            console.print()


def _as_json(reply: Reply) -> dict[str, Any]:
    """A reply with the names of ``imuface_interfaces/EmpathyReply``."""
    from empathy_agent.chain import Layer

    names = {layer.name.lower(): reply.chain[layer] for layer in Layer}
    return {
        "session_id": reply.session_id,
        **names,
        "locale": reply.locale,
        "risk": reply.risk.name.lower(),
        "resources": reply.resources,
        "model": reply.model,
        "seconds_to_first_token": round(reply.seconds_to_first_token, 3),
        "seconds_total": round(reply.seconds_total, 3),
    }


if __name__ == "__main__":
    app = typer.Typer(no_args_is_help=True)
    app.add_typer(models_app, name="models")
    app.command()(ask)
    app.command()(chat)
    app()
