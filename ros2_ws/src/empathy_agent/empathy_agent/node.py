"""The agent's node: utterances and the state of the face in, streamed empathetic replies out."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import imuface_node
from imuface_interfaces.action import Respond
from imuface_interfaces.msg import AffectState, EmpathyReply, Utterance
from imuface_interfaces.msg import Sentence as SentenceMessage
from imuface_interfaces.srv import Forget
from imuface_node import MANY, AutostartNode, Param, Status, StatusLevel, arrived, offered, qos
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.qos import QoSProfile

from empathy_agent import topics
from empathy_agent.affect_window import Affect, AffectWindow
from empathy_agent.chain import Delta
from empathy_agent.dialogue import Dialogue, DialogueError, ErrorCode, Reply
from empathy_agent.engines import Engine, EngineError
from empathy_agent.engines.factory import LONGEST_SILENCE, open_engine
from empathy_agent.grammar import LANGUAGES
from empathy_agent.language import language_of
from empathy_agent.listening import Acknowledgements, Partials
from empathy_agent.messages import sentence_message, to_message
from empathy_agent.safety import Hotlines, Risk
from empathy_agent.session import Sessions
from empathy_agent.telling import Sentence, Telling
from empathy_agent.transcripts import Transcripts
from empathy_agent.worker import TURN_TAKING, Job, Worker

_FAULTS = 10
"""Faults that the diagnostics tell at once, at most."""
_PEOPLE = 10
"""Who are answered at once by a server."""
_SHOWN = 30.0
"""s for which a fault stays in the diagnostics."""


class EmpathyAgent(AutostartNode):
    """Answers on the action ``dialogue/respond`` and on the topic ``dialogue/utterance``.

    Both give ``dialogue/sentence``, the answer as it passes the review, and ``dialogue/reply``, the whole.

    Replies are made on a worker's thread and come back to the executor as tasks. A goal stays in the state ACCEPTED
    while it waits and is answered, and is executed when its outcome is known: an execute callback that blocked would
    stop the executor, and one that awaited would make rclpy poll it without pause.
    """

    PARAMETERS = (
        Param(
            "model",
            "",
            "model of the catalogue (`imuface models list`), or the server's; empty: the default, which needs none",
        ),
        Param(
            "server_url",
            "",
            "OpenAI-compatible server to use instead of an embedded model, such as http://127.0.0.1:8000",
        ),
        Param("server_grammar", False, "whether the server takes llama.cpp's GBNF grammars"),
        Param("server_context", 8192, "tokens of prompt and reply that the server's model takes", within=(1, MANY)),
        Param(
            "server_timeout",
            120.0,
            "longest silence of the server in seconds before it counts as failed",
            within=(0.001, LONGEST_SILENCE),
        ),
        Param(
            "locale",
            "",
            "BCP 47 tag to assume where an utterance names none, such as zh-CN; empty: detected from the text",
        ),
        Param(
            "hotlines", "", "YAML file with the help lines of each locale; empty: the one that comes with the package"
        ),
        Param("max_characters", 4000, "longest utterance that is answered", within=(1, MANY)),
        Param(
            "fallback",
            "",
            "model of the catalogue that takes over when the server or the first model fails; empty: none",
        ),
        Param(
            "max_turns",
            6,
            "earlier turns of a session that are remembered word for word; of older ones a summary is kept",
            within=(0, MANY),
        ),
        Param("max_sessions", 64, "sessions that are remembered, in memory", within=(1, MANY)),
        Param("retention", 3600.0, "seconds after its last turn in which a session is forgotten", within=(0.001, 1e9)),
        Param("queue_size", 10, "utterances that may wait beside those that are answered", within=(1, MANY)),
        Param("parallel", 0, "people who are answered at once; 0: 10 with a server, else 1", within=(0, 1000)),
        Param(
            "turn_taking",
            "queue",
            "what an utterance does to the reply before it in its session",
            choices=TURN_TAKING,
        ),
        Param(
            "acknowledge",
            False,
            "say a short sentence on dialogue/acknowledgement at once, while the reply is thought",
            live=True,
        ),
        Param(
            "transcripts", "", "folder for transcripts of all sessions, with the consent of those who talk; empty: none"
        ),
        Param("transcript_days", 30.0, "days after which a transcript is deleted", within=(0.001, 36_500)),
        Param(
            "affect_window",
            10.0,
            "seconds of the face's state that are put in words for the model",
            within=(0.001, 3600),
        ),
        Param("threads", 0, "threads of the embedded model; 0: one per core", within=(0, 1024)),
        Param("warm_up", True, "evaluate the instructions after activation, so that the first reply comes sooner"),
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("empathy_agent", **kwargs)
        self._engine: Engine | None = None
        self._dialogue: Dialogue | None = None
        self._worker: Worker | None = None
        self._server: ActionServer | None = None
        self._jobs: dict[bytes, Job] = {}
        self._partials, self._acknowledgements = Partials(), Acknowledgements()
        self._transcripts: Transcripts | None = None
        self._failures = self._replaced = 0
        self._stopped: Counter[str] = Counter()
        self._faults: dict[str, float] = {}  # of what happened when, on time.monotonic

    # Lifecycle ----------------------------------------------------------------------------------------------------

    def setup(self) -> None:
        self._affect = AffectWindow(self._parameter("affect_window"))
        hotlines = self._parameter("hotlines")
        loaded = Hotlines.load(Path(hotlines) if hotlines else None)
        sessions = Sessions(self._parameter("max_turns"), self._parameter("max_sessions"), self._parameter("retention"))
        folder = self._parameter("transcripts")
        self._transcripts = Transcripts(Path(folder), self._parameter("transcript_days")) if folder else None
        self._parallel = self._parameter("parallel") or (_PEOPLE if self._parameter("server_url") else 1)
        started = time.monotonic()
        self.get_logger().info(f"loading {self._parameter('model') or 'the default model'}")
        self._engine = open_engine(
            self._parameter("model"),
            server_url=self._parameter("server_url"),
            server_grammar=self._parameter("server_grammar"),
            server_context=self._parameter("server_context"),
            server_timeout=self._parameter("server_timeout"),
            threads=self._parameter("threads"),
            parallel=self._parallel,
            fallback=self._parameter("fallback"),
        )
        self._dialogue = Dialogue(
            self._engine,
            hotlines=loaded,
            sessions=sessions,
            locale=self._parameter("locale"),
            max_characters=self._parameter("max_characters"),
        )
        self._dialogue.engine.on_failure = self._on_engine_failure
        self.get_logger().info(f"model {self._engine.model} is ready after {time.monotonic() - started:.1f} s")
        self._replies = self.create_publisher(EmpathyReply, topics.REPLY, offered(topics.REPLY))
        self._sentences = self.create_publisher(SentenceMessage, topics.SENTENCE, offered(topics.SENTENCE))
        self._telling = Telling(self._dialogue, self._say)
        self._acknowledged = self.create_publisher(Utterance, topics.ACKNOWLEDGEMENT, offered(topics.ACKNOWLEDGEMENT))
        self._heard = self.create_publisher(Utterance, topics.HEARD, offered(topics.HEARD))
        self._forgetting = self.create_service(Forget, topics.FORGET, self._on_forget)
        heard = qos(topics.UTTERANCE, topics.UTTERANCE_DEPTH)
        self._utterances = self.create_subscription(Utterance, topics.UTTERANCE, self._on_utterances, heard)
        self._inputs = [
            self._utterances,
            self.create_subscription(AffectState, topics.AFFECT, self._on_affect, qos(topics.AFFECT)),
        ]
        self._server = ActionServer(
            self,
            Respond,
            topics.RESPOND,
            execute_callback=_give_up,
            handle_accepted_callback=self._on_goal,
            cancel_callback=self._on_cancel,
            goal_service_qos_profile=heard,
            cancel_service_qos_profile=heard,
            result_service_qos_profile=heard,
            feedback_pub_qos_profile=QoSProfile(depth=topics.FEEDBACK_DEPTH),
        )

    def start(self) -> None:
        assert self._dialogue is not None
        first = language_of(self._parameter("locale"))
        # The one prepared last stays in the engine's hands, any other in its cache.
        languages = sorted(LANGUAGES, key=lambda language: language == (first if first in LANGUAGES else "zh"))
        self._worker = Worker(
            self._dialogue,
            capacity=self._parameter("queue_size"),
            parallel=self._parallel,
            turn_taking=self._parameter("turn_taking"),
            languages=languages if self._parameter("warm_up") else (),
            on_fault=self._on_fault,
        )

    def stop(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def teardown(self) -> None:
        if self._server is not None:
            self._server.destroy()
            self._server = None
            self._jobs.clear()
            for subscription in self._inputs:
                self.destroy_subscription(subscription)
            self.destroy_service(self._forgetting)
            self.destroy_publisher(self._sentences)
            self.destroy_publisher(self._acknowledged)
            self.destroy_publisher(self._heard)
            self.destroy_publisher(self._replies)
        if self._engine is not None:
            self._engine.close()
            self._engine = self._dialogue = None

    def status(self) -> list[tuple[str, Status]]:
        assert self._engine is not None
        worker = self._worker
        assert worker is not None
        worker.mend()
        if worker.replaced > self._replaced:
            self._replaced = worker.replaced
            self._fault("a thread of the dialogue ended and was replaced")
        last = worker.last_reply
        stopped = ", ".join(f"{name} {count}" for name, count in sorted(self._stopped.items()))
        values = {
            "model": self._engine.model,
            "queue": str(worker.waiting),
            "answering": str(worker.busy),
            "failures": str(self._failures),
            "threads_replaced": str(worker.replaced),
            "sentences_stopped": stopped,
            "characters_per_second": f"{worker.characters_per_second:.1f}",
            "last_seconds_to_first_token": f"{last.seconds_to_first_token:.2f}" if last else "",
            "last_seconds_total": f"{last.seconds_total:.2f}" if last else "",
        }
        now = time.monotonic()
        recent = [fault for fault, when in self._faults.items() if now - when < _SHOWN]
        if recent:
            level = StatusLevel.ERROR if any("thread" in fault for fault in recent) else StatusLevel.WARN
            return [("", Status(level, "; ".join(recent), values))]
        return [("", Status(StatusLevel.OK, "answering" if worker.busy else "ready", values))]

    def _fault(self, message: str) -> None:
        self._faults[message] = time.monotonic()
        while len(self._faults) > _FAULTS:
            del self._faults[next(iter(self._faults))]

    # Input --------------------------------------------------------------------------------------------------------

    def _on_affect(self, message: AffectState) -> None:
        stamp = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
        self._affect.add(Affect(stamp, message.valence, message.expression, message.confidence))

    def _on_utterances(self, message: Utterance) -> None:
        # All that have arrived are screened now: in a crowd a crisis cannot wait for the executor's rounds.
        for each in (message, *islice(arrived(self._utterances), topics.UTTERANCE_DEPTH)):
            self._on_utterance(each)

    def _on_utterance(self, message: Utterance) -> None:
        if not self.active:
            self.get_logger().warning("an utterance was dropped: the agent is not active")
            return

        def done(outcome: Reply | DialogueError) -> None:
            self._on_executor(self._finish_utterance, message.text, outcome)

        assert self._worker is not None
        if message.state == Utterance.PARTIAL:
            risk = self._risk_of(message.text)
            if self._partials.partial(message.session_id, message.id, risk):
                self._submit(self._job(message, done))
            elif risk is not Risk.CRISIS and message.text.strip():
                self._worker.prepare(message.text, message.locale, message.session_id)
        elif not message.id or self._partials.final(message.session_id, message.id, self._risk_of(message.text)):
            job = self._job(message, done)
            if self._submit(job):
                self._acknowledge(job)

    def _risk_of(self, text: str) -> Risk:
        assert self._dialogue is not None
        try:
            return self._dialogue.post(text).verdict.risk
        except DialogueError:  # nothing yet, or too long: said when it is final
            return Risk.NONE

    def _acknowledge(self, job: Job) -> None:
        post = job.post
        if not self._parameter("acknowledge") or post is None or post.verdict.risk is Risk.CRISIS:
            return
        text = self._acknowledgements.next(post.session_id, post.language, post.verdict.risk)
        message = Utterance(text=text, locale=post.locale, session_id=post.session_id, id=uuid.uuid4().hex)
        message.header.stamp = self.get_clock().now().to_msg()
        self._acknowledged.publish(message)

    def _on_forget(self, request: Forget.Request, response: Forget.Response) -> Forget.Response:
        if self._worker is None or not self.active:
            response.message = "the agent is not active; activate it and ask again"
            return response
        response.sessions = self._worker.forget(request.session_id)
        files = 0
        if self._transcripts is not None:
            try:
                files = self._transcripts.forget(request.session_id)
            except OSError as error:
                response.message = f"a transcript could not be deleted: {error}"
                return response
        response.success = True
        response.message = f"forgot {response.sessions} sessions and {files} transcripts"
        return response

    def _on_goal(self, goal: ServerGoalHandle) -> None:
        key = bytes(goal.goal_id.uuid)

        def deliver(delta: Delta) -> None:
            goal.publish_feedback(Respond.Feedback(layer=int(delta.layer), text=delta.text))

        def done(outcome: Reply | DialogueError) -> None:
            self._on_executor(self._finish_goal, goal, goal.request.utterance.text, outcome)

        if not self.active:
            done(DialogueError(ErrorCode.NOT_ACTIVE, "the agent is not active; activate it and send the goal again"))
            return
        self._jobs[key] = self._job(goal.request.utterance, done, deliver)
        if self._submit(self._jobs[key]):
            heard = goal.request.utterance
            heard.header.stamp = self.get_clock().now().to_msg()
            self._heard.publish(heard)
            self._acknowledge(self._jobs[key])

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        job = self._jobs.get(bytes(goal.goal_id.uuid))
        if job is None or (self._worker is not None and not self._worker.cancel(job)):
            return CancelResponse.REJECT  # its outcome is on the way
        return CancelResponse.ACCEPT

    def _on_fault(self, message: str) -> None:
        self.get_logger().warning(f"getting ready failed: {message}")

    def _on_engine_failure(self, model: str, error: EngineError) -> None:
        self._fault(f"model {model} failed")
        self.get_logger().warning(f"model {model} failed: {error}")

    def _job(
        self,
        message: Utterance,
        on_done: Callable[[Reply | DialogueError], None],
        on_delta: Callable[[Delta], None] = lambda delta: None,
    ) -> Job:
        # Put in words here, in the executor's thread, which is also the one that adds to the window.
        now = self.get_clock().now().nanoseconds * 1e-9
        summaries = {language: self._affect.summary(now, language) for language in LANGUAGES}
        return Job(
            text=message.text,
            locale=message.locale,
            session_id=message.session_id,
            affect=summaries.__getitem__,
            on_delta=on_delta,
            on_done=on_done,
        )

    def _submit(self, job: Job) -> bool:
        """Whether it was taken; what is refused has its outcome then."""
        assert self._worker is not None
        self._telling.follow(job)
        try:
            self._worker.submit(job)
        except DialogueError as error:
            job.on_done(error)
            return False
        return True

    # Output -------------------------------------------------------------------------------------------------------

    def _say(self, sentence: Sentence) -> None:
        self._sentences.publish(sentence_message(sentence, self.get_clock().now().to_msg()))

    def _on_executor(self, callback: Callable[..., None], *args: Any) -> None:
        if self.executor is not None:
            self.executor.create_task(callback, *args)

    def _finish_utterance(self, text: str, outcome: Reply | DialogueError) -> None:
        if self._server is None:
            return
        if isinstance(outcome, Reply):
            self._publish(text, outcome)
        elif outcome.code is not ErrorCode.CANCELED:
            self._failures += 1
            self.get_logger().warning(f"an utterance was not answered: {outcome}")

    def _finish_goal(self, goal: ServerGoalHandle, text: str, outcome: Reply | DialogueError) -> None:
        self._jobs.pop(bytes(goal.goal_id.uuid), None)
        if self._server is not None:
            goal.execute(partial(self._conclude, text=text, outcome=outcome))

    def _conclude(self, goal: ServerGoalHandle, text: str, outcome: Reply | DialogueError) -> Respond.Result:
        if isinstance(outcome, Reply):
            message = self._publish(text, outcome)
            goal.succeed()
            return Respond.Result(error_code=Respond.Result.SUCCESS, reply=message)
        if outcome.code is ErrorCode.CANCELED and goal.is_cancel_requested:
            goal.canceled()
        else:
            self._failures += 1
            self.get_logger().warning(f"a goal was not answered: {outcome}")
            goal.abort()
        return Respond.Result(error_code=int(outcome.code), error_message=str(outcome))

    def _publish(self, text: str, reply: Reply) -> EmpathyReply:
        self._stopped += reply.stopped
        if reply.fault:
            self._failures += 1
            self._fault("a post was answered with a fixed text")
            self.get_logger().warning(f"a post was answered with a fixed text: {reply.fault}")
        message = to_message(reply, self.get_clock().now().to_msg())
        self._replies.publish(message)
        if self._transcripts is not None:
            try:
                self._transcripts.add(text, reply)
            except OSError as error:
                self._fault("a transcript could not be written")
                self.get_logger().error(f"a transcript could not be written: {error}")
        return message

    def _parameter(self, name: str) -> Any:
        return self.get_parameter(name).value


def _give_up(goal: ServerGoalHandle) -> Respond.Result:
    """rclpy wants a default execute callback; goals are always executed with their own."""
    raise AssertionError("a goal was executed without an outcome")


def main(args: list[str] | None = None) -> None:
    """Run the node."""
    imuface_node.main(EmpathyAgent, args)
