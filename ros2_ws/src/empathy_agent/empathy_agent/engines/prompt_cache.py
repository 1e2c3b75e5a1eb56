"""Evaluated prompts on disk: what a model need not evaluate once more after a cold start."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import time
from pathlib import Path

_LOG = logging.getLogger(__name__)
_MOST_BYTES = 1 << 30
_MOST_FILES = 16
_ABANDONED = 600.0  # seconds after which a file that nobody finished is removed


def default_folder() -> Path:
    """``$EARNEST_PROMPTS``, else ``earnest/prompts`` in the user's cache (``$XDG_CACHE_HOME``, by default ~/.cache)."""
    if folder := os.environ.get("EARNEST_PROMPTS"):
        return Path(folder).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earnest" / "prompts"


class PromptCache:
    """Files by name in one folder, for any number of processes.

    A file's name ends with the hash of its content, so that it appears whole or not at all and damage is seen. The
    least recently used files make room for new ones: there are at most ``most_files`` of ``most_bytes`` together.
    """

    def __init__(self, folder: Path, most_bytes: int = _MOST_BYTES, most_files: int = _MOST_FILES) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._most_files = most_files

    def find(self, name: str) -> Path | None:
        """The file called ``name``. One that is damaged is removed, with a warning. Raises ``OSError``."""
        for file in self._files(name):
            with contextlib.suppress(FileNotFoundError):  # another process makes room
                if file.stem.rpartition("-")[2] == _hash(file):
                    os.utime(file)
                    return file
                _LOG.warning("%s is damaged and was removed; the prompt is evaluated again", file)
                file.unlink()
        return None

    def new(self) -> Path:
        """A file to be written and then given to :meth:`add`. Raises ``OSError``."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.folder / f"{secrets.token_hex(8)}.partial"

    def add(self, partial: Path, name: str) -> None:
        """Keep a finished file as ``name``. Raises ``OSError``."""
        kept = self.folder / f"{name}-{_hash(partial)}.prompt"
        partial.replace(kept)
        for file in self._files(name):
            if file != kept:
                file.unlink(missing_ok=True)
        self._make_room()

    def _files(self, name: str) -> list[Path]:
        return list(self.folder.glob(f"{name}-*.prompt"))

    def _make_room(self) -> None:
        size = count = 0
        for _, file in sorted(
            ((_age(file), file) for file in self.folder.glob("*.prompt")), key=lambda entry: entry[0]
        ):
            with contextlib.suppress(FileNotFoundError):
                size, count = size + file.stat().st_size, count + 1
                if count > 1 and (size > self._most_bytes or count > self._most_files):
                    file.unlink()
        for file in self.folder.glob("*.partial"):
            if _age(file) > _ABANDONED:
                file.unlink(missing_ok=True)


def _age(file: Path) -> float:
    """Seconds since a file was last used; 0 for one that has just gone."""
    with contextlib.suppress(FileNotFoundError):
        return time.time() - file.stat().st_mtime
    return 0.0


def _hash(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:32]
