"""A client of the running agent's action, for the command line."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from typing import Any

from imuface_interfaces.action import Respond
from imuface_interfaces.msg import Utterance
from imuface_node import GraphClient
from rclpy.action import ActionClient
from rclpy.qos import QoSProfile

from empathy_agent import topics
from empathy_agent.chain import Delta, Layer
from empathy_agent.dialogue import DialogueError, ErrorCode, Reply
from empathy_agent.engines import Cancelled
from empathy_agent.messages import from_message

_STEP = 0.1  # seconds between looks at `cancelled`
_TAKING = 10.0  # seconds for the agent to accept a goal


class AgentClient:
    """Talks to the agent in a namespace; a context manager, since it holds a ROS context of its own."""

    def __init__(self, namespace: str) -> None:
        self._graph = GraphClient("dialogue_client", namespace, start_parameter_services=False)
        self._client: ActionClient = ActionClient(
            self._graph.node,
            Respond,
            topics.RESPOND,
            feedback_sub_qos_profile=QoSProfile(depth=topics.FEEDBACK_DEPTH),
        )

    def __enter__(self) -> AgentClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.destroy()
        self._graph.__exit__(*exception)

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
        goal.utterance.header.stamp = self._graph.node.get_clock().now().to_msg()
        deltas: list[Delta] = []
        sent: Any = self._client.send_goal_async(
            goal,
            feedback_callback=lambda message: deltas.append(
                Delta(Layer(message.feedback.layer), message.feedback.text)
            ),
        )
        if not self._graph.until(sent.done, _TAKING):
            raise DialogueError(ErrorCode.NOT_ACTIVE, f"the agent did not take the text within {_TAKING:.0f} s")
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
            self._graph.step(_STEP)
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
