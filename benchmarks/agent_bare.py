"""What ``agent.py`` compares the agent with: an action server without a dialogue.

``agent_bare.py stream URL`` asks the server for each goal and passes on the first sentence and the whole text, without
session, gate or review: what rclpy, DDS and HTTP cost. ``agent_bare.py fixed`` answers every goal and utterance at once
with the same text.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import threading
from functools import partial
from typing import Any

import httpx
import rclpy
from empathy_agent import topics
from httpx_sse import aconnect_sse
from imuface_interfaces.action import Respond
from imuface_interfaces.msg import EmpathyReply, Utterance
from rclpy.action import ActionServer
from rclpy.action.server import ServerGoalHandle
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile

NAMESPACE = "bare"
_DEPTH = 10
_FIXED = EmpathyReply(answer="I am here, and there are people who can help you right now.", risk=2, resources=["112"])
_LAYERS = ("emotions_and_context", "causes_and_beliefs", "intention", "strategy", "answer")


class Bare(Node):
    """Answers on the agent's topic and action, with the same qualities of service."""

    def __init__(self, url: str) -> None:
        super().__init__("bare", namespace=NAMESPACE)
        self._url = url
        self._replies = self.create_publisher(EmpathyReply, topics.REPLY, _DEPTH)
        self.create_subscription(Utterance, topics.UTTERANCE, self._on_utterance, _DEPTH)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._client = httpx.AsyncClient(timeout=60.0, trust_env=False)
        self._server = ActionServer(
            self,
            Respond,
            topics.RESPOND,
            execute_callback=_never,
            handle_accepted_callback=self._on_goal,
            feedback_pub_qos_profile=QoSProfile(depth=topics.FEEDBACK_DEPTH),
        )

    def _on_utterance(self, message: Utterance) -> None:
        _FIXED.session_id = message.session_id
        self._replies.publish(_FIXED)

    def _on_goal(self, goal: ServerGoalHandle) -> None:
        if self._url:
            asyncio.run_coroutine_threadsafe(self._pass_on(goal), self._loop)
            return
        for layer, name in enumerate(_LAYERS, 1):
            goal.publish_feedback(Respond.Feedback(layer=layer, text=getattr(_FIXED, name)))
        goal.execute(partial(_conclude, reply=_FIXED))

    async def _pass_on(self, goal: ServerGoalHandle) -> None:
        messages = [{"role": "user", "content": goal.request.utterance.text}]
        body = {"model": "m", "messages": messages, "stream": True}
        text, first = "", True
        async with aconnect_sse(self._client, "POST", f"{self._url}/v1/chat/completions", json=body) as source:
            async for sse in source.aiter_sse():
                if sse.data == "[DONE]":
                    break
                for choice in json.loads(sse.data)["choices"]:
                    text += choice["delta"].get("content", "")
                if first and "</L1>" in text:
                    first = False
                    goal.publish_feedback(Respond.Feedback(layer=1, text=text))
        reply = EmpathyReply(session_id=goal.request.utterance.session_id, answer=text)
        assert self.executor is not None
        self.executor.create_task(goal.execute, partial(_conclude, reply=reply))


def _conclude(goal: ServerGoalHandle, reply: EmpathyReply) -> Respond.Result:
    goal.succeed()
    return Respond.Result(reply=reply)


def _never(goal: ServerGoalHandle) -> Any:
    raise AssertionError("goals are executed with an outcome")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("stream", "fixed"))
    parser.add_argument("url", nargs="?", default="")
    options = parser.parse_args()
    rclpy.init(args=[])
    executor = SingleThreadedExecutor()
    executor.add_node(Bare(options.url))
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        executor.spin()


if __name__ == "__main__":
    main()
