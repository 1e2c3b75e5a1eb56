"""What can be measured of a reply without asking anybody.

Overlap with the counsellor's answer says little about empathy (Liu et al. 2016, arXiv:1603.08023); it is here because
papers report it. All figures are of the answer, not of the layers, but for format and repetition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sacrebleu
from empathy_agent.language import is_in_language, language_of
from empathy_agent.safety import objection
from nltk.stem.porter import PorterStemmer
from nltk.translate.meteor_score import single_meteor_score
from numpy.typing import NDArray
from rouge_score.rouge_scorer import RougeScorer

from empathy_training.corpus.examples import Example
from empathy_training.evaluation.replies import GeneratedReply
from empathy_training.learning.reward import RewardModel
from empathy_training.learning.rewards import pieces, repetition, words


@dataclass(frozen=True)
class Metric:
    """A figure of a table."""

    title: str
    unit: str
    """``%``: a share; ``s``: seconds; ``n``: a count; empty: a score of 0 to 1 as papers give it."""


METRICS = {
    "format": Metric("format", "%"),
    "language": Metric("language", "%"),
    "refused": Metric("refused by the safety review", "%"),
    "reward": Metric("reward model", ""),
    "bleu": Metric("BLEU", ""),
    "rouge_l": Metric("ROUGE-L", ""),
    "meteor": Metric("METEOR", ""),
    "chrf": Metric("chrF", ""),
    "bertscore": Metric("BERTScore", ""),
    "distinct_1": Metric("Distinct-1", ""),
    "distinct_2": Metric("Distinct-2", ""),
    "length": Metric("words or characters", "n"),
    "repetition": Metric("repetition", "%"),
    "first": Metric("to first token", "s"),
    "total": Metric("to the end", "s"),
}
"""All figures by name, in the table's order."""

BertScore = Callable[[Sequence[str], Sequence[str]], NDArray[np.float64]]
"""Answers and references to (n,) F1, see :mod:`empathy_training.evaluation.bertscore`."""


def measure(
    replies: Sequence[GeneratedReply],
    examples: Sequence[Example],
    rewards: RewardModel | None = None,
    bertscores: Mapping[str, BertScore] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """The figures of one system's replies.

    Args:
        replies: one for each example.
        examples: posts and the counsellors' answers.
        rewards: rates answers; without it there is no ``reward``.
        bertscores: a scorer for each language that has one.

    Returns:
        (n,) values of each metric but Distinct; NaN where one does not apply. A reply without an answer scores 0 in
        everything that compares or rates the answer.
    """
    answers = [reply.answer for reply in replies]
    references = [example.answer for example in examples]
    languages = [language_of(example.locale) for example in examples]
    values: dict[str, Sequence[float] | NDArray[np.float64]] = {
        "format": [reply.valid for reply in replies],
        "language": [is_in_language(answer, language) for answer, language in zip(answers, languages, strict=True)],
        "refused": [
            not answer or bool(objection(answer, language)) for answer, language in zip(answers, languages, strict=True)
        ],
        "length": [len(words(answer)) for answer in answers],
        "repetition": [repetition(reply.text) for reply in replies],
        "first": [reply.seconds_to_first_token for reply in replies],
        "total": [reply.seconds_total for reply in replies],
    }
    scorers = {"bleu": _bleu, "rouge_l": rouge_l, "meteor": _meteor, "chrf": _chrf}
    for name, scorer in scorers.items():
        values[name] = [scorer(*texts) for texts in zip(answers, references, languages, strict=True)]
    if rewards is not None:
        values["reward"] = np.where([bool(a) for a in answers], rewards.cosines(_posts(examples), answers), 0.0)
    if bertscores:
        values["bertscore"] = _bertscore(answers, references, languages, bertscores)
    return {name: np.asarray(values[name], dtype=np.float64) for name in METRICS if name in values}


def measure_counsellor(
    examples: Sequence[Example], rewards: RewardModel | None = None
) -> dict[str, NDArray[np.float64]]:
    """What can be said of the examples' own answers, as :func:`measure` does for replies."""
    values: dict[str, Sequence[float] | NDArray[np.float32]] = {
        "length": [len(words(example.answer)) for example in examples],
        "repetition": [repetition(example.answer) for example in examples],
    }
    if rewards is not None:
        values["reward"] = rewards.cosines(_posts(examples), [example.answer for example in examples])
    return {name: np.asarray(found, dtype=np.float64) for name, found in values.items()}


def distinct(texts: Sequence[str], size: int) -> float:
    """Distinct-n (Li et al. 2016, arXiv:1510.03055): different pieces of ``size`` words over all of them; NaN for none.

    Falls with the number of texts: compare only systems that answered the same posts.
    """
    found = [piece for text in texts for piece in pieces(text, size)]
    return len(set(found)) / len(found) if found else float("nan")


def _posts(examples: Sequence[Example]) -> list[str]:
    return [example.post for example in examples]


def _bleu(answer: str, reference: str, language: str) -> float:
    """BLEU of one text (Papineni et al. 2002), smoothed; Chinese by character."""
    return sacrebleu.sentence_bleu(answer, [reference], tokenize="zh" if language == "zh" else "13a").score / 100.0


def _chrf(answer: str, reference: str, language: str) -> float:
    """chrF (Popović 2015)."""
    return sacrebleu.sentence_chrf(answer, [reference]).score / 100.0


class _Words:
    """The tokenizer that ROUGE is given: its own knows no Chinese."""

    def tokenize(self, text: str) -> list[str]:
        return words(text)


_ROUGE = RougeScorer(["rougeL"], tokenizer=_Words())


def rouge_l(answer: str, reference: str, language: str) -> float:
    """ROUGE-L, F1 (Lin 2004), on words or Chinese characters."""
    return _ROUGE.score(reference, answer)["rougeL"].fmeasure


class _NoSynonyms:
    """Stands for WordNet, which is a download and knows no Chinese."""

    def synsets(self, word: str) -> list[object]:
        return []


def _meteor(answer: str, reference: str, language: str) -> float:
    """METEOR (Banerjee and Lavie 2005) with exact and stem matches, without synonyms."""
    return single_meteor_score(words(reference), words(answer), stemmer=PorterStemmer(), wordnet=_NoSynonyms())


def _bertscore(
    answers: Sequence[str], references: Sequence[str], languages: Sequence[str], scorers: Mapping[str, BertScore]
) -> NDArray[np.float64]:
    found = np.full(len(answers), np.nan)
    for language, scorer in scorers.items():
        own = [index for index, one in enumerate(languages) if one == language]
        filled = [index for index in own if answers[index]]
        found[own] = 0.0
        if filled:
            found[filled] = scorer([answers[index] for index in filled], [references[index] for index in filled])
    return found
