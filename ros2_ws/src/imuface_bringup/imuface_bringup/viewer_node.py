"""Shows one person live in the Rerun web viewer, or writes a Rerun recording."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import Any

import imuface_node
from face_recon_node.head import HeadModel
from imuface_node import AutostartNode, Param, Status, StatusLevel, message_class, qos
from rclpy.subscription import Subscription

from imuface_bringup import viewer
from imuface_bringup.scene import Scene

_DEPTH = 30


class ViewerNode(AutostartNode):
    """Hands every message of the scene's topics to it. The page is reachable from this machine only."""

    PARAMETERS = (
        Param("port", 9090, "port of the page; the next one for data", within=(1, 65_534)),
        Param("head", "", "file with the head model; empty: the shipped one (docs/head-model.md)"),
        Param("save", "", "write a Rerun recording (.rrd) to this file and serve nothing"),
    )

    def __init__(self) -> None:
        super().__init__("viewer")
        self._resources = contextlib.ExitStack()
        self._scene: Scene | None = None
        self._subscriptions_of_scene: list[Subscription] = []
        self._shown = 0

    def setup(self) -> None:
        head = HeadModel.load(self.get_parameter("head").value or None)
        save = self.get_parameter("save").value
        if save:
            self._scene = viewer.to_file(Path(save), head)
            self.get_logger().info(f"writing {save}")
        else:
            page, data = self._resources.enter_context(viewer.serve(self.get_parameter("port").value))
            self._scene = viewer.to_server(data, head)
            self.get_logger().info(f"viewer: {page}")

    def start(self) -> None:
        assert self._scene is not None
        self._subscriptions_of_scene = [
            self.create_subscription(
                message_class(topic.type), topic, partial(self._show, topic), qos(topic, _DEPTH, reliable=False)
            )
            for topic in self._scene.topics
        ]

    def stop(self) -> None:
        for subscription in self._subscriptions_of_scene:
            self.destroy_subscription(subscription)
        self._subscriptions_of_scene.clear()

    def teardown(self) -> None:
        if self._scene is not None:
            self._scene.close()
            self._scene = None
        self._resources.close()

    def status(self) -> list[tuple[str, Status]]:
        return [("", Status(StatusLevel.OK, "showing", {"messages": str(self._shown)}))]

    def _show(self, topic: str, message: Any) -> None:
        assert self._scene is not None
        self._scene.add(topic, message)
        self._shown += 1


def main(args: list[str] | None = None) -> None:
    imuface_node.main(ViewerNode, args)


if __name__ == "__main__":
    main()
