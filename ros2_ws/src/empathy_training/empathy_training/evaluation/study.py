"""The blind study with people (arXiv:2509.14851): a page on which they rank anonymous replies, and what they ranked.

The four dimensions are those of Liu et al. 2021 (ESConv, arXiv:2106.01144).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from empathy_training.corpus.examples import first_fault
from empathy_training.evaluation.ranking import Standing, agreement, standings

Dimension = Literal["fluency", "identification", "comforting", "suggestion"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
LANGUAGES = ("en", "zh")
_TEXTS = '"@study@"'
_LANGUAGE = "@language@"

_Ranks = dict[str, int]
"""Token of a reply to its rank, 1 being best; some of a post's replies may lack."""
M = TypeVar("M", bound=BaseModel)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Post(_Model):
    id: str
    """Of the example."""
    systems: dict[str, str]
    """Token of a reply to the system that wrote it."""


class _Key(_Model):
    study: str
    language: str
    posts: Annotated[dict[str, _Post], Field(min_length=1)]
    """By the token of the post."""

    @model_validator(mode="after")
    def _same_systems(self) -> _Key:
        sets = {tuple(sorted(post.systems.values())) for post in self.posts.values()}
        if len(sets) > 1 or any(len(set(systems)) < max(2, len(systems)) for systems in sets):
            raise ValueError("posts differ in their systems")
        return self


class _Judgement(_Model):
    post: str
    order: list[str]
    """Tokens as they were shown."""
    ranks: dict[Dimension, _Ranks]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """Spent on the post."""


class _Result(_Model):
    study: str
    rater: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    posts: list[_Judgement]


@dataclass(frozen=True)
class StudyScore:
    """What the raters of a study found."""

    raters: int
    """Who saved a file."""
    posts: int
    """Posts that at least one rater finished."""
    unfinished: int
    """Posts that a rater left unfinished, of all raters."""
    standings: dict[str, Standing]
    """By system, over all four dimensions."""
    dimensions: dict[Dimension, dict[str, Standing]]
    agreement: float
    """Kendall's W of the raters' mean ranks over the dimensions; NaN where no post has two raters."""
    dimension_agreement: dict[Dimension, float]


def make_study(
    posts: Mapping[str, str],
    replies: Mapping[str, Mapping[str, str]],
    number: int,
    language: str,
    seed: int,
    page: Path,
) -> Path:
    """Write the page for the raters, and the key that tells which reply is whose.

    Args:
        posts: text by id.
        replies: answer by system and id; a post takes part where every system has a non-empty one.
        number: how many posts are drawn, all where there are fewer.
        language: of the page, ``en`` or ``zh``.
        seed: decides about posts, tokens and order.
        page: ``.html`` file to write. It holds everything that it needs, and no name of a system.

    Returns:
        The key, ``<page stem>.key.json`` beside the page.

    Raises:
        OSError: a file cannot be written.
        ValueError: too few systems or posts, another language, or the key of another study is there.
    """
    if len(replies) < 2:
        raise ValueError(f"a study compares at least two systems, not {len(replies)}")
    if number < 1:
        raise ValueError(f"a study of {number} posts; name 1 or more")
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r}: the page speaks {' and '.join(LANGUAGES)}")
    answered = [id for id in posts if all(answers.get(id, "").strip() for answers in replies.values())]
    if not answered:
        raise ValueError(f"no post was answered by all of {', '.join(replies)}; name the examples that were")
    rng = np.random.default_rng(seed)
    shown, hidden = [], {}
    for index in rng.permutation(len(answered))[:number]:
        id = answered[index]
        tokens = {_token(rng): system for system in replies}
        post = _token(rng)
        texts = [(token, replies[system][id].strip()) for token, system in tokens.items()]
        shown.append(
            {"post": post, "text": posts[id].strip(), "replies": [texts[i] for i in rng.permutation(len(texts))]}
        )
        hidden[post] = _Post(id=id, systems=dict(sorted(tokens.items())))
    content: dict[str, Any] = {"language": language, "dimensions": DIMENSIONS, "posts": shown}
    # Of what raters see only, so that it tells nothing about the systems.
    content["study"] = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]
    key = _Key(study=content["study"], language=language, posts=hidden)
    path = page.with_suffix(".key.json")
    if path.exists() and _read(_Key, path) != key:
        raise ValueError(f"{path} is the key of another study; name another page, or delete it with its results")
    page.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(key.model_dump(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    page.write_text(_page(content), encoding="utf-8")
    return path


def score_study(key: Path, results: Sequence[Path]) -> StudyScore:
    """What raters found; posts that one of them left unfinished are counted and not used.

    The points of a system for a post are minus the mean of its ranks over raters, and overall also over dimensions.

    Args:
        key: written by :func:`make_study`.
        results: the files that raters saved, one of each.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is damaged, of another study or of a rater who was there, or no post is finished.
    """
    known = _read(_Key, key)
    raters: dict[str, Path] = {}
    unfinished = 0
    # Of each post, of each rater, system to rank in each dimension.
    finished: dict[str, list[dict[Dimension, dict[str, int]]]] = {}
    for path in results:
        result = _read(_Result, path)
        if result.study != known.study:
            raise ValueError(f"{path} is of another study than {key}; leave it out")
        if other := raters.get(result.rater.casefold()):
            raise ValueError(f"{path}: rater {result.rater} is in {other} already; leave one of them out")
        raters[result.rater.casefold()] = path
        if sorted(one.post for one in result.posts) != sorted(known.posts):
            raise ValueError(f"{path} does not hold each post of the study once; ask for the file again")
        for one in result.posts:
            systems = known.posts[one.post].systems
            _check(one, systems, path)
            if any(len(one.ranks.get(dimension, {})) < len(systems) for dimension in DIMENSIONS):
                unfinished += 1
                continue
            ranks = {name: {systems[token]: rank for token, rank in own.items()} for name, own in one.ranks.items()}
            finished.setdefault(one.post, []).append(ranks)
    if not finished:
        raise ValueError("no rater finished a post")
    judged = [finished[post] for post in known.posts if post in finished]
    overall = [[_mean_ranks(list(rater.values())) for rater in post] for post in judged]
    apart = {name: [[rater[name] for rater in post] for post in judged] for name in DIMENSIONS}
    return StudyScore(
        raters=len(raters),
        posts=len(judged),
        unfinished=unfinished,
        standings=_standings([[ranks for rater in post for ranks in rater.values()] for post in judged]),
        dimensions={name: _standings(ranks) for name, ranks in apart.items()},
        agreement=agreement(overall),
        dimension_agreement={name: agreement(ranks) for name, ranks in apart.items()},
    )


def _token(rng: np.random.Generator) -> str:
    return rng.bytes(8).hex()


def _page(content: Mapping[str, Any]) -> str:
    template = resources.files("empathy_training.evaluation").joinpath("study_page.html").read_text(encoding="utf-8")
    # No text can end the script element that it stands in.
    texts = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
    return template.replace(_LANGUAGE, content["language"]).replace(_TEXTS, texts)


def _check(one: _Judgement, systems: Mapping[str, str], path: Path) -> None:
    """Raise ``ValueError`` where an order or a ranking is not of the post's replies."""
    if sorted(one.order) != sorted(systems):
        raise ValueError(f"{path}, post {one.post}: the order is not of its replies; ask for the file again")
    for dimension, ranks in one.ranks.items():
        if not ranks.keys() <= systems.keys():
            raise ValueError(f"{path}, post {one.post}, {dimension}: unknown reply; ask for the file again")
        if sorted(ranks.values()) != list(range(1, len(ranks) + 1)):
            raise ValueError(
                f"{path}, post {one.post}, {dimension}: the ranks are not 1 to {len(ranks)}; ask for the file again"
            )


def _mean_ranks(rankings: Sequence[Mapping[str, int]]) -> dict[str, float]:
    return {system: sum(ranks[system] for ranks in rankings) / len(rankings) for system in rankings[0]}


def _standings(rankings: Sequence[Sequence[Mapping[str, int]]]) -> dict[str, Standing]:
    """Of each post's rankings."""
    return standings([{system: -rank for system, rank in _mean_ranks(post).items()} for post in rankings])


def _read(kind: type[M], path: Path) -> M:
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        where, what = first_fault(error)
        raise ValueError(
            f"{path} is damaged: {where + ': ' if where else ''}{' '.join(what.split())}; get it again"
        ) from None
