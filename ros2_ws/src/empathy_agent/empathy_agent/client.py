"""A client of the running agent's action, for the command line."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from typing import Any

import rclpy
from imuface_interfaces.action import Respond
from imuface_interfaces.msg import Utterance
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile

from empathy_agent import topics
from empathy_agent.chain import Delta, Layer
from empathy_agent.dialogue import DialogueError, ErrorCode, Reply
from empathy_agent.engines import Cancelled
from empathy_agent.messages import from_message

_STEP = 0.1  # seconds between looks at `cancelled`


class AgentClient:
    """Talks to the agent in a namespace; a context manager, since it holds a ROS context of its own."""

    def __init__(self, namespace: str) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context, args=[], signal_handler_options=rclpy.SignalHandlerOptions.NO)
        self._node = rclpy.create_node(
            "dialogue_client", namespace=namespace, context=self._context, start_parameter_services=False
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._client: ActionClient = ActionClient(
            self._node,
            Respond,
            topics.RESPOND,
            feedback_sub_qos_profile=QoSProfile(depth=topics.FEEDBACK_DEPTH),
        )

    def __enter__(self) -> AgentClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.destroy()
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def is_there(self, timeout: float = 5.0) -> bool:
        """Whether an agent is found within ``timeout`` seconds."""
        return bool(self._client.wait_for_server(timeout_sec=timeout))

    def respond(
        self,
        text: str,
        *,
        locale: str = "",
        session_id: str = "",
        cancelled: threading.Event | None = None,
        patience: float = math.inf,
    ) -> Iterator[Delta | Reply]:
        """Stream the reply, as :meth:`empathy_agent.dialogue.Dialogue.respond` does; cancel it when nothing more has
        come for ``patience`` seconds.

        Raises ``DialogueError`` as the agent reports it, or when the agent goes away; ``Cancelled`` once the agent has
        confirmed a cancellation.
        """
        goal = Respond.Goal(utterance=Utterance(text=text, locale=locale, session_id=session_id))
        goal.utterance.header.stamp = self._node.get_clock().now().to_msg()
        deltas: list[Delta] = []
        sent: Any = self._client.send_goal_async(
            goal,
            feedback_callback=lambda message: deltas.append(
                Delta(Layer(message.feedback.layer), message.feedback.text)
            ),
        )
        self._wait(sent)
        handle = sent.result()
        result: Any = handle.get_result_async()
        cancelling, heard = False, time.monotonic()
        texts: dict[Layer, str] = {}

        def taken() -> Iterator[Delta]:
            while deltas:
                delta = deltas.pop(0)
                if texts and delta.layer < max(texts):
                    texts.clear()  # once more, see Dialogue.respond
                texts[delta.layer] = texts.get(delta.layer, "") + delta.text
                yield delta

        while not result.done():
            self._executor.spin_once(timeout_sec=_STEP)
            given_up = (cancelled is not None and cancelled.is_set()) or time.monotonic() - heard > patience
            if given_up and not cancelling:
                cancelling = True
                handle.cancel_goal_async()
            for delta in taken():
                heard = time.monotonic()
                yield delta
            if not self._client.server_is_ready():
                raise DialogueError(ErrorCode.NOT_ACTIVE, "the agent has gone away; start it again")
        yield from taken()
        outcome = result.result().result
        if outcome.error_code == ErrorCode.CANCELED:
            raise Cancelled
        if outcome.error_code != Respond.Result.SUCCESS:
            raise DialogueError(ErrorCode(outcome.error_code), outcome.error_message)
        reply = from_message(outcome.reply)
        # The result may overtake the last feedback.
        for layer in Layer:
            if rest := reply.chain[layer].removeprefix(texts.get(layer, "")):
                yield Delta(layer, rest)
        yield reply

    def _wait(self, future: Any, timeout: float = 10.0) -> None:
        deadline = time.monotonic() + timeout
        while not future.done():
            self._executor.spin_once(timeout_sec=_STEP)
            if time.monotonic() > deadline:
                raise DialogueError(ErrorCode.NOT_ACTIVE, f"the agent did not take the text within {timeout:.0f} s")
