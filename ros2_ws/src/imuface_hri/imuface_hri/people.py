"""Who is who below ``/humans``: ids of people and of their voices."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from imuface_core.frames import PLAIN


@dataclass(frozen=True)
class Human:
    """A person, whose face has the same id."""

    namespace: str
    """Without a slash in front; empty: the root."""
    id: str
    voice: str
    """Id of the voice that is theirs."""

    @property
    def frame(self) -> str:
        """Where listeners of ROS4HRI look for the face."""
        return f"face_{self.id}"

    @property
    def anonymous(self) -> bool:
        """Whether nobody said who it is: the default namespace is whoever wears the earphones."""
        return self.namespace in PLAIN and self.id == PLAIN[-1]


def humans(people: str, own: str, person_id: str = "", voices: str = "") -> list[Human]:
    """The people that parameters name.

    Args:
        people: namespaces, each with another id where it has one: ``anna lab/ben=b7``; empty: ``own``.
        own: the namespace of the node.
        person_id: id of the one person, as their face node has it.
        voices: ids of the voices in the same order; empty: those of the people.

    Raises:
        ValueError: what is no id, stands twice, or does not fit together.
    """
    entries = [entry.partition("=") for entry in people.split() or [own]]
    if person_id and len(entries) > 1:
        raise ValueError(f"person_id is '{person_id}', and people holds {len(entries)}: write people:='anna=ID ben=ID'")
    namespaces = [namespace.strip("/") for namespace, _, _ in entries]
    named = [given or person_id or namespace for (_, _, given), namespace in zip(entries, namespaces, strict=True)]
    ids = [_id(name.strip("/").replace("/", "_") or PLAIN[-1], "people") for name in named]
    heard = [_id(voice, "voices") for voice in voices.split()] or ids
    if len(heard) != len(ids):
        raise ValueError(f"voices holds {len(heard)} ids for {len(ids)} people: name one for each, in the same order")
    for what, names in (("people", namespaces), ("people", ids), ("voices", heard)):
        name, count = Counter(names).most_common(1)[0]
        if count > 1:
            raise ValueError(f"{what} holds '{name}' {count} times: give each person one of their own")
    return [Human(*human) for human in zip(namespaces, ids, heard, strict=True)]


def _id(name: str, where: str) -> str:
    if not (name.isidentifier() and name.isascii()):
        raise ValueError(
            f"{where} holds '{name}', which is no id: use letters, digits and '_', and begin with a letter"
        )
    return name
