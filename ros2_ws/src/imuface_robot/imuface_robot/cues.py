"""What a head and a body do beside the words: the same for the same words, face and time, and free of ROS."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from empathy_agent.safety import Risk
from empathy_agent.telling import Sentence, State

from imuface_robot.mirror import Face

_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_QUESTION = re.compile("[?？][”’」』）)\"']*$")
_WARM = {"greeting": 0.5, "thanks": 0.5, "goodbye": 0.5, "good_news": 0.8, "small_talk": 0.4, "plan": 0.4}
"""Turns that are answered with a smile, by strength."""
_GRAVE = ("story", "more", "anger_at_agent", "correction")
NOD_PERIOD = 4.0
"""s between the nods of one who listens."""
_THINKING = 20.0  # s of looking aside, at most; the first sentence ends it


class Kind(enum.IntEnum):
    """What a cue moves, with the values of ``imuface_interfaces/msg/Cue``, which says what the amounts mean."""

    GAZE = 0
    NOD = 1
    TILT = 2
    SMILE = 3
    CONCERN = 4
    POSTURE = 5


@dataclass(frozen=True)
class Cue:
    """``amount`` of ``kind`` from ``delay`` s after its sentence begins, or after now where there is none, in s."""

    kind: Kind
    amount: float
    delay: float
    duration: float


def seconds_to_say(text: str) -> float:
    """How long a sentence takes to say, roughly: 4.5 Chinese characters or 14 letters a second, s."""
    han = len(_HAN.findall(text))
    return 0.4 + han / 4.5 + (len(text) - han) / 14.0


def beside(sentence: Sentence, face: Face) -> list[Cue]:
    """The cues of a sentence; of the closing one, those of having said what was to say, or of breaking off."""
    if sentence.state is not State.SAID:
        return [Cue(Kind.GAZE, 1.0, 0.0, 5.0), Cue(Kind.POSTURE, 0.3, 0.0, 5.0)]
    seconds = round(seconds_to_say(sentence.text), 2)
    cues = [Cue(Kind.GAZE, 1.0, 0.0, seconds)]
    if sentence.risk is Risk.CRISIS:
        # Calm and there: nothing that nods a crisis away, nothing that smiles at it.
        still = {Kind.POSTURE: 0.4, Kind.CONCERN: 0.4, Kind.SMILE: 0.0, Kind.TILT: 0.0}
        return cues + [Cue(kind, amount, 0.0, seconds) for kind, amount in still.items()]
    cues += [
        Cue(Kind.POSTURE, 0.3, 0.0, seconds),
        Cue(Kind.SMILE, _smile(sentence, face), 0.0, seconds),
        Cue(Kind.CONCERN, _concern(sentence, face), 0.0, seconds),
    ]
    if sentence.index == 0:
        cues.append(Cue(Kind.NOD, 0.4, 0.2, 0.7))
    if _QUESTION.search(sentence.text):
        end = min(1.5, seconds)
        cues.append(Cue(Kind.TILT, -0.5 if sentence.index % 2 else 0.5, round(seconds - end, 2), round(end + 1.0, 2)))
    elif sentence.index % 2:
        cues.append(Cue(Kind.NOD, 0.3, round(max(0.0, seconds - 0.6), 2), 0.6))
    return cues


def _smile(sentence: Sentence, face: Face) -> float:
    if sentence.risk or sentence.turn in _GRAVE or face.hostile:
        return 0.0
    mirrored = 0.5 * max(0.0, face.valence) if face.certain else 0.0
    return round(max(_WARM.get(sentence.turn, 0.1), min(mirrored, 0.4)), 2)


def _concern(sentence: Sentence, face: Face) -> float:
    said = 0.5 if sentence.risk else 0.3 if sentence.turn in _GRAVE else 0.0
    mirrored = 0.5 * max(0.0, -face.valence) if face.certain and not face.hostile else 0.0
    return round(max(said, min(mirrored, 0.5)), 2)


class Listener:
    """The cues of one who listens, from utterances as they come; ``now`` in s, on one clock."""

    def __init__(self) -> None:
        self._id = ""
        self._nodded = 0.0

    def partial(self, utterance_id: str, now: float) -> list[Cue]:
        """While the person speaks: turned to them, and a small nod now and then."""
        attentive = [Cue(Kind.GAZE, 1.0, 0.0, 10.0), Cue(Kind.POSTURE, 0.4, 0.0, 10.0)]
        if utterance_id != self._id:
            self._id, self._nodded = utterance_id, now
            return [*attentive, Cue(Kind.TILT, 0.3, 0.0, 3.0)]
        if now - self._nodded < NOD_PERIOD:
            return []
        self._nodded = now
        return [*attentive, Cue(Kind.NOD, 0.3, 0.0, 0.6)]

    def final(self) -> list[Cue]:
        """When the person has spoken: a nod, then a look aside, as one who thinks."""
        self._id = ""
        return [
            Cue(Kind.NOD, 0.4, 0.0, 0.7),
            Cue(Kind.POSTURE, 0.3, 0.0, _THINKING),
            Cue(Kind.GAZE, 0.0, 1.0, _THINKING),
        ]
