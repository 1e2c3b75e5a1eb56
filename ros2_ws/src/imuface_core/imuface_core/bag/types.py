"""The message types of ROS 2 and of Earnest, and the hashes that tell one version of a type from another."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

FLAT_LANDMARKS = "imuface_core/msg/FlatLandmarks"
"""The same bytes as FacialLandmarks with the points as one array: fifty times fewer objects to make."""
_FLAT_LANDMARKS = "std_msgs/Header header\nfloat64[153] points\nfloat32[51] standard_deviation"


@functools.cache
def typestore() -> Typestore:
    """The message types of ROS 2 and of ``imuface_interfaces``. Raises ``OSError`` when those are not installed."""
    store = get_typestore(Stores.ROS2_KILTED)
    folder = _interfaces_share()
    for path in sorted(folder.glob("msg/*.msg")):
        store.register(get_types_from_msg(path.read_text(encoding="utf-8"), f"{folder.name}/msg/{path.stem}"))
    store.register(get_types_from_msg(_FLAT_LANDMARKS, FLAT_LANDMARKS))
    return store


def _interfaces_share() -> Path:
    prefixes = [*filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    for prefix in prefixes:
        folder = Path(prefix) / "share" / "imuface_interfaces"
        if (folder / "msg").is_dir():
            return folder
    raise FileNotFoundError(f"imuface_interfaces is not installed in any of {', '.join(prefixes)}")


def digest(connection: Connection) -> str:
    """Hash (RIHS01) of a connection's type: as stored, else of its definition; empty when neither tells."""
    return connection.digest or _digest(connection.msgtype, *connection.msgdef)


@functools.cache
def _digest(kind: str, form: MessageDefinitionFormat, text: str) -> str:
    if form == MessageDefinitionFormat.NONE:
        return ""
    store = get_typestore(Stores.EMPTY)
    try:
        types = get_types_from_msg(text, kind) if form == MessageDefinitionFormat.MSG else get_types_from_idl(text)
        store.register(types)
        return store.hash_rihs01(kind)
    except Exception:  # a definition may hold anything; what cannot be parsed tells nothing
        return ""
