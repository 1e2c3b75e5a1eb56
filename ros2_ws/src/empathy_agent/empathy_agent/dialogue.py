"""One post in, a streamed chain of empathy out: gate, language, prompt, engine, parser, review."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from empathy_agent.chain import Chain, Delta, Layer
from empathy_agent.engines import Decoding, Engine, EngineError
from empathy_agent.grammar import chain_grammar
from empathy_agent.language import language_of, resolve_locale
from empathy_agent.parser import ChainParser
from empathy_agent.prompt import Message, estimate_tokens, messages
from empathy_agent.safety import Hotlines, Risk, assess, concern_lead, crisis_chain, objection, unanswered_chain
from empathy_agent.session import Sessions

# Tokens left for the reply. Under the grammar a reply has 250 to 450.
_REPLY_TOKENS = 1024


class ErrorCode(enum.IntEnum):
    """Why there is no reply, with the values of ``imuface_interfaces/action/Respond``."""

    EMPTY_TEXT = 1
    TEXT_TOO_LONG = 2
    NOT_ACTIVE = 3
    ENGINE_FAILED = 4
    FORMAT_FAILED = 5
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

    ``fault`` says why the model's reply to a worrying post was replaced by a fixed text with help lines.
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


def no_affect(language: str) -> str:
    """The summary of a face nobody sees."""
    return ""


class Dialogue:
    """Answers posts with one engine; one at a time.

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
        self._engine = engine
        self._hotlines = hotlines or Hotlines.load()
        self._sessions = sessions or Sessions()
        self._locale = locale
        self._max_characters = max_characters
        self.tokens_per_second = 0.0  # of the last generation
        if max_characters < 1:
            raise ValueError(f"max_characters {max_characters} must be at least 1")
        # A Chinese character counts as one token.
        room = engine.context - _REPLY_TOKENS - max(_tokens(self._messages(language, "")) for language in ("zh", "en"))
        if max_characters > room:
            raise ValueError(
                f"max_characters {max_characters} does not fit model {engine.model}: its context of {engine.context} "
                f"tokens leaves room for {max(room, 0)}; lower max_characters or choose a model with more context"
            )

    def warm_up(self, language: str, cancelled: threading.Event) -> None:
        """Have the engine evaluate the preamble of a language, so that the first reply need not wait for it.

        Raises ``Cancelled`` or ``EngineError``.
        """
        for _ in self._engine.stream(self._messages(language, ""), Decoding(max_tokens=1), cancelled):
            pass

    def respond(
        self,
        text: str,
        *,
        locale: str = "",
        session_id: str = "",
        affect: Callable[[str], str] = no_affect,
        cancelled: threading.Event | None = None,
        accepted: float | None = None,
    ) -> Iterator[Delta | Reply]:
        """Stream the reply to a post: deltas of each part in order, then the ``Reply``, last.

        When the model's output is not fit to keep, it is asked once more; the deltas then begin again at the first
        layer, and only the ``Reply`` counts. ``affect`` gives the summary of the face in a language; ``accepted`` is
        when the post was taken, on ``time.monotonic``. A model that fails on a worrying post (CONCERN) is replaced by a
        fixed text; otherwise ``DialogueError`` is raised. Raises ``Cancelled``.
        """
        accepted = time.monotonic() if accepted is None else accepted
        text = text.strip()
        self._check(text)
        locale = resolve_locale(locale or self._locale, text)
        language = language_of(locale)
        history = self._sessions.history(session_id)
        verdict = assess(text)
        risk = verdict.risk
        first: float | None = None
        fault = ""
        if risk is Risk.CRISIS:
            assert verdict.kind is not None
            chain, model = crisis_chain(language, verdict.kind), ""
            yield from _deltas(chain)
        else:
            # Somebody who was in crisis a moment ago keeps the help lines in sight.
            after_crisis = any(assess(post).risk is Risk.CRISIS for post, _ in history)
            risk = Risk.CONCERN if after_crisis else risk
            model = self._engine.model
            try:
                for item in self._generate(text, language, history, affect(language), cancelled or threading.Event()):
                    first = first or time.monotonic() - accepted
                    if isinstance(item, Chain):
                        chain = item
                    else:
                        yield item
            except DialogueError as error:
                if risk is Risk.NONE:
                    raise
                # Help lines must not depend on a model.
                chain, model, fault = unanswered_chain(language), "", str(error)
                yield from _deltas(chain)
            if risk is Risk.CONCERN:
                lead = concern_lead(language)
                gap = "" if language == "zh" else " "
                yield Delta(Layer.ANSWER, gap + lead)
                chain = Chain(chain.texts | {Layer.ANSWER: chain[Layer.ANSWER] + gap + lead}, chain.valid)
        self._sessions.add(session_id, text, chain[Layer.ANSWER])
        total = time.monotonic() - accepted
        resources = self._hotlines.lines(locale) if risk else []
        first = total if first is None else first
        yield Reply(session_id, chain, locale, risk, resources, model, first, total, fault)

    def _check(self, text: str) -> None:
        if not text:
            raise DialogueError(ErrorCode.EMPTY_TEXT, "the text is empty; say or write something")
        if len(text) > self._max_characters:
            raise DialogueError(
                ErrorCode.TEXT_TOO_LONG,
                f"the text has {len(text)} characters, max_characters is {self._max_characters}; shorten it, or raise "
                "the parameter with a model that has more context",
            )

    def _generate(
        self, text: str, language: str, history: list[tuple[str, str]], affect: str, cancelled: threading.Event
    ) -> Iterator[Delta | Chain]:
        """Deltas, then the chain. The second and last attempt leaves the history out."""
        prompt = self._fitted(text, language, history, affect)
        decoding = decoding_for(self._engine, language, text)
        fault = ""
        for attempt in (prompt, self._messages(language, text, (), affect)):
            parser = ChainParser()
            started, count = 0.0, 0
            try:
                for chunk in self._engine.stream(attempt, decoding, cancelled):
                    started, count = started or time.monotonic(), count + 1
                    yield from parser.feed(chunk)
            except EngineError as error:
                raise DialogueError(ErrorCode.ENGINE_FAILED, str(error)) from error
            # Servers send a token an event; the first one came when the clock started.
            self.tokens_per_second = (count - 1) / (time.monotonic() - started) if count > 1 else 0.0
            deltas, chain = parser.finish()
            yield from deltas
            fault = "it has no text in " + ", ".join(layer.tag for layer in chain.missing) if chain.missing else ""
            fault = fault or objection(chain[Layer.ANSWER], language)
            if not fault:
                yield chain
                return
        raise DialogueError(
            ErrorCode.FORMAT_FAILED,
            f"model {self._engine.model} gave no fit reply in two attempts: {fault}; try again or choose another model",
        )

    def _fitted(self, text: str, language: str, history: list[tuple[str, str]], affect: str) -> list[Message]:
        """The prompt with as much of the latest history as the context holds."""
        for start in range(len(history)):
            prompt = self._messages(language, text, history[start:], affect)
            if _tokens(prompt) + _REPLY_TOKENS <= self._engine.context:
                return prompt
        return self._messages(language, text, (), affect)

    def _messages(
        self, language: str, text: str, history: Sequence[tuple[str, str]] = (), affect: str = ""
    ) -> list[Message]:
        return messages(language, text, history, affect, worked_examples=self._engine.worked_examples)


def decoding_for(engine: Engine, language: str, text: str, seed: int | None = None) -> Decoding:
    """How the agent draws its reply to a post: held to the format where the engine can."""
    grammar = chain_grammar(language, engine.scaffold, text) if engine.supports_grammar else ""
    decoding = Decoding(max_tokens=_REPLY_TOKENS, grammar=grammar, seed=seed)
    # Small models that were trained on the format write freely, and drawn timidly they run in circles.
    return decoding if engine.worked_examples else replace(decoding, temperature=0.7, repeat_penalty=1.1)


def _deltas(chain: Chain) -> Iterator[Delta]:
    """A finished chain as it would have been streamed."""
    return (Delta(layer, chain[layer]) for layer in Layer)


def _tokens(prompt: list[Message]) -> int:
    return sum(estimate_tokens(message["content"]) for message in prompt)
