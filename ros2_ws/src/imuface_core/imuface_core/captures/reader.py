"""A file of any kind to a capture."""

from __future__ import annotations

import gzip
import zlib
from os import PathLike
from pathlib import Path

from imuface_core.captures.capture import Capture
from imuface_core.captures.live_link import is_live_link, read_live_link
from imuface_core.captures.mediapipe import is_blendshape_table, read_blendshape_json, read_blendshape_table
from imuface_core.captures.openface import is_openface, read_openface
from imuface_core.captures.table import Table

KINDS = "a Live Link Face CSV, an OpenFace CSV, or blendshapes with ARKit's names as CSV or JSON (MediaPipe)"
"""What is read, in words; all may be packed with gzip."""
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_capture(path: str | PathLike[str], rate: float | None = None) -> Capture:
    """Read a captured face, whatever its file is called.

    ``rate`` (frames per second) is for files that have frame numbers instead of times.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no capture; the message names the file, and the line where there is one.
    """
    path = Path(path)
    if rate is not None and not 1.0 <= rate <= 1000.0:
        raise ValueError(f"a rate of {rate:g} frames a second is not within 1 to 1000")
    try:
        return _read(_text(path.read_bytes()), rate)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; expected {KINDS}") from error


def _read(text: str, rate: float | None) -> Capture:
    if text.lstrip()[:1] in ("{", "["):
        return read_blendshape_json(text, rate)
    table = Table(text)
    if is_live_link(table):
        return read_live_link(table)
    if is_openface(table):
        return read_openface(table, rate)
    if is_blendshape_table(table):
        return read_blendshape_table(table, rate)
    raise ValueError("no column 'Timecode', none of an action unit (AU12_r) and few of ARKit's names in the first line")


def _text(data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"damaged gzip data ({error})") from error
    return data.decode(_BOMS.get(data[:2], "utf-8-sig"))
