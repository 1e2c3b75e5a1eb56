"""The engine that a user names: a model of the catalogue, or a server, and what takes over when it fails."""

from __future__ import annotations

import os

from empathy_agent.engines import Engine
from empathy_agent.engines.fallback import Fallback
from empathy_agent.engines.listener import Listener
from empathy_agent.engines.llama_cpp import LlamaCpp
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.models import DEFAULT_MODEL, Store
from empathy_agent.models.catalogue import Adapter

LONGEST_SILENCE = 3600.0  # s


def open_engine(
    model: str = "",
    *,
    server_url: str = "",
    server_grammar: bool = False,
    server_context: int = 8192,
    server_timeout: float = 120.0,
    threads: int = 0,
    parallel: int = 1,
    fallback: str = "",
    store: Store | None = None,
) -> Engine:
    """Open a model of the catalogue by name (empty: the default), or any model of the server at ``server_url``.

    ``server_timeout`` is the longest silence of the server in seconds, at most an hour. ``threads`` 0 takes all cores.
    ``parallel`` is how many conversations a model of the catalogue answers at once. With ``fallback``, a model of the
    catalogue, the engine is a :class:`~.fallback.Fallback` of both; both are loaded now, because there may be no time
    later. The key of a server that wants one is read from ``OPENAI_API_KEY``. Raises ``ValueError`` or
    ``OSError`` with the remedy.
    """
    if threads < 0:
        raise ValueError(f"threads {threads} is negative; 0 takes all cores")
    if not 0.0 < server_timeout <= LONGEST_SILENCE:
        raise ValueError(f"server_timeout {server_timeout} must be above 0 and at most {LONGEST_SILENCE:.0f} s")
    if fallback and not server_url and fallback == (model or DEFAULT_MODEL):
        raise ValueError(f"the fallback {fallback} is the model itself, which is started again anyway; name another")
    store = store or Store()
    if fallback:
        store.path(fallback)  # say that it is missing before the first model is loaded
    if server_url:
        if not model:
            raise ValueError(f"server_url {server_url} needs the parameter model: the server's name of the model")
        key = os.environ.get("OPENAI_API_KEY", "")
        engine: Engine = OpenAIServer(
            server_url,
            model,
            context=server_context,
            supports_grammar=server_grammar,
            api_key=key,
            timeout=server_timeout,
        )
    else:
        engine = _of_catalogue(model or DEFAULT_MODEL, threads, parallel, store)
    if not fallback:
        return engine
    try:
        return Fallback([engine, _of_catalogue(fallback, threads, 1, store)])
    except (OSError, ValueError):
        engine.close()
        raise


def _of_catalogue(model: str, threads: int, parallel: int, store: Store) -> Engine:
    entry = store.model(model)
    if entry.engine == "listener":
        return Listener()
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
        parallel=parallel,
    )
