"""The commands ``imuface empathy data``: check, import, clean, chains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from empathy_agent.cli import one_line_errors

from empathy_training.commands.options import AllowLicence

if TYPE_CHECKING:
    from empathy_training.corpus.examples import Example, Reading

data_app = typer.Typer(
    help="Counselling texts to learn from: check, import, clean, and write the missing chains.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_SHOWN = 20

Files = Annotated[list[Path], typer.Argument(help="Files in the project's form (.jsonl or .jsonl.gz).")]
Output = Annotated[Path, typer.Option(help="File to write (.jsonl).")]


def read_all(files: Sequence[Path] | None, licences: Sequence[str] | None) -> list[Example]:
    """The examples of files, by default of the seed set; what is skipped is told on stderr.

    Raises:
        OSError, ValueError: a file cannot be read.
    """
    from empathy_training.corpus.seed import SEED_FILES

    examples = []
    for file, reading in _readings(files or SEED_FILES, licences):
        for reason, times in reading.reasons.most_common():
            typer.echo(f"{file}: skipped {times}: {reason}", err=True)
        examples += reading.examples
    return examples


def _readings(files: Sequence[Path], licences: Sequence[str] | None) -> Iterator[tuple[Path, Reading]]:
    from empathy_training.corpus.examples import LICENCES, read_examples

    for file in files:
        yield file, read_examples(file, LICENCES | set(licences or ()))


@data_app.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files (.jsonl, .jsonl.gz). [default: the project's own]")
    ] = None,
    allow_licence: AllowLicence = None,
) -> None:
    """Say what is wrong with which line, and what the files hold.

    Ends with status 1 when a line is no example.

    \b
    imuface empathy data check
    imuface empathy data check ours.jsonl --allow-licence LicenseRef-our-lab
    """
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    from empathy_training.corpus.asked import ASKED_FILES
    from empathy_training.corpus.examples import conversations
    from empathy_training.corpus.seed import SEED_FILES
    from empathy_training.corpus.talk import TALK_FILES

    faults = 0
    table = Table("file", "examples", "talks", "chains", "locales", "topics", "licences", box=SIMPLE)
    with one_line_errors():
        for file, reading in _readings(files or [*SEED_FILES, *TALK_FILES, *ASKED_FILES], allow_licence):
            for fault in reading.faults[:_SHOWN]:
                typer.echo(f"{file}:{fault.line}: {fault.reason}", err=True)
            if len(reading.faults) > _SHOWN:
                typer.echo(f"{file}: and {len(reading.faults) - _SHOWN} more", err=True)
            faults += len(reading.faults)
            examples = reading.examples
            table.add_row(
                f"{file.parent.name}/{file.name.removesuffix('.gz').removesuffix('.jsonl')}",
                str(len(examples)),
                str(len(conversations(example for example in examples if example.session))),
                str(sum(example.has_chain for example in examples)),
                ", ".join(sorted({example.locale for example in examples})),
                str(len({example.topic for example in examples})),
                ", ".join(sorted({example.licence for example in examples})),
            )
    Console().print(table)
    if faults:
        typer.echo(f"{faults} lines are no examples", err=True)
        raise typer.Exit(1)


@data_app.command("import")
def import_(
    corpus: Annotated[str, typer.Argument(help="smile, cpsycoun or emollm.")],
    file: Annotated[Path, typer.Argument(help="The corpus' own file, plain or .gz.")],
    output: Output,
) -> None:
    """Bring a public corpus into the project's form. Clean it before you train on it.

    \b
    imuface empathy data import smile smile_long_6000.jsonl.gz --output out/smile.jsonl
    """
    from empathy_training.corpus.examples import write_examples
    from empathy_training.corpus.importers import import_corpus

    with one_line_errors():
        reading = import_corpus(corpus, file)
        count = write_examples(output, reading.examples)
    for reason, times in reading.reasons.most_common():
        typer.echo(f"skipped {times}: {reason}", err=True)
    typer.echo(f"{output}: {count} examples")


@data_app.command()
def clean(
    files: Files,
    output: Output,
    crisis: Annotated[Path | None, typer.Option(help="Where the posts of people in acute danger go.")] = None,
    allow_licence: AllowLicence = None,
) -> None:
    """Leave out adverts, contact details, noise, short answers and near duplicates; set crises apart.

    \b
    imuface empathy data clean out/smile.jsonl --output out/clean.jsonl --crisis out/crisis.jsonl
    """
    from rich.console import Console
    from rich.progress import track

    from empathy_training.corpus.cleaning import clean as clean_examples
    from empathy_training.corpus.examples import write_examples

    with one_line_errors():
        examples = read_all(files, allow_licence)
        cleaned = clean_examples(track(examples, "cleaning", console=Console(stderr=True)))
        write_examples(output, cleaned.kept)
        if crisis:
            write_examples(crisis, cleaned.crisis)
    for reason, times in cleaned.dropped.most_common():
        typer.echo(f"left out {times}: {reason}", err=True)
    where = crisis or "not written, name a file with --crisis"
    typer.echo(f"{len(cleaned.crisis)} posts of people in acute danger set apart ({where})", err=True)
    typer.echo(f"{output}: {len(cleaned.kept)} examples")


@data_app.command()
def chains(
    files: Files,
    output: Output,
    model: Annotated[str, typer.Option(help="The server's name of the model, or one of `imuface models list`.")] = "",
    server_url: Annotated[str, typer.Option(help="OpenAI-compatible server; its key: OPENAI_API_KEY.")] = "",
    limit: Annotated[int | None, typer.Option(help="At most so many examples. [default: all]")] = None,
    seed: Annotated[int, typer.Option(help="Of the sampling.")] = 0,
    allow_licence: AllowLicence = None,
) -> None:
    """Let a language model write the four layers of answers that have none.

    What lacks a layer, is in another language or breaks the format is refused and counted. Each example keeps the
    names of model and prompt. An interrupted run goes on where it stopped. With a server, posts and answers go there.

    \b
    imuface empathy data chains out/clean.jsonl --output out/chains.jsonl --limit 100
    imuface empathy data chains clean.jsonl --output chains.jsonl --server-url http://127.0.0.1:8000 --model qwen
    """
    from empathy_agent.engines.factory import open_engine
    from rich.console import Console
    from rich.progress import Progress

    from empathy_training.corpus.chains import write_chains

    with one_line_errors():
        examples = read_all(files, allow_licence)[:limit]
        engine = open_engine(model, server_url=server_url)
        try:
            with Progress(console=Console(stderr=True)) as bar:
                task = bar.add_task("writing chains", total=len(examples))
                written = write_chains(examples, engine, output, seed, lambda: bar.advance(task))
        finally:
            engine.close()
    for reason, times in written.refused.most_common():
        typer.echo(f"refused {times}: {reason}", err=True)
    typer.echo(f"{output}: {written.written} examples added, {written.there} were there")
