"""Where packages keep their files and executables: the ament index, or what pip installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from pathlib import Path

from imuface_bringup.launch_file.errors import LaunchFileError


def ament_prefixes() -> list[Path]:
    """The prefixes of ``AMENT_PREFIX_PATH``, in order."""
    return [Path(prefix) for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]


def share_directory(package: str) -> Path:
    """``share/<package>`` of the first prefix that has the package; its source folder when it was installed editable.

    Raises :class:`LaunchFileError` when the package is not installed.
    """
    # Before the index: pip leaves out the share folder of an editable package, or leaves an outdated one behind.
    source = _source_directory(package)
    if source is not None:
        return source
    for prefix in ament_prefixes():
        if (prefix / "share" / "ament_index" / "resource_index" / "packages" / package).exists():
            return prefix / "share" / package
    raise LaunchFileError(f"package '{package}' is not installed: not in any prefix of AMENT_PREFIX_PATH")


def executable(package: str, name: str) -> Path:
    """The executable ``name`` of ``package``: a console script of its Python distribution, or ``lib/<package>/<name>``.

    Raises :class:`LaunchFileError` when there is none.
    """
    script = _console_script(package, name)
    if script is not None:
        return script
    for prefix in ament_prefixes():
        path = prefix / "lib" / package / name
        if os.access(path, os.X_OK) and path.is_file():
            return path
    raise LaunchFileError(
        f"no executable '{name}' in package '{package}'; is the package installed? (make setup, or colcon build)"
    )


def _source_directory(package: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parents[1]
    return folder if (folder / "package.xml").is_file() else None


def _console_script(package: str, name: str) -> Path | None:
    try:
        distribution = importlib.metadata.distribution(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None
    if not distribution.entry_points.select(group="console_scripts", name=name):
        return None
    for file in distribution.files or ():
        if file.name == name:
            path = Path(str(file.locate())).resolve()
            if os.access(path, os.X_OK):
                return path
    return None
