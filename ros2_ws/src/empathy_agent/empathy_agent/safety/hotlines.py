"""Help lines by region, from a file a lab can replace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from empathy_agent.safety.patterns import Kind

SERVICES = ("crisis", "police", "ambulance", "violence", "child")
"""What an entry of the file may tell apart."""

# Whom a kind of danger calls for, the most urgent first. Without a kind: that of a life in danger.
_NEEDED: dict[Kind | None, tuple[str, ...]] = {
    None: ("crisis", "ambulance", "police"),
    Kind.SELF: ("crisis", "ambulance", "police"),
    Kind.ATTEMPT: ("ambulance", "police", "crisis"),
    Kind.OTHERS: ("police", "crisis"),
    Kind.VOICES: ("ambulance", "police", "crisis"),
    Kind.HARMED: ("police", "violence", "crisis"),
    Kind.CHILD: ("child", "police", "crisis"),
    Kind.THIRD: ("ambulance", "police", "crisis"),
    Kind.EMERGENCY: ("ambulance", "police"),
}

_Entry = list[str] | dict[str, list[str]]


class Hotlines:
    """Looks up the help lines of a locale."""

    def __init__(self, entries: Mapping[str, _Entry]) -> None:
        self._entries = {_Tag(locale).key: entry for locale, entry in entries.items()}
        # The first entry of a region serves its other languages, too.
        self._regions: dict[str, _Entry] = {}
        for locale, entry in entries.items():
            self._regions.setdefault(_Tag(locale).region, entry)

    @classmethod
    def load(cls, file: Path | None = None) -> Hotlines:
        """From a YAML file, by default the one that comes with the package (its head describes the form).

        Raises ``OSError`` when it cannot be read, ``ValueError`` naming the file, the entry and what is wrong.
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
        return cls({_locale(source, locale): _entry(source, locale, value) for locale, value in entries.items()})

    def lines(self, locale: str, kind: Kind | None = None) -> list[str]:
        """The lines for a BCP 47 tag and a kind of danger, the most urgent first; never empty.

        The region decides. The entry of the exact language and region is taken; else one of the region in another
        language; for a region the file does not know and for none, the entry of the language alone; else ``*``.
        Of an entry that tells services apart come those that the kind needs.
        """
        tag = _Tag(locale)
        entry = self._entries.get(tag.key)
        if entry is None and tag.region:
            entry = self._regions.get(tag.region)
        if entry is None:
            entry = self._entries.get(tag.language, self._entries["*"])
        if isinstance(entry, list):
            return list(entry)
        needed = [line for service in _NEEDED[kind] for line in entry.get(service, [])]
        # A service may have the number of another, and a region may lack the one that is needed.
        return list(dict.fromkeys(needed or [line for lines in entry.values() for line in lines]))


class _Tag:
    """Language and region of a BCP 47 tag or a POSIX locale (``zh_TW.UTF-8``); the script plays no part."""

    def __init__(self, locale: str) -> None:
        self.language, *rest = re.split(r"[-_]", re.split(r"[.@]", locale.strip().lower(), maxsplit=1)[0])
        # Extensions begin with a single letter; what follows them is no region.
        for number, part in enumerate(rest):
            if len(part) == 1:
                del rest[number:]
                break
        regions = [part for part in rest if re.fullmatch(r"[a-z]{2}|\d{3}", part)]
        self.region = {"uk": "gb"}.get(regions[0], regions[0]) if regions else ""
        self.key = f"{self.language}-{self.region}" if self.region else self.language


def _locale(source: Any, locale: object) -> str:
    if not isinstance(locale, str):
        raise ValueError(f"hotlines file {source}: locale {locale!r} is not text; put it in quotes")
    return locale


def _entry(source: Any, locale: str, value: object) -> _Entry:
    if not isinstance(value, dict):
        return _lines(source, locale, value)
    if not value:
        raise ValueError(f"hotlines file {source}: {locale} must be a list of one or more lines of text")
    for service in value:
        if service not in SERVICES:
            raise ValueError(
                f"hotlines file {source}: {locale} has an entry {service!r}; known are {', '.join(SERVICES)}, "
                "or a plain list of lines for all of them"
            )
    return {
        service: _lines(source, f"{locale}, {service}", [lines] if isinstance(lines, str) else lines)
        for service, lines in value.items()
    }


def _lines(source: Any, entry: str, value: object) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(line, str) and line.strip() for line in value):
        return list(value)
    raise ValueError(f"hotlines file {source}: {entry} must be a list of one or more lines of text")
