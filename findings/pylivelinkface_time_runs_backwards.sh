#!/usr/bin/env bash
# PyLiveLinkFace: the frame numbers of a steady sender run backwards several times a second.
#
# Versions: PyLiveLinkFace 0.1 (with the timecode package that it pulls in), CPython 3.11.
# Expected: a sender that encodes sixty packets a second at fps=60 gives each packet the frame number of its time: never
#   less than the one before, about sixty more each second.
# Seen: encode() writes the milliseconds of the present second where a timecode has its frames, and what becomes of them is
#   no count: of 120 packets in 2 s, 93 had a smaller number than the one before. A receiver that orders or interpolates by
#   frame number draws an old face.
# Fails when: frame numbers never fall during two seconds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet PyLiveLinkFace==0.1 timecode==1.4.1
"$folder/venv/bin/python" - <<'PYTHON'
import struct
import time

from pylivelinkface import PyLiveLinkFace

face = PyLiveLinkFace(name="a", fps=60)
at = 4 + len(face.uuid) + 4 + len(face.name)  # version, id, length of the name, name
numbers = []
for _ in range(120):
    numbers.append(struct.unpack_from("!I", face.encode(), at)[0])
    time.sleep(1 / 60)
falls = sum(after < before for before, after in zip(numbers, numbers[1:]))
print(f"{len(numbers)} packets, {falls} with a smaller frame number than the one before, for example {numbers[:6]}")
raise SystemExit(0 if falls else "the frame numbers no longer fall")
PYTHON
