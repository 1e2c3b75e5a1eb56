"""The engine that a user names: a model of the catalogue, or a server."""

from __future__ import annotations

import os

from empathy_agent.engines import Engine
from empathy_agent.engines.llama_cpp import LlamaCpp
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.models import DEFAULT_MODEL, Store
from empathy_agent.models.catalogue import Adapter


def open_engine(
    model: str = "",
    *,
    server_url: str = "",
    server_grammar: bool = False,
    server_context: int = 8192,
    threads: int = 0,
    store: Store | None = None,
) -> Engine:
    """Open a model of the catalogue by name (empty: the default), or any model of the server at ``server_url``.

    ``threads`` 0 takes all cores. The key of a server that wants one is read from ``OPENAI_API_KEY``. Raises
    ``ValueError`` or ``OSError`` with the remedy.
    """
    if threads < 0:
        raise ValueError(f"threads {threads} is negative; 0 takes all cores")
    if server_url:
        if not model:
            raise ValueError(f"server_url {server_url} needs the parameter model: the server's name of the model")
        key = os.environ.get("OPENAI_API_KEY", "")
        return OpenAIServer(server_url, model, context=server_context, supports_grammar=server_grammar, api_key=key)
    store = store or Store()
    entry = store.model(model or DEFAULT_MODEL)
    path, adapter = store.path(entry.name), None
    if isinstance(entry.source, Adapter):
        path, adapter = store.path(entry.source.model), path
    return LlamaCpp(
        path,
        entry.name,
        context=entry.context,
        threads=threads or None,
        prompt_format=entry.prompt_format,
        scaffold=entry.scaffold,
        worked_examples=entry.worked_examples,
        adapter=adapter,
    )
