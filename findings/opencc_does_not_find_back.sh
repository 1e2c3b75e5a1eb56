#!/usr/bin/env bash
# OpenCC: simplified -> traditional -> simplified does not give the text back, for an everyday word.
#
# Versions: opencc 1.4.2 (the PyPI package of BYVoid/OpenCC), CPython 3.11.
# Expected: text that is simplified, made traditional (s2t, s2tw, s2hk) and simplified again with the matching
#   configuration (t2s, tw2s, hk2s) is what it was, at least for common words; so patterns written in simplified
#   characters find what they found.
# Seen: 想象 (to imagine) becomes 想像, and stays 想像 on the way back, which simplified text writes, too, but which is
#   another string: a rule or a key that says 想象 no longer matches. Normalise both spellings to one after t2s.
# Fails when: one of the three round trips gives the sentence back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet opencc==1.4.2
"$folder/venv/bin/python" - <<'PYTHON'
from opencc import OpenCC

sentence = "我能想象那个样子。"
found = {}
for there, back in (("s2t", "t2s"), ("s2tw", "tw2s"), ("s2hk", "hk2s")):
    traditional = OpenCC(there).convert(sentence)
    found[there] = OpenCC(back).convert(traditional)
    print(f"{sentence} -{there}-> {traditional} -{back}-> {found[there]}")
raise SystemExit(0 if all(text == "我能想像那个样子。" for text in found.values()) else "the behaviour has changed")
PYTHON
