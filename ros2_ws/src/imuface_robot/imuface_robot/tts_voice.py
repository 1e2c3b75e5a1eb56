"""The voice of another package: the action of ``tts_msgs/TTS``, as ROS4HRI robots have it. Needs ``tts_msgs``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.action import ActionClient
from rclpy.node import Node

_SUCCEEDED = 4  # action_msgs/GoalStatus


class TtsVoice:
    """Sends each sentence as a goal and cancels it to be silent.

    Raises:
        ImportError: ``tts_msgs`` is not installed.
    """

    def __init__(self, node: Node, action: str) -> None:
        try:
            from tts_msgs.action import TTS
        except ImportError:
            raise ImportError(
                "tts_msgs is not installed; source the workspace that has it, or use voice:=program"
            ) from None
        self._goal = TTS.Goal
        self._client: Any = ActionClient(node, TTS, action)
        self._action = action
        self._current: object = None
        self._handle: Any = None

    def say(self, text: str, locale: str, done: Callable[[str], None]) -> None:
        self._current = mine = object()
        self._handle = None

        def end(fault: str) -> None:
            if self._current is mine:
                self._current = self._handle = None
                done(fault)

        def accepted(future: Any) -> None:
            handle = future.result()
            if not handle.accepted:
                end(f"{self._action} refused a sentence")
            elif self._current is not mine:  # stopped before it began
                handle.cancel_goal_async()
            else:
                self._handle = handle
                handle.get_result_async().add_done_callback(finished)

        def finished(future: Any) -> None:
            outcome = future.result()
            end("" if outcome.status == _SUCCEEDED else f"{self._action} failed: {outcome.result.error_msg}")

        if not self._client.server_is_ready():
            return end(f"{self._action} is offered by nobody")
        goal = self._goal(input=text, locale=locale.replace("-", "_"))
        self._client.send_goal_async(goal).add_done_callback(accepted)

    def stop(self) -> None:
        handle, self._current, self._handle = self._handle, None, None
        if handle is not None:
            handle.cancel_goal_async()
