"""Engine for GGUF files: llama.cpp in a child process that yields the cores to everything else."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from empathy_agent.engines import CutOff, Decoding, Engine, EngineError
from empathy_agent.engines.choosing import Pick, chosen
from empathy_agent.engines.events import Usage, usage_in
from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.engines.prompt_cache import PromptCache, default_folder
from empathy_agent.engines.slots import ANY, Slots
from empathy_agent.prompt import Message

_LOG = logging.getLogger(__name__)

# llama.cpp's threads meet after every operation. By default one that waits spins; where something else holds the other
# one's core, both then make no headway: 1 token/s instead of 30 with SmolLM2-135M on two loaded cores. Threads that
# sleep at once are slow on idle cores (10 token/s with the default model); those that spin for some microseconds first
# are fast on idle cores (14) and nearly as fast as sleeping ones (6 against 7) beside a busy core.
_BRIEF_SPIN = {"GOMP_SPINCOUNT": "1000"}
# The evaluation of a long prompt on loaded cores takes minutes; a child that ended is seen at once.
_SILENCE = 600.0
_END = "\x07end of what is known\x07"  # marks a place in a prompt; no template changes it


class LlamaCpp(Engine):
    """Loads a GGUF file and streams chat completions from it.

    The model runs in a process of its own: it can be niced as a whole, its threads never hold this process's
    interpreter lock, and memory it cannot get or a file it cannot read ends the child and not the node. A child that
    ended is started again by the next request. The child serves on loopback with a random key. ``threads`` defaults to
    the number of cores. ``prompt_format`` is a chat template of llama.cpp by name; empty: the one inside the file.
    ``adapter`` is a low-rank one (GGUF). ``parallel`` conversations are answered at once and keep what was evaluated of
    their prompts, each with ``context`` tokens and the memory for them (docs/engines.md). ``prompts`` is the folder for
    :meth:`save`. Raises ``EngineError`` when the model does not load, ``ValueError`` for a ``parallel`` below 1.
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
        parallel: int = 1,
        prompts: Path | None = None,
    ) -> None:
        if parallel < 1:
            raise ValueError(f"parallel {parallel} must be at least 1")
        self.model = model
        self.scaffold = scaffold
        self.worked_examples = worked_examples
        self.context = context
        self._parallel = parallel
        self._prompts = PromptCache(prompts or default_folder())
        self._files = [file for file in (path, adapter) if file]
        self._settings = {
            "path": str(path),
            "adapter": str(adapter or ""),
            "prompt_format": prompt_format,
            "context": context,
            "threads": threads or len(os.sched_getaffinity(0)),
            "parallel": parallel,
            "prompts": str(self._prompts.folder),
        }
        self._lock = threading.Lock()  # for the child and what it holds
        self._closed = False
        self._warm: list[str] = []  # keys to be taken up again by the next child
        self._prefilled: int | None = None  # the slot that holds the prompt of the last prefill and nothing else
        self._child = self._start()

    @property
    def pid(self) -> int:
        """Process id of the model's process."""
        return self._child.process.pid

    @property
    def usage(self) -> Usage | None:
        """Tokens of the last prompt, and how many of them needed no evaluation."""
        return self._child.server.usage

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """See :class:`empathy_agent.engines.Engine`."""
        child = self._running()
        with child.slots.taken(messages) as slot:
            self._touch(child, slot)
            try:
                if decoding.places:
                    yield from chosen(decoding.places, child.picks(messages, decoding, slot, cancelled))
                else:
                    yield from child.server.stream(messages, decoding, cancelled, {"id_slot": slot})
            except CutOff:
                raise
            except EngineError:
                child.settle()
                raise

    def prefill(self, messages: Sequence[Message], cancelled: threading.Event) -> None:
        """See :class:`empathy_agent.engines.Engine`."""
        child = self._running()
        *before, last = messages
        # The template closes the last message; what it puts after the content is no part of the later prompt.
        marked = [*before, Message(role=last["role"], content=last["content"] + _END)]
        with child.slots.taken(messages) as slot:
            self._touch(child, slot)
            try:
                known, mark, _ = child.prompt(marked, cancelled).rpartition(_END)
                if mark:
                    child.server.usage = child.evaluate(known, slot, cancelled)
                    self._prefilled = slot
            except EngineError:
                child.settle()
                raise

    def restore(self, key: str) -> bool:
        """See :class:`empathy_agent.engines.Engine`. Every slot that is free takes it up."""
        try:
            child, name = self._running(), self._name(key)
            if not self._restore(child, name):
                return False
        except OSError as error:
            _LOG.warning("an evaluated prompt of model %s could not be restored: %s", self.model, error)
            return False
        self._keep_warm(key)
        return True

    def save(self, key: str) -> None:
        """See :class:`empathy_agent.engines.Engine`. Nothing where another prompt has come since the ``prefill``."""
        slot, self._prefilled = self._prefilled, None
        if slot is None:
            return
        try:
            child, name, partial = self._running(), self._name(key), self._prompts.new()
            try:
                if child.slot(slot, "save", partial.name)["n_saved"]:
                    self._prompts.add(partial, name)
            finally:
                partial.unlink(missing_ok=True)
            if self._parallel > 1:
                self._restore(child, name)
        except OSError as error:
            _LOG.warning("an evaluated prompt of model %s could not be kept: %s", self.model, error)
            return
        self._keep_warm(key)

    def close(self) -> None:
        """End the model's process; idempotent."""
        with self._lock:
            self._closed = True
            self._child.close()

    def _running(self) -> _Child:
        with self._lock:
            if self._closed:
                raise EngineError("the engine was closed")
            if (status := self._child.process.poll()) is not None:
                _LOG.warning("the process of model %s ended with status %s and is started again", self.model, status)
                self._child.close()
                self._child = self._start()
                for key in self._warm:
                    with contextlib.suppress(OSError):  # it is evaluated, then
                        self._restore(self._child, self._name(key))
            return self._child

    def _start(self) -> _Child:
        self._prefilled = None
        return _Child(self._settings, self.model, self.context)

    def _restore(self, child: _Child, name: str) -> bool:
        file = self._prompts.find(name)
        if file is None:
            return False
        with child.slots.all_free() as free:
            for slot in free:
                if slot in child.filled:
                    # llama.cpp moves what a slot holds to its cache in memory when another prompt comes, not when a
                    # file does. So the preamble of another language is kept.
                    child.evaluate("\n", slot, threading.Event())
                self._touch(child, slot)
                child.slot(slot, "restore", file.name)
        return bool(free)

    def _keep_warm(self, key: str) -> None:
        self._warm = [*(other for other in self._warm if other != key), key]

    def _touch(self, child: _Child, slot: int) -> None:
        """Something else comes into a slot."""
        # Where the server picks the slot itself, it may be any.
        slots = range(self._parallel) if slot == ANY else (slot,)
        child.filled.update(slots)
        if self._prefilled in slots:
            self._prefilled = None

    def _name(self, key: str) -> str:
        """A file name that changes with all that an evaluated prompt depends on. Raises ``OSError``."""
        files = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in self._files]
        parts = [key, files, self._settings["prompt_format"], self._child.version]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


class _Child:
    """One process with the model. Raises ``EngineError`` when the model does not load."""

    def __init__(self, settings: Mapping[str, Any], model: str, context: int) -> None:
        api_key = secrets.token_hex(16)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "empathy_agent.engines.llama_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # llama.cpp logs may quote prompts
            text=True,
            env=os.environ | _BRIEF_SPIN,
            start_new_session=True,  # Ctrl-C in a terminal is for the parent to handle
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({**settings, "api_key": api_key}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._end()
            raise EngineError(
                f"{settings['adapter'] or settings['path']} does not load in llama.cpp "
                f"(exit status {self.process.returncode}); "
                f"check the file with `imuface models verify {model}` and that memory is free"
            )
        told = json.loads(line)
        self.version = told["version"]
        self.slots = Slots(settings["parallel"])
        self.filled: set[int] = set()  # slots that hold a prompt
        self.server = OpenAIServer(
            told["address"], model, context=context, supports_grammar=True, api_key=api_key, timeout=_SILENCE
        )

    def prompt(self, messages: Sequence[Message], cancelled: threading.Event) -> str:
        """Messages as the model reads them."""
        prompt: str = self.server.post("/apply-template", {"messages": list(messages)}, cancelled)["prompt"]
        return prompt

    def evaluate(self, prompt: str, slot: int, cancelled: threading.Event) -> Usage | None:
        """Have the model read a prompt as it is."""
        body = {"prompt": prompt, "n_predict": 0, "cache_prompt": True, "id_slot": slot}
        return usage_in(self.server.post("/completion", body, cancelled))

    def picks(self, messages: Sequence[Message], decoding: Decoding, slot: int, cancelled: threading.Event) -> Pick:
        """Evaluates a prompt; what is given continues the reply by what the model picks."""
        prompt = self.prompt(messages, cancelled)
        self.server.usage = self.evaluate(prompt, slot, cancelled)
        fields = {**self.server.drawing(decoding), "cache_prompt": True, "id_slot": slot}

        def pick(text: str, grammar: str) -> str:
            for tokens in (1, 4):  # a character may take several, and is not told before its last
                asked = {**fields, "prompt": prompt + text, "grammar": grammar, "n_predict": tokens}
                letters = self.server.post("/completion", asked, cancelled)["content"].partition("\ufffd")[0]
                if letters:
                    break
            return letters

        return pick

    def slot(self, slot: int, action: str, file: str) -> dict[str, Any]:
        """Save a slot to a file of the folder, or restore it."""
        return self.server.post(f"/slots/{slot}?action={action}", {"filename": file}, threading.Event())

    def settle(self) -> None:
        """Give a process that is ending the time to do so, so that the next request sees it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=0.2)

    def close(self) -> None:
        self.server.close()
        self._end()

    def _end(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
