"""The bridge to ROS4HRI (REP-155): our people below ``/humans``, and what they say from there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import imuface_node
from imuface_core.topics import TF_STATIC
from imuface_node import PERSON_ID, AutostartNode, Param, Status, StatusLevel, message_class, offered
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.publisher import Publisher
from rclpy.timer import Timer

from imuface_hri.bridge import LOST, Bridge, humans_topic
from imuface_hri.people import Human, humans

_LISTS = {
    name: humans_topic(name, "IdsList", kept=True) for name in ("faces/tracked", "persons/tracked", "persons/known")
}
_LOOKS = 0.2  # s between two looks at who is there
_AGAIN = 5  # looks, after which the lists are sent again: libhri hears none that was sent before it came


class HriNode(AutostartNode):
    """One for all people: who is there is one list."""

    PARAMETERS = (
        Param(
            "people",
            "",
            "namespaces of the people, with other ids as in anna ben=b7; empty: the one of this node",
            live=True,
        ),
        Param(
            "voices",
            "",
            "ids of the people's voices (ROS4HRI), in the same order; empty: the ids of the people",
            live=True,
        ),
        replace(PERSON_ID, live=True),
        Param("remember", True, "whether what a person says has a session: their id, or an anonymous visit", live=True),
        Param(
            "absence",
            10.0,
            "seconds without a face after which somebody anonymous is another one",
            within=(LOST, 3600),
        ),
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("hri_node", **kwargs)
        self._people: list[Bridge] = []
        self._publishers_of_all: dict[str, Publisher] = {}
        self._timer: Timer | None = None

    def setup(self) -> None:
        people = self._named()
        try:
            self._ids, self._transforms = message_class("hri_msgs/msg/IdsList"), message_class(TF_STATIC.type)
        except ImportError as error:
            raise ValueError(f"{error}: build it (docs/ros4hri.md), or install ros-$ROS_DISTRO-hri-msgs") from error
        self._frames: dict[str, str] = {}
        for human in people:
            self._meet(human)
        for name, topic in _LISTS.items():
            self._publishers_of_all[name] = self.create_publisher(self._ids, topic, offered(topic))
        self._publishers_of_all[TF_STATIC] = self.create_publisher(self._transforms, TF_STATIC, offered(TF_STATIC))

    def start(self) -> None:
        self._told: list[str] = []
        self._looks = 0
        for person in self._people:
            person.start()
        self._timer = self.create_timer(_LOOKS, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.get_logger().info(f"people below /humans: {', '.join(person.human.id for person in self._people)}")

    def stop(self) -> None:
        for person in self._people:
            person.stop()
        if self.context.ok():  # an interrupt has shut ROS down already
            self._look()  # nobody is there any more
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None

    def teardown(self) -> None:
        for person in self._people:
            person.close()
        for publisher in self._publishers_of_all.values():
            self.destroy_publisher(publisher)
        self._people, self._publishers_of_all = [], {}

    def examine(self, values: dict[str, Any]) -> None:
        self._named(**values)

    def changed(self, values: dict[str, Any]) -> None:
        """Who is named no longer is gone, and who stays notices nothing."""
        named = self._named()
        before, self._people = {person.human: person for person in self._people}, []
        for human, person in before.items():
            if human not in named:
                person.stop()
                person.close()
                self._frames.pop(human.frame, None)
        for human in named:
            if human in before:
                self._people.append(before[human])
            else:
                self._meet(human)
        if self.active:
            self._looks = 0
            self._look()

    def status(self) -> list[tuple[str, Status]]:
        return [(person.human.id, _status(person)) for person in self._people]

    def _named(self, **changes: Any) -> list[Human]:
        value = {name: self.get_parameter(name).value for name in ("people", "person_id", "voices")} | changes
        return humans(value["people"], self.get_namespace(), value["person_id"], value["voices"])

    def _meet(self, human: Human) -> None:
        self._people.append(Bridge(self, human, self.get_parameter("absence").value, self._on_frame))
        if self.active:
            self._people[-1].start()

    def _look(self) -> None:
        there = [person.human.id for person in self._people if person.there]
        if there != self._told or self._looks % _AGAIN == 0:
            known = [person.human.id for person in self._people]
            for name in _LISTS:
                message = self._ids(ids=known if name == "persons/known" else there)
                message.header.stamp = self.get_clock().now().to_msg()
                self._publishers_of_all[name].publish(message)
        self._told = there
        self._looks += 1

    def _on_frame(self, ours: str, theirs: str) -> None:
        """Hang the frame in which ROS4HRI looks for a face on the one that the face has, where they differ."""
        if not ours or ours == theirs or self._frames.get(theirs) == ours:
            return
        self._frames[theirs] = ours
        message = self._transforms()
        kind = message_class("geometry_msgs/msg/TransformStamped")
        for child, parent in self._frames.items():
            same = kind(child_frame_id=child)
            same.header.frame_id, same.header.stamp = parent, self.get_clock().now().to_msg()
            same.transform.rotation.w = 1.0
            message.transforms.append(same)
        self._publishers_of_all[TF_STATIC].publish(message)


def _status(person: Bridge) -> Status:
    age = person.age
    if person.there:
        return Status(StatusLevel.OK, "tracked", person.values)
    if age is None:
        return Status(StatusLevel.OK, "waiting for a face", person.values)
    hint = "" if 0 < age < 60 else "; of a recording? set use_sim_time, or set the clocks"
    return Status(StatusLevel.OK, f"the last face is of {age:.0f} s ago{hint}", person.values)


def main(args: list[str] | None = None) -> None:
    imuface_node.main(HriNode, args)
