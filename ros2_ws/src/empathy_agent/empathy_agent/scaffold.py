"""What may be said in a turn by an agent that does not write: its plan, sentence by sentence, the best first.

A model of 1.5 billion parameters that writes freely misreads people. So each sentence of the chain is a person's own
words (``reflection.py``) in a frame, or one of the vetted sentences of ``moves/``: for what the message means at heart
(``meanings.py``), where that is known, or else for this kind of turn, this theme and this type of question, in the
order in which readers would like to hear them (``preference.py``). What was said before in the session is not offered
again.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from empathy_agent.chain import THINK, Layer
from empathy_agent.choices import leanings
from empathy_agent.language import language_data
from empathy_agent.meanings import meaning_of
from empathy_agent.preference import BEST, PLACE, Occasion, Sentence, shipped
from empathy_agent.reflection import asked, clauses, corrections, is_about, told_before_asking
from empathy_agent.sentences import split_sentences
from empathy_agent.session import key
from empathy_agent.situations import DOING, advice
from empathy_agent.turns import Turn, moves, theme_of, turn_of
from empathy_agent.wording import wordings

OFFERED = 4
"""Sentences that a model may choose from."""
LEAST = 0.9
"""Rating (0 .. 2) below which an answer does without a sentence that it does not need."""
_FACE = 0.4
"""What is added to the rating of a feeling that the face shows, too."""
_MOOD = 0.3
"""Spread of what is added to a rating (0 .. 2) by lot, so that not everybody hears the same best sentence."""
CLAUSE, FEELING, BELIEF, ASKED = "{clause}", "{feeling}", "{belief}", "{asked}"
_TELLING = 2
"""Clauses to choose from, the longest: of those a reader found a third wrong to say back, of the shorter ones two."""
_REMEMBERED = 3
"""Earlier messages whose clauses may be taken up."""
_TELLS = ("story", "more", "good_news", "small_talk", "short")
"""Kinds of turn that are answered to what they mean."""
_OWN = {"correction": corrections, "question": told_before_asking}
"""Whose own words are other clauses than usual."""
_ABOUT_AGENT = ("memory", "self_of_agent", "outside", "judged")


@dataclass(frozen=True)
class _Offer:
    """Choices for a sentence, the best first, and the rating that readers would give that one."""

    choices: list[str]
    rating: float


@dataclass(frozen=True)
class Scaffold:
    """The sentences of each part in order, each a list of choices, the best first."""

    sentences: dict[Layer, list[list[str]]]

    def places(self, gap: str) -> tuple[tuple[str, ...], ...]:
        """The whole chain with all that may stand at each place, for :class:`~empathy_agent.engines.Decoding`.

        ``gap`` stands between sentences.
        """
        result: list[tuple[str, ...]] = [(f"<{THINK}>",)]
        for layer, sentences in self.sentences.items():
            result.append((f"<{layer.tag}>",))
            for number, choices in enumerate(sentences):
                result += [(gap,)] * (number > 0)
                result.append(tuple(choices))
            result.append((f"</{layer.tag}>" + f"</{THINK}>" * (layer is Layer.STRATEGY),))
        return tuple(result)


def scaffold(
    turn: Turn,
    language: str,
    text: str,
    earlier: Sequence[str] = (),
    said: Collection[str] = (),
    face: str = "",
) -> Scaffold:
    """The plan of a turn.

    Args:
        turn: what the message does.
        language: ``"zh"`` or ``"en"``.
        text: the message; it also decides which sentences are offered.
        earlier: the person's earlier messages of the session, oldest first.
        said: sentences that the agent has said in the session, as :func:`~empathy_agent.session.key` writes them.
        face: what it showed, in words (``affect_window.py``): an uncertain cue, which the thoughts name, and which may
            decide between two feelings.
    """
    bank, plan = moves(language), language_data(language)["plan"]
    taken_up = bank["taken_up"]
    theme = theme_of([*earlier, text], language)
    kind = turn.kind
    own = _OWN.get(kind, clauses)(text, language)
    before = [clause for post in earlier[-_REMEMBERED:] for clause in clauses(post, language)]
    question = asked(text, language) if kind == "question" else []
    if kind == "question":  # what has nothing to do with the question is no reason
        before = [clause for clause in before if is_about(clause, text, language)]
    told = own + before if kind == "question" else before if kind == "short" else own
    picks = {
        CLAUSE: sorted(told, key=len)[-_TELLING:],
        FEELING: [
            *(bank["feelings"] if kind != "good_news" else []),
            *(bank["good_feelings"] if kind == "good_news" or theme == "general" else []),
        ],
        BELIEF: bank["beliefs"].get(theme) or bank["beliefs"]["general"],
        ASKED: question,
    }
    meaning = meaning_of(text, language, earlier, _REMEMBERED if kind in ("question", "short") else 0)
    if meaning is not None and kind in _TELLS:
        particular = meaning.asks if kind == "short" else meaning.says
        if (kind == "good_news" and not meaning.good) or all(_said(sentence, said) for sentence in particular):
            meaning = None
    occasion = Occasion(language, turn, theme, (*earlier, text))
    chance = random.Random(text)

    def best(templates: Sequence[str]) -> _Offer:
        sentences = [one for template in templates for one in _filled(template, picks)]
        ratings = shipped().ratings(occasion, sentences)
        ratings += [_FACE * any(words in face for place, words in one.filled if place == FEELING) for one in sentences]
        order = np.argsort([chance.gauss(-rating, _MOOD) for rating in ratings])
        return _Offer(list(dict.fromkeys(sentences[number].text for number in order))[:OFFERED], ratings[order[0]])

    def offered(*lists: list[str]) -> _Offer:
        """The best of what was not said yet, of the first list that has something."""
        for one in lists:
            if fresh := [choice for choice in one if not _said(choice, said)]:
                return best(fresh)
        return best(lists[-1])

    def fitting(sentences: Sequence[str]) -> list[_Offer]:
        """What belongs to the meaning and was not said yet; readers of that sentence alone cannot judge it."""
        fresh = [sentence for sentence in sentences if not _said(sentence, said)]
        return [replace(best(fresh), rating=BEST)] if fresh else []

    def of_theme(name: str) -> _Offer:
        return offered(bank[name][theme] + (bank[name]["general"] if theme != "general" else []))

    answer: list[_Offer]
    needed: _Offer | None = None
    if kind == "question":
        about_agent = turn.question in _ABOUT_AGENT
        parts = bank["answers"][turn.question]
        asked_for = text, language, turn.question, earlier
        leaning, following = leanings(*asked_for), list[str]()
        if not leaning:
            known = advice(*asked_for)
            leaning = wordings(*asked_for, particular=known is not None)
            if known is not None and not leaning:
                leaning, following = list(known.first), list(known.then)
            elif meaning is not None and not leaning and turn.question in DOING:
                leaning = list(meaning.do)
        needed = offered(leaning, parts["first"])
        answer = [needed, offered(following, parts["then"])]
        if not earlier and meaning is not None and not about_agent:  # a story that ends with a question
            answer[:0] = fitting(meaning.says)
        elif own and not earlier and not about_agent:
            answer.insert(0, offered(bank["frames"]["story"]))
        elif question and not leaning and not about_agent:
            answer.insert(0, offered(taken_up["asked"]))
        if before and not about_agent:
            answer.insert(-1, offered(taken_up["remembered"]))
    elif kind == "good_news":
        answer = [offered(taken_up["glad"]), *([offered(bank["frames"]["good"])] if own and meaning is None else [])]
    elif kind == "correction" and own:
        answer = [offered(taken_up["corrected"] + bank["frames"]["correction"]), of_theme("closings")]
    elif kind == "correction":
        answer = [offered(bank["turns"]["correction_without_clause"])]
    elif kind == "anger_at_agent":
        answer = [offered(taken_up["sorry"]), offered(bank["turns"][kind])]
    elif kind == "small_talk" and own:
        answer = [offered(taken_up["light"])]
    elif kind == "short":
        answer = [offered(bank["turns"][kind]), *([offered(taken_up["back"])] if before and meaning is None else [])]
    elif kind == "small_talk" and meaning is not None:
        answer = []
    elif kind in bank["turns"]:
        answer = [offered(bank["turns"][kind])]
    elif meaning is not None:
        answer = []
    else:
        answer = [of_theme("validations")]
        if len(earlier) % 2 == 0:  # whoever asks every time holds an interview
            answer.append(of_theme("closings"))
        if earlier and turn_of(earlier[0], language).kind == "good_news":  # no comfort where nobody is sad
            answer = [] if own else [offered(bank["turns"]["short"])]
        if own:
            answer.insert(0, offered(bank["frames"][kind]))
    if meaning is not None and kind in _TELLS:
        answer += fitting(meaning.says) if kind != "short" else []
        answer += fitting(meaning.asks) if kind == "short" or len(earlier) % 2 == 0 else []
    needed = needed or max(answer, key=lambda offer: offer.rating)
    shape = plan["good_news" if kind == "good_news" and own else "feeling" if told else "told" if earlier else "untold"]
    shown = plan["turns"][kind]
    return Scaffold(
        {
            Layer.EMOTIONS_AND_CONTEXT: [
                best(shape["L1"]).choices,
                *([[plan["face"].format(face=face)]] if face else []),
            ],
            Layer.CAUSES_AND_BELIEFS: [best([choice]).choices for choice in shape["L2"]],
            Layer.INTENTION: [best(shown["L3"]).choices],
            Layer.STRATEGY: [best(shown["L4"]).choices],
            Layer.ANSWER: [offer.choices for offer in answer if offer is needed or offer.rating >= LEAST],
        }
    )


def _filled(template: str, picks: dict[str, list[str]]) -> Iterator[Sentence]:
    """A sentence of the bank with all that may stand at its places."""
    names = [piece for piece in PLACE.split(template) if piece in picks]
    for chosen in itertools.product(*(picks[name] for name in names)):
        yield Sentence.of(template, list(zip(names, chosen, strict=True)))


def _said(choice: str, said: Collection[str]) -> bool:
    """Whether a choice, or a frame with other words in it, was said before."""
    if not PLACE.search(choice):
        return any(key(sentence) in said for sentence in split_sentences(choice))
    before, _, after = map(key, PLACE.split(choice, maxsplit=1))
    return any(sentence.startswith(before) and sentence.endswith(after) for sentence in said)
