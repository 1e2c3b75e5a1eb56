"""What is too large to come along: fetched on request only, and compared with what it should be."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from empathy_agent.models.store import ModelError, default_folder, sha256


@dataclass(frozen=True)
class Fetched:
    """Files in a folder of the cache: what messages call them, their SHA-256, and the command that gets them."""

    name: str
    title: str
    files: Mapping[str, str]
    command: str

    @property
    def folder(self) -> Path:
        """Where they are kept."""
        return default_folder() / self.name

    def find(self) -> Path:
        """Their folder.

        Raises:
            ModelError: it is not there, or not what it should be; the message names the remedy.
        """
        if not self.folder.is_dir():
            raise ModelError(f"{self.title} is not at {self.folder}; run: {self.command}")
        self._verify(self.folder)
        return self.folder

    def get(self, fetch: Callable[[Path, Path], None]) -> Path:
        """Their folder, fetched if it is not there.

        Args:
            fetch: puts the files into its second folder; its first is for scraps.

        Raises:
            ModelError: they cannot be fetched, or are not what they should be.
        """
        if self.folder.is_dir():
            return self.find()
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder.parent, prefix=f"{self.name}-") as scratch:
                fresh = Path(scratch) / self.name
                fresh.mkdir()
                fetch(Path(scratch), fresh)
                self._verify(fresh)
                fresh.rename(self.folder)
        except ModelError:
            raise
        except OSError as error:
            raise ModelError(f"{self.title} cannot be stored in {self.folder}: {error.strerror or error}") from error
        return self.folder

    def _verify(self, folder: Path) -> None:
        for name, expected in self.files.items():
            file = folder / name
            if not file.is_file() or sha256(file) != expected:
                raise ModelError(f"{file} is missing or not what it should be; delete {folder} and run: {self.command}")
