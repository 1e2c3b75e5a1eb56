#!/usr/bin/env bash
# rosbags: a recording whose process is killed leaves a file of 0 bytes, however long it ran below a mebibyte.
#
# Versions: rosbags 0.11.9, CPython 3.11.
# Expected: what was written some time before the process ended is in the file, as with other writers of logs, or there is
#   a flush to call.
# Seen: rosbag2.Writer with MCAP storage collects a chunk of a mebibyte before it writes a byte, the magic of the file
#   included, and has no flush: after 5,000 messages (730 kB; two ears at 30 Hz send 21 kB a second) and a sudden end the
#   .mcap has 0 bytes and there is no metadata.yaml. Only what lies in whole chunks is on the disk after 12,000 messages.
# Fails when: the short recording leaves a byte, or the long one leaves none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rosbags==0.11.9
cat > "$folder/record.py" <<'PYTHON'
import os
import sys
from pathlib import Path

from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

store = get_typestore(Stores.ROS2_KILTED)
String = store.types["std_msgs/msg/String"]
writer = Writer(Path(sys.argv[1]), version=Writer.VERSION_LATEST, storage_plugin=StoragePlugin.MCAP)
writer.open()
connection = writer.add_connection("/words", String.__msgtype__, typestore=store)
for number in range(int(sys.argv[2])):
    writer.write(connection, number, store.serialize_cdr(String("x" * 100), String.__msgtype__))
os._exit(1)  # as SIGKILL or a flat battery would
PYTHON
for count in 5000 12000; do
    "$folder/venv/bin/python" "$folder/record.py" "$folder/bag$count" "$count" || true
    size=$(stat --format %s "$folder/bag$count"/*.mcap)
    echo "$count messages written, then the process ended: $size bytes"
    if [ "$count" = 5000 ] && [ "$size" != 0 ] || [ "$count" = 12000 ] && [ "$size" = 0 ]; then
        echo "the behaviour has changed"
        exit 1
    fi
done
