"""Who is who below ``/humans``: ids of people and of their voices."""

from __future__ import annotations

import math
import uuid
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


class Visits:
    """Whose session it is that a person speaks in.

    Who has a name has a session of that name, and is remembered when they come back. Of who is anonymous nobody knows
    whether they do: each visit is a session of its own, from the coming of a face until none came for ``absence``
    seconds, and what is said outside of a visit is nobody's, which an empty session stands for.
    """

    def __init__(self, human: Human, absence: float) -> None:
        self._human, self._absence = human, absence
        self._seen, self._visit = -math.inf, ""

    def see(self, now: float) -> None:
        """There is a face; ``now`` is in seconds, of any clock."""
        if not self._lasts(now):
            self._visit = f"{self._human.id}-{uuid.uuid4().hex}"
        self._seen = now

    def session(self, now: float) -> str:
        """The session of what is said at ``now``, on the clock of :meth:`see`."""
        if not self._human.anonymous:
            return self._human.id
        return self._visit if self._lasts(now) else ""

    def _lasts(self, now: float) -> bool:
        return 0.0 <= now - self._seen < self._absence  # a clock that was set back tells nothing


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
    for namespace in filter(None, namespaces):
        if not all(map(_is_name, namespace.split("/"))):
            raise ValueError(f"people holds '{namespace}', which is no namespace: use letters, digits, '_', and '/'")
    heard = [_id(voice, "voices") for voice in voices.split()] or ids
    if len(heard) != len(ids):
        raise ValueError(f"voices holds {len(heard)} ids for {len(ids)} people: name one for each, in the same order")
    for what, names in (("people", namespaces), ("people", ids), ("voices", heard)):
        name, count = Counter(names).most_common(1)[0]
        if count > 1:
            raise ValueError(f"{what} holds '{name}' {count} times: give each person one of their own")
    return [Human(*human) for human in zip(namespaces, ids, heard, strict=True)]


def _id(name: str, where: str) -> str:
    if not _is_name(name):
        raise ValueError(
            f"{where} holds '{name}', which is no id: use letters, digits and '_', and begin with a letter"
        )
    return name


def _is_name(text: str) -> bool:
    return text.isidentifier() and text.isascii()
