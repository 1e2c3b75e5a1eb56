"""Trains and measures the classifier of the crisis gate. Needs scikit-learn; the running agent does not."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from empathy_agent.language import detect_language
from empathy_agent.safety.classifier import KINDS, Classifier
from empathy_agent.safety.features import BUCKETS, features, pieces
from empathy_agent.safety.gate import by_rules, graver, marked
from empathy_agent.safety.normalise import normalise
from empathy_agent.safety.patterns import Kind, Risk
from numpy.typing import NDArray

from empathy_training.corpus.asked import ASKED_FILES
from empathy_training.corpus.examples import read_examples
from empathy_training.corpus.importers import client_turns
from empathy_training.corpus.seed import SEED_FILES
from empathy_training.corpus.talk import TALK_FILES
from empathy_training.screening.data import FOLDER, UNSEEN

FALSE_CRISES = 0.03
"""The share of harmless lines that rules and classifier together may take for a crisis when thresholds are chosen. Hard
lines, plain ones and turns of a talk count alike, however many there are of each."""
FALSE_CONCERNS = 0.15
"""The same for a concern."""

_COUNSELLING, _CORPUS = "counselling", "corpus"
_TURNS = 3500  # of a counselling corpus
_TURN_LENGTH = range(4, 161)  # characters
_LEVELS = {"none": Risk.NONE, "concern": Risk.CONCERN, "crisis": Risk.CRISIS}
_REGULARISATION = 30.0
_ITERATIONS = 1000
_TOLERANCE = 1e-4  # of the gradient; with ten times as much the weights depend on the order of the lines
_LEAST = 0.6  # the quantile of the lengths of the lines below which shorter ones are not stretched
_SEEN_IN = 2  # an n-gram counts from so many lines
_FOLDS = 5
_DRAWS = 4
_HELD_OUT = 4  # one topic in so many
_PLAIN_WEIGHT = 2.0  # lines that say it in plain words count more than those that say it between the lines
_SENTENCES = 10  # of a post, that are read alone, too
_SENTENCE_END = re.compile(r"[。.!?\n]+")
_LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Line:
    """An utterance of the data: its level, its kind (None for plain talk), and the family of phrasing it is from."""

    text: str
    level: Risk
    kind: Kind | None
    topic: str

    @property
    def language(self) -> str:
        return detect_language(self.text)

    @property
    def is_plain(self) -> bool:
        """Whether the line says it in plain words."""
        return "_plain/" in self.topic


def read_lines(file: Path) -> list[Line]:
    """The lines of a file that maps LEVEL/KIND/TOPIC to lists of lines.

    Raises ``OSError`` when it cannot be read, ``ValueError`` naming file and entry when it is of another form.
    """
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(entries, dict):
        raise ValueError(f"{file} must map LEVEL/KIND/TOPIC to lists of lines")
    lines = []
    for key, texts in entries.items():
        level, kind, topic = ([*str(key).split("/"), "", ""])[:3]
        if level not in _LEVELS or kind not in {"none", *(one.value for one in Kind)} or not topic:
            raise ValueError(f"{file}: {key!r} is not LEVEL/KIND/TOPIC with a level of {', '.join(_LEVELS)}")
        if not (isinstance(texts, list) and all(isinstance(text, str) and text.strip() for text in texts)):
            raise ValueError(f"{file}: {key} must be a list of lines of text")
        family = f"{file.stem}/{key}"
        known = None if kind == "none" else Kind(kind)
        lines += [Line(text, _LEVELS[level], known, family) for text in texts]
    return lines


def training_lines() -> list[Line]:
    """The lines of the package, without those that only measure, and those of our own corpora."""
    files = sorted(file for file in FOLDER.glob("*.yaml") if not file.stem.startswith(UNSEEN))
    return [*corpus_lines(), *(line for file in files for line in read_lines(file))]


@functools.cache
def corpus_lines() -> tuple[Line, ...]:
    """The questions and the turns of our own conversations (``corpus``) as harmless lines, without what the rules find.

    A topic is a conversation, or a score of questions that stand together: wordings of one question are never apart.
    """
    lines = []
    for file in (*ASKED_FILES, *TALK_FILES):
        for example in read_examples(file).examples:
            name, number, _ = example.id.rsplit("-", 2)
            family = example.session or f"{name}_{(int(number) - 1) // 20:02d}"
            if by_rules(normalise(example.post)).risk is Risk.NONE:
                lines.append(Line(example.post, Risk.NONE, None, f"{_CORPUS}_{file.stem}/none/none/{family}"))
    return tuple(lines)


def unseen_lines() -> list[Line]:
    """The lines that only measure, by another hand."""
    return [line for file in sorted(FOLDER.glob(f"{UNSEEN}*.yaml")) for line in read_lines(file)]


def counselling_lines(name: str, path: Path, seed: int) -> list[Line]:
    """Turns of the clients of a counselling corpus, drawn at random, as harmless lines.

    People talk of what weighs on them, which the lines that were written for the gate hardly hold. What the rules find
    is left out; what they miss stays in, wrongly labelled. Raises ``OSError`` and ``ValueError`` as
    :func:`~empathy_training.corpus.importers.client_turns` does.
    """
    turns = [turn for turn in dict.fromkeys(client_turns(name, path)) if len(turn) in _TURN_LENGTH]
    lines: list[Line] = []
    for turn in np.random.default_rng(seed).permutation(np.array(turns, dtype=object)):
        if by_rules(normalise(turn)).risk is Risk.NONE:
            lines.append(Line(turn, Risk.NONE, None, f"{_COUNSELLING}_{name}/{len(lines) // 20}"))
        if len(lines) == _TURNS:
            break
    return lines


def seed_lines() -> list[Line]:
    """Posts of the seed set, whole: long, sad, and without a crisis."""
    return [
        Line(example.post, Risk.NONE, None, f"seed/{example.id}")
        for file in SEED_FILES
        for example in read_examples(file).examples
    ]


@dataclass(frozen=True)
class Measured:
    """Counts of ``found[true level][level that was found]`` and of right kinds among crises that were found."""

    found: dict[Risk, Counter[Risk]]
    right_kinds: int
    kinds: int

    def share(self, true: Risk, at_least: Risk) -> float:
        """The share of lines of a level that were found to be at least of another one; NaN without lines."""
        counts = self.found[true]
        total = counts.total()
        return sum(counts[risk] for risk in Risk if risk >= at_least) / total if total else float("nan")


def measure(lines: Sequence[Line], classifier: Classifier | None) -> Measured:
    """The gate on lines, with the rules alone where no classifier is given."""
    found = {level: Counter[Risk]() for level in Risk}
    right = kinds = 0
    for line in lines:
        text = normalise(line.text)
        verdict = by_rules(text)
        if classifier:
            verdict = graver(verdict, classifier.judge(marked(text)))
        found[line.level][verdict.risk] += 1
        if line.level is Risk.CRISIS and verdict.risk is Risk.CRISIS and line.kind:
            kinds += 1
            right += verdict.kind is line.kind
    return Measured(found, right, kinds)


def split(lines: Sequence[Line], seed: int) -> tuple[list[Line], list[Line]]:
    """Lines to train on and lines to hold out: one topic in four of every language, level and kind that has several."""
    draw = np.random.default_rng(seed)
    topics: dict[tuple[str, Risk, Kind | None], list[str]] = {}
    for line in lines:
        file, _, _ = line.topic.partition("_")
        family = topics.setdefault((file, line.level, line.kind), [])
        if line.topic not in family:
            family.append(line.topic)
    held: set[str] = set()
    for family in topics.values():
        count = max(1, len(family) // _HELD_OUT) if len(family) > 1 else 0
        held.update(draw.permutation(family)[:count].tolist())
    return [line for line in lines if line.topic not in held], [line for line in lines if line.topic in held]


def train(lines: Sequence[Line], posts: Sequence[Line], seed: int) -> Classifier:
    """Fit the classifier; its thresholds come from cross-validation over topics. ``posts`` are long and harmless."""
    everything = [replace(line, text=marked(normalise(line.text))) for line in lines]
    rules = np.array([by_rules(normalise(line.text)).risk for line in lines])
    draw = np.random.default_rng(seed)
    for post in posts:
        everything += [replace(post, text=part) for part in _parts(marked(normalise(post.text)), draw)]
    counts = _matrix([line.text for line in everything])
    # Which topics are learnt together changes the thresholds; several draws are steadier.
    odds = np.stack([_validated(everything, counts, seed + draw) for draw in range(_DRAWS)])
    thresholds = {}
    for language in _LANGUAGES:
        rows = [row for row, line in enumerate(lines) if line.level is Risk.NONE and line.language == language]
        sorts = [_sort(lines[row]) for row in rows]
        # Once learned, next to none of these are mistaken: counted, they would let all others be.
        weight = np.array([0.0 if sort in (_COUNSELLING, _CORPUS) else 1 / sorts.count(sort) for sort in sorts])
        thresholds[language] = (
            _threshold(odds[:, rows, 0], rules[rows] >= Risk.CONCERN, weight, FALSE_CONCERNS),
            _threshold(odds[:, rows, 1], rules[rows] >= Risk.CRISIS, weight, FALSE_CRISES),
        )
    whole = _fit(everything, counts)
    return replace(whole, thresholds=thresholds)


def _sort(line: Line) -> str:
    """What sort of harmless line it is: the data is mostly hard ones, and what people say is mostly not."""
    first, _, _ = line.topic.partition("_")
    return first if first in (_COUNSELLING, _CORPUS, "talk") else "plain" if line.kind is None else "hard"


def _parts(post: str, draw: np.random.Generator) -> list[str]:
    """A harmless post as the gate cuts it, and some of its sentences alone: short messages are plain talk, too."""
    sentences = [sentence.strip() for sentence in _SENTENCE_END.split(post) if len(sentence.strip()) > 1]
    some = draw.permutation(len(sentences))[:_SENTENCES]
    return pieces(post) + [sentences[number] for number in some]


def _validated(lines: Sequence[Line], counts: Any, seed: int) -> NDArray[np.float64]:
    """The odds of each line for a concern and a crisis (len(lines), 2), by models that did not see its topic."""
    folds = _folds(lines, seed)
    odds = np.zeros((len(lines), 2))
    for fold in range(_FOLDS):
        inside = folds != fold
        part = _fit([line for line, kept in zip(lines, inside, strict=True) if kept], counts[inside], kinds=False)
        for row in np.flatnonzero(~inside).tolist():
            odds[row] = part.odds(lines[row].text)
    return odds


def _threshold(
    draws: NDArray[np.float64], already: NDArray[np.bool_], weight: NDArray[np.float64], share: float
) -> float:
    """The odds above which, with those that the rules raised already, so great a share of harmless lines lies.

    ``draws`` (draws, lines) is one cross-validation a row; their thresholds are averaged.
    """
    found = []
    for odds in np.where(already, np.inf, draws):
        order = np.argsort(-odds)
        above = np.cumsum(weight[order]) / weight.sum()
        found.append(odds[order][np.searchsorted(above, share)])
    return float(np.mean(found)) + 1e-6


def _folds(lines: Sequence[Line], seed: int) -> NDArray[np.int64]:
    """A fold for each line; the lines of a topic share theirs."""
    draw = np.random.default_rng(seed)
    topics = list(dict.fromkeys(line.topic for line in lines))
    fold = dict(zip(topics, draw.permutation(len(topics)) % _FOLDS, strict=True))
    return np.array([fold[line.topic] for line in lines])


def _matrix(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    rows = [features(text) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
    return csr_matrix(
        (np.concatenate([weights for _, weights in rows]), np.concatenate([buckets for buckets, _ in rows]), ends),
        shape=(len(texts), BUCKETS),
    )


def _fit(lines: Sequence[Line], counts: Any, *, kinds: bool = True) -> Classifier:
    """A classifier without thresholds; without ``kinds`` it knows levels alone, and is fitted in half the time."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression
    from sklearn.utils.extmath import row_norms

    matrix = csr_matrix(counts)
    seen = np.bincount(matrix.indices, minlength=BUCKETS)
    used = np.flatnonzero(seen >= _SEEN_IN)
    rarity = np.zeros(BUCKETS, dtype=np.float32)
    rarity[used] = np.log((1 + len(lines)) / (1 + seen[used])) + 1
    scaled = matrix.copy()
    scaled.data = scaled.data * rarity[scaled.indices]
    lengths = row_norms(scaled)
    least = float(np.quantile(lengths, _LEAST))
    scaled = scaled.multiply(1 / np.maximum(lengths, least)[:, None]).tocsr()[:, used]

    def fitted(rows: NDArray[np.int64], classes: NDArray[np.int64], number: int) -> tuple[NDArray, NDArray]:
        weight = np.array([_PLAIN_WEIGHT if lines[row].is_plain else 1.0 for row in rows])
        model = LogisticRegression(C=_REGULARISATION, max_iter=_ITERATIONS, tol=_TOLERANCE)
        model.fit(scaled[rows], classes, sample_weight=weight)
        weights = np.zeros((BUCKETS, number), dtype=np.float32)
        offset = np.full(number, -1e9, dtype=np.float32)
        weights[np.ix_(used, model.classes_)] = model.coef_.T
        offset[model.classes_] = model.intercept_
        return weights, offset

    level, level_offset = fitted(np.arange(len(lines)), np.array([line.level for line in lines]), len(Risk))
    whole = Classifier(rarity, least, level, level_offset, level[:, :0], level_offset[:0], {})
    if not kinds:
        return whole
    told = np.array([row for row, line in enumerate(lines) if line.level is Risk.CRISIS])
    classes = np.array([KINDS.index(kind) for kind in (lines[row].kind for row in told) if kind])
    kind, kind_offset = fitted(told, classes, len(KINDS))
    return replace(whole, kind=kind, kind_offset=kind_offset)
