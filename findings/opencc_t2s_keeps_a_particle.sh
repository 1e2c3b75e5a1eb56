#!/usr/bin/env bash
# OpenCC: of traditional text, t2s and hk2s leave the particle 著 (as in 睡著, asleep); tw2s alone simplifies it.
#
# Versions: opencc 1.4.2 (the PyPI package of BYVoid/OpenCC), CPython 3.11.
# Expected: what t2s ("traditional to simplified") gives back is simplified as it is written: 睡着. A speech recogniser that
#   mixes the scripts is brought to one with it, and its words then equal those that a person types.
# Seen: 睡著, 看著, 等著 stay as they are under t2s and hk2s, and become 睡着, 看着, 等着 under tw2s, which in turn keeps 著名
#   (famous) rightly. So an error rate by characters counts each of them as wrong, and patterns with 着 miss the commonest way
#   to say that one cannot sleep. Take tw2s for text of unknown origin.
# Fails when: t2s or hk2s simplify the particle, tw2s does not, or tw2s changes 著名.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet opencc==1.4.2
"$folder/venv/bin/python" - <<'PYTHON'
from opencc import OpenCC

sentence = "那位著名的醫生看著我，等著我睡著。"
found = {name: OpenCC(name).convert(sentence) for name in ("t2s", "hk2s", "tw2s")}
for name, text in found.items():
    print(f"{sentence} -{name}-> {text}")
kept, simplified = "那位著名的医生看著我，等著我睡著。", "那位著名的医生看着我，等着我睡着。"
wanted = {"t2s": kept, "hk2s": kept, "tw2s": simplified}
raise SystemExit(0 if found == wanted else "the behaviour has changed")
PYTHON
