"""Help lines by locale, from a file a lab can replace."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import yaml

from empathy_agent.language import language_of


class Hotlines:
    """Looks up the help lines of a locale."""

    def __init__(self, entries: dict[str, list[str]]) -> None:
        self._entries = {locale.lower().replace("_", "-"): lines for locale, lines in entries.items()}

    @classmethod
    def load(cls, file: Path | None = None) -> Hotlines:
        """From a YAML file, by default the one that comes with the package.

        Raises ``OSError`` when it cannot be read, ``ValueError`` naming the file and what is wrong.
        """
        source = file or resources.files("empathy_agent.safety").joinpath("hotlines.yaml")
        try:
            entries = yaml.safe_load(source.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"hotlines file {source} is not YAML: {' '.join(str(error).split())}") from error
        if not isinstance(entries, dict) or "*" not in entries:
            raise ValueError(
                f'hotlines file {source} must map locales to lists of lines, with an entry "*" for the rest'
            )
        for locale, lines in entries.items():
            if not isinstance(locale, str):
                raise ValueError(f"hotlines file {source}: locale {locale!r} is not text; put it in quotes")
            if not (
                isinstance(lines, list) and lines and all(isinstance(line, str) and line.strip() for line in lines)
            ):
                raise ValueError(f"hotlines file {source}: {locale} must be a list of one or more lines of text")
        return cls(entries)

    def lines(self, locale: str) -> list[str]:
        """The lines for a BCP 47 tag: of the exact locale, else of its language, else of ``*``."""
        tag = locale.lower().replace("_", "-")
        for key in (tag, language_of(tag)):
            if key in self._entries:
                return list(self._entries[key])
        return list(self._entries["*"])
