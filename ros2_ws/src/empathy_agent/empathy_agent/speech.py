"""A model's output on its way out: only whole sentences that were reviewed leave, of every part of the chain."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Collection, Iterator

from empathy_agent.chain import THINK, Chain, Delta, Layer
from empathy_agent.parser import ChainParser
from empathy_agent.safety import objection
from empathy_agent.sentences import Sentences
from empathy_agent.session import key

_SHORT = 8
"""Letters of a sentence that may be said again, such as "Yes, of course"."""
REPEATED = "repetition"
ENDLESS = "endless"
_OPENING = re.compile(rf"\s*<(?:{THINK}|L\d|answer)>", re.IGNORECASE)


class Speech:
    """Takes the output in chunks cut anywhere; gives each sentence once it is whole and nothing speaks against it.

    ``said`` are sentences (:func:`~empathy_agent.session.key`) that are not said again; nor is a run without an end
    (:class:`~empathy_agent.sentences.Sentences`). What is held back is counted in ``stopped`` by the name of the check,
    and never given. The deltas of a part make its final text.
    """

    def __init__(self, language: str, said: Collection[str] = ()) -> None:
        self.stopped: Counter[str] = Counter()
        self.begun: float | None = None
        """When the first text came, on ``time.monotonic``."""
        self.model = ""
        """Whose output it is; set by whoever feeds it, as is what the model was asked last."""
        self.asked = ""
        self._language = language
        self._said = set(said)
        self._texts: dict[Layer, str] = {}
        self._begin()

    def _begin(self) -> None:
        self._parser = ChainParser()
        self._sentences: dict[Layer, Sentences] = {}
        self._held = ""
        self._straight = False

    @property
    def spoken(self) -> bool:
        """Whether a sentence of the answer was given."""
        return Layer.ANSWER in self._texts

    def feed(self, chunk: str) -> Iterator[Delta]:
        """The sentences that this chunk completes; none yet of an output that does not begin as the format does, since
        it may turn out to be thoughts, which may quote the format."""
        self.begun = self.begun or time.monotonic()
        if not self._straight:
            self._held += chunk
            self._straight = _OPENING.match(self._held) is not None
            if not self._straight:
                return
            chunk, self._held = self._held, ""
        yield from self._taken(self._parser.feed(chunk))
        if not self._parser.inside:
            # The end of the answer is the output's: until then it may turn out to be a thought, see engines.
            yield from self._ended(but=Layer.ANSWER)

    def finish(self, whole: bool = True) -> Iterator[Delta]:
        """The last sentences; without ``whole`` the output was cut off, and its last sentence is left out."""
        deltas = self._parser.feed(self._held)
        rest, chain = self._parser.finish()
        yield from self._taken(deltas + rest)
        self._valid = chain.valid
        last = max(self._sentences, default=None)
        for layer in sorted(self._sentences):
            if whole or layer is not last:
                yield from self._reviewed(layer, self._sentences[layer].finish())

    def restart(self) -> None:
        """Forget the output so far, but for what was spoken of the answer."""
        self._texts = {layer: text for layer, text in self._texts.items() if layer is Layer.ANSWER}
        self._begin()

    def chain(self) -> Chain:
        """What was given, after :meth:`finish`; ``valid`` as the model's output was."""
        return Chain(dict(self._texts), self._valid)

    def _taken(self, deltas: list[Delta]) -> Iterator[Delta]:
        for delta in deltas:
            yield from self._ended(but=delta.layer)
            sentences = self._sentences.setdefault(delta.layer, Sentences(self._on_endless))
            yield from self._reviewed(delta.layer, sentences.feed(delta.text))

    def _ended(self, but: Layer | None = None) -> Iterator[Delta]:
        """The last sentences of the parts that are over: of all but the one that goes on."""
        for layer in [layer for layer in self._sentences if layer is not but]:
            yield from self._reviewed(layer, self._sentences.pop(layer).finish())

    def _reviewed(self, layer: Layer, sentences: list[str]) -> Iterator[Delta]:
        for sentence in sentences:
            so_far = self._texts.get(layer, "")
            if not sentence.strip() or not (so_far or key(sentence)):  # nothing yet, or dots alone
                continue
            if reason := self._objection(layer, so_far, sentence):
                self.stopped[reason.partition(":")[0]] += 1
                continue
            text = sentence if so_far else sentence.lstrip()
            self._texts[layer] = so_far + text
            yield Delta(layer, text)

    def _on_endless(self) -> None:
        self.stopped[ENDLESS] += 1

    def _objection(self, layer: Layer, so_far: str, sentence: str) -> str:
        if layer is Layer.ANSWER:
            plain = key(sentence)
            if len(plain) >= _SHORT and plain in self._said:
                return REPEATED
            self._said.add(plain)
        return objection(sentence, self._language, so_far) or (so_far and objection(so_far + sentence, self._language))
