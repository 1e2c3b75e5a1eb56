#!/usr/bin/env bash
# google-re2: \b and \w of a str pattern know ASCII only, so a pattern that re holds back matches inside mixed text.
#
# Versions: google-re2 1.1.20251105, CPython 3.11.
# Expected: the module is offered as a replacement of re, takes str and gives str; for str, re's \w and \b are Unicode's, so
#   r"\bcut\b" does not match in 我cut到 (all word characters, no boundary), and \w matches 死.
# Seen: RE2's classes are ASCII's whatever it is given: r"\bcut\b" matches in 我cut到, and \w does not match 死. Patterns
#   for text that mixes scripts mean something else after the import is changed; say \pL and write the neighbours out.
# Fails when: one of the four answers changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet google-re2==1.1.20251105
"$folder/venv/bin/python" - <<'PYTHON'
import re

import re2

found = [bool(module.search(*case)) for case in ((r"\bcut\b", "我cut到"), (r"\w", "死")) for module in (re, re2)]
print(f"boundary beside Chinese: re {found[0]}, re2 {found[1]}; Chinese as a word: re {found[2]}, re2 {found[3]}")
raise SystemExit(0 if found == [False, True, True, False] else "the behaviour has changed")
PYTHON
