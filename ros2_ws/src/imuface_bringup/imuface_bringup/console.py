"""The output of many nodes on one terminal: each line behind the coloured name of its node."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from imuface_bringup.launch_file import NodeProcess

_COLORS = ("cyan", "green", "magenta", "blue", "yellow", "bright_cyan", "bright_green", "bright_magenta")
_SEVERITIES = {"[WARN]": "yellow", "[ERROR]": "red", "[FATAL]": "bold red"}


class NodeConsole:
    """Prints the lines of nodes, in the colour of their severity."""

    def __init__(self, nodes: Sequence[NodeProcess], console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        # Two people in one launch have nodes of the same names.
        alone = len({node.namespace for node in nodes}) == 1
        names = [(node.name or node.executable) if alone else node.label for node in nodes]
        width = max(map(len, names), default=0)
        self._prefixes = {
            id(node): Text(f"{name:<{width}} ", style=_COLORS[index % len(_COLORS)])
            for index, (node, name) in enumerate(zip(nodes, names, strict=True))
        }

    def report(self, node: NodeProcess, line: str) -> None:
        """Take one line of a node's output; may be called from any thread."""
        style = next((color for mark, color in _SEVERITIES.items() if mark in line), "")
        self._console.print(self._prefixes[id(node)] + Text(line, style=style))
