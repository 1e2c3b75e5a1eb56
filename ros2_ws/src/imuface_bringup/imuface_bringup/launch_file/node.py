"""One process of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

ParameterValue = bool | int | float | str | list[bool] | list[int] | list[float] | list[str]
Parameters = dict[str, "ParameterValue | Parameters"]


@dataclass(frozen=True)
class NodeProcess:
    """A node to be run as a process of its own.

    ``parameters`` holds nested dictionaries and parameter files in the order of the launch file: the last one wins.
    ``environment`` is what differs from the launching process; None removes a variable. ``required`` ends the whole
    launch when the node exits (``on_exit: shutdown``). ``output`` is ``screen``, ``log`` or ``both``.
    """

    package: str
    executable: str
    name: str | None = None
    namespace: str = "/"
    parameters: tuple[Parameters | Path, ...] = ()
    remappings: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()
    environment: dict[str, str | None] = field(default_factory=dict)
    output: str = "log"
    respawn: bool = False
    respawn_delay: float = 0.0
    required: bool = False

    @property
    def label(self) -> str:
        """Fully qualified name for people: ``/imuface/face_recon_node``."""
        return f"{self.namespace.rstrip('/')}/{self.name or self.executable}"
