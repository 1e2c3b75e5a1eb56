"""A llama.cpp server in a process of its own, for one model; started by :mod:`empathy_agent.engines.llama_cpp`.

Reads its settings as one line of JSON from stdin, writes its address as one line of JSON to stdout, and ends when
stdin closes, so that it never outlives its parent.
"""

from __future__ import annotations

import json
import os
import sys

import xllamacpp

# Tokens evaluated between two looks at whether the client has gone away: some seconds' worth.
_BATCH = 256


def main() -> None:
    """Serve until stdin closes."""
    settings = json.loads(sys.stdin.readline())
    # The face pipeline must win every contest for a core. Threads made from here on inherit both.
    os.nice(15)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    if settings["adapter"]:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(settings["adapter"], 1.0)]
    params.chat_template = settings["prompt_format"]
    params.n_parallel = settings["parallel"]
    params.n_ctx = settings["context"] * settings["parallel"]  # llama.cpp divides it among the slots
    params.n_batch = params.n_ubatch = _BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.hostnames = ["127.0.0.1"]
    params.api_keys = [settings["api_key"]]
    params.cache_ram_mib = 512  # the evaluated preambles of both languages
    params.endpoint_slots = False  # it would show prompts; saving and restoring a slot work without
    params.slot_save_path = os.path.join(settings["prompts"], "")
    # Both would only lengthen the start: the first prompt warms the model up, and there is no GPU to fit it to.
    params.warmup = params.fit_params = False
    params.ui = False
    params.verbosity = 1
    server = xllamacpp.Server(params)
    print(json.dumps({"address": server.listening_address, "version": xllamacpp.__version__}), flush=True)
    sys.stdin.read()
    os._exit(0)  # without waiting for a reply that is being generated


if __name__ == "__main__":
    main()
