"""One process of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

Parameters = dict[str, bool | int | float | str]


@dataclass(frozen=True)
class NodeProcess:
    """A node to be run as a process of its own.

    ``parameters`` holds dictionaries and parameter files in the order of the launch file: the last one wins.
    ``environment`` is what differs from the launching process. ``required`` ends the whole launch when the node exits
    (``on_exit: shutdown``).
    """

    package: str
    executable: str
    name: str | None = None
    namespace: str = "/"
    parameters: tuple[Parameters | Path, ...] = ()
    remappings: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    required: bool = False

    @property
    def label(self) -> str:
        """Fully qualified name for people: ``/imuface/face_recon_node``."""
        return f"{self.namespace.rstrip('/')}/{self.name or self.executable}"
