"""Writes docs/parameters.md and docs/topics.md from the tables in the code: ``python docs/tables.py``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import rclpy  # noqa: F401  (ROS 2 from PyPI starts Python anew at its first import: better now than later)
from empathy_agent.node import EmpathyAgent
from face_recon_node.camera_node import CameraNode
from face_recon_node.node import FaceReconNode
from face_recon_node.reference_node import ReferenceNode
from imuface_avatar.node import AvatarNode
from imuface_bringup.player_node import PlayerNode
from imuface_bringup.recorder_node import RecorderNode
from imuface_bringup.viewer_node import ViewerNode
from imuface_core.topics import KNOWN
from imuface_driver.node import ImufaceDriver
from imuface_hri.node import HriNode
from imuface_node import AutostartNode, Param
from imuface_robot.cue_node import CueNode
from imuface_robot.listen_node import ListenNode
from imuface_robot.robot_node import RobotNode
from imuface_robot.speech_node import SpeechNode

NODES: dict[str, type[AutostartNode]] = {
    "imuface_driver": ImufaceDriver,
    "face_recon_node": FaceReconNode,
    "reference_node": ReferenceNode,
    "camera_node": CameraNode,
    "avatar_node": AvatarNode,
    "hri_node": HriNode,
    "empathy_agent": EmpathyAgent,
    "cue_node": CueNode,
    "speech_node": SpeechNode,
    "listen_node": ListenNode,
    "robot_node": RobotNode,
    "recorder": RecorderNode,
    "player": PlayerNode,
    "viewer": ViewerNode,
}

PARAMETERS = """# Parameters

Made from the tables of the nodes by `python docs/tables.py`; do not edit.

`imuface params` lists the parameters of running nodes, prints and sets them. A change takes effect or is refused with
the reason: what changes *at any time* takes effect at once; what changes *before configuring* is read when the node is
configured, and `imuface params NODE NAME VALUE --restart` takes the node down and up again for it; what changes *at
start only* is given on the command line or in a parameter file. A bad value at the start fails the configuration, and
the node says so in its log and in `/diagnostics`.
"""

TOPICS = """# Topics

Made from the table in `imuface_core/topics.py` by `python docs/tables.py`; do not edit.

Names are relative to the namespace of a person (`imuface` unless another is given), save those that begin with a slash.
Queues are as long as their depth; what is kept (transient local) reaches those who come later, too. The quality of
service is what Earnest's own listeners ask for; its publishers offer reliable delivery on every topic, which serves
listeners of both kinds (REP-2003). `imuface topics` lists what runs, with rates; `imuface echo TOPIC` prints it.
"""

INTERFACES = """
Beside the topics there are two actions, `calibrate` (`imuface_interfaces/Calibrate`) of the face node, for which there
is `imuface calibrate`, and `dialogue/respond` (`imuface_interfaces/Respond`) of the agent, for which there are
`imuface ask` and `imuface chat`, and one service of the agent, `dialogue/forget` (`imuface_interfaces/Forget`), for
which there is `imuface forget`.
"""


def main() -> None:
    for name, page in pages().items():
        Path(__file__).with_name(name).write_text(page, encoding="utf-8")


def pages() -> dict[str, str]:
    """The pages by the names of their files."""
    return {"parameters.md": parameters(), "topics.md": topics()}


def parameters() -> str:
    sections = ["\n## Every node\n\n", table(parameter_rows(AutostartNode.COMMON))]
    for name, node in NODES.items():
        sections += [f"\n## {name}\n\n", table(parameter_rows(node.PARAMETERS))]
    return PARAMETERS + "".join(sections)


def parameter_rows(rows: Iterable[Param]) -> list[tuple[str, ...]]:
    head = ("parameter", "type", "default", "allowed", "changes", "meaning")
    cells = [
        (f"`{row.name}`", type(row.default).__name__, default(row), row.allowed, row.changes, row.description)
        for row in rows
    ]
    return [head, *cells]


def default(row: Param) -> str:
    if isinstance(row.default, bool):
        return f"`{str(row.default).lower()}`"
    return f"`{row.default}`" if row.default != "" else "empty"


def topics() -> str:
    rows: list[tuple[str, ...]] = [("topic", "type", "quality of service", "meaning", "published by")]
    for topic in sorted(KNOWN.values()):
        quality = f"{'reliable' if topic.reliable else 'best effort'}, depth {topic.depth}"
        quality += ", kept" if topic.kept else ""
        rows.append((f"`{topic}`", f"`{topic.type.replace('/msg/', '/')}`", quality, topic.meaning, topic.publisher))
    return f"{TOPICS}\n{table(rows)}{INTERFACES}"


def table(rows: list[tuple[str, ...]]) -> str:
    lines = [rows[0], ("---",) * len(rows[0]), *rows[1:]]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    main()
