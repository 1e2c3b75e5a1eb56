"""Settings of a stage as YAML, kept beside what they made."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml
from empathy_agent.errors import first_line

from empathy_training.learning.record import METRICS_FILE

SETTINGS_FILE = "settings.yaml"

S = TypeVar("S")


def read_settings(kind: type[S], path: Path | None, **given: Any) -> S:
    """Settings of a file, with those on top that were given (not None); defaults for the rest.

    Raises:
        OSError, ValueError: the file cannot be read, is no mapping, or names what the stage does not know.
    """
    content: dict[str, Any] = {}
    if path is not None:
        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"settings {path} are not YAML: {first_line(error)}") from None
        if not isinstance(loaded, dict):
            raise ValueError(f"settings {path} are not a mapping")
        content = loaded
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(content) - set(known))
    if unknown:
        raise ValueError(f"settings {path} hold {', '.join(map(str, unknown))}; known are {', '.join(known)}")
    content |= {name: value for name, value in given.items() if value is not None}
    for name, value in content.items():
        default = known[name].default
        number = isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool)
        if not (number or isinstance(value, type(default))) or isinstance(value, bool) != isinstance(default, bool):
            raise ValueError(f"setting {name} is {value!r}, expected a value like {default!r}")
    return kind(**content)


def keep_settings(settings: Any, folder: Path) -> None:
    """Write the settings into the folder of a run; refuse to go on in one of other settings.

    Args:
        settings: a dataclass.
        folder: of the run, made where there is none.

    Raises:
        ValueError: the folder holds a run of other settings.
    """
    path = folder / SETTINGS_FILE
    now = asdict(settings)
    # A run that failed before its first report left nothing to keep.
    if path.is_file() and (folder / METRICS_FILE).is_file():
        before = yaml.safe_load(path.read_text(encoding="utf-8"))
        before = before if isinstance(before, dict) else {}
        changed = sorted(name for name in now if before.get(name) != now[name])
        if changed:
            what = ", ".join(f"{name} {before.get(name)!r} instead of {now[name]!r}" for name in changed)
            raise ValueError(f"{folder} holds a run with {what}; name another --output, or delete it")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(now, sort_keys=False, allow_unicode=True), encoding="utf-8")
