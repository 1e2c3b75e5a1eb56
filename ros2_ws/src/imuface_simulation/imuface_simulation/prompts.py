"""The protocol of a study session: what a person is asked to do, and a simulated person who does it.

A script is the same for a laboratory, which shows its prompts to people, and for simulated participants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imuface_simulation.expressions import (
    ACTIONS,
    EXPRESSIONS,
    NEUTRAL_START,
    ONE_SIDED,
    Composer,
    Performer,
    minimum_jerk,
    one_sided,
    vector,
)

SHARES = {"prompted": 0.40, "speech": 0.25, "free": 0.35}
"""Parts of the time after the neutral start. They alternate every few seconds, so that a session may be cut anywhere:
its first minute is as good a sample as the whole."""

_WORDS = {
    "smile": "smile", "laugh": "laugh", "anger": "look angry", "sadness": "look sad", "surprise": "look surprised",
    "fear": "look scared", "disgust": "look disgusted", "pain": "look as if something hurts", "doubt": "look doubtful",
    "yawn": "yawn",
    "jaw drop": "open your mouth", "jaw ajar": "lower your jaw, lips together", "jaw left": "move your jaw to the left",
    "jaw right": "move your jaw to the right", "jaw forward": "push your jaw forward",
    "mouth left": "pull your mouth to the left", "mouth right": "pull your mouth to the right",
    "kiss": "purse your lips", "funnel": "make an O", "puff": "puff up your cheeks",
    "press": "press your lips together", "roll": "roll your lips in", "dimple": "tighten the corners of your mouth",
    "grin": "show your teeth",
    "sneer": "wrinkle your nose", "brow raise": "raise your brows", "brow lower": "lower your brows",
    "squint": "squint", "wide": "open your eyes wide", "close": "close your eyes", "tongue": "stick your tongue out",
    "smirk": "smile on the {side} side only", "wink": "wink with your {side} eye",
    "brow": "raise your {side} brow only",
    "snarl": "raise your upper lip on the {side} side only",
    "stretch": "pull your mouth corner back on the {side} side only",
    "corner": "pull your mouth corner down on the {side} side only",
}  # fmt: skip
_STRENGTHS = {"slightly": 0.45, "as usual": 0.75, "strongly": 1.05}
_TOPICS = (
    "tell what you did this morning", "describe the room you are in", "count backwards from fifty",
    "explain how to make your favourite dish", "tell about a holiday", "describe the way to your home",
    "name as many animals as you can", "tell the story of a film that you like", "talk about the weather of this week",
    "say what you plan for tomorrow",
)  # fmt: skip
_FREE = "make faces as you like"

# Actions that a face at rest may show a little of; sides go together.
_RESTING = (
    "browDown", "browInnerUp", "eyeBlink", "eyeSquint", "cheekSquint", "jawOpen", "mouthSmile", "mouthFrown",
    "mouthPress", "mouthStretch", "mouthDimple", "mouthPucker", "mouthShrugLower", "mouthRollLower", "mouthUpperUp",
)  # fmt: skip
_RESTING_SETTLE = 2.0  # s from the neutral face of the calibration into the resting one
_ONSET = (0.2, 1.0)  # s
_LOOSE_END = 1.0  # s before its end at which free expression begins nothing new


class _Card(NamedTuple):
    """Something to ask for."""

    text: str
    target: NDArray[np.float64]  # (52,)


@dataclass(frozen=True)
class Prompt:
    """What the person is asked to do in a part of a session; times in seconds since it began."""

    start: float
    relax: float  # when to return to rest
    end: float
    part: str  # "neutral" or one of SHARES
    text: str
    target: NDArray[np.float64] | None = None  # (52,) of a prompted face, at its strength


def script(seed: int, duration: float) -> list[Prompt]:
    """The prompts of a session of ``duration`` seconds: the same for the same seed.

    A neutral face first, then always the part that is furthest behind its share. The prompted faces are drawn
    without replacement, both sides and one alike. Raises ``ValueError`` for an impossible duration.
    """
    if not 0.0 < duration < float("inf"):
        raise ValueError(f"duration is {duration} s, must be positive")
    rng = np.random.default_rng([seed, 0x70726F6D])
    now = min(NEUTRAL_START, duration)
    prompts = [Prompt(0.0, now, now, "neutral", "hold a neutral face, and keep still")]
    # Where each part stands before it has begun is random, hence also their order.
    spent = {part: rng.uniform(-2.0, 0.0) for part in SHARES}
    cards: list[_Card] = []
    topics: list[str] = []
    while now < duration:
        part = min(SHARES, key=lambda name: spent[name] / SHARES[name])
        if part == "prompted":
            cards = cards or _deck(rng)
            card = cards.pop()
            relax = now + rng.uniform(*_ONSET) + rng.uniform(1.0, 4.0)
            end = relax + rng.uniform(1.0, 2.0)
            word = str(rng.choice(list(_STRENGTHS)))
            text = card.text if word == "as usual" else f"{card.text}, {word}"
            prompt = Prompt(now, relax, end, part, text, _STRENGTHS[word] * card.target)
        elif part == "speech":
            topics = topics or list(rng.permutation(_TOPICS))
            end = now + rng.uniform(4.0, 7.0)
            prompt = Prompt(now, end, end, part, str(topics.pop()))
        else:
            end = now + rng.uniform(5.0, 9.0)
            prompt = Prompt(now, end, end, part, _FREE)
        prompts.append(prompt)
        spent[part] += end - now
        now = end
    return prompts


def perform(person: int, session: int, duration: float, rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A simulated ``person`` who follows the script of ``session``, in frames at ``rate`` Hz.

    Returns weights (K, 52) 0..1, and (K,) how much the person is speaking, 0..1.
    Habits and, in most people, a face at rest that is slightly off neutral are the person's, whatever the session.
    """
    rng = np.random.default_rng([person, session, 0x70657266])
    habits = np.random.default_rng([person, 0x70657266])
    composer = Composer(rng, Performer.random(habits), duration, rate)
    for prompt in script(session, duration):
        if prompt.target is not None:
            attack = min(rng.uniform(*_ONSET), 0.5 * (prompt.relax - prompt.start))
            release = rng.uniform(0.3, 0.8) * (prompt.end - prompt.relax)
            hold = prompt.relax - prompt.start - attack
            composer.act(prompt.start, prompt.target, rng.uniform(0.85, 1.15), attack, hold, release)
        elif prompt.part == "speech":
            _talk(composer, prompt)
        elif prompt.part == "free":
            composer.improvise(prompt.start, prompt.end - _LOOSE_END)
    frames = composer.finish()
    resting = _resting_face(habits, rng, np.arange(len(frames)) / rate)
    return resting + (1.0 - resting) * frames, composer.speech


def _deck(rng: np.random.Generator) -> list[_Card]:
    """Every prompted face once, shuffled such that each kind comes evenly. Gaze is left out: no ear feels it."""
    kinds = [
        [_Card(_WORDS[name], vector(weights)) for name, weights in EXPRESSIONS.items()],
        [_Card(_WORDS[name], vector(weights)) for name, weights in ACTIONS.items() if name in _WORDS],
        [
            _Card(_WORDS[name].format(side=side.lower()), one_sided(vector(weights), side, rng.uniform(0.0, 0.25)))
            for name, weights in ONE_SIDED.items()
            for side in ("Left", "Right")
        ],
    ]
    placed = [
        ((place + rng.random()) / len(kind), kind[card])
        for kind in kinds
        for place, card in enumerate(rng.permutation(len(kind)))
    ]
    return [card for _, card in sorted(placed, key=lambda pair: pair[0], reverse=True)]


def _talk(composer: Composer, prompt: Prompt) -> None:
    """Phrases with pauses, as many as fit."""
    rng, now = composer.rng, prompt.start
    while (room := int(3.0 * (prompt.end - now))) >= 3:
        now = composer.phrase(now, min(int(rng.integers(3, 14)), room)) + rng.uniform(0.1, 0.8)


def _resting_face(
    habits: np.random.Generator, rng: np.random.Generator, times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights (N, 52) that the face has anyway: none in the calibration, then each coming and going slowly.

    One of three people rests with a neutral face.
    """
    resting = np.zeros(52)
    shown = habits.random() < 2.0 / 3.0
    for name in _RESTING:
        amount = shown * (habits.random() < 0.4) * habits.exponential(0.08)
        resting += vector({name: amount}) * np.exp(habits.normal(0.0, 0.2, 52))
    period, phase = rng.uniform(60.0, 240.0, 52), rng.uniform(0.0, 2.0 * np.pi, 52)
    course = 0.6 + 0.4 * np.sin(2.0 * np.pi * times[:, None] / period + phase)
    settled = minimum_jerk((times - NEUTRAL_START) / _RESTING_SETTLE)[:, None]
    return np.clip(resting, 0.0, 0.4) * course * settled
