"""Does every reply parse, in the language of its post, and how long does it take?

Answers the invented posts of ``dialogue_posts.yaml`` with a model of the catalogue, each as a session of its own, and
prints one line per post and a summary. Run it on an idle machine: ``python benchmarks/dialogue.py [--model NAME]``.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Annotated

import typer
import yaml
from empathy_agent.chain import Layer
from empathy_agent.dialogue import Dialogue, DialogueError, Reply
from empathy_agent.engines.factory import open_engine
from empathy_agent.language import is_in_language
from rich.console import Console

POSTS = Path(__file__).with_name("dialogue_posts.yaml")


def main(
    model: Annotated[str, typer.Option(help="Model of the catalogue.")] = "",
    limit: Annotated[int, typer.Option(help="Posts per language; 0: all.")] = 0,
    show: Annotated[bool, typer.Option(help="Print the answers, to be read by people.")] = False,
) -> None:
    """Run the benchmark; status 1 when a reply does not parse or is in the wrong language."""
    console = Console(highlight=False, markup=False)
    posts = yaml.safe_load(POSTS.read_text(encoding="utf-8"))
    started = time.monotonic()
    engine = open_engine(model)
    dialogue = Dialogue(engine)
    console.print(f"{engine.model}: loaded in {time.monotonic() - started:.1f} s")
    good, replies = 0, list[Reply]()
    for language, texts in posts.items():
        for number, text in enumerate(texts[: limit or None], 1):
            label = f"{language} {number:2d} ({len(text)} characters)"
            try:
                *_, reply = dialogue.respond(text, session_id=label)
            except DialogueError as error:
                console.print(f"{label}: {error.code.name}: {error}")
                continue
            assert isinstance(reply, Reply)
            replies.append(reply)
            valid = reply.chain.valid and all(is_in_language(reply.chain[layer], language) for layer in Layer)
            good += valid
            console.print(
                f"{label}: {'ok' if valid else 'NOT VALID'}, first token {reply.seconds_to_first_token:.1f} s, "
                f"total {reply.seconds_total:.1f} s, {dialogue.characters_per_second:.0f} characters/s"
            )
            if show:
                console.print("".join(f"  {layer.tag}: {reply.chain[layer]}\n" for layer in Layer))
    engine.close()
    count = sum(len(texts[: limit or None]) for texts in posts.values())
    console.print(f"four layers in order and in the language of the post: {good} of {count}")
    if replies:
        for what, values in (
            ("first token", [reply.seconds_to_first_token for reply in replies]),
            ("total", [reply.seconds_total for reply in replies]),
        ):
            console.print(f"seconds to {what}: median {statistics.median(values):.1f}, longest {max(values):.1f}")
    raise typer.Exit(0 if good == count else 1)


if __name__ == "__main__":
    typer.run(main)
