"""Engine for GGUF files: llama.cpp in a child process that yields the cores to everything else."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from empathy_agent.engines import Decoding, EngineError
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.prompt import Message

# llama.cpp's threads meet after every operation. By default one that waits spins; where something else holds the other
# one's core, both then make no headway: 1 token/s instead of 30 with SmolLM2-135M on two loaded cores. Threads that
# sleep at once are slow on idle cores (10 token/s with the default model); those that spin for some microseconds first
# are fast on idle cores (14) and nearly as fast as sleeping ones (6 against 7) beside a busy core.
_BRIEF_SPIN = {"GOMP_SPINCOUNT": "1000"}


class LlamaCpp:
    """Loads a GGUF file and streams chat completions from it.

    The model runs in a process of its own: it can be niced as a whole, its threads never hold this process's
    interpreter lock, and memory it cannot get or a file it cannot read ends the child and not the node. The child
    serves on loopback with a random key. ``threads`` defaults to the number of cores. ``prompt_format`` is a chat
    template of llama.cpp by name; empty: the one inside the file. ``adapter`` is a low-rank one (GGUF). Raises
    ``EngineError`` when the model does not load.
    """

    supports_grammar = True

    def __init__(
        self,
        path: Path,
        model: str,
        *,
        context: int = 8192,
        threads: int | None = None,
        prompt_format: str = "",
        scaffold: bool = False,
        worked_examples: bool = True,
        adapter: Path | None = None,
    ) -> None:
        self.model = model
        self.scaffold = scaffold
        self.worked_examples = worked_examples
        self.context = context
        api_key = secrets.token_hex(16)
        settings = {
            "path": str(path),
            "adapter": str(adapter or ""),
            "prompt_format": prompt_format,
            "context": context,
            "threads": threads or len(os.sched_getaffinity(0)),
            "api_key": api_key,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "empathy_agent.engines.llama_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # llama.cpp logs may quote prompts
            text=True,
            env=os.environ | _BRIEF_SPIN,
            start_new_session=True,  # Ctrl-C in a terminal is for the parent to handle
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(settings) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.close()
            raise EngineError(
                f"{adapter or path} does not load in llama.cpp (exit status {self._process.returncode}); "
                f"check the file with `imuface models verify {model}` and that memory is free"
            )
        address = json.loads(line)["address"]
        self._server = OpenAIServer(address, model, context=context, supports_grammar=True, api_key=api_key)

    @property
    def pid(self) -> int:
        """Process id of the model's process."""
        return self._process.pid

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """See :class:`empathy_agent.engines.Engine`."""
        if self._process.poll() is not None:
            raise EngineError(
                f"the process of model {self.model} ended with status {self._process.returncode}; "
                "free some memory or choose a smaller model, then configure the agent again"
            )
        return self._server.stream(messages, decoding, cancelled)

    def close(self) -> None:
        """End the model's process; idempotent."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
