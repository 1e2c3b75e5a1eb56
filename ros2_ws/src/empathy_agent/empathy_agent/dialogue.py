"""One post in, a reviewed chain of empathy out: gate, turn, prompt, engine, parser, review."""

from __future__ import annotations

import enum
import hashlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from empathy_agent.cancellation import Cancellation
from empathy_agent.chain import Chain, Delta, Layer
from empathy_agent.engines import DROPPED, Cancelled, CutOff, Decoding, Engine, EngineError
from empathy_agent.engines.fallback import Fallback
from empathy_agent.language import language_of, resolve_locale
from empathy_agent.prompt import Message, language_data, preamble
from empathy_agent.request import REPLY_TOKENS, manner, prefix, request, tokens
from empathy_agent.safety import (
    Hotlines,
    Kind,
    Risk,
    Verdict,
    assess,
    concern_lead,
    crisis_chain,
    review,
    unanswered_chain,
)
from empathy_agent.script import writer
from empathy_agent.session import Exchange, Memory, Sessions, key
from empathy_agent.speech import Speech
from empathy_agent.turns import Turn, turn_of

logger = logging.getLogger(__name__)


class ErrorCode(enum.IntEnum):
    """Why there is no reply, with the values of ``imuface_interfaces/action/Respond``."""

    EMPTY_TEXT = 1
    TEXT_TOO_LONG = 2
    NOT_ACTIVE = 3
    ENGINE_FAILED = 4
    CANCELED = 6
    BUSY = 7


class DialogueError(ValueError):
    """There is no reply; ``code`` says why, the message names the value and the remedy."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Reply:
    """The complete reply. ``model`` is empty for a fixed text; times are in seconds from acceptance.

    ``fault`` says why the model's reply was replaced by a fixed text; ``stopped`` counts the sentences that the review
    held back, by check.
    """

    session_id: str
    chain: Chain
    locale: str
    risk: Risk
    resources: list[str] = field(default_factory=list)
    model: str = ""
    seconds_to_first_token: float = 0.0
    seconds_total: float = 0.0
    fault: str = ""
    stopped: Counter[str] = field(default_factory=Counter)


def no_affect(language: str) -> str:
    """The summary of a face nobody sees."""
    return ""


@dataclass(frozen=True)
class Post:
    """What a person said, as far as it is known before any model is asked."""

    text: str
    locale: str
    session_id: str
    verdict: Verdict
    accepted: float
    """On ``time.monotonic``."""

    @property
    def language(self) -> str:
        """``"zh"`` or ``"en"``."""
        return language_of(self.locale)


class Dialogue:
    """Answers posts with an engine; several at once, if the engine can.

    ``locale`` is the BCP 47 tag to assume where a post names none ("" detects). Posts longer than ``max_characters``
    are refused rather than cut, because the end of a long post often holds what matters. Raises ``ValueError`` when
    posts of that length do not fit the engine's context.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        hotlines: Hotlines | None = None,
        sessions: Sessions | None = None,
        locale: str = "",
        max_characters: int = 4000,
    ) -> None:
        self.engine = engine if isinstance(engine, Fallback) else Fallback([engine])
        self._hotlines = hotlines or Hotlines.load()
        self.sessions = Sessions() if sessions is None else sessions  # one without a session is false
        self._locale = locale
        self._max_characters = max_characters
        self.characters_per_second = 0.0  # of the last generation, tags included
        if max_characters < 1:
            raise ValueError(f"max_characters {max_characters} must be at least 1")
        # A Chinese character counts as one token.
        for one in self.engine.engines:
            room = one.context - REPLY_TOKENS - max(tokens(request(one, name, "")[0]) for name in ("zh", "en"))
            if max_characters > room:
                raise ValueError(
                    f"max_characters {max_characters} does not fit model {one.model}: its context of {one.context} "
                    f"tokens leaves room for {max(room, 0)}; lower max_characters or choose a model with more context"
                )

    # Before any model ---------------------------------------------------------------------------------------------

    def post(self, text: str, *, locale: str = "", session_id: str = "", accepted: float | None = None) -> Post:
        """Check and screen what was said; takes milliseconds. Raises ``DialogueError``: empty, or too long."""
        accepted = time.monotonic() if accepted is None else accepted
        text = text.strip()
        if not text:
            raise DialogueError(ErrorCode.EMPTY_TEXT, "the text is empty; say or write something")
        verdict = assess(text)
        # A crisis is answered however long it is told.
        if len(text) > self._max_characters and verdict.risk is not Risk.CRISIS:
            raise DialogueError(
                ErrorCode.TEXT_TOO_LONG,
                f"the text has {len(text)} characters, max_characters is {self._max_characters}; shorten it, or raise "
                "the parameter with a model that has more context",
            )
        return Post(text, resolve_locale(locale or self._locale, text), session_id, verdict, accepted)

    def fixed(self, post: Post) -> Reply | None:
        """The reply to a crisis, which no model writes; None for any other post."""
        if post.verdict.risk is not Risk.CRISIS:
            return None
        assert post.verdict.kind is not None
        return self._replied(post, crisis_chain(post.language, post.verdict.kind), Risk.CRISIS)

    def standing(self, post: Post) -> tuple[Risk, Turn]:
        """How a post is taken after what was said before in its session: its risk, and what kind of turn it is."""
        memory = self.sessions.memory(post.session_id)
        return self._risk(post, memory), turn_of(post.text, post.language, memory.before)

    def stand_in(self, post: Post, fault: str) -> Reply:
        """An honest fixed text for a post that no model answers, with help lines where it is worrying."""
        memory = self.sessions.memory(post.session_id)
        return self._replied(post, unanswered_chain(post.language), self._risk(post, memory), fault=fault)

    # With the model -----------------------------------------------------------------------------------------------

    def respond(
        self,
        text: str,
        *,
        locale: str = "",
        session_id: str = "",
        affect: Callable[[str], str] = no_affect,
        cancelled: Cancellation | None = None,
        accepted: float | None = None,
    ) -> Iterator[Delta | Reply]:
        """Stream the reply to a post; :meth:`post` and :meth:`answer` in one."""
        post = self.post(text, locale=locale, session_id=session_id, accepted=accepted)
        return self.answer(post, affect, cancelled)

    def answer(
        self, post: Post, affect: Callable[[str], str] = no_affect, cancelled: Cancellation | None = None
    ) -> Iterator[Delta | Reply]:
        """Stream the reply: reviewed sentences of each part in order, then the ``Reply``, last.

        When a model's output has no answer that is fit to be said, it is asked once more; the deltas then begin again
        at the first layer, and only the ``Reply`` counts. Where nothing comes of that either, a fixed text stands in.
        ``affect`` gives the summary of the face in a language. Raises ``Cancelled``, and then remembers nothing of the
        turn; a turn is remembered when its ``Reply`` is decided, after which ``cancelled`` has no effect. Who writes
        traditional characters is answered in them.
        """
        cancelled = cancelled or Cancellation()
        if (reply := self.fixed(post)) is not None:
            yield from _deltas(reply.chain)
            yield reply
            return
        memory = self.sessions.memory(post.session_id)
        risk = self._risk(post, memory)
        speech = Speech(post.language, memory.said)
        written = self._writer(post)
        fault = ""
        try:
            for delta in self._spoken(post, memory, affect(post.language), speech, cancelled):
                yield replace(delta, text=written(delta.text))
        except EngineError as error:
            fault = str(error)
        if not speech.spoken:
            fault = fault or _nothing_fit(speech)
            chain = unanswered_chain(post.language)
            reply = self._replied(post, chain, risk, cancelled, speech, fault)
            yield from _deltas(reply.chain)
            yield reply
            return
        chain = self._filled(speech.chain(), post, memory)
        if risk is Risk.CONCERN and key(lead := concern_lead(post.language)) not in memory.said:
            added = ("" if post.language == "zh" else " ") + lead
            yield Delta(Layer.ANSWER, written(added))
            chain = Chain(chain.texts | {Layer.ANSWER: chain[Layer.ANSWER] + added}, chain.valid)
        yield self._replied(post, chain, risk, cancelled, speech, fault)

    def warm_up(self, language: str, cancelled: threading.Event) -> None:
        """Prepare the review and have the engine evaluate the preamble of a language: the first reply need not wait.

        The preamble is taken from disk where an earlier run kept it. Raises ``Cancelled`` or ``EngineError``.
        """
        review.prepare(language)
        engine = self.engine.current
        request(engine, language, "?")  # loads and compiles what tells turns and puts sentences in order
        prompt = [*preamble(language, manner(engine)), Message(role="user", content="")]
        name = hashlib.sha256(repr(prompt).encode()).hexdigest()[:16]
        if not engine.restore(name):
            engine.prefill(prompt, cancelled)
            engine.save(name)

    def prepare(self, text: str, locale: str, session_id: str, cancelled: threading.Event) -> None:
        """Have the engine evaluate the prompt of a post as far as it is known, while the person still speaks.

        Nothing is done for one that is too long already. Raises ``Cancelled`` or ``EngineError``.
        """
        if len(text.strip()) > self._max_characters:
            return
        language = language_of(resolve_locale(locale or self._locale, text))
        engine = self.engine.current
        engine.prefill(prefix(engine, language, text.strip(), self.sessions.memory(session_id)), cancelled)

    def _spoken(
        self, post: Post, memory: Memory, affect: str, speech: Speech, cancelled: threading.Event
    ) -> Iterator[Delta]:
        """Reviewed sentences. The second and last attempt leaves the history out."""
        model, asked = "", ""
        for known in (memory, Memory(said=memory.said)):

            def build(engine: Engine, known: Memory = known) -> tuple[list[Message], Decoding]:
                nonlocal model, asked
                prompt, decoding = request(engine, post.language, post.text, memory=known, affect=affect)
                model, asked = engine.model, prompt[-1]["content"]
                return prompt, decoding

            started, count, whole = 0.0, 0, True
            try:
                for chunk in self.engine.ask(build, cancelled):
                    if chunk == DROPPED:
                        if speech.spoken:  # what was said cannot be taken back: leave it at that
                            whole = False
                            break
                        speech.restart()
                        continue
                    # Not what the engine says later: others ask it, too, and the next one may be asked in vain.
                    speech.model, speech.asked = model, asked
                    started, count = started or time.monotonic(), count + len(chunk)
                    yield from speech.feed(chunk)
            except CutOff as error:
                logger.warning("%s", error)
                whole = False
            except EngineError:
                yield from speech.finish(whole=False)
                raise
            self.characters_per_second = count / max(time.monotonic() - started, 1e-3)
            yield from speech.finish(whole)
            speech.model = speech.model or model
            if speech.spoken:
                return
            speech.restart()

    def _filled(self, chain: Chain, post: Post, memory: Memory) -> Chain:
        """The chain with a plain sentence in each layer that nothing fit was written for."""
        turn = turn_of(post.text, post.language, memory.before)
        plan = language_data(post.language)["plan"]
        told = plan["told" if memory.turns else "untold"]
        particular = plan["turns"].get(turn.kind, plan["turns"]["story"])
        plain = {
            Layer.EMOTIONS_AND_CONTEXT: plan["plain"]["L1"],
            Layer.CAUSES_AND_BELIEFS: told["L2"][0],
            Layer.INTENTION: particular["L3"][0],
            Layer.STRATEGY: particular["L4"][0],
        }
        return Chain(chain.texts | {layer: plain[layer] for layer in chain.missing}, chain.valid)

    def _writer(self, post: Post) -> Callable[[str], str]:
        """What puts the agent's words into the characters of the person; a session remembers them as they were."""
        if post.language != "zh":
            return str
        return writer([*(turn.post for turn in self.sessions.memory(post.session_id).turns), post.text], post.locale)

    def _risk(self, post: Post, memory: Memory) -> Risk:
        """Somebody who was in crisis a moment ago keeps the help lines in sight."""
        return max(post.verdict.risk, memory.risk)

    def _replied(
        self,
        post: Post,
        chain: Chain,
        risk: Risk,
        cancelled: Cancellation | None = None,
        speech: Speech | None = None,
        fault: str = "",
    ) -> Reply:
        """The reply, which is remembered; ``speech`` where a model was asked. Raises ``Cancelled``."""
        total = time.monotonic() - post.accepted
        kind: Kind | None = post.verdict.kind
        resources = self._hotlines.lines(post.locale, kind) if risk else []
        written = self._writer(post)
        shown = Chain({layer: written(text) for layer, text in chain.texts.items()}, chain.valid)
        reply = Reply(post.session_id, shown, post.locale, risk, resources, "", total, total, fault)
        turn = Exchange(post.text, chain[Layer.ANSWER])
        if speech:
            reply = replace(reply, stopped=speech.stopped)
        if speech and speech.spoken:
            first = speech.begun - post.accepted if speech.begun else total
            reply = replace(reply, model=speech.model, seconds_to_first_token=first)
            turn = replace(turn, asked=speech.asked, written=chain.serialise())

        def remember() -> None:
            self.sessions.add(post.session_id, turn, post.language, post.verdict.risk)

        if not (cancelled or Cancellation()).decide(remember):
            raise Cancelled
        return reply


def _nothing_fit(speech: Speech) -> str:
    stopped = ", ".join(f"{name} {count}" for name, count in speech.stopped.items())
    return f"model {speech.model} gave no fit answer in two attempts" + (f"; stopped: {stopped}" if stopped else "")


def _deltas(chain: Chain) -> Iterator[Delta]:
    """A finished chain as it would have been streamed."""
    return (Delta(layer, chain[layer]) for layer in Layer)
